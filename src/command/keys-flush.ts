// Emptying databases, and exchanging two of them.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { integerAt, isInt32 } from "./parse-integer.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const keyFlushCommands = [
  { name: "flushdb",  arity: -1, route: "write", flags: ["write"],         keys: noKeys, run: flushdb },
  { name: "flushall", arity: -1, route: "write", flags: ["write"],         keys: noKeys, run: flushall },
  { name: "swapdb",   arity: 3,  route: "write", flags: ["write", "fast"], keys: noKeys, run: swapdb },
] as const satisfies readonly CommandRow[];

function flushdb(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!isFlushSyntax(args)) return reply.error(replyError.syntax);
  if (isLazy(args)) context.store.lazyFreedKeys += context.keys.size;
  context.keys.clear();
  reply.ok();
}

function flushall(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (!isFlushSyntax(args)) return reply.error(replyError.syntax);
  const { store } = context;
  if (isLazy(args)) for (const { size } of store.databases) store.lazyFreedKeys += size;
  store.clear();
  reply.ok();
}

const isLazy = (args: Args): boolean => args.count === 2 && args.is(1, "ASYNC");

/** ASYNC and SYNC are the same here: dropping a database takes no time that grows with it. */
function isFlushSyntax(args: Args): boolean {
  return args.count === 1 || (args.count === 2 && (args.is(1, "ASYNC") || args.is(1, "SYNC")));
}

function swapdb(context: DataContext, args: Args, reply: ReplyWriter): void {
  const first = integerAt(args, 1);
  if (first === undefined || !isInt32(first)) return reply.error(replyError.firstDatabaseInvalid);
  const second = integerAt(args, 2);
  if (second === undefined || !isInt32(second)) return reply.error(replyError.secondDatabaseInvalid);
  const { store } = context;
  if (store.databases[first] === undefined || store.databases[second] === undefined) {
    return reply.error(replyError.databaseOutOfRange);
  }
  if (first !== second) store.swap(first, second);
  reply.ok();
}
