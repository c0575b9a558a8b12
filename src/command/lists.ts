// Lists at their ends: pushing and popping.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type ListKey, pushElements, removeElements } from "../store/list-changes.ts";
import { ListCursor, listLength } from "../store/list-cursor.ts";
import { LIST } from "../store/types.ts";
import { replyError, wrongArity } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { EVENT_GENERIC, EVENT_LIST, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const listCommands = [
  { name: "lpush",  arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: lpush },
  { name: "rpush",  arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: rpush },
  { name: "lpushx", arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: lpushx },
  { name: "rpushx", arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: rpushx },
  { name: "lpop",   arity: -2, route: "write", flags: ["write", "fast"],            keys: oneKey, run: lpop },
  { name: "rpop",   arity: -2, route: "write", flags: ["write", "fast"],            keys: oneKey, run: rpop },
] as const satisfies readonly CommandRow[];

const cursor = new ListCursor();

function lpush(context: DataContext, args: Args, reply: ReplyWriter): void {
  push(context, args, true, false, reply);
}

function rpush(context: DataContext, args: Args, reply: ReplyWriter): void {
  push(context, args, false, false, reply);
}

function lpushx(context: DataContext, args: Args, reply: ReplyWriter): void {
  push(context, args, true, true, reply);
}

function rpushx(context: DataContext, args: Args, reply: ReplyWriter): void {
  push(context, args, false, true, reply);
}

function push(
  context: DataContext,
  args: Args,
  atHead: boolean,
  onlyExisting: boolean,
  reply: ReplyWriter,
): void {
  const { keys, store } = context;
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0 && onlyExisting) return reply.integer(0);
  const { listListpackSize } = store.thresholds;
  const length = pushElements(keys, listKey(args, 1), handle, args, 2, atHead, listListpackSize);
  notifyKey(context, args, 1, EVENT_LIST, atHead ? "lpush" : "rpush");
  reply.integer(length);
}

function lpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  pop(context, args, true, "lpop", reply);
}

function rpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  pop(context, args, false, "rpop", reply);
}

function pop(context: DataContext, args: Args, atHead: boolean, name: string, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(wrongArity(name));
  const hasCount = args.count === 3;
  let count = 1;
  if (hasCount) {
    const wanted = integerAt(args, 2);
    if (wanted === undefined) return reply.error(replyError.notPositive);
    if (wanted < 0) return reply.error(replyError.notPositive);
    count = Number(wanted);
  }
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return hasCount ? reply.nilArray() : reply.nil();
  if (count === 0) return reply.array(0);
  const length = listLength(context.keys, handle);
  const taken = Math.min(count, length);
  if (hasCount) reply.array(taken);
  popElements(context, args, 1, handle, atHead, taken, reply);
}

/** Replies with `count` elements of an end, and removes them; the list has as many. The key is argument `index`. */
export function popElements(
  context: DataContext,
  args: Args,
  index: number,
  handle: number,
  atHead: boolean,
  count: number,
  reply: ReplyWriter,
): void {
  const { keys, store } = context;
  const length = listLength(keys, handle);
  cursor.seek(keys, handle, atHead ? 0 : length - 1);
  for (let left = count; left > 0; left--) {
    reply.bulk(cursor.entry.bytes, cursor.entry.start, cursor.entry.end);
    if (left > 1) atHead ? cursor.next() : cursor.previous();
  }
  const from = atHead ? 0 : length - count;
  const rest = removeElements(
    keys,
    listKey(args, index),
    handle,
    from,
    count,
    store.thresholds.listListpackSize,
  );
  notifyKey(context, args, index, EVENT_LIST, atHead ? "lpop" : "rpop");
  if (rest === 0) notifyKey(context, args, index, EVENT_GENERIC, "del");
}

/** One object, used again: nothing in a handler outlives it. */
const argumentKey: { bytes: Buffer; start: number; end: number } = {
  bytes: Buffer.alloc(0),
  start: 0,
  end: 0,
};

/** Argument `index` as a list's key, until it is asked for again. */
export function listKey(args: Args, index: number): ListKey {
  argumentKey.bytes = args.bytes;
  argumentKey.start = args.start(index);
  argumentKey.end = args.end(index);
  return argumentKey;
}

/** An index as Redis counts it, from the end if negative, as one from 0: may be out of [0, length). */
export const fromHead = (index: number | bigint, length: number): number =>
  index < 0 ? length + Number(index) : Number(index);
