// Every row of the table against what is publicly known of Redis's commands: arity, flags, key positions, and
// that no command is made up. Facts are data beside the checkout; without them these tests are skipped, visibly.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, test } from "vitest";
import { visibleSubcommands } from "../../src/command/command-docs.ts";
import { commandFacts } from "../../src/command/command-facts.ts";
import { rows, topLevelRows } from "../../src/command/table.ts";
import type { CommandRow } from "../../src/command/types.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { areFactsThere, type Fact, facts, factsPath } from "../compatibility/facts.ts";
import { decode2 } from "../resp/decode.ts";
import { isRedis70, RedisServer } from "../resp/redis-server.ts";
import { Fake } from "./local-fake.ts";

/** Of the facts' flags these are not printed by COMMAND INFO of 7.0. */
const UNPRINTED = new Set([
  "SENTINEL",
  "ONLY_SENTINEL",
  "PROTECTED",
  "TOUCHES_ARBITRARY_KEYS",
  "MAY_REPLICATE",
]);

interface Deviation {
  readonly reason: string;
  readonly differs: Partial<Fact>;
}

const NO_MULTI = "since 7.2 flagged no_multi; nesting is the same error; as in 7.0.15";

const NO_SCRIPT = "since 7.2 scripts may run it, without waiting; as in 7.0.15";
const NOT_LOADING: Deviation = {
  reason: "since 7.2 also while loading; as in 7.0.15",
  differs: { command_flags: ["STALE"] },
};

/** Where a row is not as the facts have it. */
const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  "cluster|info": NOT_LOADING,
  "cluster|myid": NOT_LOADING,
  "cluster|nodes": NOT_LOADING,
  "cluster|shards": NOT_LOADING,
  "cluster|slots": NOT_LOADING,
  wait: { reason: "since 7.2 marked as blocking; as in 7.0.15", differs: { command_flags: ["NOSCRIPT"] } },
  multi: {
    reason: NO_MULTI,
    differs: { command_flags: ["NOSCRIPT", "LOADING", "STALE", "FAST", "ALLOW_BUSY"] },
  },
  watch: {
    reason: NO_MULTI,
    differs: { command_flags: ["NOSCRIPT", "LOADING", "STALE", "FAST", "ALLOW_BUSY"] },
  },
  "command|getkeys": { reason: "7.0.15 asks for one argument more", differs: { arity: -4 } },
  "command|getkeysandflags": { reason: "the same", differs: { arity: -4 } },
  blpop: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "NOSCRIPT", "BLOCKING"] } },
  brpop: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "NOSCRIPT", "BLOCKING"] } },
  bzpopmin: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "NOSCRIPT", "BLOCKING", "FAST"] } },
  bzpopmax: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "NOSCRIPT", "BLOCKING", "FAST"] } },
  blmove: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "DENYOOM", "NOSCRIPT", "BLOCKING"] } },
  brpoplpush: { reason: NO_SCRIPT, differs: { command_flags: ["WRITE", "DENYOOM", "NOSCRIPT", "BLOCKING"] } },
};

/** Subcommands of DEBUG are rows of ours only, and RAFT.* are commands that Redis does not have. */
const visibleRows: readonly CommandRow[] = topLevelRows
  .filter(({ name }) => !name.startsWith("raft."))
  .flatMap((row) => [row, ...visibleSubcommands(row)]);

const printed = (fact: Fact): string[] =>
  (fact.command_flags ?? [])
    .filter((flag) => !UNPRINTED.has(flag))
    .map((flag) => flag.toLowerCase())
    .sort();

/** First, last, step as Redis derives them from the first specification. */
function positions(fact: Fact): { first: number; last: number; step: number } | undefined {
  const spec = fact.key_specs?.[0];
  if (spec === undefined) return { first: 0, last: 0, step: 0 };
  const { index } = spec.begin_search;
  const { range } = spec.find_keys;
  if (index === undefined || range === undefined || fact.key_specs?.length !== 1) return undefined;
  const last = range.lastkey >= 0 ? index.pos + range.lastkey : range.lastkey;
  return { first: index.pos, last, step: range.step };
}

describe.skipIf(!areFactsThere)("rows and the facts (skipped without ../shared/redis-facts)", () => {
  for (const row of visibleRows) {
    test(row.name, () => {
      const known = facts.get(row.name);
      assert.ok(known, "Redis has no such command");
      const fact = { ...known, ...DEVIATIONS[row.name]?.differs };
      assert.equal(row.arity, fact.arity, "arity");
      const flags = row.flags.filter((flag) => flag !== "movablekeys").sort();
      assert.deepEqual(flags, printed(fact), "flags");
      const wanted = positions(fact);
      if (wanted !== undefined) assert.deepEqual({ ...row.keys }, wanted, "keys");
      assert.equal(row.route === "container", isContainer(row.name), "subcommands");
      assert.ok(commandFacts[row.name], "tools/generate-command-facts.mjs was not run again");
    });
  }

  test("every deviation is one", () => {
    for (const [name, { reason, differs }] of Object.entries(DEVIATIONS)) {
      const known = facts.get(name);
      assert.ok(known, name);
      assert.notDeepEqual({ ...known, ...differs }, known, `${name} is as the facts have it: ${reason}`);
    }
  });

  test("command-facts.ts is what tools/generate-command-facts.mjs writes", () => {
    const root = new URL("../../", import.meta.url);
    const folder = mkdtempSync(join(tmpdir(), "command-facts-"));
    try {
      const target = join(folder, "command-facts.ts");
      const tool = fileURLToPath(new URL("tools/generate-command-facts.mjs", root));
      execFileSync(process.execPath, [tool, fileURLToPath(factsPath), target]);
      const ours = readFileSync(new URL("src/command/command-facts.ts", root), "utf8");
      assert.ok(ours === readFileSync(target, "utf8"), "run it again");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  /** docs/COMPATIBILITY.md is made from command-facts.ts. */
  test("command-facts.ts leaves out Sentinel's commands and no others", () => {
    const missing = [...facts].filter(([name]) => commandFacts[name] === undefined);
    assert.deepEqual([...new Set(missing.map(([, fact]) => fact.group))], ["sentinel"]);
  });
});

/** DEBUG is a container in our table only. */
function isContainer(name: string): boolean {
  return name === "debug" || [...facts.keys()].some((each) => each.startsWith(`${name}|`));
}

test("every subcommand is under its container, and only there", () => {
  for (const row of topLevelRows) {
    assert.ok(!row.name.includes("|"), row.name);
    if (row.route !== "container") continue;
    for (const sub of row.subcommands) {
      assert.ok(sub.name.startsWith(`${row.name}|`), `${sub.name} under ${row.name}`);
      assert.ok(sub.route !== "container", `${sub.name} is a container inside one`);
    }
  }
  assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
});

test("every container has HELP", () => {
  for (const row of topLevelRows) {
    if (row.route === "container")
      assert.ok(
        row.subcommands.some((sub) => sub.name === `${row.name}|help`),
        row.name,
      );
  }
});

/** Since 7.2 the destination is said to be overwritten, before it was read and written. */
const SPECS_CHANGED = new Set(["sinterstore"]);

/** WITHSCORE came with 7.2. */
const ARITY_CHANGED = new Set(["zrank", "zrevrank"]);

const NAMES_AT_ONCE = 64;
/** Not in 7.0. */
const NEWER = new Set(["cluster|myshardid", "client|no-touch", "client|setinfo", "waitaof"]);

describe.skipIf(!isRedis70)("COMMAND INFO beside redis-server 7.0 (skipped where not installed)", () => {
  const names = visibleRows.map((row) => row.name).filter((name) => !NEWER.has(name));
  const theirs: unknown[] = [];
  const ours: unknown[] = [];
  beforeAll(async () => {
    const redis = await RedisServer.start();
    // Redis drops what it could not send at once when its client has closed, so not all in one reply.
    for (let i = 0; i < names.length; i += NAMES_AT_ONCE) {
      const asked = ["command", "info", ...names.slice(i, i + NAMES_AT_ONCE)];
      theirs.push(...listOf(decode2(await redis.exchange(encodeCommand(asked)))[0]));
      ours.push(...listOf(decode2(Buffer.from(new Fake().run(asked), "latin1"))[0]));
    }
    await redis.stop();
  });
  names.forEach((name, i) => {
    test(name, () => {
      const theirs70 = comparable(theirs[i]);
      if (SPECS_CHANGED.has(name)) assert.notDeepEqual(comparable(ours[i])["specs"], theirs70["specs"]);
      const specs = SPECS_CHANGED.has(name) ? comparable(ours[i])["specs"] : theirs70["specs"];
      const arity = ARITY_CHANGED.has(name) ? -Number(theirs70["arity"]) : theirs70["arity"];
      assert.deepEqual(comparable(ours[i]), { ...theirs70, specs, arity });
    });
  });
});

const listOf = (value: unknown): readonly unknown[] => {
  assert.ok(Array.isArray(value));
  return value;
};

/** Without order, the notes of key specifications, and subcommands (which are asked for by themselves). */
function comparable(element: unknown): Readonly<Record<string, unknown>> {
  const [name, arity, flags, first, last, step, categories, , specs] = listOf(element);
  const sorted = (list: unknown): readonly unknown[] => [...listOf(list)].sort();
  return {
    name,
    arity,
    flags: sorted(flags),
    first,
    last,
    step,
    categories: sorted(categories),
    specs: listOf(specs).map(withoutNotes),
  };
}

function withoutNotes(spec: unknown): unknown {
  const pairs = listOf(spec);
  const plain = pairs[0] === "notes" ? pairs.slice(2) : pairs;
  return [plain[0], [...listOf(plain[1])].sort(), ...plain.slice(2)];
}
