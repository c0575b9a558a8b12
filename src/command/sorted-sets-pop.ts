// Taking members off either end of sorted sets.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { ZSET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { beginSortedSet, finishRemoval, sortedSetReader } from "./sorted-sets.ts";
import { type CommandRow, type DataContext, noKeys, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const sortedSetPopCommands = [
  { name: "zpopmin", arity: -2, route: "write", flags: ["write", "fast"],        keys: oneKey, run: zpopmin },
  { name: "zpopmax", arity: -2, route: "write", flags: ["write", "fast"],        keys: oneKey, run: zpopmax },
  { name: "zmpop",   arity: -4, route: "write", flags: ["write", "movablekeys"], keys: noKeys, run: zmpop },
] as const satisfies readonly CommandRow[];

export type PopEnd = "min" | "max";

/** How a pop is told: members and scores alone, the same in pairs, or behind the key (BZPOPMIN flat, ZMPOP in pairs). */
export type PopReply = "flat" | "pairs" | "keyFlat" | "keyPairs";

function zpopmin(context: DataContext, args: Args, reply: ReplyWriter): void {
  popOne(context, args, "min", reply);
}

function zpopmax(context: DataContext, args: Args, reply: ReplyWriter): void {
  popOne(context, args, "max", reply);
}

function popOne(context: DataContext, args: Args, end: PopEnd, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(replyError.syntax);
  let count: number | bigint = 1;
  if (args.count === 3) {
    const asked = integerAt(args, 2);
    if (asked === undefined || asked < 0) return reply.error(replyError.notPositive);
    count = asked;
  }
  const handle = findOfType(context, args, 1, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0 || count === 0) return reply.array(0);
  const form = args.count === 3 && reply.protocol === 3 ? "pairs" : "flat";
  popSortedSet(context, args, 1, handle, end, Number(count), form, reply);
}

/**
 * Pops up to `count` members (at least one) off the sorted set in argument `index`, which is there, and replies. Also
 * for whoever has waited for it (BZPOPMIN, BZPOPMAX, BZMPOP).
 */
export function popSortedSet(
  context: DataContext,
  args: Args,
  index: number,
  handle: number,
  end: PopEnd,
  count: number,
  form: PopReply,
  reply: ReplyWriter,
): void {
  const set = sortedSetReader.open(context.keys, handle);
  const popped = Math.min(count, set.count);
  const isPairs = form === "pairs" || form === "keyPairs";
  const isFlatKey = form === "keyFlat";
  if (form === "keyPairs") reply.array(2);
  else if (isFlatKey) reply.array(2 * popped + 1);
  if (isFlatKey || form === "keyPairs") reply.bulk(args.bytes, args.start(index), args.end(index));
  if (!isFlatKey) reply.array(isPairs ? popped : 2 * popped);
  const first = end === "min" ? 0 : set.count - 1;
  set.goTo(first);
  for (let left = popped; left > 0; left--) {
    if (isPairs) reply.array(2);
    reply.bulk(set.bytes, set.start, set.end);
    reply.double(set.score);
    if (left > 1) end === "min" ? set.next() : set.previous();
  }
  beginSortedSet(context, handle).removeRanks(end === "min" ? 0 : first + 1 - popped, popped);
  finishRemoval(context, args, index, end === "min" ? "zpopmin" : "zpopmax");
}

function zmpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parseMultiPop(args, 1, reply);
  if (options === undefined) return;
  for (let i = 2; i < 2 + options.keys; i++) {
    const handle = findOfType(context, args, i, ZSET, reply);
    if (handle === WRONG_TYPE) return;
    if (handle !== 0) {
      return popSortedSet(context, args, i, handle, options.end, options.count, "keyPairs", reply);
    }
  }
  reply.nilArray();
}

export interface MultiPop {
  /** How many keys follow the argument that says so. */
  readonly keys: number;
  readonly end: PopEnd;
  readonly count: number;
}

/** `numkeys key [key ...] MIN|MAX [COUNT count]` from argument `index` on. Undefined after an error was replied. */
export function parseMultiPop(args: Args, index: number, reply: ReplyWriter): MultiPop | undefined {
  const keys = integerAt(args, index);
  if (keys === undefined || keys < 1) return refuse(reply, replyError.numkeysNotPositive);
  const where = index + 1 + Number(keys);
  if (where >= args.count) return refuse(reply, replyError.syntax);
  const end = args.is(where, "MIN") ? "min" : args.is(where, "MAX") ? "max" : undefined;
  if (end === undefined) return refuse(reply, replyError.syntax);
  if (where + 1 === args.count) return { keys: Number(keys), end, count: 1 };
  if (where + 3 > args.count || !args.is(where + 1, "COUNT")) return refuse(reply, replyError.syntax);
  const count = integerAt(args, where + 2);
  if (count === undefined || count < 1) return refuse(reply, replyError.countNotPositive);
  if (where + 3 < args.count) return refuse(reply, replyError.syntax);
  return { keys: Number(keys), end, count: Number(count) };
}

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}
