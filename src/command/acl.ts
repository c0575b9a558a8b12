// ACL and MODULE as far as tools ask for them when they connect: there is one user, and there are no modules.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { CATEGORIES, categoriesOf, visibleCommands } from "./command-docs.ts";
import { unknownSubcommandOrArity } from "./errors.ts";
import { helpReply, wordArgument } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import { unknownCategory } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const aclSubcommands = [
  { name: "acl|cat", arity: -2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: cat },
  { name: "acl|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: aclHelp },
  { name: "acl|users", arity: 2, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: users },
  { name: "acl|whoami", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: whoAmI },
] as const satisfies readonly CommandRow[];

// biome-ignore format: a table reads best with one row per line
const moduleSubcommands = [
  { name: "module|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: moduleHelp },
  { name: "module|list", arity: 2, route: "local", flags: ["admin", "noscript"], keys: noKeys, run: moduleList },
] as const satisfies readonly CommandRow[];

export const aclCommands = [
  { name: "acl", arity: -2, route: "container", flags: [], keys: noKeys, subcommands: aclSubcommands },
  { name: "module", arity: -2, route: "container", flags: [], keys: noKeys, subcommands: moduleSubcommands },
] as const satisfies readonly CommandRow[];

const ONLY_USER = "default";

/** Nobody gets here who is somebody else, or nobody: see AUTH. */
function whoAmI(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.bulkLatin1(ONLY_USER);
}

function users(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.array(1);
  reply.bulkLatin1(ONLY_USER);
}

function cat({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(unknownSubcommandOrArity("ACL", args.text(1)));
  if (args.count === 2) return names(CATEGORIES, reply);
  const category = wordArgument(args, 2);
  if (!CATEGORIES.includes(category)) return reply.error(unknownCategory(args.text(2)));
  const within = visibleCommands(server.commands).filter((row) => categoriesOf(row).includes(`@${category}`));
  names(
    within.map((row) => row.name),
    reply,
  );
}

function names(texts: readonly string[], reply: ReplyWriter): void {
  reply.array(texts.length);
  for (const text of texts) reply.bulkLatin1(text);
}

function moduleList(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.array(0);
}

function aclHelp(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "ACL", [
    "CAT [<category>]",
    "    The categories of commands, or the commands of one.",
    "USERS",
    "    The names of the users: there is one.",
    "WHOAMI",
    "    The name of this connection's user.",
  ]);
}

function moduleHelp(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "MODULE", ["LIST", "    The modules that are loaded: none."]);
}
