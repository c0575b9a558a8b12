// ZSCAN and ZRANDMEMBER: walking over a sorted set in steps, and members by chance, which is the context's.

import type { Args } from "../base/args.ts";
import { formatDouble } from "../base/numbers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";
import { replyError } from "./errors.ts";
import { pickDistinct, randomCount, replyRepeats } from "./random-members.ts";
import { closeScan, parseCursor, ScanOptions } from "./scan-options.ts";
import { openSortedSet } from "./sorted-sets.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const sortedSetScanCommands = [
  { name: "zscan",       arity: -3, route: "read", flags: ["readonly"], keys: oneKey, run: zscan },
  { name: "zrandmember", arity: -2, route: "read", flags: ["readonly"], keys: oneKey, run: zrandmember },
] as const satisfies readonly CommandRow[];

/** With WITHSCORES Redis doubles the count. */
const PAIRS_MAX = 2 ** 62;

const options = new ScanOptions();

function zscan(context: DataContext, args: Args, reply: ReplyWriter): void {
  const cursor = parseCursor(args, 2);
  if (cursor === undefined) return reply.error(replyError.cursorInvalid);
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  const mark = reply.position;
  if (set.count === 0) return closeScan(reply, mark, 0, 0);
  const problem = options.parse(args, 3, false);
  if (problem !== undefined) return reply.error(problem);
  let found = 0;
  let next = 0;
  if (set.isLarge) {
    // Numbers below the cursor have not been seen yet; whatever moves, moves down.
    let number = cursor === 0 ? set.count : Math.min(cursor, set.count);
    next = Math.max(0, number - options.count);
    while (--number >= next) {
      set.goToNumber(number);
      found += replyMatching(set, reply);
    }
  } else {
    set.goTo(0);
    do found += replyMatching(set, reply);
    while (set.next());
  }
  closeScan(reply, mark, 2 * found, next);
}

/** Scores are strings here, also with RESP3; a small set's as they are kept. */
function replyMatching(set: SortedSetReader, reply: ReplyWriter): number {
  if (!options.matches(set.bytes, set.start, set.end)) return 0;
  reply.bulk(set.bytes, set.start, set.end);
  if (set.isLarge) {
    reply.bulkLatin1(formatDouble(set.score));
  } else {
    const { bytes, start, end } = set.scoreEntry();
    reply.bulk(bytes, start, end);
  }
  return 1;
}

function zrandmember(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 2) return several(context, args, reply);
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  if (set.count === 0) return reply.nil();
  set.goToNumber(context.random.below(set.count));
  reply.bulk(set.bytes, set.start, set.end);
}

function several(context: DataContext, args: Args, reply: ReplyWriter): void {
  const count = randomCount(args, 2, reply);
  if (count === undefined) return;
  if (args.count > 4 || (args.count === 4 && !args.is(3, "WITHSCORES"))) {
    return reply.error(replyError.syntax);
  }
  const withScores = args.count === 4;
  if (withScores && Math.abs(count) >= PAIRS_MAX) return reply.error(replyError.outOfRange);
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  const size = set.count;
  if (size === 0 || count === 0) return reply.array(0);
  const { random } = context;
  const head = (pairs: number): void => reply.array(withScores && reply.protocol === 2 ? 2 * pairs : pairs);
  const one = (number: number): void => {
    set.goToNumber(number);
    if (withScores && reply.protocol === 3) reply.array(2);
    reply.bulk(set.bytes, set.start, set.end);
    if (withScores) reply.double(set.score);
  };
  if (count < 0) return replyRepeats(reply, random, -count, size, head, one);
  if (count < size) {
    head(count);
    for (const number of pickDistinct(random, count, size)) one(number);
    return;
  }
  head(size);
  for (let number = 0; number < size; number++) one(number);
}
