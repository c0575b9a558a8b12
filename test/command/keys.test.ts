// Commands on keys of any type.

import { array, bulk, type Case, error, integer, NIL, NOT_INTEGER, OK, SYNTAX, testCases } from "./cases.ts";

const NO_KEY = error("ERR no such key");
const SAME = error("ERR source and destination objects are the same");
const DB_RANGE = error("ERR DB index is out of range");
const INT_RANGE = error("ERR value is out of range, value must between -2147483648 and 2147483647");

const cases: readonly Case[] = [
  { name: "DEL", run: ["MSET a 1 b 2", "DEL a b c a", "DBSIZE"], want: [integer(2), integer(0)] },
  { name: "UNLINK", run: ["MSET a 1 b 2", "UNLINK a c", "DBSIZE"], want: [integer(1), integer(1)] },
  { name: "EXISTS counts repeats", run: ["SET a 1", "EXISTS a a b"], want: integer(2) },
  { name: "TOUCH", run: ["SET a 1", "TOUCH a a b"], want: integer(2) },
  {
    name: "TYPE",
    run: ["SET a 1", "RPUSH l x", "TYPE a", "TYPE l", "TYPE n"],
    want: ["+string\r\n", "+list\r\n", "+none\r\n"],
  },

  {
    name: "RENAME",
    run: ["SET a 1 EX 5", "SET b 2", "RENAME a b", "GET b", "TTL b", "EXISTS a"],
    want: [OK, bulk("1"), integer(5), integer(0)],
  },
  {
    name: "RENAME without a deadline over one with",
    run: ["SET a 1", "SET b 2 EX 5", "RENAME a b", "TTL b"],
    want: integer(-1),
  },
  { name: "RENAME of nothing", run: ["RENAME a b"], want: NO_KEY },
  { name: "RENAME to itself", run: ["SET a 1", "RENAME a a", "GET a"], want: [OK, bulk("1")] },
  { name: "RENAME of nothing to itself", run: ["RENAME a a"], want: NO_KEY },
  {
    name: "RENAME over another type",
    run: ["RPUSH l x", "SET a 1", "RENAME l a", "TYPE a"],
    want: "+list\r\n",
  },
  { name: "RENAMENX", run: ["SET a 1", "RENAMENX a b", "GET b"], want: [integer(1), bulk("1")] },
  {
    name: "RENAMENX over something",
    run: ["MSET a 1 b 2", "RENAMENX a b", "GET b"],
    want: [integer(0), bulk("2")],
  },
  { name: "RENAMENX to itself", run: ["SET a 1", "RENAMENX a a"], want: integer(0) },
  { name: "RENAMENX of nothing", run: ["SET b 1", "RENAMENX a b"], want: NO_KEY },

  {
    name: "COPY",
    run: ["SET a 1 EX 5", "COPY a b", "GET b", "TTL b", "GET a"],
    want: [integer(1), bulk("1"), integer(5), bulk("1")],
  },
  { name: "COPY over something", run: ["MSET a 1 b 2", "COPY a b", "GET b"], want: [integer(0), bulk("2")] },
  { name: "COPY REPLACE", run: ["MSET a 1 b 2", "COPY a b replace", "GET b"], want: [integer(1), bulk("1")] },
  {
    name: "COPY DB",
    run: ["SET a 1", "COPY a a DB 1", "SELECT 1", "GET a"],
    want: [integer(1), OK, bulk("1")],
  },
  { name: "COPY to itself", run: ["COPY a a"], want: SAME },
  { name: "COPY to itself in DB 0", run: ["COPY a a DB 0 REPLACE"], want: SAME },
  { name: "COPY of nothing", run: ["COPY a b"], want: integer(0) },
  { name: "COPY DB 16", run: ["COPY a b DB 16"], want: DB_RANGE },
  { name: "COPY DB x", run: ["COPY a b DB x"], want: NOT_INTEGER },
  { name: "COPY DB of 33 bits", run: ["COPY a b DB 4294967296"], want: INT_RANGE },
  { name: "COPY DB without a number", run: ["COPY a b DB"], want: SYNTAX },
  { name: "COPY junk", run: ["COPY a b junk"], want: SYNTAX },

  {
    name: "MOVE",
    run: ["SET a 1 EX 5", "MOVE a 1", "EXISTS a", "SELECT 1", "TTL a"],
    want: [integer(1), integer(0), OK, integer(5)],
  },
  {
    name: "MOVE onto something",
    run: ["SET a 1", "COPY a a DB 1", "MOVE a 1", "EXISTS a"],
    want: [integer(0), integer(1)],
  },
  { name: "MOVE of nothing", run: ["MOVE a 1"], want: integer(0) },
  { name: "MOVE here", run: ["MOVE a 0"], want: SAME },
  { name: "MOVE nowhere", run: ["MOVE a -1"], want: DB_RANGE },
  { name: "MOVE x", run: ["MOVE a x"], want: NOT_INTEGER },

  {
    name: "SWAPDB",
    run: ["SET a 1", "SWAPDB 0 1", "EXISTS a", "SELECT 1", "GET a"],
    want: [OK, integer(0), OK, bulk("1")],
  },
  { name: "SWAPDB with itself", run: ["SET a 1", "SWAPDB 0 0", "GET a"], want: [OK, bulk("1")] },
  { name: "SWAPDB x", run: ["SWAPDB x y"], want: error("ERR invalid first DB index") },
  { name: "SWAPDB 0 x", run: ["SWAPDB 0 x"], want: error("ERR invalid second DB index") },
  { name: "SWAPDB 0 16", run: ["SWAPDB 0 16"], want: DB_RANGE },
  {
    name: "FLUSHDB",
    run: ["SET a 1", "COPY a a DB 1", "FLUSHDB", "DBSIZE", "SELECT 1", "DBSIZE"],
    want: [OK, integer(0), OK, integer(1)],
  },
  {
    name: "FLUSHALL",
    run: ["SET a 1", "COPY a a DB 1", "FLUSHALL async", "DBSIZE", "SELECT 1", "DBSIZE"],
    want: [OK, integer(0), OK, integer(0)],
  },
  { name: "FLUSHDB junk", run: ["FLUSHDB junk"], want: SYNTAX },
  { name: "FLUSHALL SYNC SYNC", run: ["FLUSHALL SYNC SYNC"], want: SYNTAX },

  { name: "KEYS of nothing", run: ["KEYS *"], want: array() },
  { name: "KEYS", run: ["MSET abc 1 b 2", "KEYS a?c"], want: array(bulk("abc")) },
  { name: "KEYS * finds the empty key", run: [["SET", "", "1"], "KEYS *"], want: array(bulk("")) },
  { name: "KEYS ** does not, as in Redis", run: [["SET", "", "1"], "KEYS **"], want: array() },
  { name: "SCAN of nothing", run: ["SCAN 0"], want: array(bulk("0"), array()) },
  { name: "SCAN", run: ["SET a 1", "SCAN 0"], want: array(bulk("0"), array(bulk("a"))) },
  { name: "SCAN MATCH", run: ["MSET a 1 b 2", "SCAN 0 MATCH b"], want: array(bulk("0"), array(bulk("b"))) },
  {
    name: "SCAN TYPE",
    run: ["SET a 1", "RPUSH l x", "SCAN 0 TYPE LIST"],
    want: array(bulk("0"), array(bulk("l"))),
  },
  { name: "SCAN TYPE of no type", run: ["SET a 1", "SCAN 0 TYPE x"], want: array(bulk("0"), array()) },
  { name: "SCAN COUNT 0", run: ["SCAN 0 COUNT 0"], want: SYNTAX },
  { name: "SCAN COUNT x", run: ["SCAN 0 COUNT x"], want: NOT_INTEGER },
  { name: "SCAN junk", run: ["SCAN 0 junk 1"], want: SYNTAX },
  { name: "SCAN x", run: ["SCAN x"], want: error("ERR invalid cursor") },
  { name: "SCAN of nothing at all", run: [["SCAN", ""]], want: array(bulk("0"), array()) },
  {
    name: "SCAN of a cursor up to its NUL",
    run: [["SCAN", `0\0${"x".repeat(100)}`]],
    want: array(bulk("0"), array()),
  },
  {
    name: "SCAN from beyond",
    run: ["SET a 1", "SCAN 18446744073709551615"],
    want: array(bulk("0"), array()),
  },
  { name: "SCAN from farther beyond", run: ["SCAN 18446744073709551616"], want: error("ERR invalid cursor") },
  { name: "RANDOMKEY of nothing", run: ["RANDOMKEY"], want: NIL },
  { name: "RANDOMKEY", run: ["SET a 1", "RANDOMKEY"], want: bulk("a") },
];

testCases(cases);
