// What stream commands look for and answer with: the stream of a key, ids, entries.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { Stream } from "../store/stream.ts";
import type { StreamCursor } from "../store/stream-cursor.ts";
import { ID_CHARACTERS_MAX, type StreamId } from "../store/stream-id.ts";
import { STREAM } from "../store/types.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import type { DataContext } from "./types.ts";

/** What findStream() found: 0 for no key. */
export let streamHandle = 0;

/**
 * The stream in the key that is argument `index`, to read from; undefined if there is none. WRONG_TYPE if the key holds
 * something else, which has been answered.
 */
export function findStream(
  context: DataContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): Stream | undefined | typeof WRONG_TYPE {
  streamHandle = findOfType(context, args, index, STREAM, reply);
  if (streamHandle === WRONG_TYPE) return WRONG_TYPE;
  return streamHandle === 0 ? undefined : streamOf(context.keys, streamHandle);
}

export function streamOf(keys: Keyspace, handle: number): Stream {
  const collection = keys.collectionOf(handle);
  if (!(collection instanceof Stream)) throw new TypeError(`${collection.encoding} is no stream`);
  return collection;
}

/**
 * The stream of a record, to be changed; keys.settle() must follow.
 * @param isSilent who watches the key, or waits for it, is not told: its entries stay as they are
 */
export function streamForWrite(context: DataContext, handle: number, isSilent = false): Stream {
  const collection = context.keys.collectionForWrite(handle, isSilent);
  if (!(collection instanceof Stream)) throw new TypeError(`${collection.encoding} is no stream`);
  return collection;
}

const idText = Buffer.alloc(ID_CHARACTERS_MAX);

export function replyId(reply: ReplyWriter, id: StreamId): void {
  reply.bulk(idText, 0, id.writeText(idText, 0));
}

/** A signed integer of 64 bits. */
export function replyInteger(reply: ReplyWriter, value: number | bigint): void {
  if (typeof value === "number") reply.integer(value);
  else reply.integerBig(value);
}

/** The entry that the cursor is at: its id, and its fields and values. */
export function replyEntry(reply: ReplyWriter, cursor: StreamCursor): void {
  if (reply.muted) return;
  reply.array(2);
  replyId(reply, cursor.id);
  const { field, value, pairCount } = cursor;
  reply.array(2 * pairCount);
  for (let i = 0; i < pairCount; i++) {
    cursor.nextPair();
    reply.bulk(field.bytes, field.start, field.end);
    reply.bulk(value.bytes, value.start, value.end);
  }
}

/** An array of up to `limit` entries, all for Infinity; returns how many. */
export function replyEntries(reply: ReplyWriter, cursor: StreamCursor, limit: number): number {
  const mark = reply.position;
  let count = 0;
  while (count < limit && cursor.next()) {
    replyEntry(reply, cursor);
    count++;
  }
  reply.arrayAt(mark, count);
  return count;
}
