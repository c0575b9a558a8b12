// XREAD and XREADGROUP: what is behind an id in several streams at once, for anybody or for one consumer of a group.

import type { Args } from "../base/args.ts";
import { encodeCommand } from "../resp/encode-command.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Stream } from "../store/stream.ts";
import { StreamCursor } from "../store/stream-cursor.ts";
import type { StreamConsumer, StreamGroup } from "../store/stream-group.ts";
import { ID_CHARACTERS_MAX, StreamId, wrappingAdd } from "../store/stream-id.ts";
import { noteRead } from "../store/stream-lag.ts";
import { STREAM } from "../store/types.ts";
import { noGroupToRead, replyError, streamsUnbalanced } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { parseStrictId } from "./parse-stream-id.ts";
import { consumerFor } from "./stream-consumer.ts";
import {
  findStream,
  replyEntries,
  replyEntry,
  replyId,
  streamForWrite,
  streamHandle,
} from "./stream-replies.ts";
import { type CommandRow, type DataContext, noKeys, type Wish } from "./types.ts";

// biome-ignore format: one row a line
export const streamConsumeCommands = [
  { name: "xread",      arity: -4, route: "read",  flags: ["readonly", "blocking", "movablekeys"], keys: noKeys, run: xread, blocking: readTimeout },
  { name: "xreadgroup", arity: -7, route: "write", flags: ["write", "blocking", "movablekeys"],    keys: noKeys, run: xreadgroup, blocking: groupTimeout },
] as const satisfies readonly CommandRow[];

const TIMEOUT_MS_MAX = 2n ** 63n - 1n;
const MAX_ID = new StreamId().setMax();
const start = new StreamId();
const topId = new StreamId();
const pendingId = new StreamId();
const cursor = new StreamCursor();
const entryCursor = new StreamCursor();

/** What the arguments say. Keys are arguments [first, first + count), ids as many behind them. */
interface ReadRequest {
  readonly isGroup: boolean;
  first: number;
  count: number;
  /** Entries of each stream. */
  limit: number;
  /** The argument with the group's name, and the consumer's behind it; 0 for none. */
  groupIndex: number;
  noAck: boolean;
  /** How long to wait for something, 0 = for ever; undefined: not at all. */
  timeoutMs: number | undefined;
}

function xread(context: DataContext, args: Args, reply: ReplyWriter): void {
  read(context, args, false, reply);
}

function xreadgroup(context: DataContext, args: Args, reply: ReplyWriter): void {
  read(context, args, true, reply);
}

function read(context: DataContext, args: Args, isGroup: boolean, reply: ReplyWriter): void {
  const request = parseRequest(args, isGroup);
  if (typeof request === "string") return reply.error(request);
  if (!resolveIds(context, args, request, reply)) return;
  if (serve(context, args, request, reply)) return;
  if (request.timeoutMs === undefined || !wait(context, args, request)) reply.nilArray();
}

function readTimeout(args: Args): number | undefined {
  return timeoutOf(parseRequest(args, false));
}

function groupTimeout(args: Args): number | undefined {
  return timeoutOf(parseRequest(args, true));
}

const timeoutOf = (request: ReadRequest | string): number | undefined =>
  typeof request === "string" ? undefined : request.timeoutMs;

/**
 * Waits for entries in the streams; who reads for a group also hears of it when a stream has gone. What "$" means was
 * decided when the command came. Consumers may have been made, which is nothing that others wait for.
 */
function wait(context: DataContext, args: Args, { isGroup, first, count }: ReadRequest): boolean {
  if (context.attempt === undefined) return false;
  const last = first + count;
  const parts: Buffer[] = [];
  let isRelative = false;
  for (let i = 0; i < args.count; i++) {
    if (i < last || !args.is(i, "$")) {
      parts.push(args.copy(i));
      continue;
    }
    parts.push(idBytes(wantedIds[i - last]!));
    isRelative = true;
  }
  const wish: Wish = { args, first, last, type: STREAM, evenWithoutKey: isGroup };
  context.attempt.wait(isRelative ? { ...wish, command: encodeCommand(parts) } : wish);
  return true;
}

/** The request, or the error's text. */
function parseRequest(args: Args, isGroup: boolean): ReadRequest | string {
  const request: ReadRequest = {
    isGroup,
    first: 0,
    count: 0,
    limit: Number.POSITIVE_INFINITY,
    groupIndex: 0,
    noAck: false,
    timeoutMs: undefined,
  };
  for (let i = 1; i < args.count && request.first === 0; i++) {
    const more = args.count - i - 1;
    if (more > 0 && args.is(i, "BLOCK")) {
      const timeout = blockTimeout(args, ++i);
      if (typeof timeout === "string") return timeout;
      request.timeoutMs = timeout;
    } else if (more > 0 && args.is(i, "COUNT")) {
      const count = integerAt(args, ++i);
      if (count === undefined) return replyError.notInteger;
      request.limit = count > 0 ? Number(count) : Number.POSITIVE_INFINITY;
    } else if (more > 0 && args.is(i, "STREAMS")) {
      if (more % 2 !== 0) return streamsUnbalanced(isGroup);
      request.first = i + 1;
      request.count = more / 2;
    } else if (more > 1 && args.is(i, "GROUP")) {
      if (!isGroup) return replyError.groupOption;
      request.groupIndex = i + 1;
      i += 2;
    } else if (args.is(i, "NOACK")) {
      if (!isGroup) return replyError.noackOption;
      request.noAck = true;
    } else {
      return replyError.syntax;
    }
  }
  if (request.first === 0) return replyError.syntax;
  return isGroup && request.groupIndex === 0 ? replyError.groupMissing : request;
}

/** BLOCK's ms in argument `index`, 0 = for ever, or the error's text. */
function blockTimeout(args: Args, index: number): number | string {
  const timeoutMs = integerAt(args, index);
  if (timeoutMs === undefined) return replyError.timeoutNotInteger;
  if (timeoutMs < 0) return replyError.timeoutNegative;
  // Redis adds the time of day.
  if (timeoutMs > TIMEOUT_MS_MAX - TIME_OF_DAY_MS_MAX) return replyError.timeoutOutOfRange;
  return Number(timeoutMs);
}
const TIME_OF_DAY_MS_MAX = 2n ** 41n;

function idBytes(id: StreamId): Buffer {
  const text = Buffer.alloc(ID_CHARACTERS_MAX);
  return text.subarray(0, id.writeText(text, 0));
}

/** By stream of the request that is running: entries behind this id are wanted. The largest one is ">". */
const wantedIds: StreamId[] = [];
/** Those of a command with more streams are not kept for the next one. */
const KEPT_IDS_MAX = 64;

/** Into `wantedIds`. False after an error was replied; nothing is changed. */
function resolveIds(context: DataContext, args: Args, request: ReadRequest, reply: ReplyWriter): boolean {
  const { isGroup, first, count, groupIndex } = request;
  if (wantedIds.length > KEPT_IDS_MAX) wantedIds.length = KEPT_IDS_MAX;
  for (let i = 0; i < count; i++) {
    const key = first + i;
    const idIndex = key + count;
    const stream = findStream(context, args, key, reply);
    if (stream === WRONG_TYPE) return false;
    if (isGroup && groupOf(stream, args, groupIndex) === undefined) {
      reply.error(noGroupToRead(args, key, groupIndex));
      return false;
    }
    wantedIds[i] ??= new StreamId();
    const problem = resolveId(args, idIndex, isGroup, stream, wantedIds[i]!);
    if (problem === undefined) continue;
    reply.error(problem);
    return false;
  }
  return true;
}

function groupOf(stream: Stream | undefined, args: Args, index: number): StreamGroup | undefined {
  return stream?.group(args.bytes, args.start(index), args.end(index));
}

/** The error's text, if there is one. */
function resolveId(
  args: Args,
  index: number,
  isGroup: boolean,
  stream: Stream | undefined,
  into: StreamId,
): string | undefined {
  if (args.is(index, "$")) {
    if (isGroup) return replyError.dollarId;
    if (stream === undefined) into.setNumbers(0, 0);
    else into.set(stream.lastId);
    return undefined;
  }
  if (args.is(index, ">")) {
    if (!isGroup) return replyError.greaterId;
    into.setMax();
    return undefined;
  }
  return parseStrictId(args, index, into) ? undefined : replyError.streamId;
}

/** Replies with what there is now; false, and no reply, if that is nothing. */
function serve(context: DataContext, args: Args, request: ReadRequest, reply: ReplyWriter): boolean {
  const mark = reply.position;
  let served = 0;
  for (let i = 0; i < request.count; i++) {
    const key = request.first + i;
    const stream = findStream(context, args, key, reply);
    if (stream === undefined || stream === WRONG_TYPE) continue;
    const isServed = request.isGroup
      ? serveGroup(context, args, request, i, reply)
      : serveAny(args, key, stream, wantedIds[i]!, request.limit, reply);
    if (isServed) served++;
  }
  if (served === 0) return false;
  if (reply.protocol === 3) reply.mapAt(mark, served);
  else reply.arrayAt(mark, served);
  return true;
}

function serveAny(
  args: Args,
  key: number,
  stream: Stream,
  after: StreamId,
  limit: number,
  reply: ReplyWriter,
): boolean {
  if (!stream.edgeId(false, topId) || topId.compare(after) <= 0) return false;
  replyKey(args, key, reply);
  start.set(after).increment();
  cursor.open(stream, start, MAX_ID, false);
  replyEntries(reply, cursor, limit);
  return true;
}

/** RESP2: a pair; RESP3: an entry of a map. */
function replyKey(args: Args, key: number, reply: ReplyWriter): void {
  if (reply.protocol === 2) reply.array(2);
  reply.bulk(args.bytes, args.start(key), args.end(key));
}

/** Stream number `index` of the request, which was just found, for a consumer of its group. */
function serveGroup(
  context: DataContext,
  args: Args,
  request: ReadRequest,
  index: number,
  reply: ReplyWriter,
): boolean {
  const { groupIndex, limit, noAck } = request;
  const stream = streamForWrite(context, streamHandle, true);
  const group = groupOf(stream, args, groupIndex)!;
  const bytesBefore = group.logicalBytes;
  const consumer = consumerFor(context, args, request.first + index, group, groupIndex + 1);
  const after = wantedIds[index]!;
  const isHistory = !after.isMax;
  const hasMore = stream.edgeId(false, topId) && topId.compare(group.lastId) > 0;
  if (isHistory || hasMore) {
    replyKey(args, request.first + index, reply);
    start.set(isHistory ? after : group.lastId).increment();
    if (isHistory) replyHistory(context, stream, group, consumer, limit, reply);
    else replyNew(context, stream, group, consumer, limit, noAck, reply);
  }
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
  return isHistory || hasMore;
}

/** Entries from `start` on that the group has not been given. */
function replyNew(
  context: DataContext,
  stream: Stream,
  group: StreamGroup,
  consumer: StreamConsumer,
  limit: number,
  noAck: boolean,
  reply: ReplyWriter,
): void {
  const mark = reply.position;
  let count = 0;
  for (cursor.open(stream, start, MAX_ID, false); count < limit && cursor.next(); count++) {
    const { id } = cursor;
    if (id.compare(group.lastId) > 0) noteRead(stream, group, id);
    replyEntry(reply, cursor);
    if (noAck) continue;
    group.assign(id, consumer, context.nowMs, 1);
    consumer.activeMs = context.nowMs;
  }
  reply.arrayAt(mark, count);
}

/** Entries from `start` on that the consumer has pending; of deleted ones only the ids. */
function replyHistory(
  context: DataContext,
  stream: Stream,
  group: StreamGroup,
  consumer: StreamConsumer,
  limit: number,
  reply: ReplyWriter,
): void {
  const mark = reply.position;
  const { pending } = consumer;
  let count = 0;
  for (let more = pending.seek(start); more && count < limit; more = pending.next()) {
    pendingId.readWords(pending.words, pending.at);
    entryCursor.open(stream, pendingId, pendingId, false);
    if (entryCursor.next()) {
      replyEntry(reply, entryCursor);
      if (group.pending.find(pendingId)) group.update(context.nowMs, wrappingAdd(group.deliveryCount, 1));
    } else {
      reply.array(2);
      replyId(reply, pendingId);
      reply.nilArray();
    }
    count++;
  }
  reply.arrayAt(mark, count);
}
