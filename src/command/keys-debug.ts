// DEBUG's subcommands that look at data. The container "debug" is a server command and takes these rows in.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import { SHA1_BYTES, sha1 } from "../base/sha1.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { replyError } from "./errors.ts";
import { findUntouched } from "./keys.ts";
import { referenceCount } from "./keys-object.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const row = { route: "read", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys } as const;

// biome-ignore format: one row a line
export const debugDataCommands = [
  { name: "debug|digest",          arity: 2,  ...row, run: debugDigest },
  { name: "debug|digest-value",    arity: -2, ...row, run: debugDigestValue },
  { name: "debug|object",          arity: 3,  ...row, run: debugObject },
  { name: "debug|stringmatch-len", arity: 4,  ...row, run: debugStringmatchLen },
] as const satisfies readonly CommandRow[];

// Redis's digest of a data set (debug.c, computeDatasetDigest): independent of the order of keys, because
// each key's digest is xored in by its SHA-1.

const total = Buffer.alloc(SHA1_BYTES);
const one = Buffer.alloc(SHA1_BYTES);
const hash = Buffer.alloc(SHA1_BYTES);
const number = Buffer.alloc(4);
const EXPIRE_MARK = Buffer.from("!!expire!!");

function debugDigest(context: DataContext, _args: Args, reply: ReplyWriter): void {
  total.fill(0);
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
  reply.simple(total.toString("hex"));
}

function debugDigestValue(context: DataContext, args: Args, reply: ReplyWriter): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    one.fill(0);
    const handle = findUntouched(context, args, i);
    if (handle !== 0) mixValue(one, context.keys, handle);
    reply.simple(one.toString("hex"));
  }
}

function mixValue(digest: Buffer, keys: Keyspace, handle: number): void {
  mixNumber(digest, keys.typeOf(handle));
  keys.valueOf(handle);
  mix(digest, keys.valueBytes, keys.valueStart, keys.valueEnd);
  if (keys.deadlineOf(handle) !== 0) xor(digest, EXPIRE_MARK, 0, EXPIRE_MARK.length);
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

/** One line in Redis's form, for tools that pick fields out of it. There are no addresses and no
 * clock as Redis means it here. */
function debugObject(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) return reply.error(replyError.noSuchKey);
  const { keys } = context;
  const references = referenceCount(context, handle);
  const encoding = keys.encodingOf(handle);
  const idleSeconds = context.store.lfu ? 0 : keys.idleOf(handle);
  reply.simple(
    `Value at:0x${handle.toString(16).padStart(12, "0")} refcount:${references} encoding:${encoding} ` +
      `serializedlength:${savedLength(keys)} lru:0 lru_seconds_idle:${idleSeconds}`,
  );
}

/** Bytes of the string just found in an RDB file without compression. */
function savedLength(keys: Keyspace): number {
  const length = keys.valueEnd - keys.valueStart;
  return length + (length < 0x40 ? 1 : length < 0x4000 ? 2 : 5);
}

/** DEBUG STRINGMATCH-LEN pattern text: does it match? (In Redis since 7.2.) */
function debugStringmatchLen(_context: DataContext, args: Args, reply: ReplyWriter): void {
  const { bytes } = args;
  reply.integer(globMatches(bytes, args.start(2), args.end(2), bytes, args.start(3), args.end(3)) ? 1 : 0);
}
