// Intersection, union and difference of sets, answered, counted or stored. Linear, as in Redis.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { SetReader } from "../store/set-reader.ts";
import { SetView } from "../store/set-view.ts";
import { SetWriter } from "../store/set-writer.ts";
import { SET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { EVENT_GENERIC, EVENT_SET, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { beginSet, replyMembers } from "./sets.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const all = { first: 1, last: -1, step: 1 } as const;
const answers = { arity: -2, route: "read", flags: ["readonly"], keys: all } as const;
const stores = { arity: -3, route: "write", flags: ["write", "denyoom"], keys: all } as const;

// biome-ignore format: one row a line
export const setAlgebraCommands = [
  { name: "sinter",      ...answers, run: sinter },
  { name: "sinterstore", ...stores,  run: sinterstore },
  { name: "sunion",      ...answers, run: sunion },
  { name: "sunionstore", ...stores,  run: sunionstore },
  { name: "sdiff",       ...answers, run: sdiff },
  { name: "sdiffstore",  ...stores,  run: sdiffstore },
  { name: "sintercard", arity: -3, route: "read", flags: ["readonly", "movablekeys"], keys: noKeys, run: sintercard },
] as const satisfies readonly CommandRow[];

const reader = new SetReader();
const result = new SetWriter();

/** The sets at the keys in arguments [from, to); undefined if one is none and WRONGTYPE was answered. */
function openAll(
  context: DataContext,
  args: Args,
  from: number,
  to: number,
  reply: ReplyWriter,
): SetView[] | undefined {
  const views: SetView[] = [];
  for (let i = from; i < to; i++) {
    const handle = findOfType(context, args, i, SET, reply);
    if (handle === WRONG_TYPE) return undefined;
    views.push(new SetView().open(context.keys, handle));
  }
  return views;
}

/** Puts what `result` holds under the key in argument 1, over whatever is there. */
function store(context: DataContext, args: Args, event: string, reply: ReplyWriter): void {
  const { bytes } = args;
  const { count } = result;
  if (count > 0) {
    result.commit(bytes, args.start(1), args.end(1), SET, false);
    notifyKey(context, args, 1, EVENT_SET, event);
  } else {
    result.forget();
    if (context.keys.remove(bytes, args.start(1), args.end(1)))
      notifyKey(context, args, 1, EVENT_GENERIC, "del");
  }
  reply.integer(count);
}

/** Calls visit() with `reader` on each member that all sets have, until it returns false. */
function intersect(context: DataContext, views: readonly SetView[], visit: () => boolean): void {
  // From the smallest on: the fewest members to look for, and soonest not found.
  const ordered = [...views].sort((a, b) => a.count - b.count);
  const first = ordered[0]!;
  const others = ordered.filter((view) => view.handle !== first.handle);
  reader.open(context.keys, first.handle);
  while (reader.next()) {
    if (others.every(hasIt) && !visit()) break;
  }
}

const hasIt = (view: SetView): boolean => view.has(reader.bytes, reader.start, reader.end);

function sinter(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 1, args.count, reply);
  if (views === undefined) return;
  const mark = reply.position;
  let count = 0;
  intersect(context, views, () => {
    reply.bulk(reader.bytes, reader.start, reader.end);
    count++;
    return true;
  });
  reply.setAt(mark, count);
}

function sintercard(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keyCount = integerAt(args, 1);
  if (keyCount === undefined || keyCount < 1) return reply.error(replyError.numkeysNotPositive);
  if (keyCount > args.count - 2) return reply.error(replyError.numkeysTooMany);
  const end = 2 + Number(keyCount);
  let limit = 0;
  for (let i = end; i < args.count; i += 2) {
    if (!args.is(i, "LIMIT") || i + 1 === args.count) return reply.error(replyError.syntax);
    const value = integerAt(args, i + 1);
    if (value === undefined || value < 0) return reply.error(replyError.limitNegative);
    limit = Number(value);
  }
  const views = openAll(context, args, 2, end, reply);
  if (views === undefined) return;
  let count = 0;
  intersect(context, views, () => ++count !== limit);
  reply.integer(count);
}

function sinterstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 2, args.count, reply);
  if (views === undefined) return;
  beginSet(context, 0, result);
  const smallest = views.reduce((least, view) => (view.count < least.count ? view : least));
  if (!smallest.isIntset) result.preferListpack();
  intersect(context, views, () => {
    result.add(reader.bytes, reader.start, reader.end);
    return true;
  });
  result.preferIntset();
  store(context, args, "sinterstore", reply);
}

function sunion(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 1, args.count, reply);
  if (views === undefined) return;
  const handles = new Set(views.map((view) => view.handle));
  handles.delete(0);
  if (handles.size <= 1) return replyMembers(reply, reader.open(context.keys, [...handles][0] ?? 0));
  unite(context, views);
  result.readInto(reader);
  replyMembers(reply, reader);
  result.forget();
}

function sunionstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 2, args.count, reply);
  if (views === undefined) return;
  unite(context, views);
  store(context, args, "sunionstore", reply);
}

/** Makes `result` the union. */
function unite(context: DataContext, views: readonly SetView[]): void {
  beginSet(context, 0, result);
  for (const view of views) {
    reader.open(context.keys, view.handle);
    while (reader.next()) result.add(reader.bytes, reader.start, reader.end);
  }
}

function sdiff(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 1, args.count, reply);
  if (views === undefined) return;
  subtract(context, views);
  result.readInto(reader);
  replyMembers(reply, reader);
  result.forget();
}

function sdiffstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const views = openAll(context, args, 2, args.count, reply);
  if (views === undefined) return;
  subtract(context, views);
  store(context, args, "sdiffstore", reply);
}

/** Makes `result` the first set without the others' members. */
function subtract(context: DataContext, views: readonly SetView[]): void {
  beginSet(context, 0, result);
  const first = views[0]!;
  const others = views.slice(1).filter((view) => view.handle !== 0);
  if (first.handle === 0 || others.some((view) => view.handle === first.handle)) return;
  reader.open(context.keys, first.handle);
  // Redis's choice, which decides how large the result was for a while, and so its form: look each member up in all
  // others, or take the first set and remove what the others have.
  const lookups = (first.count * (others.length + 1)) / 2;
  const removals = others.reduce((sum, view) => sum + view.count, first.count);
  if (Math.trunc(lookups) <= removals) {
    others.sort((a, b) => b.count - a.count);
    while (reader.next()) if (!others.some(hasIt)) result.add(reader.bytes, reader.start, reader.end);
    return;
  }
  while (reader.next()) result.add(reader.bytes, reader.start, reader.end);
  for (const view of others) {
    if (result.count === 0) return;
    reader.open(context.keys, view.handle);
    while (reader.next()) result.remove(reader.bytes, reader.start, reader.end);
  }
}
