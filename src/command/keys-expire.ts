// Deadlines of keys: setting, asking, removing. Deadlines are cluster time, ms since the epoch.

import type { Args } from "../base/args.ts";
import { INTEGER64_MAX } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { invalidExpireTime, replyError, unsupportedOption } from "./errors.ts";
import { findUntouched } from "./keys.ts";
import { EVENT_GENERIC, notifyKey } from "./notify.ts";
import { deadlineOf } from "./parse-deadline.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const write = { route: "write", flags: ["write", "fast"], keys: oneKey } as const;
const read = { route: "read", flags: ["readonly", "fast"], keys: oneKey } as const;

// biome-ignore format: one row a line
export const keyExpireCommands = [
  { name: "expire",      arity: -3, ...write, run: expire },
  { name: "pexpire",     arity: -3, ...write, run: pexpire },
  { name: "expireat",    arity: -3, ...write, run: expireat },
  { name: "pexpireat",   arity: -3, ...write, run: pexpireat },
  { name: "persist",     arity: 2,  ...write, run: persist },
  { name: "ttl",         arity: 2,  ...read,  run: ttl },
  { name: "pttl",        arity: 2,  ...read,  run: pttl },
  { name: "expiretime",  arity: 2,  ...read,  run: expiretime },
  { name: "pexpiretime", arity: 2,  ...read,  run: pexpiretime },
] as const satisfies readonly CommandRow[];

function expire(context: DataContext, args: Args, reply: ReplyWriter): void {
  expireKey(context, args, true, context.nowMs, "expire", reply);
}

function pexpire(context: DataContext, args: Args, reply: ReplyWriter): void {
  expireKey(context, args, false, context.nowMs, "pexpire", reply);
}

function expireat(context: DataContext, args: Args, reply: ReplyWriter): void {
  expireKey(context, args, true, 0, "expireat", reply);
}

function pexpireat(context: DataContext, args: Args, reply: ReplyWriter): void {
  expireKey(context, args, false, 0, "pexpireat", reply);
}

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

function expireKey(
  context: DataContext,
  args: Args,
  inSeconds: boolean,
  baseMs: number,
  name: string,
  reply: ReplyWriter,
): void {
  const conditions = parseConditions(args, reply);
  if (conditions < 0) return;
  const time = integerAt(args, 2);
  if (time === undefined) return reply.error(replyError.notInteger);
  const deadlineMs = deadlineOf(time, inSeconds, baseMs);
  if (deadlineMs === undefined) return reply.error(invalidExpireTime(name));

  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) return reply.integer(0);
  if (conditions !== 0 && !allowed(conditions, keys.deadlineOf(handle), deadlineMs)) return reply.integer(0);
  // A time gone by is a deletion, and counts as success (Redis: expireGenericCommand).
  const isPast = deadlineMs <= context.nowMs;
  if (isPast) keys.remove(args.bytes, args.start(1), args.end(1));
  else keys.setDeadline(handle, deadlineMs);
  notifyKey(context, args, 1, EVENT_GENERIC, isPast ? "del" : "expire");
  reply.integer(1);
}

/** Condition bits; -1 after an error was replied. */
function parseConditions(args: Args, reply: ReplyWriter): number {
  let conditions = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) conditions |= NX;
    else if (args.is(i, "XX")) conditions |= XX;
    else if (args.is(i, "GT")) conditions |= GT;
    else if (args.is(i, "LT")) conditions |= LT;
    else {
      reply.error(unsupportedOption(args, i));
      return -1;
    }
  }
  if ((conditions & NX) !== 0 && conditions !== NX) reply.error(replyError.expireNxWithOthers);
  else if ((conditions & GT) !== 0 && (conditions & LT) !== 0) reply.error(replyError.expireGtWithLt);
  else return conditions;
  return -1;
}

/** `currentMs` 0 means no deadline, which GT and LT take as infinitely late. */
function allowed(conditions: number, currentMs: number, deadlineMs: number): boolean {
  if ((conditions & NX) !== 0 && currentMs !== 0) return false;
  if ((conditions & XX) !== 0 && currentMs === 0) return false;
  if ((conditions & GT) !== 0 && (currentMs === 0 || deadlineMs <= currentMs)) return false;
  return (conditions & LT) === 0 || currentMs === 0 || deadlineMs < currentMs;
}

function persist(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = context.keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0 || !context.keys.clearDeadline(handle)) return reply.integer(0);
  notifyKey(context, args, 1, EVENT_GENERIC, "persist");
  reply.integer(1);
}

const NO_KEY = -2;
const NO_DEADLINE = -1;

function ttl(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyTime(context, args, context.nowMs, true, reply);
}

function pttl(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyTime(context, args, context.nowMs, false, reply);
}

function expiretime(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyTime(context, args, 0, true, reply);
}

function pexpiretime(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyTime(context, args, 0, false, reply);
}

function replyTime(
  context: DataContext,
  args: Args,
  baseMs: number,
  inSeconds: boolean,
  reply: ReplyWriter,
): void {
  const handle = findUntouched(context, args, 1);
  if (handle === 0) return reply.integer(NO_KEY);
  const deadlineMs = context.keys.deadlineOf(handle);
  if (deadlineMs === 0) return reply.integer(NO_DEADLINE);
  const timeMs = Math.max(0, deadlineMs - baseMs);
  const time = inSeconds ? Math.floor((timeMs + 500) / 1000) : timeMs;
  if (Number.isSafeInteger(time)) return reply.integer(time);
  // Rounded as parse-deadline.ts says, at most up to 2^63, one more than fits.
  const exact = BigInt(time);
  reply.integerBig(exact > INTEGER64_MAX ? INTEGER64_MAX : exact);
}
