// OBJECT: how a value is kept, and how it has been used.

import type { Args } from "../base/args.ts";
import { parseInteger64 } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { findUntouched } from "./keys.ts";
import { helpReply } from "./local-arguments.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const subcommand = {
  arity: 3,
  route: "read",
  flags: ["readonly"],
  keys: { first: 2, last: 2, step: 1 },
} as const;

export const keyObjectCommands = [
  {
    name: "object",
    arity: -2,
    route: "container",
    flags: [],
    keys: noKeys,
    subcommands: [
      { name: "object|encoding", ...subcommand, run: encoding },
      { name: "object|freq", ...subcommand, run: freq },
      { name: "object|idletime", ...subcommand, run: idletime },
      { name: "object|refcount", ...subcommand, run: refcount },
      { name: "object|help", arity: 2, route: "read", flags: ["loading", "stale"], keys: noKeys, run: help },
    ],
  },
] as const satisfies readonly CommandRow[];

/** Redis shares the integers below this among all keys, and tells so by the largest count there is. */
const SHARED_INTEGERS = 10_000;
const SHARED_REFERENCE_COUNT = 0x7fff_ffff;

function encoding(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) reply.nil();
  else reply.bulkText(context.keys.encodingOf(handle));
}

function refcount(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) reply.nil();
  else reply.integer(referenceCount(context, handle));
}

/** Of the key just found, as Redis would count. */
export function referenceCount(context: DataContext, handle: number): number {
  const { keys } = context;
  if (keys.typeOf(handle) !== STRING || keys.encodingOf(handle) !== "int") return 1;
  const value = parseInteger64(keys.valueBytes, keys.valueStart, keys.valueEnd);
  return typeof value === "number" && value >= 0 && value < SHARED_INTEGERS ? SHARED_REFERENCE_COUNT : 1;
}

function freq(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) reply.nil();
  else if (!context.store.lfu) reply.error(replyError.frequencyNotTracked);
  else reply.integer(context.keys.frequencyOf(handle));
}

function idletime(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findUntouched(context, args, 2);
  if (handle === 0) reply.nil();
  else if (context.store.lfu) reply.error(replyError.idleTimeNotTracked);
  else reply.integer(context.keys.idleOf(handle));
}

function help(_context: DataContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "OBJECT", [
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
  ]);
}
