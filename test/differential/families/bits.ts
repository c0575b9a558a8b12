// Bitmaps: strings of mostly zeros or mostly ones, offsets within and just behind them.

import type { Draw } from "../draw.ts";
import type { Family } from "./family.ts";

/** Not those in between: each side would have to make a string of up to 512 MiB. */
const FAR_OFFSETS = [
  ..."4294967296 34359738368 9223372036854775807 9223372036854775808 -1 -9223372036854775808 x 1.5 #1 + 01".split(
    " ",
  ),
  "",
];
/** Times the width these go round 2^64. */
const FAR_FIELDS = ["#4611686018427387904", "#9223372036854775807", "#-1", "#", "##1", "#x", "#1.5"];
const BAD_TYPES = [
  "u64",
  "u0",
  "i0",
  "i65",
  "i",
  "u",
  "",
  "x8",
  "I8",
  "U8",
  "u-1",
  "u08",
  "u8 ",
  "i8\x00",
  "i8\x009",
  "8",
];

const offset = (g: Draw): string =>
  g.chance(1, 20) ? g.pick(FAR_OFFSETS) : String(g.below(g.chance(1, 8) ? 4000 : 140));

const type = (g: Draw): string => {
  if (g.chance(1, 25)) return g.pick(BAD_TYPES);
  if (g.chance(1, 3))
    return g.pick(["u8", "i8", "u16", "i16", "u32", "i32", "u63", "i64", "u1", "i1", "i63"]);
  return g.chance(1, 2) ? `u${1 + g.below(63)}` : `i${1 + g.below(64)}`;
};

const field = (g: Draw): string => {
  if (g.chance(1, 25)) return g.pick(FAR_FIELDS);
  return g.chance(1, 3) ? `#${g.below(12)}` : offset(g);
};

const get = (g: Draw): string[] => [g.mixCase("GET"), type(g), field(g)];

/** Now and then a power of two, give or take one: where fields overflow. */
const amount = (g: Draw): string => {
  if (g.chance(1, 2)) return g.integer();
  const edge = 2n ** BigInt(g.below(64)) + BigInt(g.below(3) - 1);
  return String(g.chance(1, 2) ? edge : -edge);
};

const operation = (g: Draw): string[] => {
  const how = g.below(12);
  if (how < 4) return get(g);
  if (how < 7) return [g.mixCase("SET"), type(g), field(g), amount(g)];
  if (how < 10) return [g.mixCase("INCRBY"), type(g), field(g), amount(g)];
  return [g.mixCase("OVERFLOW"), g.chance(1, 15) ? g.word() : g.mixCase(g.pick(["WRAP", "SAT", "FAIL"]))];
};

const operations = (g: Draw, one: (g: Draw) => string[]): string[] =>
  Array.from({ length: g.below(6) }, () => one(g)).flat();

const range = (g: Draw): string[] => {
  if (g.chance(1, 4)) return [];
  const bound = (): string => (g.chance(1, 4) ? g.integer() : String(g.below(240) - 120));
  const unit = g.chance(1, 20) ? [g.word()] : g.maybe(g.mixCase(g.pick(["BYTE", "BIT"])));
  return g.chance(1, 6) ? [bound()] : [bound(), bound(), ...unit];
};

const bitmap = (g: Draw): string => {
  const [common, rare] = g.pick([
    ["\x00", "\x01\x80"],
    ["\xff", "\xfe\x7f"],
    ["\x55", "\x00\xff"],
  ] as const);
  const one = (): string => (g.chance(1, 10) ? g.pick([...rare]) : common);
  return Array.from({ length: g.below(g.chance(1, 10) ? 300 : 20) }, one).join("");
};

export const bits: Family = {
  name: "bits",
  keys: ["bits:1", "bits:2", "bits:3", "bits:4", "bits:5"],
  optionWords: "BYTE BIT AND OR XOR NOT OVERFLOW WRAP SAT FAIL INCRBY SET u8 i64 #1".split(" "),
  commands: [
    [6, (g) => ["SETBIT", g.key(), offset(g), g.chance(1, 20) ? g.integer() : g.pick(["0", "1"])]],
    [3, (g) => ["GETBIT", g.key(), offset(g)]],
    [5, (g) => ["BITCOUNT", g.key(), ...range(g)]],
    [6, (g) => ["BITPOS", g.key(), g.chance(1, 20) ? g.integer() : g.pick(["0", "1"]), ...range(g)]],
    [4, (g) => ["BITOP", g.mixCase(g.pick(["AND", "OR", "XOR"])), g.key(), ...g.keys()]],
    [
      2,
      (g) => [
        "BITOP",
        g.chance(1, 10) ? g.word() : "NOT",
        g.key(),
        ...(g.chance(1, 10) ? g.keys() : [g.key()]),
      ],
    ],
    [10, (g) => ["BITFIELD", g.key(), ...operations(g, operation)]],
    [3, (g) => ["BITFIELD_RO", g.key(), ...operations(g, g.chance(1, 10) ? operation : get)]],
    [3, (g) => ["SET", g.key(), bitmap(g)]],
    [2, (g) => ["GET", g.key()]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [1, (g) => ["STRLEN", g.key()]],
    [1, (g) => ["DEL", g.key()]],
  ],
};
