// Hashes: small ones, ones around the sizes where they become hashtables, and values that are numbers or nearly so.

import type { Draw } from "../draw.ts";
import { sorted, sortedPairs } from "../rule.ts";
import type { Family } from "./family.ts";

const KEYS = ["hash:1", "hash:2", "hash:3"];
/** Keys that nothing else touches: there the form itself is compared. */
const FORM_KEY = "hash:form";
const PATTERNS = ["*", "f*", "*1", "[0-9]*", "?", "f[1-3]", "\\f1", ""];

const field = (g: Draw): string => {
  if (g.chance(1, 30)) return g.value();
  return g.chance(1, 3) ? String(g.below(30) - 5) : `f${g.below(20)}`;
};
/** A length around the one that is too long for a listpack. */
const edge = (g: Draw): string => "e".repeat(g.pick([19, 20, 21, 63, 64, 65]));
const value = (g: Draw): string => {
  if (g.chance(1, 40)) return edge(g);
  return g.chance(1, 3) ? g.value() : g.pick([g.integer(), g.float(), "v"]);
};
const pairs = (g: Draw): string[] => {
  const count = g.chance(1, 40) ? g.below(600) : 1 + g.below(g.chance(1, 6) ? 20 : 3);
  const name = (i: number): string => (count > 20 ? `f${i}` : field(g));
  return Array.from({ length: Math.max(1, count) }, (_, i) => [name(i), value(g)]).flat();
};
const fields = (g: Draw): string[] => Array.from({ length: 1 + g.below(4) }, () => field(g));
/** Of random members: huge ones are refused, or positive, for redis-server answers every single repeat. */
export const randomCount = (g: Draw): string =>
  g.chance(1, 10)
    ? g.pick(["-9223372036854775808", "9223372036854775807", "-9223372036854775809", "x", "", "1.5", "0"])
    : String(g.below(30) - 15);

export const scanOptions = (g: Draw): string[] =>
  g.options(
    3,
    () => [g.mixCase("COUNT"), g.chance(1, 6) ? g.integer() : String(1 + g.below(20))],
    () => [g.mixCase("MATCH"), g.pick(PATTERNS)],
    () => (g.chance(1, 10) ? ["TYPE", "hash"] : []),
  );

export const scanAll = (g: Draw): string[] => [
  "0",
  "COUNT",
  "10000",
  ...(g.chance(1, 2) ? ["MATCH", g.pick(PATTERNS)] : []),
];

/** How many there are, and how deep they lie. */
export const shape = (reply: string): string => reply.replace(/\$\d+\r\n.*?\r\n(?=[$*]|$)/gs, "$");

export const hashes: Family = {
  name: "hashes",
  keys: KEYS,
  optionWords: "WITHVALUES COUNT MATCH".split(" "),
  commands: [
    [14, (g) => ["HSET", g.key(), ...pairs(g)]],
    [2, (g) => ["HMSET", g.key(), ...pairs(g)]],
    [3, (g) => ["HSETNX", g.key(), field(g), value(g)]],
    [6, (g) => ["HGET", g.key(), field(g)]],
    [4, (g) => ["HMGET", g.key(), ...fields(g)]],
    [8, (g) => ["HDEL", g.key(), ...fields(g)]],
    [3, (g) => ["HEXISTS", g.key(), field(g)]],
    [4, (g) => ["HGETALL", g.key()]],
    [2, (g) => ["HKEYS", g.key()]],
    [2, (g) => ["HVALS", g.key()]],
    [3, (g) => ["HLEN", g.key()]],
    [3, (g) => ["HSTRLEN", g.key(), field(g)]],
    [6, (g) => ["HINCRBY", g.key(), field(g), g.integer()]],
    [6, (g) => ["HINCRBYFLOAT", g.key(), field(g), g.float()]],
    [1, (g) => ["HRANDFIELD", g.key()]],
    [2, (g) => ["HRANDFIELD", g.key(), randomCount(g)]],
    [2, (g) => ["HRANDFIELD", g.key(), randomCount(g), g.chance(1, 10) ? g.word() : g.mixCase("WITHVALUES")]],
    [1, (g) => ["HRANDFIELD", g.key(), String(100_000 + g.below(9)), "WITHVALUES"]],
    [3, (g) => ["HSCAN", g.key(), ...scanAll(g)]],
    [2, (g) => ["HSCAN", g.key(), g.chance(1, 3) ? g.integer() : "0", ...scanOptions(g)]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [1, (g) => ["DEBUG", "DIGEST-VALUE", g.key()]],
  ],
  sequences: [
    (g) => [["DEL", g.key()]],
    // Fields are all different: with repeats Redis 7.2 looks at their number before, and 7.0 does not.
    (g) => {
      const size = g.pick([1, 7, 8, 9, 10, 511, 512, 513, 514]);
      const all = Array.from({ length: size }, (_, i) => [`f${i}`, String(i)]).flat();
      const last = g.pick([
        ["HSET", FORM_KEY, g.pick(["f0", "new", edge(g)]), g.pick(["x", edge(g)])],
        ["HSETNX", FORM_KEY, g.pick(["f0", "new", edge(g)]), g.pick(["x", edge(g)])],
        ["HINCRBY", FORM_KEY, g.pick(["f0", "new", edge(g)]), "7"],
        ["HINCRBYFLOAT", FORM_KEY, g.pick(["f0", "new", edge(g)]), g.pick(["1.5", "1e20", "1e70"])],
        ["HDEL", FORM_KEY, "f0", "f1"],
      ]);
      const form = ["OBJECT", "ENCODING", FORM_KEY];
      return [["DEL", FORM_KEY], ["HSET", FORM_KEY, ...all], form, last, form, ["HGETALL", FORM_KEY]];
    },
  ],
  rules: [
    {
      command: /^HGETALL\b|^HSCAN .* 0 COUNT 10000\b(?!.* COUNT )|^HRANDFIELD .* 10000\d WITHVALUES$/s,
      reason: "the order of a hashtable is each side's own",
      normalise: sortedPairs,
    },
    { command: /^(HKEYS|HVALS)\b/, reason: "the same", normalise: sorted },
    { command: /^HSCAN\b/, reason: "cursors are each side's own", normalise: () => "some fields" },
    { command: /^HRANDFIELD\b/, reason: "random", normalise: shape },
    {
      command: /^OBJECT ENCODING HASH:FORM$/,
      reason: "there it is the same",
      normalise: (reply) => reply,
    },
  ],
};
