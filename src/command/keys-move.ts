// Keys under another name or in another database.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { replyError } from "./errors.ts";
import { EVENT_GENERIC, notifyKey } from "./notify.ts";
import { integerAt, isInt32 } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const twoKeys = { first: 1, last: 2, step: 1 } as const;

// biome-ignore format: one row a line
export const keyMoveCommands = [
  { name: "rename",   arity: 3,  route: "write", flags: ["write"],            keys: twoKeys, run: rename },
  { name: "renamenx", arity: 3,  route: "write", flags: ["write", "fast"],    keys: twoKeys, run: renamenx },
  { name: "copy",     arity: -3, route: "write", flags: ["write", "denyoom"], keys: twoKeys, run: copy },
  { name: "move",     arity: 3,  route: "write", flags: ["write", "fast"],    keys: oneKey,  run: move },
] as const satisfies readonly CommandRow[];

function rename(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  if (keys.find(bytes, args.start(1), args.end(1)) === 0) return reply.error(replyError.noSuchKey);
  if (!sameKey(args)) {
    // Not written over, so that it counts as a new key (the event `new`), as in Redis.
    keys.remove(bytes, args.start(2), args.end(2));
    renameKey(context, args);
  }
  reply.ok();
}

function renamenx(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  if (keys.find(bytes, args.start(1), args.end(1)) === 0) return reply.error(replyError.noSuchKey);
  if (keys.find(bytes, args.start(2), args.end(2)) !== 0) return reply.integer(0);
  renameKey(context, args);
  reply.integer(1);
}

function renameKey(context: DataContext, args: Args): void {
  const { bytes } = args;
  context.keys.renameKey(bytes, args.start(1), args.end(1), bytes, args.start(2), args.end(2));
  notifyKey(context, args, 1, EVENT_GENERIC, "rename_from");
  notifyKey(context, args, 2, EVENT_GENERIC, "rename_to");
}

function copy(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  let target = keys;
  let replace = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replace = true;
    else if (args.is(i, "DB") && i + 1 < args.count) {
      const database = databaseAt(context, args, ++i, reply);
      if (database === undefined) return;
      target = database;
    } else return reply.error(replyError.syntax);
  }
  if (target === keys && sameKey(args)) return reply.error(replyError.sameObject);
  if (keys.find(bytes, args.start(1), args.end(1)) === 0) return reply.integer(0);
  if (target.find(bytes, args.start(2), args.end(2)) !== 0) {
    if (!replace) return reply.integer(0);
    target.remove(bytes, args.start(2), args.end(2));
  }
  keys.copyKey(bytes, args.start(1), args.end(1), target, bytes, args.start(2), args.end(2));
  target.notify(EVENT_GENERIC, "copy_to", bytes, args.start(2), args.end(2));
  reply.integer(1);
}

function move(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  const target = databaseAt(context, args, 2, reply);
  if (target === undefined) return;
  if (target === keys) return reply.error(replyError.sameObject);
  if (!keys.moveKey(bytes, start, end, target)) return reply.integer(0);
  keys.notify(EVENT_GENERIC, "move_from", bytes, start, end);
  target.notify(EVENT_GENERIC, "move_to", bytes, start, end);
  reply.integer(1);
}

/** The database that argument `index` names; undefined after an error was replied. */
function databaseAt(
  context: DataContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): Keyspace | undefined {
  const number = integerAt(args, index);
  if (number === undefined) reply.error(replyError.notInteger);
  else if (!isInt32(number)) reply.error(replyError.notIntegerInRange);
  else {
    const database = context.store.databases[number];
    if (database === undefined) reply.error(replyError.databaseOutOfRange);
    return database;
  }
  return undefined;
}

function sameKey(args: Args): boolean {
  const { bytes } = args;
  const length = args.length(1);
  return (
    length === args.length(2) &&
    bytes.compare(bytes, args.start(2), args.end(2), args.start(1), args.end(1)) === 0
  );
}
