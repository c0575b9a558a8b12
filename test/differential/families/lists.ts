// Lists: short ones, ones around the size where they are cut into nodes, and elements too large for any node.

import { replyError } from "../../../src/command/errors.ts";
import type { Draw } from "../draw.ts";
import type { Family } from "./family.ts";

const KEYS = ["list:1", "list:2", "list:3"];
const NODE_BYTES = 8192;

const element = (g: Draw): string => {
  if (g.chance(1, 60)) return g.bytes(NODE_BYTES - 20 + g.below(40));
  if (g.chance(1, 4)) return g.value();
  return g.pick(["a", "b", "c", "1", "2", "-1", "300", "70000", "x".repeat(70)]);
};
const elements = (g: Draw): string[] =>
  Array.from({ length: 1 + (g.chance(1, 15) ? g.below(200) : g.below(4)) }, () => element(g));
const place = (g: Draw): string =>
  g.chance(1, 15) ? g.integer() : String(g.below(g.chance(1, 3) ? 400 : 8) * (g.chance(1, 2) ? 1 : -1));
const side = (g: Draw): string => g.mixCase(g.pick(["LEFT", "RIGHT"]));
const count = (g: Draw): string =>
  g.chance(1, 12) ? g.integer() : String(g.below(g.chance(1, 6) ? 300 : 5));
const numbered = (g: Draw): string[] => {
  const keys = g.keys();
  return [g.chance(1, 15) ? g.integer() : String(keys.length), ...keys];
};

export const lists: Family = {
  name: "lists",
  keys: KEYS,
  optionWords: "LEFT RIGHT BEFORE AFTER COUNT RANK MAXLEN".split(" "),
  commands: [
    [8, (g) => ["LPUSH", g.key(), ...elements(g)]],
    [10, (g) => ["RPUSH", g.key(), ...elements(g)]],
    [2, (g) => ["LPUSHX", g.key(), ...elements(g)]],
    [2, (g) => ["RPUSHX", g.key(), ...elements(g)]],
    [3, (g) => ["LPOP", g.key(), ...(g.chance(1, 2) ? [count(g)] : [])]],
    [3, (g) => ["RPOP", g.key(), ...(g.chance(1, 2) ? [count(g)] : [])]],
    [3, (g) => ["LLEN", g.key()]],
    [4, (g) => ["LINDEX", g.key(), place(g)]],
    [6, (g) => ["LRANGE", g.key(), place(g), place(g)]],
    [5, (g) => ["LSET", g.key(), place(g), element(g)]],
    [
      6,
      (g) => [
        "LINSERT",
        g.key(),
        g.mixCase(g.pick(["BEFORE", "AFTER", "BEFORE", "AFTER", "BEYOND"])),
        element(g),
        element(g),
      ],
    ],
    [4, (g) => ["LREM", g.key(), place(g), element(g)]],
    [2, (g) => ["LTRIM", g.key(), place(g), place(g)]],
    [4, (g) => ["LMOVE", g.key(), g.key(), side(g), side(g)]],
    [3, (g) => ["RPOPLPUSH", g.key(), g.key()]],
    [3, (g) => ["LMPOP", ...numbered(g), side(g), ...(g.chance(1, 2) ? [g.mixCase("COUNT"), count(g)] : [])]],
    [
      6,
      (g) => [
        "LPOS",
        g.key(),
        element(g),
        ...g.options(
          3,
          () => [g.mixCase("RANK"), place(g)],
          () => [g.mixCase("COUNT"), count(g)],
          () => [g.mixCase("MAXLEN"), count(g)],
        ),
      ],
    ],
    [2, (g) => ["OBJECT", "ENCODING", g.key()]],
  ],
  rules: [
    {
      command: /^LPOS\b/,
      reason: "the rank that has no negative is refused since Redis 7.2",
      refusal: replyError.notLongInRange,
    },
  ],
};
