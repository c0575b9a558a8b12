// Streams read by place: length and ranges.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { StreamCursor } from "../store/stream-cursor.ts";
import { StreamId } from "../store/stream-id.ts";
import { replyError } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { integerAt } from "./parse-integer.ts";
import { isExclusive, MISSING_IS_FIRST, MISSING_IS_LAST, parseIntervalId } from "./parse-stream-id.ts";
import { findStream, replyEntries } from "./stream-replies.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const streamReadCommands = [
  { name: "xlen",      arity: 2,  route: "read", flags: ["readonly", "fast"], keys: oneKey, run: xlen },
  { name: "xrange",    arity: -4, route: "read", flags: ["readonly"],         keys: oneKey, run: xrange },
  { name: "xrevrange", arity: -4, route: "read", flags: ["readonly"],         keys: oneKey, run: xrevrange },
] as const satisfies readonly CommandRow[];

const first = new StreamId();
const last = new StreamId();
const cursor = new StreamCursor();

function xlen(context: DataContext, args: Args, reply: ReplyWriter): void {
  const stream = findStream(context, args, 1, reply);
  if (stream !== WRONG_TYPE) reply.integer(stream?.length ?? 0);
}

function xrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  range(context, args, false, reply);
}

function xrevrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  range(context, args, true, reply);
}

function range(context: DataContext, args: Args, isReverse: boolean, reply: ReplyWriter): void {
  const problem = parseInterval(args, isReverse ? 3 : 2, isReverse ? 2 : 3, first, last);
  if (problem !== undefined) return reply.error(problem);
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 4; i < args.count; i += 2) {
    if (!args.is(i, "COUNT") || i + 1 === args.count) return reply.error(replyError.syntax);
    const count = integerAt(args, i + 1);
    if (count === undefined) return reply.error(replyError.notInteger);
    limit = Math.max(0, Number(count));
  }
  const stream = findStream(context, args, 1, reply);
  if (stream === WRONG_TYPE) return;
  if (stream === undefined) return reply.array(0);
  if (limit === 0) return reply.nilArray();
  cursor.open(stream, first, last, isReverse);
  replyEntries(reply, cursor, limit);
}

/** The interval between two arguments, as ids that both belong to it. The error's text, if there is one. */
export function parseInterval(
  args: Args,
  firstIndex: number,
  lastIndex: number,
  intoFirst: StreamId,
  intoLast: StreamId,
): string | undefined {
  if (!parseIntervalId(args, firstIndex, intoFirst, MISSING_IS_FIRST)) return replyError.streamId;
  if (isExclusive && !intoFirst.increment()) return replyError.streamStartId;
  if (!parseIntervalId(args, lastIndex, intoLast, MISSING_IS_LAST)) return replyError.streamId;
  return isExclusive && !intoLast.decrement() ? replyError.streamEndId : undefined;
}
