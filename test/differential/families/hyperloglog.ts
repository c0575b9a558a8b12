// HyperLogLog. Redis's PFCOUNT of one key writes the count it found into the string, and ours does not: here it is
// asked of a copy only, which is deleted at once, so that GET and the digests stay comparable.

import { replyError } from "../../../src/command/errors.ts";
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
  commands: [
    [14, (g) => ["PFADD", g.key(), ...elements(g)]],
    [3, (g) => ["PFCOUNT", g.key(), g.key(), ...g.keys()]],
    [3, (g) => ["PFMERGE", g.key(), ...(g.chance(1, 8) ? [] : g.keys())]],
    [1, (g) => ["SET", g.key(), g.pick(SKETCHES)]],
    [6, (g) => ["GET", g.key()]],
    [2, (g) => ["STRLEN", g.key()]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [3, (g) => ["DEL", g.key()]],
  ],
  rules: [
    {
      command: /^PFADD\b/,
      reason:
        "a last run that was cut in two: Redis takes the byte behind the string for its other half, ours refuses",
      refusal: replyError.sketchCorrupt,
    },
  ],
  sequences: [
    (g) => [
      ["COPY", g.key(), COPY_KEY, "REPLACE"],
      ["PFCOUNT", COPY_KEY],
      ["DEL", COPY_KEY],
    ],
  ],
};
