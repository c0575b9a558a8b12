// Commands that wait for a key (docs/adr/0014): how their handlers look for something, wait, and read their timeout. Also
// the two log forms in which they travel, which clients cannot send:
//
//   seshat.try <owner> <database> <memory arguments> <command as RESP>
//   seshat.cancel <owner> ...
//
// Memory arguments: how many the command has, if it is one that may need memory; else 0.

import type { Args } from "../base/args.ts";
import { ceilOfProduct, parseLongDouble } from "../base/long-double.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { ValueType } from "../store/types.ts";
import { findOfType } from "./find-typed.ts";
import { sessionsOf } from "./transactions.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const blockingForms = [
  { name: "seshat.try",    arity: 5, route: "write", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: tryOnce },
  { name: "seshat.cancel", arity: -2, route: "write", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: cancel },
] as const satisfies readonly CommandRow[];

/** What names of rows that are no commands to clients begin with. */
export const LOG_WORDS = "seshat.";

/** Arguments of seshat.try. */
export const TRY_DATABASE = 2;
export const TRY_MEMORY_ARGUMENTS = 3;
export const TRY_COMMAND = 4;

export const blockingError = {
  timeoutNotFloat: "ERR timeout is not a float or out of range",
  timeoutNegative: "ERR timeout is negative",
  timeoutOutOfRange: "ERR timeout is out of range",
  tooMany: "ERR too many blocked clients",
  tooLong: "ERR the command is longer than one that waits may be",
  unblocked: "UNBLOCKED client unblocked via CLIENT UNBLOCK",
  missed:
    "UNCERTAIN the outcome of the command is not known: this node lost touch with the others while it waited",
} as const;

const TIMEOUT_FIRST = 1;
/** Redis adds the time of day and wants the sum to fit in 63 bits. */
const TIMEOUT_MS_MAX = 2n ** 63n - 2n ** 41n;
const MS_PER_SECOND = 1000n;

/** Seconds in argument `index` as ms, rounded up; 0 = for ever. A text is the error. */
export function timeoutAt(args: Args, index: number): number | string {
  const value = parseLongDouble(args.bytes, args.start(index), args.end(index));
  if (value === undefined) return blockingError.timeoutNotFloat;
  if (value.infinite !== 0)
    return value.infinite > 0 ? blockingError.timeoutOutOfRange : blockingError.timeoutNegative;
  // Not in doubles: less than they can hold would be 0, and so for ever.
  const ms = ceilOfProduct(value, MS_PER_SECOND);
  if (ms === undefined)
    return value.mantissa > 0n ? blockingError.timeoutOutOfRange : blockingError.timeoutNegative;
  if (ms > TIMEOUT_MS_MAX) return blockingError.timeoutOutOfRange;
  return ms < 0n ? blockingError.timeoutNegative : Number(ms);
}

/** For the row of a command whose timeout comes last, or first: how long this call may wait; undefined when it is wrong. */
export function lastIsTimeout(args: Args): number | undefined {
  return numberOrNone(timeoutAt(args, args.count - 1));
}

export function firstIsTimeout(args: Args): number | undefined {
  return numberOrNone(timeoutAt(args, TIMEOUT_FIRST));
}

const numberOrNone = (value: number | string): number | undefined =>
  typeof value === "number" ? value : undefined;

/** findOfType, for a command that waits: once it does, a key of another type is as good as none. */
export function findToTake(
  context: DataContext,
  args: Args,
  index: number,
  type: ValueType,
  reply: ReplyWriter,
): number {
  if (context.attempt?.isRetry !== true) return findOfType(context, args, index, type, reply);
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(index), args.end(index));
  return handle !== 0 && keys.typeOf(handle) === type ? handle : 0;
}

/**
 * There is nothing yet: from now on the command waits for values of this type under its arguments [first, last).
 * False: it may not wait, and the handler answers as if the time had run out. Nothing may have been changed before.
 */
export function waitFor(
  context: DataContext,
  args: Args,
  first: number,
  last: number,
  type: ValueType,
): boolean {
  if (context.attempt === undefined) return false;
  context.attempt.wait({ args, first, last, type });
  return true;
}

function tryOnce(context: DataContext, args: Args, reply: ReplyWriter): void {
  sessionsOf(context).tryBlocking(args, reply);
}

function cancel(context: DataContext, args: Args, reply: ReplyWriter): void {
  sessionsOf(context).cancelBlocking(args, reply);
}
