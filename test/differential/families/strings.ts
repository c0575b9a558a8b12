// Strings.

import { replyError } from "../../../src/command/errors.ts";
import type { Draw } from "../draw.ts";
import type { Family } from "./family.ts";

const offset = (g: Draw): string =>
  g.chance(1, 15) ? g.pick(["536870912", "9223372036854775807", "-1", "x"]) : String(g.below(60));

const pairs = (g: Draw): string[] =>
  Array.from({ length: 1 + g.below(3) }, () => [g.key(), g.value()]).flat();

const setOptions = (g: Draw): string[] =>
  g.options(
    3,
    () => [g.mixCase(g.pick(["NX", "XX", "GET", "KEEPTTL"]))],
    () => g.timeOption(),
  );

export const strings: Family = {
  name: "strings",
  optionWords: "NX XX GET EX PX EXAT PXAT KEEPTTL PERSIST LEN IDX MINMATCHLEN WITHMATCHLEN".split(" "),
  commands: [
    [6, (g) => ["SET", g.key(), g.value()]],
    [8, (g) => ["SET", g.key(), g.value(), ...setOptions(g)]],
    [2, (g) => ["SETNX", g.key(), g.value()]],
    [2, (g) => ["SETEX", g.key(), g.time("EX"), g.value()]],
    [2, (g) => ["PSETEX", g.key(), g.time("PX"), g.value()]],
    [5, (g) => ["GET", g.key()]],
    [3, (g) => ["GETSET", g.key(), g.value()]],
    [2, (g) => ["GETDEL", g.key()]],
    [
      5,
      (g) => [
        "GETEX",
        g.key(),
        ...g.options(
          2,
          () => ["PERSIST"],
          () => g.timeOption(),
          () => g.timeOption(),
        ),
      ],
    ],
    [3, (g) => ["MGET", ...g.keys()]],
    [3, (g) => ["MSET", ...pairs(g)]],
    [2, (g) => ["MSETNX", ...pairs(g)]],
    [4, (g) => ["APPEND", g.key(), g.value()]],
    [3, (g) => ["STRLEN", g.key()]],
    [3, (g) => ["INCR", g.key()]],
    [3, (g) => ["DECR", g.key()]],
    [4, (g) => ["INCRBY", g.key(), g.integer()]],
    [4, (g) => ["DECRBY", g.key(), g.integer()]],
    [6, (g) => ["INCRBYFLOAT", g.key(), g.float()]],
    [4, (g) => ["SETRANGE", g.key(), offset(g), g.value()]],
    [4, (g) => ["GETRANGE", g.key(), g.integer(), g.integer()]],
    [1, (g) => ["SUBSTR", g.key(), g.integer(), g.integer()]],
    [
      4,
      (g) => [
        "LCS",
        g.key(),
        g.key(),
        ...g.options(
          3,
          () => ["IDX"],
          () => ["LEN"],
          () => ["WITHMATCHLEN"],
          () => ["MINMATCHLEN", g.integer()],
        ),
      ],
    ],
  ],
  rules: [
    {
      command: /^LCS\b/,
      reason: "ours bounds the time, and so the size of the table",
      refusal: replyError.lcsTooLong,
    },
  ],
};
