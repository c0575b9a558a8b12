// Sorted sets: adding, removing and asking for members by name.

import type { Args } from "../base/args.ts";
import { parseDouble } from "../base/numbers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { SortedSetReader } from "../store/sorted-set-reader.ts";
import { GT, INCREMENT, LT, NX, SortedSetWriter, XX } from "../store/sorted-set-writer.ts";
import { ZSET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { EVENT_GENERIC, EVENT_SORTED_SET, notifyKey } from "./notify.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const sortedSetCommands = [
  { name: "zadd",     arity: -4, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: zadd },
  { name: "zincrby",  arity: 4,  route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: zincrby },
  { name: "zrem",     arity: -3, route: "write", flags: ["write", "fast"],            keys: oneKey, run: zrem },
  { name: "zcard",    arity: 2,  route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: zcard },
  { name: "zscore",   arity: 3,  route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: zscore },
  { name: "zmscore",  arity: -3, route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: zmscore },
  { name: "zrank",    arity: -3, route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: zrank },
  { name: "zrevrank", arity: -3, route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: zrevrank },
] as const satisfies readonly CommandRow[];

/** The reply counts changed scores too. Beside the conditions of SortedSetWriter.put(), which knows nothing of it. */
export const CH = 32;
const SCORES_LEAST = 16;
const SCORES_KEPT_MAX = 1024;

/** Of the command that is running. */
let scores = new Float64Array(SCORES_LEAST);

/** One of each serves all commands on sorted sets, which do not call each other. */
export const sortedSetReader = new SortedSetReader();
export const sortedSetWriter = new SortedSetWriter();

/** Argument `index` as a score; undefined when it is none. */
export function scoreAt(args: Args, index: number): number | undefined {
  return parseDouble(args.bytes, args.start(index), args.end(index));
}

/** The reader on the key in argument `index`, which may be absent: an empty set then. Undefined: WRONGTYPE was replied. */
export function openSortedSet(
  context: DataContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): SortedSetReader | undefined {
  const handle = findOfType(context, args, index, ZSET, reply);
  return handle === WRONG_TYPE ? undefined : sortedSetReader.open(context.keys, handle);
}

/** The writer on the key whose handle is known; 0: it is to be made. */
export function beginSortedSet(context: DataContext, handle: number): SortedSetWriter {
  const { keys, store } = context;
  return sortedSetWriter.begin(keys, handle, store.thresholds, store.hashSeed);
}

function zadd(context: DataContext, args: Args, reply: ReplyWriter): void {
  addWithOptions(context, args, 0, reply);
}

/** In Redis this is ZADD with INCR, down to the options that nobody knows it takes. */
function zincrby(context: DataContext, args: Args, reply: ReplyWriter): void {
  addWithOptions(context, args, INCREMENT, reply);
}

function addWithOptions(context: DataContext, args: Args, initialFlags: number, reply: ReplyWriter): void {
  let flags = initialFlags;
  let first = 2;
  for (; first < args.count; first++) {
    const flag = zaddOption(args, first);
    if (flag === 0) break;
    flags |= flag;
  }
  const words = args.count - first;
  if (words === 0 || words % 2 !== 0) return reply.error(replyError.syntax);
  if ((flags & NX) !== 0 && (flags & XX) !== 0) return reply.error(replyError.zaddXxNx);
  const exclusive = flags & (GT | LT | NX);
  if ((exclusive & (exclusive - 1)) !== 0) return reply.error(replyError.zaddGtLtNx);
  if ((flags & INCREMENT) !== 0 && words > 2) return reply.error(replyError.zaddIncrementOfMany);
  addScores(context, args, first, words >>> 1, flags, reply);
}

function zaddOption(args: Args, index: number): number {
  const length = args.length(index);
  if (length === 2) {
    if (args.is(index, "NX")) return NX;
    if (args.is(index, "XX")) return XX;
    if (args.is(index, "GT")) return GT;
    if (args.is(index, "LT")) return LT;
    return args.is(index, "CH") ? CH : 0;
  }
  return length === 4 && args.is(index, "INCR") ? INCREMENT : 0;
}

/** The pairs of score and member from argument `first` on. */
function addScores(
  context: DataContext,
  args: Args,
  first: number,
  pairs: number,
  flags: number,
  reply: ReplyWriter,
): void {
  const scores = scoresToPut(pairs);
  // All of them, before anything is changed.
  for (let i = 0; i < pairs; i++) {
    const score = scoreAt(args, first + 2 * i);
    if (score === undefined) return reply.error(replyError.notFloat);
    scores[i] = score;
  }
  putScores(context, args, first + 1, 2, pairs, flags, reply);
}

/** Where the scores of the next putScores() go. */
export function scoresToPut(pairs: number): Float64Array {
  if (pairs > scores.length || scores.length > SCORES_KEPT_MAX) {
    scores = new Float64Array(Math.max(pairs, SCORES_LEAST));
  }
  return scores;
}

/** Gives the scores to the members in every `stride`-th argument from `first` on, and answers as ZADD. */
export function putScores(
  context: DataContext,
  args: Args,
  first: number,
  stride: number,
  members: number,
  flags: number,
  reply: ReplyWriter,
): void {
  const handle = findOfType(context, args, 1, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  const writer = beginSortedSet(context, handle);
  let added = 0;
  let updated = 0;
  let refused = 0;
  let isNumber = true;
  for (let i = 0; i < members && isNumber; i++) {
    const index = first + stride * i;
    const outcome = writer.put(scores[i]!, flags, args.bytes, args.start(index), args.end(index));
    if (outcome === "added") added++;
    else if (outcome === "updated") updated++;
    else if (outcome === "refused") refused++;
    else if (outcome === "notANumber") isNumber = false;
  }
  writer.commit(args.bytes, args.start(1), args.end(1), ZSET);
  const isIncrement = (flags & INCREMENT) !== 0;
  if (!isNumber) reply.error(replyError.scoreNotANumber);
  else if (!isIncrement) reply.integer((flags & CH) !== 0 ? added + updated : added);
  else if (refused === 0) reply.double(writer.score);
  else reply.nil();
  if (added + updated > 0) notifyKey(context, args, 1, EVENT_SORTED_SET, isIncrement ? "zincr" : "zadd");
}

function zrem(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  const writer = beginSortedSet(context, handle);
  let removed = 0;
  for (let i = 2; i < args.count && writer.count > 0; i++) {
    if (writer.remove(args.bytes, args.start(i), args.end(i))) removed++;
  }
  finishRemoval(context, args, 1, removed > 0 ? "zrem" : undefined);
  reply.integer(removed);
}

/** Ends what sortedSetWriter did to the key in argument `index`, with the event of the removal if there was one. */
export function finishRemoval(
  context: DataContext,
  args: Args,
  index: number,
  event: string | undefined,
): void {
  const isEmpty = sortedSetWriter.count === 0;
  sortedSetWriter.commit(args.bytes, args.start(index), args.end(index), ZSET);
  if (event === undefined) return;
  notifyKey(context, args, index, EVENT_SORTED_SET, event);
  if (isEmpty) notifyKey(context, args, index, EVENT_GENERIC, "del");
}

function zcard(context: DataContext, args: Args, reply: ReplyWriter): void {
  const set = openSortedSet(context, args, 1, reply);
  if (set !== undefined) reply.integer(set.count);
}

function zscore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const set = openSortedSet(context, args, 1, reply);
  if (set !== undefined) replyScore(set, args, 2, reply);
}

function zmscore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) replyScore(set, args, i, reply);
}

function replyScore(set: SortedSetReader, args: Args, index: number, reply: ReplyWriter): void {
  if (set.find(args.bytes, args.start(index), args.end(index))) reply.double(set.score);
  else reply.nil();
}

function zrank(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRank(context, args, false, reply);
}

function zrevrank(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyRank(context, args, true, reply);
}

function replyRank(context: DataContext, args: Args, isReverse: boolean, reply: ReplyWriter): void {
  if (args.count > 4) return reply.error(replyError.syntax);
  const withScore = args.count === 4;
  if (withScore && !args.is(3, "WITHSCORE")) return reply.error(replyError.syntax);
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  const rank = set.rankOf(args.bytes, args.start(2), args.end(2));
  if (rank < 0) return withScore ? reply.nilArray() : reply.nil();
  if (withScore) reply.array(2);
  reply.integer(isReverse ? set.count - 1 - rank : rank);
  if (withScore) reply.double(set.score);
}
