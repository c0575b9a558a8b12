// Pending entries that change hands: XCLAIM by their ids, XAUTOCLAIM in their order.

import type { Args } from "../base/args.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Integer64, Stream } from "../store/stream.ts";
import { StreamCursor } from "../store/stream-cursor.ts";
import type { StreamConsumer, StreamGroup } from "../store/stream-group.ts";
import { StreamId, wrappingAdd } from "../store/stream-id.ts";
import { noGroupOrKey, replyError, unrecognizedClaimOption } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { isExclusive, MISSING_IS_FIRST, parseIntervalId, parseStrictId } from "./parse-stream-id.ts";
import { consumerFor } from "./stream-consumer.ts";
import { findStream, replyEntry, replyId, streamForWrite, streamHandle } from "./stream-replies.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const streamClaimCommands = [
  { name: "xclaim",     arity: -6, route: "write", flags: ["write", "fast"], keys: oneKey, run: xclaim },
  { name: "xautoclaim", arity: -6, route: "write", flags: ["write", "fast"], keys: oneKey, run: xautoclaim },
] as const satisfies readonly CommandRow[];

const GROUP = 2;
const CONSUMER = 3;
const MIN_IDLE = 4;
const FIRST_ID = 5;
const AUTO_COUNT = 100;
/** Entries looked at for each that may be claimed. */
const AUTO_ATTEMPTS = 10;
/** Redis's largest long through the size of an id. */
const AUTO_COUNT_MAX = (2n ** 63n - 1n) / 16n;
const id = new StreamId();
const lastId = new StreamId();
const cursor = new StreamCursor();
/** A part of a reply that is known after what follows it. */
const head = new ReplyWriter();

/** What is to become of entries that are claimed. */
interface Claim {
  readonly minIdleMs: Integer64;
  /** When they were delivered, as they will say. */
  deliveryMs: number;
  /** How often, as they will say; -1: once more, or as often if only ids are asked for. */
  retryCount: Integer64;
  /** Also entries that are not pending. */
  force: boolean;
  onlyIds: boolean;
}

/** XCLAIM key group consumer min-idle-time id ... [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id] */
function xclaim(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found?.group(args.bytes, args.start(GROUP), args.end(GROUP)) === undefined)
    return reply.error(noGroupOrKey(args, 1, GROUP));
  const minIdleMs = integerAt(args, MIN_IDLE);
  if (minIdleMs === undefined) return reply.error(replyError.claimIdleTime);
  let idsEnd = FIRST_ID;
  while (idsEnd < args.count && parseStrictId(args, idsEnd, id)) idsEnd++;
  const claim = parseClaim(context, args, idsEnd, minIdleMs);
  if (typeof claim === "string") return reply.error(claim);

  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!;
  if (lastId.compare(group.lastId) > 0) group.lastId.set(lastId);
  const bytesBefore = group.logicalBytes;
  const consumer = consumerFor(context, args, 1, group, CONSUMER);
  const mark = reply.position;
  let count = 0;
  for (let i = FIRST_ID; i < idsEnd; i++) {
    parseStrictId(args, i, id);
    if (findEntry(stream, group) && claimEntry(context, group, consumer, claim, reply)) count++;
  }
  reply.arrayAt(mark, count);
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
}

/** The options from argument `from` on, LASTID in `lastId`; or the error's text. */
function parseClaim(context: DataContext, args: Args, from: number, minIdleMs: Integer64): Claim | string {
  const { nowMs } = context;
  const claim: Claim = { minIdleMs, deliveryMs: nowMs, retryCount: -1, force: false, onlyIds: false };
  lastId.setNumbers(0, 0);
  for (let i = from; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "FORCE")) claim.force = true;
    else if (args.is(i, "JUSTID")) claim.onlyIds = true;
    else if (hasMore && args.is(i, "IDLE")) {
      const idleMs = integerAt(args, ++i);
      if (idleMs === undefined) return replyError.claimIdle;
      claim.deliveryMs = sensible(wrappingAdd(nowMs, -idleMs), nowMs);
    } else if (hasMore && args.is(i, "TIME")) {
      const timeMs = integerAt(args, ++i);
      if (timeMs === undefined) return replyError.claimTime;
      claim.deliveryMs = sensible(timeMs, nowMs);
    } else if (hasMore && args.is(i, "RETRYCOUNT")) {
      const retryCount = integerAt(args, ++i);
      if (retryCount === undefined) return replyError.claimRetries;
      claim.retryCount = retryCount;
    } else if (hasMore && args.is(i, "LASTID")) {
      if (!parseStrictId(args, ++i, lastId)) return replyError.streamId;
    } else {
      return unrecognizedClaimOption(args, i);
    }
  }
  return claim;
}

/** A time that makes no sense is now: clients' clocks may be ahead. */
const sensible = (timeMs: Integer64, nowMs: number): number =>
  timeMs < 0 || timeMs > nowMs ? nowMs : Number(timeMs);

/** Goes to the entry `id`; false if it has been deleted, and then it is not pending any more. */
function findEntry(stream: Stream, group: StreamGroup): boolean {
  cursor.open(stream, id, id, false);
  if (cursor.next()) return true;
  group.acknowledge(id);
  return false;
}

/** The entry `id`, which the cursor is at; true if it was claimed, and replied. */
function claimEntry(
  context: DataContext,
  group: StreamGroup,
  consumer: StreamConsumer,
  claim: Claim,
  reply: ReplyWriter,
): boolean {
  const isPending = group.pending.find(id);
  if (!isPending && !claim.force) return false;
  if (isPending && claim.minIdleMs > 0 && context.nowMs - Number(group.deliveryMs) < claim.minIdleMs)
    return false;
  // One that is made by FORCE counts as delivered once.
  const countBefore = isPending ? group.deliveryCount : 1;
  const count =
    claim.retryCount >= 0 ? claim.retryCount : claim.onlyIds ? countBefore : wrappingAdd(countBefore, 1);
  group.assign(id, consumer, claim.deliveryMs, count);
  consumer.activeMs = context.nowMs;
  if (claim.onlyIds) replyId(reply, id);
  else replyEntry(reply, cursor);
  return true;
}

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID] */
function xautoclaim(context: DataContext, args: Args, reply: ReplyWriter): void {
  const minIdleMs = integerAt(args, MIN_IDLE);
  if (minIdleMs === undefined) return reply.error(replyError.autoClaimIdleTime);
  const first = lastId;
  if (!parseIntervalId(args, FIRST_ID, first, MISSING_IS_FIRST)) return reply.error(replyError.streamId);
  if (isExclusive && !first.increment()) return reply.error(replyError.streamStartId);
  let limit = AUTO_COUNT;
  let onlyIds = false;
  for (let i = FIRST_ID + 1; i < args.count; i++) {
    if (i + 1 < args.count && args.is(i, "COUNT")) {
      const count = integerAt(args, ++i);
      if (count === undefined || count < 1 || count > AUTO_COUNT_MAX)
        return reply.error(replyError.autoClaimCount);
      limit = Number(count);
    } else if (args.is(i, "JUSTID")) {
      onlyIds = true;
    } else {
      return reply.error(replyError.syntax);
    }
  }
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found?.group(args.bytes, args.start(GROUP), args.end(GROUP)) === undefined)
    return reply.error(noGroupOrKey(args, 1, GROUP));

  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!;
  const bytesBefore = group.logicalBytes;
  const consumer = consumerFor(context, args, 1, group, CONSUMER);
  const claim: Claim = { minIdleMs, deliveryMs: context.nowMs, retryCount: -1, force: false, onlyIds };
  claimInOrder(context, stream, group, consumer, claim, limit, reply);
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
}

/** From the id in `lastId` on. Replies with where to go on, what was claimed, and what had been deleted. */
function claimInOrder(
  context: DataContext,
  stream: Stream,
  group: StreamGroup,
  consumer: StreamConsumer,
  claim: Claim,
  limit: number,
  reply: ReplyWriter,
): void {
  const { pending } = group;
  const next = lastId;
  const deletedIds: StreamId[] = [];
  let claimed = 0;
  reply.array(3);
  const mark = reply.position;
  let more = pending.seek(next);
  for (let attempts = limit * AUTO_ATTEMPTS; more && attempts > 0; attempts--) {
    if (claimed + deletedIds.length === limit) break;
    id.readWords(pending.words, pending.at);
    if (!findEntry(stream, group)) deletedIds.push(new StreamId().set(id));
    else if (claimEntry(context, group, consumer, claim, reply)) claimed++;
    // What was claimed or acknowledged has moved what was found.
    next.set(id);
    more = next.increment() && pending.seek(next);
  }
  if (more) next.readWords(pending.words, pending.at);
  else next.setNumbers(0, 0);
  reply.arrayAt(mark, claimed);
  head.position = 0;
  replyId(head, next);
  reply.rawAt(mark, head.buffer, 0, head.position);
  reply.array(deletedIds.length);
  for (const deletedId of deletedIds) replyId(reply, deletedId);
}
