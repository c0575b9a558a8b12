// What COMMAND INFO and COMMAND DOCS say of a row beyond what the row itself says. In: rows and the generated
// facts. Out: a tree of values, and that tree as a reply.

import type { ReplyWriter } from "../resp/reply-writer.ts";
import { LOG_WORDS } from "./blocking.ts";
import { commandComplexity } from "./command-complexity.ts";
import { commandFacts } from "./command-facts.ts";
import { commandSummaries } from "./command-summaries.ts";
import type { CommandRow } from "./types.ts";

export interface KeySpec {
  /** RO RW OW RM access update insert delete not_key incomplete variable_flags */
  readonly flags: readonly string[];
  readonly begin:
    | { readonly type: "index"; readonly index: number }
    | { readonly type: "keyword"; readonly keyword: string; readonly startFrom: number }
    | { readonly type: "unknown" };
  readonly find:
    | { readonly type: "range"; readonly last: number; readonly step: number; readonly limit: number }
    | { readonly type: "keynum"; readonly count: number; readonly first: number; readonly step: number }
    | { readonly type: "unknown" };
}

interface ArgumentFacts {
  readonly name: string;
  readonly type: string;
  readonly keySpec?: number;
  readonly token?: string;
  readonly display?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly flags?: readonly string[];
  readonly arguments?: readonly ArgumentFacts[];
}

export interface CommandFacts {
  readonly group: string;
  readonly since: string;
  readonly deprecatedSince?: string;
  /** Without those that follow from the flags; see `categoriesOf`. */
  readonly categories?: readonly string[];
  readonly tips?: readonly string[];
  readonly keySpecs?: readonly KeySpec[];
  readonly arguments?: readonly ArgumentFacts[];
}

/** For commands that Redis does not have. */
const NO_FACTS: CommandFacts = { group: "generic", since: "7.0.0" };

export function factsOf(row: CommandRow): CommandFacts {
  const text = commandFacts[row.name];
  return text === undefined ? NO_FACTS : JSON.parse(text);
}

/** Redis's ACL categories in its own order, which is the order of the reply. */
// biome-ignore format: names side by side
export const CATEGORIES: readonly string[] = [
  "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
  "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
];

/** ACL categories with their '@', those included that Redis derives from the flags. */
export function categoriesOf(row: CommandRow): readonly string[] {
  const has = (flag: CommandRow["flags"][number]): boolean => row.flags.includes(flag);
  const names = new Set(factsOf(row).categories);
  if (has("write")) names.add("write");
  // As in Redis: scripts are read only by flag, not by nature.
  if (has("readonly") && !names.has("scripting")) names.add("read");
  if (has("admin")) names.add("admin").add("dangerous");
  if (has("pubsub")) names.add("pubsub");
  if (has("blocking")) names.add("blocking");
  names.add(has("fast") ? "fast" : "slow");
  return CATEGORIES.filter((name) => names.has(name)).map((name) => `@${name}`);
}

/** A reply as a value. */
export type Tree =
  | string
  | number
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "array" | "set"; readonly items: readonly Tree[] }
  | { readonly kind: "map"; readonly pairs: readonly (readonly [string, Tree])[] };

type Pair = readonly [string, Tree];

const statuses = (texts: readonly string[]): Tree => ({
  kind: "set",
  items: texts.map((text) => ({ kind: "status", text })),
});

export function writeTree(tree: Tree, reply: ReplyWriter): void {
  if (typeof tree === "string") reply.bulkLatin1(tree);
  else if (typeof tree === "number") reply.integer(tree);
  else if (tree.kind === "status") reply.simple(tree.text);
  else if (tree.kind === "map") {
    reply.map(tree.pairs.length);
    for (const [name, value] of tree.pairs) {
      reply.bulkLatin1(name);
      writeTree(value, reply);
    }
  } else {
    if (tree.kind === "set") reply.set(tree.items.length);
    else reply.array(tree.items.length);
    for (const item of tree.items) writeTree(item, reply);
  }
}

/** DEBUG has subcommands in our table only; for clients it is one command, as in Redis. */
export function visibleSubcommands(row: CommandRow): readonly CommandRow[] {
  return row.route === "container" && row.name !== "debug" ? row.subcommands : [];
}

/** What clients may know of, without subcommands. */
export function topLevelCommands(rows: readonly CommandRow[]): readonly CommandRow[] {
  return rows.filter((row) => !row.name.includes("|") && !row.name.startsWith(LOG_WORDS));
}

/** Every command and subcommand that clients may know of. */
export function visibleCommands(rows: readonly CommandRow[]): readonly CommandRow[] {
  return topLevelCommands(rows).flatMap((row) => [row, ...visibleSubcommands(row)]);
}

/** One element of COMMAND INFO. */
export function infoTree(row: CommandRow): Tree {
  const facts = factsOf(row);
  return {
    kind: "array",
    items: [
      row.name,
      row.arity,
      statuses(row.flags),
      row.keys.first,
      row.keys.last,
      row.keys.step,
      statuses(categoriesOf(row)),
      { kind: "set", items: facts.tips ?? [] },
      { kind: "set", items: (facts.keySpecs ?? []).map(keySpecTree) },
      subcommandsTree(visibleSubcommands(row)),
    ],
  };
}

/** Redis's quirk: none is an empty set, some are an array. */
function subcommandsTree(rows: readonly CommandRow[]): Tree {
  return { kind: rows.length === 0 ? "set" : "array", items: rows.map(infoTree) };
}

function keySpecTree(spec: KeySpec): Tree {
  return {
    kind: "map",
    pairs: [
      ["flags", statuses(spec.flags)],
      ["begin_search", typedTree(spec.begin.type, beginPairs(spec))],
      ["find_keys", typedTree(spec.find.type, findPairs(spec))],
    ],
  };
}

function typedTree(type: string, pairs: readonly Pair[]): Tree {
  return {
    kind: "map",
    pairs: [
      ["type", type],
      ["spec", { kind: "map", pairs }],
    ],
  };
}

function beginPairs({ begin }: KeySpec): readonly Pair[] {
  if (begin.type === "index") return [["index", begin.index]];
  if (begin.type === "unknown") return [];
  return [
    ["keyword", begin.keyword],
    ["startfrom", begin.startFrom],
  ];
}

function findPairs({ find }: KeySpec): readonly Pair[] {
  if (find.type === "unknown") return [];
  if (find.type === "range") {
    return [
      ["lastkey", find.last],
      ["keystep", find.step],
      ["limit", find.limit],
    ];
  }
  return [
    ["keynumidx", find.count],
    ["firstkey", find.first],
    ["keystep", find.step],
  ];
}

/** The value of one command in COMMAND DOCS. */
export function docsTree(row: CommandRow): Tree {
  const facts = factsOf(row);
  const pairs: Pair[] = [
    ["summary", commandSummaries[row.name] ?? summaryFor(row)],
    ["since", facts.since],
    ["group", facts.group.replace("_", "-")],
  ];
  pairs.push(["complexity", complexityOf(row)]);
  if (facts.deprecatedSince !== undefined) {
    pairs.push(["doc_flags", statuses(["deprecated"])], ["deprecated_since", facts.deprecatedSince]);
  }
  if (facts.arguments !== undefined) pairs.push(["arguments", argumentsTree(facts.arguments)]);
  const subcommands = visibleSubcommands(row);
  if (subcommands.length > 0) {
    pairs.push(["subcommands", { kind: "map", pairs: subcommands.map((sub) => [sub.name, docsTree(sub)]) }]);
  }
  return { kind: "map", pairs };
}

function complexityOf(row: CommandRow): string {
  const isOnlyContainer = row.route === "container" && row.run === undefined;
  return isOnlyContainer ? "Depends on the subcommand" : commandComplexity(row.name);
}

/** redis-cli shows this line; it must not be missing. */
function summaryFor(row: CommandRow): string {
  if (row.route === "container") return `Container of the ${row.name.toUpperCase()} commands`;
  if (row.name.endsWith("|help")) return "Show what the subcommands do";
  return `See the Redis documentation of ${row.name.toUpperCase().replace("|", " ")}`;
}

function argumentsTree(all: readonly ArgumentFacts[]): Tree {
  return { kind: "array", items: all.map(argumentTree) };
}

function argumentTree(facts: ArgumentFacts): Tree {
  const pairs: Pair[] = [
    ["name", facts.name],
    ["type", facts.type],
  ];
  // Blocks and choices have no text of their own to show.
  if (facts.arguments === undefined) pairs.push(["display_text", facts.display ?? facts.name]);
  if (facts.keySpec !== undefined) pairs.push(["key_spec_index", facts.keySpec]);
  if (facts.token !== undefined) pairs.push(["token", facts.token]);
  if (facts.since !== undefined) pairs.push(["since", facts.since]);
  if (facts.deprecatedSince !== undefined) pairs.push(["deprecated_since", facts.deprecatedSince]);
  if (facts.flags !== undefined) pairs.push(["flags", statuses(facts.flags)]);
  if (facts.arguments !== undefined) pairs.push(["arguments", argumentsTree(facts.arguments)]);
  return { kind: "map", pairs };
}
