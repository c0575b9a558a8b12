// Redis's digest of a data set (debug.c, computeDatasetDigest): independent of the order of keys, and of members where
// they have none. The same as redis-server's for the same data, whatever forms the values have on either side.

import { formatDouble } from "../base/numbers.ts";
import { SHA1_BYTES, sha1 } from "../base/sha1.ts";
import { HashReader } from "../store/hash-reader.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { ListCursor } from "../store/list-cursor.ts";
import { SetReader } from "../store/set-reader.ts";
import { SortedSetReader } from "../store/sorted-set-reader.ts";
import type { Stream } from "../store/stream.ts";
import { StreamCursor } from "../store/stream-cursor.ts";
import { ID_CHARACTERS_MAX } from "../store/stream-id.ts";
import { HASH, LIST, SET, STREAM, ZSET } from "../store/types.ts";
import { streamOf } from "./stream-replies.ts";
import type { DataContext } from "./types.ts";

const one = Buffer.alloc(SHA1_BYTES);
const hash = Buffer.alloc(SHA1_BYTES);
const number = Buffer.alloc(4);
const DASH = 0x2d;
const DOT = 0x2e;
const EXPIRE_MARK = Buffer.from("!!expire!!");
const member = Buffer.alloc(SHA1_BYTES);
const hashReader = new HashReader();
const setReader = new SetReader();
const cursor = new ListCursor();
const streamCursor = new StreamCursor();
const streamId = Buffer.alloc(ID_CHARACTERS_MAX);
const sortedSetReader = new SortedSetReader();

/** Of all databases. */
export function dataDigest(context: DataContext): string {
  const total = Buffer.alloc(SHA1_BYTES);
  context.store.databases.forEach((keys, database) => {
    let empty = true;
    keys.forEach((keyBytes, keyStart, keyEnd, handle) => {
      if (empty) mixNumber(total, database);
      empty = false;
      one.fill(0);
      mix(one, keyBytes, keyStart, keyEnd);
      mixValue(one, keys, handle);
      xor(total, one, 0, SHA1_BYTES);
    });
  });
  return total.toString("hex");
}

/** Of one value; 0 for none. */
export function valueDigest(keys: Keyspace, handle: number): string {
  one.fill(0);
  if (handle !== 0) mixValue(one, keys, handle);
  return one.toString("hex");
}

function mixValue(digest: Buffer, keys: Keyspace, handle: number): void {
  const type = keys.typeOf(handle);
  mixNumber(digest, type);
  if (type === LIST) {
    for (let more = cursor.seek(keys, handle, 0); more; more = cursor.next()) {
      mix(digest, cursor.entry.bytes, cursor.entry.start, cursor.entry.end);
    }
  } else if (type === SET) {
    setReader.open(keys, handle);
    while (setReader.next()) xor(digest, setReader.bytes, setReader.start, setReader.end);
  } else if (type === HASH) {
    hashReader.open(keys, handle);
    while (hashReader.next()) {
      member.fill(0);
      mix(member, hashReader.fieldBytes, hashReader.fieldStart, hashReader.fieldEnd);
      mix(member, hashReader.valueBytes, hashReader.valueStart, hashReader.valueEnd);
      xor(digest, member, 0, SHA1_BYTES);
    }
  } else if (type === ZSET) {
    mixSortedSet(digest, keys, handle);
  } else if (type === STREAM) {
    mixStream(digest, streamOf(keys, handle));
  } else {
    keys.valueOf(handle);
    mix(digest, keys.valueBytes, keys.valueStart, keys.valueEnd);
  }
  if (keys.deadlineOf(handle) !== 0) xor(digest, EXPIRE_MARK, 0, EXPIRE_MARK.length);
}

function mixSortedSet(digest: Buffer, keys: Keyspace, handle: number): void {
  const set = sortedSetReader.open(keys, handle);
  if (!set.goTo(0)) return;
  do {
    member.fill(0);
    mix(member, set.bytes, set.start, set.end);
    const score = Buffer.from(formatDouble(set.score));
    mix(member, score, 0, score.length);
    xor(digest, member, 0, SHA1_BYTES);
  } while (set.next());
}

function mixStream(digest: Buffer, stream: Stream): void {
  const { field, value } = streamCursor;
  for (streamCursor.openAll(stream, false); streamCursor.next(); ) {
    const end = streamCursor.id.writeText(streamId, 0);
    streamId[streamId.indexOf(DASH)] = DOT;
    mix(digest, streamId, 0, end);
    for (let left = streamCursor.pairCount; left > 0; left--) {
      streamCursor.nextPair();
      mix(digest, field.bytes, field.start, field.end);
      mix(digest, value.bytes, value.start, value.end);
    }
  }
}

/** Big-endian u32. */
function mixNumber(digest: Buffer, value: number): void {
  number.writeUInt32BE(value, 0);
  mix(digest, number, 0, number.length);
}

/** digest = SHA1(digest ^ SHA1(bytes)): order counts. */
function mix(digest: Buffer, bytes: Buffer, start: number, end: number): void {
  xor(digest, bytes, start, end);
  sha1(digest, 0, SHA1_BYTES, digest);
}

/** digest ^= SHA1(bytes): order does not count. */
function xor(digest: Buffer, bytes: Buffer, start: number, end: number): void {
  sha1(bytes, start, end, hash);
  for (let i = 0; i < SHA1_BYTES; i++) digest[i] = digest[i]! ^ hash[i]!;
}
