// Parts of strings, and LCS.

import {
  array,
  bulk,
  type Case,
  error,
  integer,
  NIL,
  NOT_INTEGER,
  SYNTAX,
  testCases,
  WRONG_TYPE,
} from "./cases.ts";

const OUT_OF_RANGE = error("ERR offset is out of range");
const TOO_LONG = error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
const HELLO = "Hello World";

const ranges: readonly (readonly [from: string, to: string, want: string])[] = [
  ["0", "-1", HELLO],
  ["0", "0", "H"],
  ["-5", "-1", "World"],
  ["6", "100", "World"],
  ["-100", "4", "Hello"],
  ["5", "3", ""],
  ["-1", "-5", ""],
  ["11", "20", ""],
  ["-9223372036854775808", "9223372036854775807", HELLO],
  ["9223372036854775807", "9223372036854775807", ""],
  ["-100", "-50", "H"],
];

const cases: readonly Case[] = [
  ...["GETRANGE", "SUBSTR"].flatMap((command) =>
    ranges.map(([from, to, want]) => ({
      name: `${command} ${from} ${to}`,
      run: [
        ["SET", "k", HELLO],
        [command, "k", from, to],
      ],
      want: bulk(want),
    })),
  ),
  { name: "GETRANGE of nothing", run: ["GETRANGE k 0 -1"], want: bulk("") },
  { name: "GETRANGE of an empty string", run: [["SET", "k", ""], "GETRANGE k 0 -1"], want: bulk("") },
  { name: "GETRANGE of a list", run: ["RPUSH k x", "GETRANGE k 0 -1"], want: WRONG_TYPE },
  { name: "GETRANGE reads its numbers first", run: ["RPUSH k x", "GETRANGE k 0 x"], want: NOT_INTEGER },

  {
    name: "SETRANGE inside",
    run: ["SET k abcdef", "SETRANGE k 2 XY", "GET k"],
    want: [integer(6), bulk("abXYef")],
  },
  {
    name: "SETRANGE at the end",
    run: ["SET k abc", "SETRANGE k 2 XY", "GET k"],
    want: [integer(4), bulk("abXY")],
  },
  {
    name: "SETRANGE beyond",
    run: ["SET k a", "SETRANGE k 3 b", "GET k"],
    want: [integer(4), bulk("a\0\0b")],
  },
  { name: "SETRANGE on nothing", run: ["SETRANGE k 2 b", "GET k"], want: [integer(3), bulk("\0\0b")] },
  {
    name: "SETRANGE of nothing on nothing",
    run: [["SETRANGE", "k", "5", ""], "EXISTS k"],
    want: [integer(0), integer(0)],
  },
  { name: "SETRANGE of nothing", run: ["SET k abc", ["SETRANGE", "k", "5", ""]], want: integer(3) },
  {
    name: "SETRANGE keeps the deadline",
    run: ["SET k abc EX 5", "SETRANGE k 0 x", "TTL k"],
    want: integer(5),
  },
  { name: "SETRANGE negative", run: ["SETRANGE k -1 x"], want: OUT_OF_RANGE },
  { name: "SETRANGE too far", run: ["SETRANGE k 536870912 x", "EXISTS k"], want: [TOO_LONG, integer(0)] },
  { name: "SETRANGE farthest", run: ["SETRANGE k 9223372036854775807 x"], want: TOO_LONG },
  { name: "SETRANGE no number", run: ["SETRANGE k x x"], want: NOT_INTEGER },
  { name: "SETRANGE on a list", run: ["RPUSH k x", "SETRANGE k 0 y"], want: WRONG_TYPE },
  { name: "SETRANGE of nothing on a list", run: ["RPUSH k x", ["SETRANGE", "k", "0", ""]], want: WRONG_TYPE },

  { name: "LCS", run: ["MSET a ohmytext b mynewtext", "LCS a b"], want: bulk("mytext") },
  { name: "LCS LEN", run: ["MSET a ohmytext b mynewtext", "LCS a b LEN"], want: integer(6) },
  {
    name: "LCS IDX",
    run: ["MSET a ohmytext b mynewtext", "LCS a b IDX"],
    want: indexes(range(4, 7, 5, 8), range(2, 3, 0, 1)),
  },
  {
    name: "LCS IDX MINMATCHLEN WITHMATCHLEN",
    run: ["MSET a ohmytext b mynewtext", "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"],
    want: indexes(array(pair(4, 7), pair(5, 8), integer(4))),
  },
  {
    name: "LCS IDX, RESP3",
    protocol: 3,
    run: ["MSET a x b x", "LCS a b IDX"],
    want: `%2\r\n${bulk("matches")}${array(range(0, 0, 0, 0))}${bulk("len")}${integer(1)}`,
  },
  { name: "LCS with nothing", run: ["SET a abc", "LCS a b"], want: bulk("") },
  {
    name: "LCS LEN IDX",
    run: ["LCS a b LEN IDX"],
    want: error("ERR If you want both the length and indexes, please just use IDX."),
  },
  { name: "LCS MINMATCHLEN without a number", run: ["LCS a b MINMATCHLEN"], want: SYNTAX },
  { name: "LCS MINMATCHLEN x", run: ["LCS a b MINMATCHLEN x"], want: NOT_INTEGER },
  {
    name: "LCS of a list",
    run: ["RPUSH a x", "LCS a b"],
    want: error("ERR The specified keys must contain string values"),
  },
  {
    name: "LCS of strings too long for one turn",
    run: [["SET", "a", "x".repeat(10_000)], ["SET", "b", "x".repeat(10_000)], "LCS a b LEN"],
    want: error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
  },
  {
    name: "LCS of a long string and an empty one",
    run: [["SET", "a", "x".repeat(100_000)], "LCS a b LEN"],
    want: integer(0),
  },
  {
    name: "the key read last does not disturb the first",
    run: ["MSET a abc b abd", "LCS b a", "GET c"],
    want: [bulk("ab"), NIL],
  },
];

function pair(from: number, to: number): string {
  return array(integer(from), integer(to));
}

function range(aFrom: number, aTo: number, bFrom: number, bTo: number): string {
  return array(pair(aFrom, aTo), pair(bFrom, bTo));
}

function indexes(...matches: readonly string[]): string {
  return array(bulk("matches"), array(...matches), bulk("len"), integer("mytext".length));
}

testCases(cases);
