// Counters: strings that hold a 64-bit integer or a decimal fraction.

import type { Args } from "../base/args.ts";
import {
  addInteger64,
  INTEGER_BYTES_MAX,
  INTEGER64_MIN,
  parseInteger64,
  writeInteger,
} from "../base/integers.ts";
import { addLongDoubles, LONG_DOUBLE_ZERO, type LongDouble, parseLongDouble } from "../base/long-double.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const flags = ["write", "denyoom", "fast"] as const;

// biome-ignore format: one row a line
export const stringCounterCommands = [
  { name: "incr",        arity: 2, route: "write", flags, keys: oneKey, run: incr },
  { name: "decr",        arity: 2, route: "write", flags, keys: oneKey, run: decr },
  { name: "incrby",      arity: 3, route: "write", flags, keys: oneKey, run: incrby },
  { name: "decrby",      arity: 3, route: "write", flags, keys: oneKey, run: decrby },
  { name: "incrbyfloat", arity: 3, route: "write", flags, keys: oneKey, run: incrbyfloat },
] as const satisfies readonly CommandRow[];

const digits = Buffer.alloc(INTEGER_BYTES_MAX);

function incr(context: DataContext, args: Args, reply: ReplyWriter): void {
  addToCounter(context, args, 1, reply);
}

function decr(context: DataContext, args: Args, reply: ReplyWriter): void {
  addToCounter(context, args, -1, reply);
}

function incrby(context: DataContext, args: Args, reply: ReplyWriter): void {
  const by = integerAt(args, 2);
  if (by === undefined) return reply.error(replyError.notInteger);
  addToCounter(context, args, by, reply);
}

function decrby(context: DataContext, args: Args, reply: ReplyWriter): void {
  const by = integerAt(args, 2);
  if (by === undefined) return reply.error(replyError.notInteger);
  if (by === INTEGER64_MIN) return reply.error(replyError.decrementOverflow);
  // 0 - by rather than -by: zero stays +0.
  addToCounter(context, args, typeof by === "number" ? 0 - by : -by, reply);
}

function addToCounter(context: DataContext, args: Args, by: number | bigint, reply: ReplyWriter): void {
  const keys = context.keys;
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  let old: number | bigint | undefined = 0;
  const handle = keys.find(bytes, start, end);
  if (handle !== 0) {
    if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
    old = parseInteger64(keys.valueBytes, keys.valueStart, keys.valueEnd);
    if (old === undefined) return reply.error(replyError.notInteger);
  }
  const sum = addInteger64(old, by);
  if (sum === undefined) return reply.error(replyError.incrementOverflow);
  if (typeof sum === "number") {
    keys.setString(bytes, start, end, digits, 0, writeInteger(digits, 0, sum), true);
    reply.integer(sum);
  } else {
    const text = Buffer.from(sum.toString());
    keys.setString(bytes, start, end, text, 0, text.length, true);
    reply.integerBig(sum);
  }
  notifyKey(context, args, 1, EVENT_STRING, "incrby");
}

function incrbyfloat(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  let old: LongDouble | undefined = LONG_DOUBLE_ZERO;
  const handle = keys.find(bytes, start, end);
  if (handle !== 0) {
    if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
    old = parseLongDouble(keys.valueBytes, keys.valueStart, keys.valueEnd);
  }
  const by = parseLongDouble(bytes, args.start(2), args.end(2));
  if (old === undefined || by === undefined) return reply.error(replyError.notFloat);
  const sum = addLongDoubles(old, by);
  if (sum === undefined) return reply.error(replyError.incrementNotFinite);
  const text = Buffer.from(sum);
  keys.setString(bytes, start, end, text, 0, text.length, true);
  notifyKey(context, args, 1, EVENT_STRING, "incrbyfloat");
  reply.bulk(text, 0, text.length);
}
