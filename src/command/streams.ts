// Streams changed by their entries: adding, deleting, trimming, setting what was last.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { NODE_BYTES_MAX, Stream } from "../store/stream.ts";
import { StreamId } from "../store/stream-id.ts";
import { STREAM } from "../store/types.ts";
import { replyError, wrongArity } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { EVENT_STREAM, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { parseStrictId } from "./parse-stream-id.ts";
import { findStream, replyId, streamForWrite, streamHandle } from "./stream-replies.ts";
import { newId, parseTrimming, trim, trimming } from "./stream-trim.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const streamCommands = [
  { name: "xadd",   arity: -5, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: xadd },
  { name: "xdel",   arity: -3, route: "write", flags: ["write", "fast"],            keys: oneKey, run: xdel },
  { name: "xtrim",  arity: -4, route: "write", flags: ["write"],                    keys: oneKey, run: xtrim },
  { name: "xsetid", arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: xsetid },
] as const satisfies readonly CommandRow[];

const id = new StreamId();
const otherId = new StreamId();

function xadd(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  if (!parseTrimming(args, true, store.thresholds, reply)) return;
  const first = trimming.idIndex + 1;
  const words = args.count - first;
  if (words < 2 || words % 2 === 1) return reply.error(wrongArity("xadd"));
  if (trimming.idForm === "whole" && trimming.id.isZero) return reply.error(replyError.streamIdZero);
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined && trimming.mustExist) return reply.nil();
  if (found?.lastId.isMax === true) return reply.error(replyError.streamExhausted);
  if (!newId(found?.lastId ?? otherId.setNumbers(0, 0), context.nowMs, id))
    return reply.error(replyError.streamIdNotLarger);
  let contentBytes = 0;
  for (let i = first; i < args.count; i++) contentBytes += args.length(i);
  if (contentBytes > NODE_BYTES_MAX) return reply.error(replyError.streamElementsTooLarge);

  const stream = found === undefined ? new Stream() : streamForWrite(context, streamHandle);
  if (found === undefined) keys.putCollection(args.bytes, args.start(1), args.end(1), STREAM, stream, false);
  stream.append(id, args, first, words / 2, contentBytes, store.thresholds);
  replyId(reply, id);
  notifyKey(context, args, 1, EVENT_STREAM, "xadd");
  if (trim(stream) > 0) notifyKey(context, args, 1, EVENT_STREAM, "xtrim");
  keys.settle(stream);
}

function xdel(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined) return reply.integer(0);
  for (let i = 2; i < args.count; i++)
    if (!parseStrictId(args, i, id)) return reply.error(replyError.streamId);
  let stream: Stream | undefined;
  let deleted = 0;
  let isFirst = false;
  for (let i = 2; i < args.count; i++) {
    parseStrictId(args, i, id);
    if (!(stream ?? found).has(id)) continue;
    stream ??= streamForWrite(context, streamHandle);
    stream.delete(id);
    deleted++;
    if (id.compare(stream.firstId) === 0) isFirst = true;
    if (id.compare(stream.maxDeletedId) > 0) stream.maxDeletedId.set(id);
  }
  if (stream !== undefined) {
    if (isFirst || stream.length === 0) stream.updateFirstId();
    context.keys.settle(stream);
    notifyKey(context, args, 1, EVENT_STREAM, "xdel");
  }
  reply.integer(deleted);
}

function xtrim(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!parseTrimming(args, false, context.store.thresholds, reply)) return;
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined) return reply.integer(0);
  const handle = streamHandle;
  const stream = streamForWrite(context, handle, true);
  const removed = trim(stream);
  context.keys.settle(stream);
  if (removed > 0) {
    context.keys.announce(handle);
    notifyKey(context, args, 1, EVENT_STREAM, "xtrim");
  }
  reply.integer(removed);
}

/** XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id] */
function xsetid(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!parseStrictId(args, 2, id)) return reply.error(replyError.streamId);
  let added: number | bigint = -1;
  otherId.setNumbers(0, 0);
  for (let i = 3; i < args.count; i += 2) {
    const hasValue = i + 1 < args.count;
    if (hasValue && args.is(i, "ENTRIESADDED")) {
      const value = integerAt(args, i + 1);
      if (value === undefined) return reply.error(replyError.notInteger);
      if (value < 0) return reply.error(replyError.setIdAdded);
      added = value;
    } else if (hasValue && args.is(i, "MAXDELETEDID")) {
      if (!parseStrictId(args, i + 1, otherId)) return reply.error(replyError.streamId);
      if (id.compare(otherId) < 0) return reply.error(replyError.setIdBelowGivenDeleted);
    } else {
      return reply.error(replyError.syntax);
    }
  }
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined) return reply.error(replyError.noSuchKey);
  const problem = setIdProblem(found, added);
  if (problem !== undefined) return reply.error(problem);
  // To Redis, who watches the key has seen no change.
  const stream = streamForWrite(context, streamHandle, true);
  stream.setLastId(id);
  if (added !== -1) stream.entriesAdded = added;
  if (!otherId.isZero) stream.maxDeletedId.set(otherId);
  context.keys.settle(stream);
  reply.ok();
  notifyKey(context, args, 1, EVENT_STREAM, "xsetid");
}

const topId = new StreamId();

/** Why `id` may not be the stream's last one, if so. */
function setIdProblem(stream: Stream, added: number | bigint): string | undefined {
  if (id.compare(stream.maxDeletedId) < 0) return replyError.setIdBelowDeleted;
  if (!stream.edgeId(false, topId)) return undefined;
  if (id.compare(topId) < 0) return replyError.setIdBelowTop;
  return added !== -1 && stream.length > added ? replyError.setIdAddedBelowLength : undefined;
}
