// SLOWLOG: reads what node/service keeps.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { helpReply, integerArgument } from "./local-arguments.ts";
import type { LocalContext, SlowLogEntry } from "./local-context.ts";
import { localError } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "slowlog|get", arity: -2, route: "local", flags: ["admin", "loading", "stale"], keys: noKeys, run: get },
  { name: "slowlog|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "slowlog|len", arity: 2, route: "local", flags: ["admin", "loading", "stale"], keys: noKeys, run: length },
  { name: "slowlog|reset", arity: 2, route: "local", flags: ["admin", "loading", "stale"], keys: noKeys, run: reset },
] as const satisfies readonly CommandRow[];

export const slowLogCommands = [
  { name: "slowlog", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

const COUNT_DEFAULT = 10;
const ALL = -1;

function get({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const count = args.count > 2 ? integerArgument(args, 2) : COUNT_DEFAULT;
  if (count === undefined || count < ALL) return reply.error(localError.slowLogCountInvalid);
  const entries = server.slowLog.latest(count === ALL ? server.slowLog.length : count);
  reply.array(entries.length);
  for (const entry of entries) entryReply(entry, reply);
}

function entryReply(entry: SlowLogEntry, reply: ReplyWriter): void {
  reply.array(6);
  reply.integer(entry.id);
  reply.integer(entry.timeSeconds);
  reply.integer(entry.microseconds);
  reply.array(entry.args.length);
  for (const argument of entry.args) reply.bulkLatin1(argument);
  reply.bulkLatin1(entry.address);
  reply.bulkLatin1(entry.name);
}

function length({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(server.slowLog.length);
}

function reset({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  server.slowLog.reset();
  reply.ok();
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "SLOWLOG", [
    "GET [<count>]",
    "    The last <count> slow commands, newest first (default: 10, -1 for all). Each is:",
    "    id, Unix time, microseconds, arguments, client address, client name.",
    "LEN",
    "    How many are kept.",
    "RESET",
    "    Forget them.",
  ]);
}
