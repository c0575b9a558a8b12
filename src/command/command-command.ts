// COMMAND: the command table as clients may ask for it. redis-cli's hints come from DOCS, cluster clients'
// routing from INFO.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import {
  categoriesOf,
  docsTree,
  infoTree,
  type Tree,
  topLevelCommands,
  visibleCommands,
  visibleSubcommands,
  writeTree,
} from "./command-docs.ts";
import { findKeys, hasKeys, type KeyFound } from "./command-keys.ts";
import { replyError, unknownSubcommand } from "./errors.ts";
import { helpReply, nameArguments, wordArgument } from "./local-arguments.ts";
import type { LocalContext, Server } from "./local-context.ts";
import { localError } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "command|count", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: count },
  { name: "command|docs", arity: -2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: docs },
  { name: "command|getkeys", arity: -4, route: "local", flags: ["loading", "stale"], keys: noKeys, run: getKeys },
  { name: "command|getkeysandflags", arity: -4, route: "local", flags: ["loading", "stale"], keys: noKeys, run: getKeysAndFlags },
  { name: "command|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "command|info", arity: -2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: info },
  { name: "command|list", arity: -2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: list },
] as const satisfies readonly CommandRow[];

// biome-ignore format: a table reads best with one row per line
export const commandCommands = [
  { name: "command", arity: -1, route: "container", flags: ["loading", "stale"], keys: noKeys, subcommands, run: alone },
] as const satisfies readonly CommandRow[];

/** COMMAND without a subcommand is COMMAND INFO. */
function alone(context: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count === 1) info(context, args, reply);
  else reply.error(unknownSubcommand("COMMAND", args.text(1)));
}

function visibleByName(server: Server): ReadonlyMap<string, CommandRow> {
  return new Map(visibleCommands(server.commands).map((row) => [row.name, row]));
}

interface Whole {
  readonly commands: readonly CommandRow[];
  readonly bytes: Buffer;
}

/** Replies about all commands, which every redis-cli asks for when it connects; they take a while to make. */
const wholes = new Map<string, Whole>();

function writeWhole(server: Server, name: string, reply: ReplyWriter, write: typeof writeInfoOfAll): void {
  const key = `${name} ${reply.protocol}`;
  let whole = wholes.get(key);
  if (whole?.commands !== server.commands) {
    const writer = new ReplyWriter();
    writer.protocol = reply.protocol;
    write(topLevelCommands(server.commands), writer);
    whole = { commands: server.commands, bytes: Buffer.from(writer.buffer.subarray(0, writer.position)) };
    wholes.set(key, whole);
  }
  reply.raw(whole.bytes, 0, whole.bytes.length);
}

function writeInfoOfAll(all: readonly CommandRow[], reply: ReplyWriter): void {
  reply.array(all.length);
  for (const row of all) writeTree(infoTree(row), reply);
}

function writeDocs(some: readonly CommandRow[], reply: ReplyWriter): void {
  writeTree({ kind: "map", pairs: some.map((row): [string, Tree] => [row.name, docsTree(row)]) }, reply);
}

function count({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(topLevelCommands(server.commands).length);
}

function info({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count <= 2) return writeWhole(server, "info", reply, writeInfoOfAll);
  const names = nameArguments(args, 2, reply);
  if (names === undefined) return;
  const byName = visibleByName(server);
  reply.array(names.length);
  for (const name of names) {
    const row = byName.get(name.toLowerCase());
    if (row === undefined) reply.nil();
    else writeTree(infoTree(row), reply);
  }
}

function docs({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const names = nameArguments(args, 2, reply);
  if (names === undefined) return;
  if (names.length === 0) return writeWhole(server, "docs", reply, writeDocs);
  const byName = visibleByName(server);
  const asked = names.map((name) => byName.get(name.toLowerCase()));
  // Each once, however often it was asked for: the reply is a map.
  writeDocs(
    [...new Set(asked)].filter((row) => row !== undefined),
    reply,
  );
}

function list({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  let chosen = visibleCommands(server.commands);
  if (args.count > 2) {
    if (args.count !== 5 || !args.is(2, "FILTERBY")) return reply.error(replyError.syntax);
    const filter = listFilter(args);
    if (filter === undefined) return reply.error(replyError.syntax);
    chosen = chosen.filter(filter);
  }
  reply.array(chosen.length);
  for (const row of chosen) reply.bulkLatin1(row.name);
}

function listFilter(args: Args): ((row: CommandRow) => boolean) | undefined {
  if (args.is(3, "MODULE")) return () => false; // there are no modules
  if (args.is(3, "ACLCAT")) {
    const category = `@${wordArgument(args, 4)}`;
    return (row) => categoriesOf(row).includes(category);
  }
  if (!args.is(3, "PATTERN")) return undefined;
  return ({ name }) => {
    const text = Buffer.from(name);
    return globMatches(args.bytes, args.start(4), args.end(4), text, 0, text.length, true);
  };
}

function getKeys(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const found = keysAsked(context.server, args, reply);
  if (found === undefined) return;
  reply.array(found.length);
  for (const { index } of found) reply.bulk(args.bytes, args.start(2 + index), args.end(2 + index));
}

function getKeysAndFlags(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const found = keysAsked(context.server, args, reply);
  if (found === undefined) return;
  reply.array(found.length);
  for (const { index, flags } of found) {
    reply.array(2);
    reply.bulk(args.bytes, args.start(2 + index), args.end(2 + index));
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
  }
}

/** The keys of the command that starts at argument 2; undefined after an error was replied. */
function keysAsked(server: Server, args: Args, reply: ReplyWriter): readonly KeyFound[] | undefined {
  const problem = (text: string): undefined => {
    reply.error(text);
    return undefined;
  };
  const word = wordArgument(args, 2);
  let row = topLevelCommands(server.commands).find(({ name }) => name === word);
  const subcommands = row === undefined ? [] : visibleSubcommands(row);
  if (subcommands.length > 0) {
    const name = `${word}|${args.count > 3 ? wordArgument(args, 3) : ""}`;
    row = subcommands.find((sub) => sub.name === name);
  }
  if (row === undefined) return problem(localError.invalidCommand);
  if (!hasKeys(row)) return problem(localError.noKeyArguments);
  const commandCount = args.count - 2;
  if (row.arity > 0 ? commandCount !== row.arity : commandCount < -row.arity) {
    return problem(localError.invalidArgumentCount);
  }
  const found = findKeys(row, { args, from: 2, count: commandCount });
  if (found !== undefined && found.length > 0) return found;
  // What may run without keys answers with none of them.
  return row.flags.includes("no_mandatory_keys") ? [] : problem(localError.invalidArguments);
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "COMMAND", [
    "(no subcommand)",
    "    Everything about every command.",
    "COUNT",
    "    How many commands there are.",
    "DOCS [<command-name> ...]",
    "    Arguments, group and age of these commands (default: of all).",
    "GETKEYS <full-command>",
    "    The keys in a command.",
    "GETKEYSANDFLAGS <full-command>",
    "    The keys in a command and how it uses them.",
    "INFO [<command-name> ...]",
    "    Arity, flags and key positions of these commands (default: of all).",
    "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
    "    The names of all commands, or of some.",
  ]);
}
