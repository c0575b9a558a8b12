// Lists, read: length, elements by place, places of an element.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { ListCursor, listLength } from "../store/list-cursor.ts";
import { compareBytes } from "../store/record.ts";
import { LIST } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { fromHead } from "./lists.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const listReadCommands = [
  { name: "llen",   arity: 2,  route: "read", flags: ["readonly", "fast"], keys: oneKey, run: llen },
  { name: "lindex", arity: 3,  route: "read", flags: ["readonly"],         keys: oneKey, run: lindex },
  { name: "lrange", arity: 4,  route: "read", flags: ["readonly"],         keys: oneKey, run: lrange },
  { name: "lpos",   arity: -3, route: "read", flags: ["readonly"],         keys: oneKey, run: lpos },
] as const satisfies readonly CommandRow[];

const cursor = new ListCursor();

function llen(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle !== WRONG_TYPE) reply.integer(handle === 0 ? 0 : listLength(context.keys, handle));
}

function lindex(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.nil();
  const index = integerAt(args, 2);
  if (index === undefined) return reply.error(replyError.notInteger);
  if (!cursor.seek(keys, handle, fromHead(index, listLength(keys, handle)))) return reply.nil();
  reply.bulk(cursor.entry.bytes, cursor.entry.start, cursor.entry.end);
}

function lrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const first = integerAt(args, 2);
  const last = integerAt(args, 3);
  if (first === undefined || last === undefined) return reply.error(replyError.notInteger);
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.array(0);
  const length = listLength(keys, handle);
  const from = Math.max(0, fromHead(first, length));
  const count = Math.min(length - 1, fromHead(last, length)) - from + 1;
  if (count <= 0 || !cursor.seek(keys, handle, from)) return reply.array(0);
  reply.array(count);
  const { entry } = cursor;
  reply.bulk(entry.bytes, entry.start, entry.end);
  for (let i = 1; i < count; i++) {
    cursor.next();
    reply.bulk(entry.bytes, entry.start, entry.end);
  }
}

function lpos(context: DataContext, args: Args, reply: ReplyWriter): void {
  let rank = 1;
  let count = -1; // none asked for
  let lengthMax = 0; // no limit
  for (let i = 3; i < args.count; i += 2) {
    const value = i + 1 < args.count ? integerAt(args, i + 1) : undefined;
    const isRank = args.is(i, "RANK");
    if (i + 1 >= args.count || !(isRank || args.is(i, "COUNT") || args.is(i, "MAXLEN"))) {
      return reply.error(replyError.syntax);
    }
    if (isRank) {
      if (value === undefined) return reply.error(replyError.notInteger);
      if (value === 0) return reply.error(replyError.rankZero);
      if (value < -(2n ** 63n - 1n)) return reply.error(replyError.notLongInRange);
      rank = Number(value);
    } else if (args.is(i, "COUNT")) {
      if (value === undefined || value < 0) return reply.error(replyError.countNegative);
      count = Number(value);
    } else {
      if (value === undefined || value < 0) return reply.error(replyError.maxlenNegative);
      lengthMax = Number(value);
    }
  }
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return count >= 0 ? reply.array(0) : reply.nil();
  replyPlaces(context, args, handle, rank, count, lengthMax, reply);
}

function replyPlaces(
  context: DataContext,
  args: Args,
  handle: number,
  rank: number,
  count: number,
  lengthMax: number,
  reply: ReplyWriter,
): void {
  const { keys } = context;
  const length = listLength(keys, handle);
  const fromTail = rank < 0;
  const start = args.start(2);
  const end = args.end(2);
  const mark = reply.position;
  const { entry } = cursor;
  let skip = Math.abs(rank) - 1;
  let found = 0;
  let seen = 0;
  const wanted = count < 0 ? 1 : count === 0 ? Number.POSITIVE_INFINITY : count;
  let at = fromTail ? length - 1 : 0;
  for (let more = cursor.seek(keys, handle, at); more && found < wanted; ) {
    if (lengthMax > 0 && seen === lengthMax) break;
    if (compareBytes(entry.bytes, entry.start, entry.end, args.bytes, start, end) === 0) {
      if (skip > 0) skip--;
      else {
        reply.integer(at);
        found++;
      }
    }
    seen++;
    at += fromTail ? -1 : 1;
    more = fromTail ? cursor.previous() : cursor.next();
  }
  if (count >= 0) reply.arrayAt(mark, found);
  else if (found === 0) reply.nil();
}
