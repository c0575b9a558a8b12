// Walking over the keys of a database: all at once, in steps, or one at random.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { closeScan, isEverything, parseCursor, ScanOptions } from "./scan-options.ts";
import { typeName } from "./type-names.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const keyScanCommands = [
  { name: "keys",      arity: 2,  route: "read", flags: ["readonly"], keys: noKeys, run: keysCommand },
  { name: "scan",      arity: -2, route: "read", flags: ["readonly"], keys: noKeys, run: scan },
  { name: "randomkey", arity: 1,  route: "read", flags: ["readonly"], keys: noKeys, run: randomkey },
] as const satisfies readonly CommandRow[];

const options = new ScanOptions();

function keysCommand(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  const all = isEverything(args, 1);
  const mark = reply.position;
  let count = 0;
  context.keys.forEach((keyBytes, keyStart, keyEnd) => {
    if (!all && !globMatches(bytes, start, end, keyBytes, keyStart, keyEnd)) return;
    reply.bulk(keyBytes, keyStart, keyEnd);
    count++;
  });
  reply.arrayAt(mark, count);
}

function scan(context: DataContext, args: Args, reply: ReplyWriter): void {
  const cursor = parseCursor(args, 1);
  if (cursor === undefined) return reply.error(replyError.cursorInvalid);
  const problem = options.parse(args, 2, true);
  if (problem !== undefined) return reply.error(problem);
  const { keys } = context;
  const mark = reply.position;
  let found = 0;
  const next = keys.scan(cursor, options.count, (keyBytes, keyStart, keyEnd, handle) => {
    if (!options.matches(keyBytes, keyStart, keyEnd)) return;
    if (options.type !== undefined && typeName(keys.typeOf(handle)) !== options.type) return;
    reply.bulk(keyBytes, keyStart, keyEnd);
    found++;
  });
  closeScan(reply, mark, found, next);
}

function randomkey(context: DataContext, _args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const handle = keys.randomKey(context.random);
  if (handle === 0) return reply.nil();
  keys.keyRange(handle);
  reply.bulk(keys.keyBytes, keys.keyStart, keys.keyEnd);
}
