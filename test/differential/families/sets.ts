// Sets: of integers, of strings, of both, around the sizes where their form changes; and what combines them.

import type { Draw } from "../draw.ts";
import { sorted } from "../rule.ts";
import type { Family } from "./family.ts";
import { scanAll, scanOptions, shape } from "./hashes.ts";

const KEYS = ["set:1", "set:2", "set:3", "set:4"];
/** Keys that nothing else touches: there the form itself is compared. */
const FORM_KEY = "set:form";
const FORM_KEYS = ["set:form", "set:form:2", "set:form:3"];

const member = (g: Draw): string => {
  if (g.chance(1, 30)) return g.value();
  if (g.chance(1, 60)) return "e".repeat(g.pick([19, 20, 21, 63, 64, 65]));
  if (g.chance(1, 20)) return g.integer();
  return g.chance(1, 2) ? String(g.below(40) - 8) : `m${g.below(24)}`;
};
const members = (g: Draw): string[] => {
  if (g.chance(1, 50)) {
    const from = g.below(100);
    const prefix = g.maybe("m")[0] ?? "";
    return Array.from({ length: 1 + g.below(600) }, (_, i) => `${prefix}${from + i}`);
  }
  return Array.from({ length: 1 + g.below(g.chance(1, 6) ? 20 : 4) }, () => member(g));
};
const several = (g: Draw): string[] => Array.from({ length: 1 + g.below(4) }, () => g.key());
const count = (g: Draw): string =>
  g.chance(1, 10)
    ? g.pick(["-9223372036854775808", "9223372036854775807", "-9223372036854775809", "x", "", "1.5", "0"])
    : String(g.below(30) - 15);
const limit = (g: Draw): string[] =>
  g.chance(1, 2)
    ? []
    : [g.mixCase("LIMIT"), ...(g.chance(1, 12) ? [] : [g.chance(1, 8) ? g.integer() : String(g.below(6))])];

const integers = (from: number, size: number): string[] =>
  Array.from({ length: size }, (_, i) => String((from + i) * 7 - 100));

export const sets: Family = {
  name: "sets",
  keys: KEYS,
  optionWords: "LIMIT COUNT MATCH".split(" "),
  commands: [
    [16, (g) => ["SADD", g.key(), ...members(g)]],
    [9, (g) => ["SREM", g.key(), ...members(g)]],
    [4, (g) => ["SISMEMBER", g.key(), member(g)]],
    [3, (g) => ["SMISMEMBER", g.key(), ...members(g)]],
    [3, (g) => ["SCARD", g.key()]],
    [4, (g) => ["SMEMBERS", g.key()]],
    [1, (g) => ["SRANDMEMBER", g.key()]],
    [3, (g) => ["SRANDMEMBER", g.key(), count(g)]],
    [1, (g) => ["SRANDMEMBER", g.key(), String(100_000 + g.below(9))]],
    [6, (g) => ["SMOVE", g.key(), g.key(), member(g)]],
    [5, (g) => ["SINTER", ...several(g)]],
    [5, (g) => ["SUNION", ...several(g)]],
    [5, (g) => ["SDIFF", ...several(g)]],
    [
      4,
      (g) => {
        const keys = several(g);
        return ["SINTERCARD", g.chance(1, 10) ? g.integer() : String(keys.length), ...keys, ...limit(g)];
      },
    ],
    [3, (g) => ["SINTERSTORE", g.key(), ...several(g)]],
    [3, (g) => ["SUNIONSTORE", g.key(), ...several(g)]],
    [3, (g) => ["SDIFFSTORE", g.key(), ...several(g)]],
    [3, (g) => ["SSCAN", g.key(), ...scanAll(g)]],
    [2, (g) => ["SSCAN", g.key(), g.chance(1, 3) ? g.integer() : "0", ...scanOptions(g)]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [1, (g) => ["DEBUG", "DIGEST-VALUE", g.key()]],
  ],
  sequences: [
    (g) => [["DEL", g.key()]],
    // Not among the commands: those are spoilt now and then, and what a SPOP takes that got through is chance.
    (g) => [
      ["SPOP", g.key(), g.pick(["1000000", "9223372036854775807", "0", "-1", "x", ""]), ...g.maybe("x")],
    ],
    (g) => [["SPOP", "nosuch", ...(g.chance(1, 3) ? [] : [count(g)])]],
    // What is popped is chance: afterwards both sides get the same again.
    ...[0, 1].map(() => (g: Draw): string[][] => {
      const key = g.key();
      const pop = ["SPOP", key, ...(g.chance(1, 2) ? [String(g.below(g.chance(1, 3) ? 500 : 12))] : [])];
      return [pop, ["SCARD", key], ["EXISTS", key], ["DEL", key], ["SADD", key, ...members(g)]];
    }),
    // Of integers: the same form in 7.0 and 7.2.
    (g) => {
      const size = g.pick([1, 7, 8, 9, 10, 511, 512, 513]);
      const first = integers(g.below(20), size);
      const second = integers(g.below(20), g.pick([1, 8, 9, 20, 512]));
      const last = g.pick([
        ["SADD", FORM_KEY, g.pick(["5", "99999999999", "-9223372036854775808", first[0]!])],
        ["SREM", FORM_KEY, first[0]!],
        [g.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), FORM_KEY, FORM_KEYS[1]!, FORM_KEYS[2]!],
        ["SMOVE", FORM_KEYS[1]!, FORM_KEY, "77"],
      ]);
      const form = ["OBJECT", "ENCODING", FORM_KEY];
      return [
        ["DEL", ...FORM_KEYS],
        ...first.map((one) => ["SADD", FORM_KEY, one]).slice(0, 10),
        ...(size > 10 ? [["SUNIONSTORE", FORM_KEY, FORM_KEY]] : []),
        ...first.slice(10).map((one) => ["SADD", FORM_KEY, one]),
        ...[first, second].map((all, i) => ["SADD", FORM_KEYS[i + 1]!, ...all.slice(0, 7), "77"]),
        form,
        last,
        form,
        ["SMEMBERS", FORM_KEY],
      ];
    },
  ],
  rules: [
    {
      command: /^OBJECT ENCODING SET:FORM$/,
      reason: "there it is the same",
      normalise: (reply) => reply,
    },
    {
      command:
        /^(SMEMBERS|SINTER|SUNION|SDIFF)\b|^SSCAN .* 0 COUNT 10000\b(?!.* COUNT )|^SRANDMEMBER .* 10000\d$/s,
      reason: "the order of a hashtable is each side's own",
      normalise: sorted,
    },
    { command: /^SPOP .* \d{6,}$/s, reason: "the same; it takes all", normalise: sorted },
    { command: /^SSCAN\b/, reason: "cursors are each side's own", normalise: () => "some members" },
    { command: /^(SPOP|SRANDMEMBER)\b/, reason: "random", normalise: shape },
  ],
};
