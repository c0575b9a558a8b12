// Sorted sets: taking members off an end that may not be there yet (blocking.ts has what it means to wait).

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { ZSET } from "../store/types.ts";
import { findToTake, firstIsTimeout, lastIsTimeout, timeoutAt, waitFor } from "./blocking.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { type MultiPop, type PopEnd, type PopReply, parseMultiPop, popSortedSet } from "./sorted-sets-pop.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const keysBeforeTimeout = { first: 1, last: -2, step: 1 } as const;

// biome-ignore format: one row a line
export const sortedSetBlockCommands = [
  { name: "bzpopmin", arity: -3, route: "write", flags: ["write", "noscript", "blocking", "fast"], keys: keysBeforeTimeout, run: bzpopmin, blocking: lastIsTimeout },
  { name: "bzpopmax", arity: -3, route: "write", flags: ["write", "noscript", "blocking", "fast"], keys: keysBeforeTimeout, run: bzpopmax, blocking: lastIsTimeout },
  { name: "bzmpop",   arity: -5, route: "write", flags: ["write", "blocking", "movablekeys"],      keys: noKeys, run: bzmpop, blocking: firstIsTimeout },
] as const satisfies readonly CommandRow[];

function bzpopmin(context: DataContext, args: Args, reply: ReplyWriter): void {
  popOne(context, args, "min", reply);
}

function bzpopmax(context: DataContext, args: Args, reply: ReplyWriter): void {
  popOne(context, args, "max", reply);
}

function popOne(context: DataContext, args: Args, end: PopEnd, reply: ReplyWriter): void {
  const last = args.count - 1;
  const timeout = timeoutAt(args, last);
  if (typeof timeout === "string") return reply.error(timeout);
  popOrWait(context, args, 1, last, { end, count: 1 }, "keyFlat", reply);
}

function bzmpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parseMultiPop(args, 2, reply);
  if (options === undefined) return;
  const timeout = timeoutAt(args, 1);
  if (typeof timeout === "string") return reply.error(timeout);
  popOrWait(context, args, 3, 3 + options.keys, options, "keyPairs", reply);
}

/** From the first of the keys in arguments [first, last) that is there. */
function popOrWait(
  context: DataContext,
  args: Args,
  first: number,
  last: number,
  { end, count }: Pick<MultiPop, "end" | "count">,
  form: PopReply,
  reply: ReplyWriter,
): void {
  for (let i = first; i < last; i++) {
    const handle = findToTake(context, args, i, ZSET, reply);
    if (handle === WRONG_TYPE) return;
    if (handle !== 0) return popSortedSet(context, args, i, handle, end, count, form, reply);
  }
  if (!waitFor(context, args, first, last, ZSET)) reply.nilArray();
}
