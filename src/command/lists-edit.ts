// Lists, changed in the middle.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { placeElement, pushElement, removeElements, removeEqual } from "../store/list-changes.ts";
import { ListCursor, listLength } from "../store/list-cursor.ts";
import { compareBytes } from "../store/record.ts";
import { LIST } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { fromHead, listKey } from "./lists.ts";
import { EVENT_GENERIC, EVENT_LIST, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const listEditCommands = [
  { name: "lset",    arity: 4, route: "write", flags: ["write", "denyoom"], keys: oneKey, run: lset },
  { name: "linsert", arity: 5, route: "write", flags: ["write", "denyoom"], keys: oneKey, run: linsert },
  { name: "lrem",    arity: 4, route: "write", flags: ["write"],            keys: oneKey, run: lrem },
  { name: "ltrim",   arity: 4, route: "write", flags: ["write"],            keys: oneKey, run: ltrim },
] as const satisfies readonly CommandRow[];

const cursor = new ListCursor();

function lset(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.error(replyError.noSuchKey);
  const wanted = integerAt(args, 2);
  if (wanted === undefined) return reply.error(replyError.notInteger);
  const length = listLength(keys, handle);
  const index = fromHead(wanted, length);
  if (index < 0 || index >= length) return reply.error(replyError.indexOutOfRange);
  const { listListpackSize } = store.thresholds;
  const { bytes } = args;
  placeElement(
    keys,
    listKey(args, 1),
    handle,
    index,
    false,
    bytes,
    args.start(3),
    args.end(3),
    listListpackSize,
  );
  notifyKey(context, args, 1, EVENT_LIST, "lset");
  reply.ok();
}

function linsert(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  const isAfter = args.is(2, "AFTER");
  if (!isAfter && !args.is(2, "BEFORE")) return reply.error(replyError.syntax);
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.integer(0);
  const pivot = indexOf(context, handle, args, 3);
  if (pivot < 0) return reply.integer(-1);
  const length = listLength(keys, handle);
  const { listListpackSize } = store.thresholds;
  const { bytes } = args;
  const start = args.start(4);
  const end = args.end(4);
  const index = isAfter ? pivot + 1 : pivot;
  if (index === length) {
    pushElement(keys, listKey(args, 1), handle, bytes, start, end, false, listListpackSize);
  } else {
    placeElement(keys, listKey(args, 1), handle, index, true, bytes, start, end, listListpackSize);
  }
  notifyKey(context, args, 1, EVENT_LIST, "linsert");
  reply.integer(length + 1);
}

/** The first place of the element that is argument `index`, or -1. */
function indexOf(context: DataContext, handle: number, args: Args, index: number): number {
  const start = args.start(index);
  const end = args.end(index);
  const { entry } = cursor;
  let at = 0;
  for (let more = cursor.seek(context.keys, handle, 0); more; more = cursor.next(), at++) {
    if (compareBytes(entry.bytes, entry.start, entry.end, args.bytes, start, end) === 0) return at;
  }
  return -1;
}

function lrem(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  const count = integerAt(args, 2);
  if (count === undefined) return reply.error(replyError.notInteger);
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.integer(0);
  const length = listLength(keys, handle);
  const limit = count === 0 ? length : Math.abs(Number(count));
  const { bytes } = args;
  const { listListpackSize } = store.thresholds;
  const removed = removeEqual(
    keys,
    listKey(args, 1),
    handle,
    bytes,
    args.start(3),
    args.end(3),
    limit,
    count < 0,
    listListpackSize,
  );
  if (removed > 0) notifyKey(context, args, 1, EVENT_LIST, "lrem");
  if (removed === length) notifyKey(context, args, 1, EVENT_GENERIC, "del");
  reply.integer(removed);
}

function ltrim(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  const first = integerAt(args, 2);
  const last = integerAt(args, 3);
  if (first === undefined || last === undefined) return reply.error(replyError.notInteger);
  const handle = findOfType(context, args, 1, LIST, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.ok();
  const length = listLength(keys, handle);
  const from = Math.max(0, fromHead(first, length));
  const to = Math.min(length - 1, fromHead(last, length)) + 1;
  const { listListpackSize } = store.thresholds;
  const key = listKey(args, 1);
  let rest = handle;
  if (from >= to) {
    rest = removeElements(keys, key, handle, 0, length, listListpackSize);
  } else {
    if (to < length) rest = removeElements(keys, key, rest, to, length - to, listListpackSize);
    if (from > 0) rest = removeElements(keys, key, rest, 0, from, listListpackSize);
    // As in Redis, a trim that removes nothing counts as a change of a watched key.
    if (to - from === length) keys.announce(handle);
  }
  notifyKey(context, args, 1, EVENT_LIST, "ltrim");
  if (rest === 0) notifyKey(context, args, 1, EVENT_GENERIC, "del");
  reply.ok();
}
