// CONFIG GET, SET, RESETSTAT, REWRITE: the faces of the settings table, which lives behind ConfigAccess.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { helpReply, nameArguments, utf8Argument } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import { configFailed, configRewriteFailed, configUnknown, localError } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "config|get", arity: -3, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: get },
  { name: "config|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "config|resetstat", arity: 2, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: resetStatistics },
  { name: "config|rewrite", arity: 2, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: rewrite },
  { name: "config|set", arity: -4, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: set },
] as const satisfies readonly CommandRow[];

export const configCommands = [
  { name: "config", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

function get({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const patterns = nameArguments(args, 2, reply);
  if (patterns === undefined) return;
  const pairs = server.config.get(patterns);
  reply.map(pairs.length);
  for (const [name, value] of pairs) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

function set({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count % 2 !== 0) return reply.error(replyError.syntax);
  const pairs: [string, string][] = [];
  for (let i = 2; i < args.count; i += 2) pairs.push([utf8Argument(args, i), utf8Argument(args, i + 1)]);
  const problem = server.config.set(pairs);
  if (problem === undefined) reply.ok();
  else if (problem.kind === "unknown") reply.error(configUnknown(problem.name));
  else reply.error(configFailed(problem.name, problem.reason));
}

function resetStatistics({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  server.resetStatistics();
  reply.ok();
}

function rewrite({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const problem = server.config.rewrite();
  if (problem === undefined) reply.ok();
  else if (problem === "no-file") reply.error(localError.configNoFile);
  else reply.error(configRewriteFailed(problem.reason));
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "CONFIG", [
    "GET <pattern> [<pattern> ...]",
    "    Settings whose names match a glob pattern, and their values.",
    "SET <setting> <value> [<setting> <value> ...]",
    "    Change settings, all of them or none; those of the cluster on all nodes.",
    "RESETSTAT",
    "    Start the statistics of INFO over.",
    "REWRITE",
    "    Write the settings back to the configuration file.",
  ]);
}
