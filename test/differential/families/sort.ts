// SORT over lists, sets and sorted sets of numbers and words, by themselves and by weights in strings and hashes.

import type { Draw } from "../draw.ts";
import { sorted } from "../rule.ts";
import type { Family } from "./family.ts";

const KEYS = ["sort:list", "sort:set", "sort:zset"];
const STORED = "sort:stored";
const NAMES = Array.from({ length: 12 }, (_, i) => (i < 7 ? String(i * i - 3) : `n${i}`));
const NUMBERS =
  "0 1 2 10 -1 -7 3.25 1e3 -2.5e-1 0x10 inf -inf +4 007 9007199254740993 1e308 0.5 .5 5. 1.0 100000000000000000000".split(
    " ",
  );
const NOT_NUMBERS = ["x", "nan", "1e400", "1e-400", "5e-324", "1 ", "", " 3", "--1", "0x"];

const number = (g: Draw): string => (g.chance(1, 300) ? g.pick(NOT_NUMBERS) : g.pick(NUMBERS));
/** What is behind a NUL is not looked at. No elements: then equal ones would differ. */
const weight = (g: Draw): string => (g.chance(1, 20) ? `${number(g)}\x00${g.below(9)}` : number(g));
const word = (g: Draw): string =>
  g.chance(1, 60)
    ? g.bytes(g.below(6)).replace(/\0/g, "y")
    : `${g.pick(["a", "b", "ab", "Z"])}${g.below(40)}`;
const element = (g: Draw): string => (g.chance(1, 12) ? word(g) : g.chance(1, 2) ? g.pick(NAMES) : number(g));
const elements = (g: Draw): string[] =>
  Array.from({ length: 1 + g.below(g.chance(1, 6) ? 20 : 5) }, () => element(g));
/** Numbers alone, or anything. */
const several = (g: Draw): string[] =>
  g.chance(3, 4) ? Array.from({ length: 1 + g.below(8) }, () => number(g)) : elements(g);

const by = (g: Draw): string =>
  g.pick(["w_*", "h_*->f", "h_*->", "w_*->f", "v_*", "h_*->f->g", "*", "w_*\x00"]);
/** Not sorted at all. */
const NO_SORT = ["nosort", "#", "nostar\x00*", "w_->f"];
const get = (g: Draw): string =>
  g.pick(["#", "w_*", "h_*->f", "h_*->g", "v_*", "nostar", "*->f", "w_*->", "#\x00"]);
const limit = (g: Draw): string[] => [
  g.mixCase("LIMIT"),
  g.chance(1, 10) ? g.integer() : String(g.below(8) - 1),
  g.chance(1, 10) ? g.integer() : String(g.below(12) - 2),
];
const order = (g: Draw): string[] => [g.mixCase(g.pick(["ASC", "DESC", "DESC"]))];
const gets = (g: Draw): string[] =>
  Array.from({ length: 1 + g.below(2) }, () => [g.mixCase("GET"), get(g)]).flat();
const key = (g: Draw): string => (g.chance(1, 15) ? g.pick(["sort:hash", "sort:none"]) : g.ownKey());

/** Without BY: every order is defined. */
const plain = (g: Draw): string[] => [
  ...(g.chance(1, 2) ? ["ALPHA"] : []),
  ...g.options(
    3,
    () => limit(g),
    () => order(g),
    () => gets(g),
  ),
];
/** By numbers: equal ones are ordered by the elements. */
const byNumber = (g: Draw, pattern = by(g)): string[] => [
  g.mixCase("BY"),
  pattern,
  ...g.options(
    3,
    () => limit(g),
    () => order(g),
    () => gets(g),
  ),
];
/** By texts: equal ones stay as they were, but only where nothing is limited, and where they were in some order. */
const byText = (g: Draw): string[] => [
  g.mixCase("ALPHA"),
  "BY",
  by(g),
  ...g.options(
    2,
    () => order(g),
    () => gets(g),
  ),
];
const storing = (g: Draw): string[] => [g.mixCase("STORE"), g.chance(1, 3) ? g.ownKey() : STORED];

/**
 * Redis makes a skiplist of every sorted set that it sorts; nobody but this family looks at its keys. With ALPHA and BY only a
 * list has an order in which equal elements stay. And SORT of 7.0 looks at errno without clearing it, as ZADD does.
 */
function mend(_: Draw, command: string[]): { before: string[][]; after: string[][] } {
  if (!/^SORT(_RO)?$/i.test(command[0] ?? "") || command.length < 2) return { before: [], after: [] };
  const words = command.slice(2).map((word) => word.toUpperCase());
  if (words.includes("ALPHA") && words.includes("BY")) command[1] = "sort:list";
  else if (!command[1]!.startsWith("sort:")) command[1] = "sort:none";
  return { before: [["ZADD", "errno", "XX", "0.5", "x"]], after: [] };
}

export const sort: Family = {
  name: "sort",
  keys: KEYS,
  keysArePrivate: true,
  optionWords: "LIMIT GET BY STORE ASC DESC".split(" "),
  commands: [
    [4, (g) => ["RPUSH", "sort:list", ...several(g)]],
    [4, (g) => ["SADD", "sort:set", ...several(g)]],
    [4, (g) => ["ZADD", "sort:zset", ...several(g).flatMap((one) => [String(g.below(9)), one])]],
    [3, (g) => ["SET", `w_${g.chance(1, 8) ? element(g) : g.pick(NAMES)}`, weight(g)]],
    [1, (g) => ["SET", `v_${g.pick(NAMES)}`, word(g)]],
    [2, (g) => ["HSET", `h_${g.pick(NAMES)}`, "f", weight(g), "g", word(g), "f->g", "1"]],
    [1, (g) => ["DEL", `${g.pick(["w_", "h_", "v_"])}${g.pick(NAMES)}`]],
    [5, (g) => ["SORT", key(g), ...plain(g)]],
    [5, (g) => ["SORT_RO", key(g), ...plain(g)]],
    [5, (g) => ["SORT", key(g), ...byNumber(g)]],
    [5, (g) => ["SORT_RO", key(g), ...byNumber(g)]],
    [3, (g) => ["SORT", g.pick(["sort:list", "sort:zset"]), ...byNumber(g, g.pick(NO_SORT))]],
    [1, (g) => ["SORT", g.pick(["sort:list", "sort:zset"]), ...byNumber(g, "nosort"), ...storing(g)]],
    // Stored it has the order of texts.
    [1, (g) => ["SORT", "sort:set", ...byNumber(g, "nosort"), ...storing(g)]],
    [1, (g) => [g.pick(["SORT", "SORT_RO"]), "sort:set", "BY", g.pick(NO_SORT)]],
    [3, (g) => ["SORT", "sort:list", ...byText(g)]],
    [2, (g) => ["SORT_RO", "sort:list", ...byText(g)]],
    [4, (g) => ["SORT", key(g), ...plain(g), ...storing(g)]],
    [4, (g) => ["SORT", key(g), ...byNumber(g), ...storing(g)]],
    [2, (g) => ["SORT", "sort:list", ...byText(g), ...storing(g)]],
    [1, (g) => ["SORT_RO", key(g), ...plain(g), ...storing(g)]],
    [4, () => ["LRANGE", STORED, "0", "-1"]],
    [2, (g) => ["DEL", g.ownKey()]],
    [1, (g) => ["HSET", "sort:hash", "f", weight(g)]],
    [1, (g) => ["TYPE", key(g)]],
  ],
  sequences: [
    (g) => [
      ["DEL", "sort:list", STORED],
      [
        "RPUSH",
        "sort:list",
        ...Array.from({ length: g.pick([9, 128, 1500]) }, () => String(g.below(100_000))),
      ],
      ["SORT", "sort:list", ...order(g), "STORE", STORED],
      ["LRANGE", STORED, "0", "-1"],
      ["SORT", STORED, "LIMIT", "2", "7", "DESC"],
      ["DEL", "sort:list"],
    ],
  ],
  mend,
  rules: [
    {
      command: /^SORT(_RO)? (?!SORT:LIST |SORT:ZSET )(?=.* LIMIT ).* BY [^*\0 ]*([\0 ]|$)/s,
      reason: "a set that is not sorted has an order of each side's own",
      normalise: () => "some elements",
    },
    {
      command: /^SORT(_RO)? (?!SORT:LIST |SORT:ZSET ).* BY [^*\0 ]*([\0 ]|$)/s,
      reason: "the same, all of it",
      normalise: sorted,
    },
  ],
};
