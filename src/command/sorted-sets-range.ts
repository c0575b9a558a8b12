// Ranges of sorted sets, by rank, score or text: read, counted, removed, stored.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";
import { ZSET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { Range, type RangeKind } from "./parse-range.ts";
import { beginSortedSet, finishRemoval, openSortedSet, sortedSetReader } from "./sorted-sets.ts";
import { storeSortedSet } from "./sorted-sets-store.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const read = { route: "read", flags: ["readonly"], keys: oneKey } as const;
const count = { arity: 4, route: "read", flags: ["readonly", "fast"], keys: oneKey } as const;
const removal = { arity: 4, route: "write", flags: ["write"], keys: oneKey } as const;

// biome-ignore format: one row a line
export const sortedSetRangeCommands = [
  { name: "zrange",           arity: -4, ...read, run: zrange },
  { name: "zrevrange",        arity: -4, ...read, run: zrevrange },
  { name: "zrangebyscore",    arity: -4, ...read, run: zrangebyscore },
  { name: "zrevrangebyscore", arity: -4, ...read, run: zrevrangebyscore },
  { name: "zrangebylex",      arity: -4, ...read, run: zrangebylex },
  { name: "zrevrangebylex",   arity: -4, ...read, run: zrevrangebylex },
  { name: "zcount",    ...count, run: zcount },
  { name: "zlexcount", ...count, run: zlexcount },
  { name: "zremrangebyrank",  ...removal, run: zremrangebyrank },
  { name: "zremrangebyscore", ...removal, run: zremrangebyscore },
  { name: "zremrangebylex",   ...removal, run: zremrangebylex },
  { name: "zrangestore", arity: -5, route: "write", flags: ["write", "denyoom"], keys: { first: 1, last: 2, step: 1 }, run: zrangestore },
] as const satisfies readonly CommandRow[];

const range = new Range();

interface Query {
  /** Undefined: an option may say which. */
  kind: RangeKind | undefined;
  isReverse: boolean | undefined;
  withScores: boolean;
  offset: number;
  /** Negative: all. */
  limit: number;
}

function zrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, undefined, undefined, reply);
}

function zrevrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, "byRank", true, reply);
}

function zrangebyscore(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, "byScore", false, reply);
}

function zrevrangebyscore(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, "byScore", true, reply);
}

function zrangebylex(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, "byText", false, reply);
}

function zrevrangebylex(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRange(context, args, "byText", true, reply);
}

function replyRange(
  context: DataContext,
  args: Args,
  kind: RangeKind | undefined,
  isReverse: boolean | undefined,
  reply: ReplyWriter,
): void {
  const query = parseQuery(
    args,
    1,
    false,
    { kind, isReverse, withScores: false, offset: 0, limit: -1 },
    reply,
  );
  if (query === undefined) return;
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  const first = select(set, args, query);
  replyMembers(set, first, range.count, query.isReverse === true, query.withScores, reply);
}

/** `count` members from rank `first` on, downwards if `isReverse`: flat with RESP2, pairs with RESP3. */
export function replyMembers(
  set: SortedSetReader,
  first: number,
  count: number,
  isReverse: boolean,
  withScores: boolean,
  reply: ReplyWriter,
): void {
  reply.array(withScores && reply.protocol === 2 ? 2 * count : count);
  if (count === 0) return;
  set.goTo(first);
  for (let left = count; ; ) {
    if (withScores && reply.protocol === 3) reply.array(2);
    reply.bulk(set.bytes, set.start, set.end);
    if (withScores) reply.double(set.score);
    if (--left === 0) return;
    if (isReverse) set.previous();
    else set.next();
  }
}

/** The rank where the query's answer begins; range.count is how many there are. */
function select(set: SortedSetReader, args: Args, { kind, isReverse, offset, limit }: Query): number {
  range.resolve(set, args);
  const skipped = offset < 0 ? range.count : Math.min(offset, range.count);
  const left = range.count - skipped;
  const total = range.count;
  range.count = limit < 0 ? left : Math.min(limit, left);
  if (isReverse !== true) return range.from + skipped;
  const last = range.from + total - 1;
  // Ranks of a reversed set count from its other end.
  return kind === "byRank" ? set.count - 1 - range.from : last - skipped;
}

/** Reads ends and options, with the key at argument `key`. Undefined after an error was replied. */
function parseQuery(
  args: Args,
  key: number,
  isStore: boolean,
  query: Query,
  reply: ReplyWriter,
): Query | undefined {
  for (let i = key + 3; i < args.count; i++) {
    if (!isStore && args.is(i, "WITHSCORES")) query.withScores = true;
    else if (args.is(i, "LIMIT") && i + 2 < args.count) {
      const offset = integerAt(args, i + 1);
      const limit = integerAt(args, i + 2);
      if (offset === undefined || limit === undefined) return refuse(reply, replyError.notInteger);
      query.offset = Number(offset);
      query.limit = Number(limit);
      i += 2;
    } else if (query.isReverse === undefined && args.is(i, "REV")) query.isReverse = true;
    else if (query.kind === undefined && args.is(i, "BYLEX")) query.kind = "byText";
    else if (query.kind === undefined && args.is(i, "BYSCORE")) query.kind = "byScore";
    else return refuse(reply, replyError.syntax);
  }
  query.kind ??= "byRank";
  if (query.kind === "byRank" && query.limit !== -1) return refuse(reply, replyError.limitByRank);
  if (query.kind === "byText" && query.withScores) return refuse(reply, replyError.withScoresByText);
  if (query.kind === "byRank") {
    // LIMIT 0 -1 is let through, and means nothing.
    query.offset = 0;
    return parseRanks(args, key + 1, key + 2, reply) ? query : undefined;
  }
  const low = query.isReverse === true ? key + 2 : key + 1;
  const isFine = range.parse(query.kind, args, low, 2 * key + 3 - low);
  return isFine ? query : refuse(reply, rangeError(query.kind));
}

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}

function parseRanks(args: Args, low: number, high: number, reply: ReplyWriter): boolean {
  const from = integerAt(args, low);
  const until = integerAt(args, high);
  if (from === undefined || until === undefined) {
    reply.error(replyError.notInteger);
    return false;
  }
  range.ofRanks(Number(from), Number(until));
  return true;
}

const rangeError = (kind: RangeKind): string =>
  kind === "byScore" ? replyError.scoreRange : replyError.textRange;

function zrangestore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const asked: Query = { kind: undefined, isReverse: undefined, withScores: false, offset: 0, limit: -1 };
  const query = parseQuery(args, 2, true, asked, reply);
  if (query === undefined) return;
  const set = openSortedSet(context, args, 2, reply);
  if (set === undefined) return;
  const first = select(set, args, query);
  const isReverse = query.isReverse === true;
  const isByRank = query.kind === "byRank";
  const event = "zrangestore";
  reply.integer(storeSortedSet(context, args, 1, set, first, range.count, isReverse, isByRank, event));
}

function zcount(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyCount(context, args, "byScore", reply);
}

function zlexcount(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyCount(context, args, "byText", reply);
}

function replyCount(context: DataContext, args: Args, kind: "byScore" | "byText", reply: ReplyWriter): void {
  if (!range.parse(kind, args, 2, 3)) return reply.error(rangeError(kind));
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  range.resolve(set, args);
  reply.integer(range.count);
}

function zremrangebyrank(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (parseRanks(args, 2, 3, reply)) removeRange(context, args, "zremrangebyrank", reply);
}

function zremrangebyscore(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!range.parse("byScore", args, 2, 3)) return reply.error(replyError.scoreRange);
  removeRange(context, args, "zremrangebyscore", reply);
}

function zremrangebylex(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!range.parse("byText", args, 2, 3)) return reply.error(replyError.textRange);
  removeRange(context, args, "zremrangebylex", reply);
}

function removeRange(context: DataContext, args: Args, event: string, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  range.resolve(sortedSetReader.open(context.keys, handle), args);
  if (range.count > 0) {
    beginSortedSet(context, handle).removeRanks(range.from, range.count);
    finishRemoval(context, args, 1, event);
  }
  reply.integer(range.count);
}
