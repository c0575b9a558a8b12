// Hashes: what changes them.

import type { Args } from "../base/args.ts";
import { addInteger64, parseInteger64, writeInteger } from "../base/integers.ts";
import { addLongDoubles, LONG_DOUBLE_ZERO, type LongDouble, parseLongDouble } from "../base/long-double.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { HashReader } from "../store/hash-reader.ts";
import { HashWriter } from "../store/hash-writer.ts";
import { HASH } from "../store/types.ts";
import { replyError, wrongArity } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { EVENT_GENERIC, EVENT_HASH, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const grows = { route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey } as const;

// biome-ignore format: one row a line
export const hashWriteCommands = [
  { name: "hset",         arity: -4, ...grows, run: hset },
  { name: "hmset",        arity: -4, ...grows, run: hmset },
  { name: "hsetnx",       arity: 4,  ...grows, run: hsetnx },
  { name: "hincrby",      arity: 4,  ...grows, run: hincrby },
  { name: "hincrbyfloat", arity: 4,  ...grows, run: hincrbyfloat },
  { name: "hdel", arity: -3, route: "write", flags: ["write", "fast"], keys: oneKey, run: hdel },
] as const satisfies readonly CommandRow[];

const reader = new HashReader();
const writer = new HashWriter();
const digits = Buffer.alloc(24);

function begin(context: DataContext, handle: number): HashWriter {
  const { store } = context;
  return writer.begin(context.keys, handle, store.thresholds, store.hashSeed);
}

function commit(context: DataContext, args: Args, event: string): void {
  writer.commit(args.bytes, args.start(1), args.end(1), HASH);
  notifyKey(context, args, 1, EVENT_HASH, event);
}

function hset(context: DataContext, args: Args, reply: ReplyWriter): void {
  const added = setPairs(context, args, "hset", reply);
  if (added >= 0) reply.integer(added);
}

function hmset(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (setPairs(context, args, "hmset", reply) >= 0) reply.ok();
}

/** New fields; -1 when an error was answered. */
function setPairs(context: DataContext, args: Args, name: string, reply: ReplyWriter): number {
  if (args.count % 2 === 1) {
    reply.error(wrongArity(name));
    return -1;
  }
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return -1;
  begin(context, handle);
  // Redis looks at the arguments before it stores any: so many make it large even if fields repeat.
  if ((args.count - 2) / 2 > context.store.thresholds.hashListpackEntriesMax) writer.makeLarge();
  const { bytes } = args;
  let added = 0;
  for (let i = 2; i < args.count; i += 2) {
    const isNew = writer.set(bytes, args.start(i), args.end(i), bytes, args.start(i + 1), args.end(i + 1));
    if (isNew) added++;
  }
  commit(context, args, "hset");
  return added;
}

function hsetnx(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return;
  if (findField(context, args, handle)) return reply.integer(0);
  const { bytes } = args;
  begin(context, handle).set(bytes, args.start(2), args.end(2), bytes, args.start(3), args.end(3));
  commit(context, args, "hset");
  reply.integer(1);
}

/** Goes to the field in argument 2. */
function findField(context: DataContext, args: Args, handle: number): boolean {
  return handle !== 0 && reader.open(context.keys, handle).find(args.bytes, args.start(2), args.end(2));
}

function hincrby(context: DataContext, args: Args, reply: ReplyWriter): void {
  const by = integerAt(args, 3);
  if (by === undefined) return reply.error(replyError.notInteger);
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return;
  let old: number | bigint | undefined = 0;
  if (findField(context, args, handle)) {
    old = parseInteger64(reader.valueBytes, reader.valueStart, reader.valueEnd);
    if (old === undefined) return reply.error(replyError.hashNotInteger);
  }
  const sum = addInteger64(old, by);
  if (sum === undefined) return reply.error(replyError.incrementOverflow);
  const isSmall = typeof sum === "number";
  const length = isSmall ? writeInteger(digits, 0, sum) : digits.write(sum.toString(), "latin1");
  begin(context, handle).set(args.bytes, args.start(2), args.end(2), digits, 0, length);
  commit(context, args, "hincrby");
  if (isSmall) reply.integer(sum);
  else reply.integerBig(sum);
}

function hincrbyfloat(context: DataContext, args: Args, reply: ReplyWriter): void {
  const by = parseLongDouble(args.bytes, args.start(3), args.end(3));
  if (by === undefined) return reply.error(replyError.notFloat);
  if (by.infinite !== 0) return reply.error(replyError.floatNotFinite);
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return;
  let old: LongDouble | undefined = LONG_DOUBLE_ZERO;
  if (findField(context, args, handle)) {
    old = parseLongDouble(reader.valueBytes, reader.valueStart, reader.valueEnd);
    if (old === undefined) return reply.error(replyError.hashNotFloat);
  }
  const sum = addLongDoubles(old, by);
  if (sum === undefined) return reply.error(replyError.incrementNotFinite);
  const text = Buffer.from(sum);
  begin(context, handle).set(args.bytes, args.start(2), args.end(2), text, 0, text.length);
  commit(context, args, "hincrbyfloat");
  reply.bulk(text, 0, text.length);
}

function hdel(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, HASH, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.integer(0);
  begin(context, handle);
  let removed = 0;
  for (let i = 2; i < args.count && writer.count > 0; i++) {
    if (writer.remove(args.bytes, args.start(i), args.end(i))) removed++;
  }
  const isEmpty = writer.count === 0;
  if (removed > 0) commit(context, args, "hdel");
  else writer.forget();
  if (isEmpty) notifyKey(context, args, 1, EVENT_GENERIC, "del");
  reply.integer(removed);
}
