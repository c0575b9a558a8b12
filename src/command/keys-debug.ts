// DEBUG's subcommands that look at data. The container "debug" is a server command and takes these rows in.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { dataDigest, valueDigest } from "./debug-digest.ts";
import { replyError } from "./errors.ts";
import { findUntouched } from "./keys.ts";
import { referenceCount } from "./keys-object.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const row = { route: "read", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys } as const;

// biome-ignore format: one row a line
export const debugDataCommands = [
  { name: "debug|digest",          arity: 2,  ...row, run: debugDigest },
  { name: "debug|digest-value",    arity: -2, ...row, run: debugDigestValue },
  { name: "debug|object",          arity: 3,  ...row, run: debugObject },
  { name: "debug|stringmatch-len", arity: 4,  ...row, run: debugStringmatchLen },
] as const satisfies readonly CommandRow[];

function debugDigest(context: DataContext, _args: Args, reply: ReplyWriter): void {
  reply.simple(dataDigest(context));
}

function debugDigestValue(context: DataContext, args: Args, reply: ReplyWriter): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++)
    reply.simple(valueDigest(context.keys, findUntouched(context, args, i)));
}

/** One line in Redis's form, for tools that pick fields out of it. There are no addresses and no
 * clock as Redis means it here. */
function debugObject(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) return reply.error(replyError.noSuchKey);
  const { keys } = context;
  const references = referenceCount(context, handle);
  const encoding = keys.encodingOf(handle);
  const idleSeconds = context.store.lfu ? 0 : keys.idleOf(handle);
  reply.simple(
    `Value at:0x${handle.toString(16).padStart(12, "0")} refcount:${references} encoding:${encoding} ` +
      `serializedlength:${savedLength(keys)} lru:0 lru_seconds_idle:${idleSeconds}`,
  );
}

/** Bytes of the string just found in an RDB file without compression. */
function savedLength(keys: Keyspace): number {
  const length = keys.valueEnd - keys.valueStart;
  return length + (length < 0x40 ? 1 : length < 0x4000 ? 2 : 5);
}

/** DEBUG STRINGMATCH-LEN pattern text: does it match? (In Redis since 7.2.) */
function debugStringmatchLen(_context: DataContext, args: Args, reply: ReplyWriter): void {
  const { bytes } = args;
  reply.integer(globMatches(bytes, args.start(2), args.end(2), bytes, args.start(3), args.end(3)) ? 1 : 0);
}
