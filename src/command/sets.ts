// Sets: members in and out, and what one set holds.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { SetReader } from "../store/set-reader.ts";
import { SetWriter } from "../store/set-writer.ts";
import { SET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { EVENT_GENERIC, EVENT_SET, notifyKey } from "./notify.ts";
import { closeScan, parseCursor, ScanOptions, scanNumbers } from "./scan-options.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const fast = { route: "read", flags: ["readonly", "fast"], keys: oneKey } as const;
const twoKeys = { first: 1, last: 2, step: 1 } as const;

// biome-ignore format: one row a line
export const setCommands = [
  { name: "sadd",       arity: -3, route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: sadd },
  { name: "srem",       arity: -3, route: "write", flags: ["write", "fast"], keys: oneKey, run: srem },
  { name: "smove",      arity: 4,  route: "write", flags: ["write", "fast"], keys: twoKeys, run: smove },
  { name: "sismember",  arity: 3,  ...fast, run: sismember },
  { name: "smismember", arity: -3, ...fast, run: smismember },
  { name: "scard",      arity: 2,  ...fast, run: scard },
  { name: "smembers",   arity: 2,  route: "read", flags: ["readonly"], keys: oneKey, run: smembers },
  { name: "sscan",      arity: -3, route: "read", flags: ["readonly"], keys: oneKey, run: sscan },
] as const satisfies readonly CommandRow[];

const set = new SetReader();
const writer = new SetWriter();
const options = new ScanOptions();

export function beginSet(context: DataContext, handle: number, into: SetWriter): SetWriter {
  const { store } = context;
  return into.begin(context.keys, handle, store.thresholds, store.hashSeed);
}

function sadd(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, SET, reply);
  if (handle === WRONG_TYPE) return;
  const { bytes } = args;
  beginSet(context, handle, writer);
  writer.expect(args.count - 2, handle === 0, bytes, args.start(2), args.end(2));
  let added = 0;
  for (let i = 2; i < args.count; i++) if (writer.add(bytes, args.start(i), args.end(i))) added++;
  writer.commit(bytes, args.start(1), args.end(1), SET);
  if (added > 0) notifyKey(context, args, 1, EVENT_SET, "sadd");
  reply.integer(added);
}

function srem(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findOfType(context, args, 1, SET, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.integer(0);
  beginSet(context, handle, writer);
  let removed = 0;
  for (let i = 2; i < args.count && writer.count > 0; i++) {
    if (writer.remove(args.bytes, args.start(i), args.end(i))) removed++;
  }
  if (removed > 0) closeRemoval(context, args, "srem", writer);
  else writer.forget();
  reply.integer(removed);
}

/** Stores what members were taken from, and says so; the key may go with the last. */
export function closeRemoval(context: DataContext, args: Args, event: string, changed: SetWriter): void {
  const isEmpty = changed.count === 0;
  changed.commit(args.bytes, args.start(1), args.end(1), SET);
  notifyKey(context, args, 1, EVENT_SET, event);
  if (isEmpty) notifyKey(context, args, 1, EVENT_GENERIC, "del");
}

function smove(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  const start = args.start(3);
  const end = args.end(3);
  const from = keys.find(bytes, args.start(1), args.end(1));
  const to = keys.find(bytes, args.start(2), args.end(2));
  if (from === 0) return reply.integer(0);
  if (keys.typeOf(from) !== SET || (to !== 0 && keys.typeOf(to) !== SET))
    return reply.error(replyError.wrongType);
  if (from === to) return reply.integer(set.open(keys, from).has(bytes, start, end) ? 1 : 0);
  if (!beginSet(context, from, writer).remove(bytes, start, end)) {
    writer.forget();
    return reply.integer(0);
  }
  closeRemoval(context, args, "srem", writer);
  // The handle was good until this change.
  const target = to === 0 ? 0 : keys.find(bytes, args.start(2), args.end(2));
  beginSet(context, target, writer).expect(1, target === 0, bytes, start, end);
  const isAdded = writer.add(bytes, start, end);
  writer.commit(bytes, args.start(2), args.end(2), SET);
  if (isAdded) notifyKey(context, args, 2, EVENT_SET, "sadd");
  reply.integer(1);
}

/** Opens the set at the key, an empty one if there is none; false if WRONGTYPE was answered. */
export function openSet(context: DataContext, args: Args, reply: ReplyWriter, into: SetReader): boolean {
  const handle = findOfType(context, args, 1, SET, reply);
  if (handle === WRONG_TYPE) return false;
  into.open(context.keys, handle);
  return true;
}

function sismember(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!openSet(context, args, reply, set)) return;
  reply.integer(set.has(args.bytes, args.start(2), args.end(2)) ? 1 : 0);
}

function smismember(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!openSet(context, args, reply, set)) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    reply.integer(set.has(args.bytes, args.start(i), args.end(i)) ? 1 : 0);
  }
}

function scard(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (openSet(context, args, reply, set)) reply.integer(set.count);
}

function smembers(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (openSet(context, args, reply, set)) replyMembers(reply, set);
}

/** All members of a set that was just opened. */
export function replyMembers(reply: ReplyWriter, members: SetReader): void {
  reply.set(members.count);
  while (members.next()) reply.bulk(members.bytes, members.start, members.end);
}

function sscan(context: DataContext, args: Args, reply: ReplyWriter): void {
  const cursor = parseCursor(args, 2);
  if (cursor === undefined) return reply.error(replyError.cursorInvalid);
  if (!openSet(context, args, reply, set)) return;
  const mark = reply.position;
  if (set.handle === 0) return closeScan(reply, mark, 0, 0);
  const problem = options.parse(args, 3, false);
  if (problem !== undefined) return reply.error(problem);
  let found = 0;
  let next = 0;
  if (set.table === undefined) {
    while (set.next()) found += replyMatching(reply);
  } else {
    next = scanNumbers(cursor, set.count, options.count, (number) => {
      set.at(number);
      found += replyMatching(reply);
    });
  }
  closeScan(reply, mark, found, next);
}

function replyMatching(reply: ReplyWriter): number {
  if (!options.matches(set.bytes, set.start, set.end)) return 0;
  reply.bulk(set.bytes, set.start, set.end);
  return 1;
}
