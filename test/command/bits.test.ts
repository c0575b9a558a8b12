// Bitmaps: the examples of Redis's manual, and the edges of ranges, types and offsets.

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

const OFFSET = error("ERR bit offset is not an integer or out of range");
const TYPE = error(
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

const single: readonly Case[] = [
  { name: "SETBIT makes a key", run: ["SETBIT k 7 1", "GET k"], want: [integer(0), bulk("\x01")] },
  {
    name: "SETBIT says what was there",
    run: ["SETBIT k 7 1", "SETBIT k 7 0", "GET k"],
    want: [integer(1), bulk("\x00")],
  },
  { name: "SETBIT 0 grows too", run: ["SETBIT k 20 0", "STRLEN k"], want: integer(3) },
  { name: "SETBIT keeps the deadline", run: ["SET k a EX 100", "SETBIT k 6 0", "TTL k"], want: integer(100) },
  {
    name: "SETBIT makes a raw string",
    run: ["SET k 1", "SETBIT k 7 1", "OBJECT ENCODING k"],
    want: bulk("raw"),
  },
  { name: "SETBIT on a list", run: ["RPUSH k x", "SETBIT k 0 1"], want: WRONG_TYPE },
  { name: "SETBIT of 2", run: ["SETBIT k 0 2"], want: error("ERR bit is not an integer or out of range") },
  { name: "SETBIT past 512 MiB", run: ["SETBIT k 4294967296 1"], want: OFFSET },
  { name: "SETBIT before 0", run: ["SETBIT k -1 1"], want: OFFSET },
  { name: "SETBIT, offset first", run: ["SETBIT k x y"], want: OFFSET },
  { name: "GETBIT inside", run: [["SET", "k", "@"], "GETBIT k 1"], want: integer(1) },
  { name: "GETBIT behind the end", run: [["SET", "k", "@"], "GETBIT k 8"], want: integer(0) },
  { name: "GETBIT of the last bit", run: ["GETBIT k 4294967295"], want: integer(0) },
];

const counts: readonly Case[] = [
  ["", 26],
  ["0 0", 4],
  ["1 1", 6],
  ["1 1 BYTE", 6],
  ["5 30 BIT", 17],
  ["-2 -1", 7],
  ["0 -1 BIT", 26],
  ["3 2", 0],
  ["100 200", 0],
].map(([range, want]) => ({
  name: `BITCOUNT ${range}`,
  run: ["SET k foobar", `BITCOUNT k ${range}`.trim()],
  want: integer(want ?? 0),
}));

const countErrors: readonly Case[] = [
  { name: "BITCOUNT of nothing, arguments unread", run: ["BITCOUNT k x y z u"], want: integer(0) },
  { name: "BITCOUNT needs both ends", run: ["SET k a", "BITCOUNT k 0"], want: SYNTAX },
  { name: "BITCOUNT unit", run: ["SET k a", "BITCOUNT k 0 0 NIBBLE"], want: SYNTAX },
  { name: "BITCOUNT, backwards before unit", run: ["SET k a", "BITCOUNT k -1 -2 NIBBLE"], want: integer(0) },
  { name: "BITCOUNT of no integers", run: ["SET k a", "BITCOUNT k 0 b"], want: NOT_INTEGER },
];

const positions: readonly Case[] = [
  ["\xff\xf0\x00", "0", 12],
  ["\x00\xff\xf0", "1 0", 8],
  ["\x00\xff\xf0", "1 2", 16],
  ["\x00\xff\xf0", "1 2 -1 BYTE", 16],
  ["\x00\xff\xf0", "1 7 15 BIT", 8],
  ["\x00\xff\xf0", "1 9 15 BIT", 9],
  ["\x00\xff\xf0", "0 8 15 BIT", -1],
  ["\x00\x00\x00", "1", -1],
  ["\xff\xff\xff", "0", 24],
  ["\xff\xff\xff", "0 1", 24],
  ["\xff\xff\xff", "0 0 -1", -1],
  ["", "0", -1],
  ["", "1", -1],
].map(([text, rest, want]) => ({
  name: `BITPOS ${JSON.stringify(text)} ${rest}`,
  run: [["SET", "k", String(text)], `BITPOS k ${rest}`],
  want: integer(want ?? 0),
}));

const positionErrors: readonly Case[] = [
  { name: "BITPOS 0 of nothing", run: ["BITPOS k 0"], want: integer(0) },
  { name: "BITPOS 1 of nothing", run: ["BITPOS k 1 x"], want: integer(-1) },
  { name: "BITPOS of 2", run: ["BITPOS k 2"], want: error("ERR The bit argument must be 1 or 0.") },
  { name: "BITPOS, unit before end", run: ["SET k a", "BITPOS k 1 0 x NIBBLE"], want: SYNTAX },
  { name: "BITPOS, too many", run: ["SET k a", "BITPOS k 1 0 1 BIT 1"], want: SYNTAX },
];

const operations: readonly Case[] = [
  {
    name: "AND",
    run: ["SET a foobar", "SET b abcdef", "BITOP AND d a b", "GET d"],
    want: [integer(6), bulk("`bc`ab")],
  },
  {
    name: "OR, lengths differ",
    run: ["SET a 0", "SET b AB", "bitop or d a b", "GET d"],
    want: [integer(2), bulk("qB")],
  },
  {
    name: "AND, lengths differ",
    run: ["SET a abc", "SET b a", "BITOP AND d a b", "GET d"],
    want: [integer(3), bulk("a\0\0")],
  },
  {
    name: "XOR with itself",
    run: ["SET a abc", "BITOP XOR a a a", "GET a"],
    want: [integer(3), bulk("\0\0\0")],
  },
  {
    name: "NOT",
    run: [["SET", "a", "\x0f\xaa"], "BITOP NOT a a", "GET a"],
    want: [integer(2), bulk("\xf0\x55")],
  },
  { name: "the deadline goes", run: ["SET d x EX 9", "SET a b", "BITOP OR d a", "TTL d"], want: integer(-1) },
  {
    name: "of nothing: the target goes",
    run: ["SET d x", "BITOP OR d a b", "EXISTS d"],
    want: [integer(0), integer(0)],
  },
  { name: "the result is raw", run: ["SET a 1", "BITOP OR d a", "OBJECT ENCODING d"], want: bulk("raw") },
  { name: "over another type", run: ["RPUSH d x", "SET a b", "BITOP OR d a", "TYPE d"], want: "+string\r\n" },
  { name: "from another type", run: ["RPUSH a x", "BITOP OR d a"], want: WRONG_TYPE },
  {
    name: "NOT of two",
    run: ["BITOP NOT d a b"],
    want: error("ERR BITOP NOT must be called with a single source key."),
  },
  { name: "no operation", run: ["BITOP NAND d a b"], want: SYNTAX },
];

const fields: readonly Case[] = [
  {
    name: "INCRBY and GET",
    run: ["BITFIELD k INCRBY i5 100 1 GET u4 0"],
    want: array(integer(1), integer(0)),
  },
  {
    name: "WRAP and SAT",
    run: [
      "SET k \x00",
      ...Array<string>(3).fill("BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1"),
      "BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1",
    ],
    want: [array(integer(3), integer(3)), array(integer(0), integer(3))],
  },
  {
    name: "FAIL answers null and still makes room",
    run: ["BITFIELD k OVERFLOW FAIL INCRBY u2 100 4", "STRLEN k"],
    want: [array(NIL), integer(13)],
  },
  { name: "in RESP3", run: ["BITFIELD k OVERFLOW FAIL INCRBY u2 0 4"], want: array("_\r\n"), protocol: 3 },
  {
    name: "fields by number",
    run: ["BITFIELD k SET u8 #2 65", "GET k"],
    want: [array(integer(0)), bulk("\0\0A")],
  },
  {
    name: "GET behind the end",
    run: ["SET k A", "BITFIELD_RO k GET u16 4 GET i64 900"],
    want: array(integer(0x1000), integer(0)),
  },
  {
    name: "GET makes no key",
    run: ["BITFIELD k GET u8 0", "EXISTS k"],
    want: [array(integer(0)), integer(0)],
  },
  { name: "no operation", run: ["BITFIELD k"], want: array() },
  {
    name: "64 bits",
    run: ["BITFIELD k SET i64 3 -9223372036854775808 GET i64 3 INCRBY i64 3 -1"],
    want: array(integer(0), integer("-9223372036854775808"), integer("9223372036854775807")),
  },
  {
    name: "63 bits",
    run: ["BITFIELD k SET u63 1 -1 GET u63 1"],
    want: array(integer(0), integer("9223372036854775807")),
  },
  {
    name: "set far too low",
    run: ["BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0"],
    want: array(integer(0), integer(127)),
  },
  {
    name: "a mistake behind changes nothing",
    run: ["BITFIELD k SET u8 0 1 SET u8 x 1", "EXISTS k"],
    want: [OFFSET, integer(0)],
  },
  { name: "u64", run: ["BITFIELD k GET u64 0"], want: TYPE },
  {
    name: "overflow of no kind",
    run: ["BITFIELD k OVERFLOW NO"],
    want: error("ERR Invalid OVERFLOW type specified"),
  },
  {
    name: "read only",
    run: ["BITFIELD_RO k SET u8 0 1"],
    want: error("ERR BITFIELD_RO only supports the GET subcommand"),
  },
  { name: "the last field of 512 MiB fits", run: ["BITFIELD k GET u8 #536870911"], want: array(integer(0)) },
  { name: "the one behind it does not", run: ["BITFIELD k GET u8 #536870912"], want: OFFSET },
  { name: "a field across the limit is refused", run: ["BITFIELD k SET u8 4294967295 1"], want: OFFSET },
  { name: "on a list", run: ["RPUSH k x", "BITFIELD k"], want: WRONG_TYPE },
  {
    name: "afterwards raw, deadline kept",
    run: ["SET k 1 EX 9", "BITFIELD k SET u8 0 1", "TTL k", "OBJECT ENCODING k"],
    want: [integer(9), bulk("raw")],
  },
];

testCases([...single, ...counts, ...countErrors, ...positions, ...positionErrors, ...operations, ...fields]);
