// What a group has given and nobody has acknowledged: listed, and claimed by other consumers.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { StreamGroup } from "../store/stream-group.ts";
import { StreamId } from "../store/stream-id.ts";
import { noGroupOrKey, replyError } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { findStream, replyId, replyInteger } from "./stream-replies.ts";
import { parseInterval } from "./streams-read.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const streamPendingCommands = [
  { name: "xpending", arity: -3, route: "read", flags: ["readonly"], keys: oneKey, run: xpending },
] as const satisfies readonly CommandRow[];

const GROUP = 2;
const first = new StreamId();
const last = new StreamId();
const id = new StreamId();

interface PendingRequest {
  limit: number;
  minIdleMs: number | bigint;
  /** The argument with the consumer's name; 0 for none. */
  consumerIndex: number;
}

/** XPENDING key group [[IDLE ms] start end count [consumer]] */
function xpending(context: DataContext, args: Args, reply: ReplyWriter): void {
  const request = args.count === 3 ? undefined : parsePending(args);
  if (typeof request === "string") return reply.error(request);
  const stream = findStream(context, args, 1, reply);
  if (stream === WRONG_TYPE) return;
  const group = stream?.group(args.bytes, args.start(GROUP), args.end(GROUP));
  if (group === undefined) return reply.error(noGroupOrKey(args, 1, GROUP));
  if (request === undefined) return replySummary(group, reply);
  replyPending(context, args, group, request, reply);
}

/** The interval is in `first` and `last`. Or the error's text. */
function parsePending(args: Args): PendingRequest | string {
  if (args.count < 6 || args.count > 9) return replyError.syntax;
  let minIdleMs: number | bigint = 0;
  let from = 3;
  if (args.is(3, "IDLE")) {
    const value = integerAt(args, 4);
    if (value === undefined) return replyError.notInteger;
    if (args.count < 8) return replyError.syntax;
    minIdleMs = value;
    from = 5;
  }
  const count = integerAt(args, from + 2);
  if (count === undefined) return replyError.notInteger;
  const problem = parseInterval(args, from, from + 1, first, last);
  if (problem !== undefined) return problem;
  const consumerIndex = from + 3 < args.count ? from + 3 : 0;
  return { limit: Math.max(0, Number(count)), minIdleMs, consumerIndex };
}

function replySummary(group: StreamGroup, reply: ReplyWriter): void {
  const { pending } = group;
  reply.array(4);
  reply.integer(pending.count);
  if (pending.count === 0) {
    reply.nil();
    reply.nil();
    return reply.nilArray();
  }
  pending.seekOrdinal(0);
  replyId(reply, id.readWords(pending.words, pending.at));
  pending.seekOrdinal(pending.count - 1);
  replyId(reply, id.readWords(pending.words, pending.at));
  const mark = reply.position;
  let count = 0;
  for (const consumer of group.consumers) {
    if (consumer.pending.count === 0) continue;
    count++;
    reply.array(2);
    reply.bulk(consumer.name, 0, consumer.name.length);
    reply.bulkLatin1(String(consumer.pending.count));
  }
  reply.arrayAt(mark, count);
}

function replyPending(
  context: DataContext,
  args: Args,
  group: StreamGroup,
  request: PendingRequest,
  reply: ReplyWriter,
): void {
  const { limit, minIdleMs, consumerIndex } = request;
  const consumer =
    consumerIndex === 0
      ? undefined
      : group.consumer(args.bytes, args.start(consumerIndex), args.end(consumerIndex));
  if (consumerIndex !== 0 && consumer === undefined) return reply.array(0);
  const table = consumer?.pending ?? group.pending;
  const mark = reply.position;
  let count = 0;
  for (let more = table.seek(first); more && count < limit; more = table.next()) {
    id.readWords(table.words, table.at);
    if (id.compare(last) > 0) break;
    if (consumer !== undefined) group.pending.find(id);
    const idleMs = context.nowMs - Number(group.deliveryMs);
    if (minIdleMs !== 0 && idleMs < minIdleMs) continue;
    count++;
    reply.array(4);
    replyId(reply, id);
    const { name } = consumer ?? group.owner();
    reply.bulk(name, 0, name.length);
    reply.integer(Math.max(0, idleMs));
    replyInteger(reply, group.deliveryCount);
  }
  reply.arrayAt(mark, count);
}
