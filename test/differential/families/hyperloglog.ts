// HyperLogLog. Redis's PFCOUNT of one key writes the count it found into the string, and ours does not: here it is
// asked of a copy only, which is deleted at once, so that GET and the digests stay comparable. And where the last run of
// a sketch has lost its second byte, Redis reads on behind the string, while ours refuses; no other family's command may
// cut a sketch like that, so the keys are this family's own.

import type { Draw } from "../draw.ts";
import type { Family } from "./family.ts";

const COPY_KEY = "hll:copy";
const header = (encoding: string, count: string): string => `HYLL${encoding}\0\0\0${count}`;
const STALE = "\0\0\0\0\0\0\0\x80";
/** By hand: with a count that is not so, too long, too short, of no known encoding, the magic word wrong. */
const SKETCHES = [
  header("\x01", "\x2a\0\0\0\0\0\0\0") + "\x7f\xff",
  header("\x01", "\xff\xff\xff\xff\xff\xff\xff\x7f") + "\x7f\xff",
  header("\x01", STALE) + "\x7f\xff",
  header("\x01", STALE) + "\x7f\xfe",
  header("\x01", STALE) + "\x7f\xff\x00",
  header("\x01", STALE) + "\x7f\xfe\xff",
  header("\x01", STALE) + "\x80\x84\x88\x8c\x90\x94\x98\x9c\x7f\xf7",
  header("\x01", STALE),
  header("\x02", STALE) + "\x7f\xff",
  header("\x00", STALE) + "\x7f\xff",
  header("\x00", STALE) + "\xff".repeat(12288),
  header("\x00", STALE) + "\x41\x10\x04".repeat(4096),
  "HYLM\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
  "HYLL",
];

const element = (g: Draw): string => {
  if (g.chance(1, 10)) return g.value();
  return g.chance(1, 2) ? String(g.below(100_000)) : g.bytes(g.below(20));
};

const elements = (g: Draw): string[] => {
  const count = g.chance(1, 12) ? 600 : g.chance(1, 4) ? 60 : 6;
  return Array.from({ length: g.below(count) }, () => element(g));
};

export const hyperloglog: Family = {
  name: "hyperloglog",
  keys: ["hll:1", "hll:2", "hll:3", "hll:4", "hll:5", "hll:6", "hll:7"],
  keysArePrivate: true,
  commands: [
    [14, (g) => ["PFADD", g.ownKey(), ...elements(g)]],
    [3, (g) => ["PFCOUNT", g.key(), g.key(), ...g.keys()]],
    [3, (g) => ["PFMERGE", g.ownKey(), ...(g.chance(1, 8) ? [] : g.keys())]],
    [1, (g) => ["SET", g.ownKey(), g.chance(1, 6) ? g.value() : g.pick(SKETCHES)]],
    // Whole runs, and parts of the header: what stays a sketch stays readable.
    [1, (g) => ["APPEND", g.ownKey(), g.pick(["\x00", "\x80\x00"])]],
    [
      1,
      (g) => [
        "SETRANGE",
        g.ownKey(),
        ...g.pick([
          ["0", "h"],
          ["4", "\x02"],
          ["8", "\x07"],
          ["15", "\x80"],
          ["15", "\x00"],
        ]),
      ],
    ],
    [1, (g) => ["COPY", g.ownKey(), g.ownKey(), "REPLACE"]],
    [1, (g) => ["RENAME", g.ownKey(), g.ownKey()]],
    [1, (g) => ["EXPIRE", g.ownKey(), g.time("EX")]],
    [6, (g) => ["GET", g.key()]],
    [2, (g) => ["STRLEN", g.key()]],
    [1, (g) => ["PTTL", g.key()]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [4, (g) => ["DEL", g.ownKey()]],
  ],
  sequences: [
    (g) => [
      ["COPY", g.ownKey(), COPY_KEY, "REPLACE"],
      ["PFCOUNT", COPY_KEY],
      ["DEL", COPY_KEY],
    ],
  ],
};
