// Hashes: what reads them.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { HashReader } from "../store/hash-reader.ts";
import { HASH } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { closeScan, parseCursor, ScanOptions, scanNumbers } from "./scan-options.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const fast = { route: "read", flags: ["readonly", "fast"], keys: oneKey } as const;
const slow = { route: "read", flags: ["readonly"], keys: oneKey } as const;

// biome-ignore format: one row a line
export const hashCommands = [
  { name: "hget",    arity: 3,  ...fast, run: hget },
  { name: "hmget",   arity: -3, ...fast, run: hmget },
  { name: "hexists", arity: 3,  ...fast, run: hexists },
  { name: "hlen",    arity: 2,  ...fast, run: hlen },
  { name: "hstrlen", arity: 3,  ...fast, run: hstrlen },
  { name: "hgetall", arity: 2,  ...slow, run: hgetall },
  { name: "hkeys",   arity: 2,  ...slow, run: hkeys },
  { name: "hvals",   arity: 2,  ...slow, run: hvals },
  { name: "hscan",   arity: -3, ...slow, run: hscan },
] as const satisfies readonly CommandRow[];

const hash = new HashReader();
const options = new ScanOptions();

/** Opens the hash at the key; false if there is none, undefined if WRONGTYPE was answered. */
export function openHash(
  context: DataContext,
  args: Args,
  reply: ReplyWriter,
  into: HashReader,
): boolean | undefined {
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return undefined;
  if (handle === 0) return false;
  into.open(context.keys, handle);
  return true;
}

/** Goes to the value of the field in argument 2; undefined if WRONGTYPE was answered. */
function openField(context: DataContext, args: Args, reply: ReplyWriter): boolean | undefined {
  const isThere = openHash(context, args, reply, hash);
  return isThere === true ? hash.find(args.bytes, args.start(2), args.end(2)) : isThere;
}

function replyField(reply: ReplyWriter): void {
  reply.bulk(hash.fieldBytes, hash.fieldStart, hash.fieldEnd);
}

function replyValue(reply: ReplyWriter): void {
  reply.bulk(hash.valueBytes, hash.valueStart, hash.valueEnd);
}

function hget(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = openField(context, args, reply);
  if (found === true) replyValue(reply);
  else if (found === false) reply.nil();
}

function hmget(context: DataContext, args: Args, reply: ReplyWriter): void {
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (isThere && hash.find(args.bytes, args.start(i), args.end(i))) replyValue(reply);
    else reply.nil();
  }
}

function hexists(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = openField(context, args, reply);
  if (found !== undefined) reply.integer(found ? 1 : 0);
}

function hlen(context: DataContext, args: Args, reply: ReplyWriter): void {
  const isThere = openHash(context, args, reply, hash);
  if (isThere !== undefined) reply.integer(isThere ? hash.count : 0);
}

function hstrlen(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = openField(context, args, reply);
  if (found !== undefined) reply.integer(found ? hash.valueEnd - hash.valueStart : 0);
}

function hgetall(context: DataContext, args: Args, reply: ReplyWriter): void {
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  if (!isThere) return reply.map(0);
  reply.map(hash.count);
  while (hash.next()) {
    replyField(reply);
    replyValue(reply);
  }
}

function hkeys(context: DataContext, args: Args, reply: ReplyWriter): void {
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  if (!isThere) return reply.array(0);
  reply.array(hash.count);
  while (hash.next()) replyField(reply);
}

function hvals(context: DataContext, args: Args, reply: ReplyWriter): void {
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  if (!isThere) return reply.array(0);
  reply.array(hash.count);
  while (hash.next()) replyValue(reply);
}

function hscan(context: DataContext, args: Args, reply: ReplyWriter): void {
  const cursor = parseCursor(args, 2);
  if (cursor === undefined) return reply.error(replyError.cursorInvalid);
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  const mark = reply.position;
  if (!isThere) return closeScan(reply, mark, 0, 0);
  const problem = options.parse(args, 3, false);
  if (problem !== undefined) return reply.error(problem);
  let found = 0;
  let next = 0;
  if (hash.table === undefined) {
    while (hash.next()) found += replyMatching(reply);
  } else {
    next = scanNumbers(cursor, hash.count, options.count, (number) => {
      hash.at(number);
      found += replyMatching(reply);
    });
  }
  closeScan(reply, mark, 2 * found, next);
}

function replyMatching(reply: ReplyWriter): number {
  if (!options.matches(hash.fieldBytes, hash.fieldStart, hash.fieldEnd)) return 0;
  replyField(reply);
  replyValue(reply);
  return 1;
}
