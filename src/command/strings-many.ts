// MGET, MSET, MSETNX: several strings in one atomic step.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { wrongArity } from "./errors.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import type { CommandRow, DataContext } from "./types.ts";
import { warmKeys } from "./warm-keys.ts";

const everyKey = { first: 1, last: -1, step: 1 } as const;
const everyOther = { first: 1, last: -1, step: 2 } as const;

// biome-ignore format: one row a line
export const stringManyCommands = [
  { name: "mget",   arity: -2, route: "read",  flags: ["readonly", "fast"], keys: everyKey,   run: mget },
  { name: "mset",   arity: -3, route: "write", flags: ["write", "denyoom"], keys: everyOther, run: mset },
  { name: "msetnx", arity: -3, route: "write", flags: ["write", "denyoom"], keys: everyOther, run: msetnx },
] as const satisfies readonly CommandRow[];

function mget(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  reply.array(args.count - 1);
  let warmTo = 0;
  for (let i = 1; i < args.count; i++) {
    if (i >= warmTo) warmTo = warmKeys(keys, args, i, 1);
    const handle = keys.find(args.bytes, args.start(i), args.end(i));
    if (handle === 0 || keys.typeOf(handle) !== STRING) reply.nil();
    else reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
  }
}

function mset(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count % 2 === 0) return reply.error(wrongArity("mset"));
  setPairs(context, args);
  reply.ok();
}

function msetnx(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count % 2 === 0) return reply.error(wrongArity("msetnx"));
  for (let i = 1; i < args.count; i += 2) {
    if (context.keys.find(args.bytes, args.start(i), args.end(i)) !== 0) return reply.integer(0);
  }
  setPairs(context, args);
  reply.integer(1);
}

function setPairs(context: DataContext, args: Args): void {
  const { bytes } = args;
  let warmTo = 0;
  for (let i = 1; i < args.count; i += 2) {
    if (i >= warmTo) warmTo = warmKeys(context.keys, args, i, 2);
    const value = i + 1;
    context.keys.setString(
      bytes,
      args.start(i),
      args.end(i),
      bytes,
      args.start(value),
      args.end(value),
      false,
    );
    notifyKey(context, args, i, EVENT_STRING, "set");
  }
}
