// Commands on keys of any type: whether they are there, what they are, away with them.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { FLAG_OBJECT } from "../store/types.ts";
import { EVENT_GENERIC, notifyKey } from "./notify.ts";
import { typeName } from "./type-names.ts";
import { type CommandRow, type DataContext, noKeys, oneKey } from "./types.ts";

const everyKey = { first: 1, last: -1, step: 1 } as const;

// biome-ignore format: one row a line
export const keyCommands = [
  { name: "del",    arity: -2, route: "write", flags: ["write"],            keys: everyKey, run: del },
  { name: "unlink", arity: -2, route: "write", flags: ["write", "fast"],    keys: everyKey, run: unlink },
  { name: "exists", arity: -2, route: "read",  flags: ["readonly", "fast"], keys: everyKey, run: exists },
  { name: "touch",  arity: -2, route: "read",  flags: ["readonly", "fast"], keys: everyKey, run: touch },
  { name: "type",   arity: 2,  route: "read",  flags: ["readonly", "fast"], keys: oneKey,   run: type },
  { name: "dbsize", arity: 1,  route: "read",  flags: ["readonly", "fast"], keys: noKeys,   run: dbsize },
] as const satisfies readonly CommandRow[];

/** DEL and UNLINK: memory here is freed at once and at no cost that grows with the value. */
function del(context: DataContext, args: Args, reply: ReplyWriter): void {
  let removed = 0;
  for (let i = 1; i < args.count; i++) {
    if (!context.keys.remove(args.bytes, args.start(i), args.end(i))) continue;
    notifyKey(context, args, i, EVENT_GENERIC, "del");
    removed++;
  }
  reply.integer(removed);
}

/** DEL, which also counts what Redis would have left to a thread in the background. */
function unlink(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys, store } = context;
  for (let i = 1; i < args.count; i++) {
    const handle = findUntouched(context, args, i);
    if (handle !== 0 && (keys.kindOf(handle) & FLAG_OBJECT) !== 0) store.lazyFreedKeys++;
  }
  del(context, args, reply);
}

function exists(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyFound(context, args, true, reply);
}

/** A use even from a client that asked for CLIENT NO-TOUCH, as in Redis. */
function touch(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyFound(context, args, false, reply);
}

function replyFound(context: DataContext, args: Args, noTouch: boolean, reply: ReplyWriter): void {
  const { store } = context;
  const before = store.noTouch;
  store.noTouch = noTouch;
  let found = 0;
  for (let i = 1; i < args.count; i++) {
    if (context.keys.find(args.bytes, args.start(i), args.end(i)) !== 0) found++;
  }
  store.noTouch = before;
  reply.integer(found);
}

function type(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 1);
  reply.simple(handle === 0 ? "none" : typeName(context.keys.typeOf(handle)));
}

/** `find` that leaves the key's access time alone, for commands that ask about keys rather than use them. */
export function findUntouched(context: DataContext, args: Args, index: number): number {
  const { store } = context;
  const before = store.noTouch;
  store.noTouch = true;
  const handle = context.keys.find(args.bytes, args.start(index), args.end(index));
  store.noTouch = before;
  return handle;
}

function dbsize(context: DataContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(context.keys.size);
}
