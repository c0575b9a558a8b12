// Strings: reading, setting with every option, many at once.

import {
  array,
  bulk,
  type Case,
  error,
  integer,
  NIL,
  NOT_INTEGER,
  NOW_MS,
  OK,
  SYNTAX,
  testCases,
  WRONG_TYPE,
} from "./cases.ts";

const expireError = (name: string): string => error(`ERR invalid expire time in '${name}' command`);
const later = NOW_MS + 5000;

const cases: readonly Case[] = [
  { name: "GET of nothing", run: ["GET k"], want: NIL },
  { name: "GET of nothing, RESP3", run: ["GET k"], want: "_\r\n", protocol: 3 },
  { name: "SET and GET", run: ["SET k v", "GET k"], want: [OK, bulk("v")] },
  {
    name: "empty key and value",
    run: [
      ["SET", "", ""],
      ["GET", ""],
    ],
    want: [OK, bulk("")],
  },
  { name: "bytes of all kinds", run: [["SET", "k", "\r\n\x00\xff"], "GET k"], want: bulk("\r\n\x00\xff") },
  { name: "SET drops the deadline", run: ["SET k v EX 5", "SET k w", "TTL k"], want: [OK, OK, integer(-1)] },

  { name: "SET NX on nothing", run: ["SET k v NX", "GET k"], want: [OK, bulk("v")] },
  { name: "SET NX on something", run: ["SET k v", "SET k w NX", "GET k"], want: [NIL, bulk("v")] },
  { name: "SET XX on nothing", run: ["SET k v XX", "GET k"], want: [NIL, NIL] },
  { name: "SET XX on something", run: ["SET k v", "SET k w xx", "GET k"], want: [OK, bulk("w")] },
  { name: "SET NX XX", run: ["SET k v NX XX"], want: SYNTAX },
  { name: "SET GET on nothing", run: ["SET k v GET", "GET k"], want: [NIL, bulk("v")] },
  { name: "SET GET", run: ["SET k v", "SET k w GET", "GET k"], want: [bulk("v"), bulk("w")] },
  { name: "SET NX GET refused", run: ["SET k v", "SET k w NX GET", "GET k"], want: [bulk("v"), bulk("v")] },
  { name: "SET XX GET refused", run: ["SET k w XX GET", "EXISTS k"], want: [NIL, integer(0)] },
  { name: "SET EX", run: ["SET k v EX 5", "PTTL k"], want: [OK, integer(5000)] },
  { name: "SET PX", run: ["SET k v px 5001", "PTTL k"], want: [OK, integer(5001)] },
  { name: "SET EXAT", run: [`SET k v EXAT ${later / 1000}`, "PTTL k"], want: [OK, integer(5000)] },
  { name: "SET PXAT", run: [`SET k v PXAT ${later}`, "PEXPIRETIME k"], want: [OK, integer(later)] },
  { name: "SET EX twice: the last counts", run: ["SET k v EX 5 EX 6", "TTL k"], want: [OK, integer(6)] },
  {
    name: "SET PXAT gone by",
    run: ["SET k v", "SET k w PXAT 1", "EXISTS k", "DBSIZE"],
    want: [OK, integer(0), integer(0)],
  },
  { name: "SET PXAT now is gone by", run: [`SET k w PXAT ${NOW_MS}`, "EXISTS k"], want: [OK, integer(0)] },
  { name: "SET KEEPTTL", run: ["SET k v EX 5", "SET k w KEEPTTL", "TTL k"], want: [OK, integer(5)] },
  { name: "SET EX PX", run: ["SET k v EX 5 PX 5"], want: SYNTAX },
  { name: "SET EX KEEPTTL", run: ["SET k v EX 5 KEEPTTL"], want: SYNTAX },
  { name: "SET KEEPTTL EX", run: ["SET k v KEEPTTL EX 5"], want: SYNTAX },
  { name: "SET EX without a time", run: ["SET k v EX"], want: SYNTAX },
  { name: "SET PERSIST", run: ["SET k v PERSIST"], want: SYNTAX },
  { name: "SET EX 0", run: ["SET k v EX 0"], want: expireError("set") },
  { name: "SET PX negative", run: ["SET k v PX -1"], want: expireError("set") },
  { name: "SET EX overflows in ms", run: ["SET k v EX 9223372036854776"], want: expireError("set") },
  { name: "SET EX overflows with now", run: ["SET k v EX 9223372036854775"], want: expireError("set") },
  { name: "SET PX overflows with now", run: ["SET k v PX 9223372036854775807"], want: expireError("set") },
  {
    name: "SET PXAT of the last millisecond there is",
    run: ["SET k v PXAT 9223372036854775807", "PEXPIRETIME k", "EXPIRETIME k"],
    want: [OK, integer("9223372036854775807"), integer("9223372036854776")],
  },
  { name: "SET EX of no number", run: ["SET k v EX five"], want: NOT_INTEGER },
  {
    name: "the time is checked before the key",
    run: ["SET k v", "SET k w NX EX 0"],
    want: expireError("set"),
  },
  { name: "SET GET of a list", run: ["RPUSH k x", "SET k v GET", "TYPE k"], want: [WRONG_TYPE, "+list\r\n"] },
  { name: "SET over a list", run: ["RPUSH k x", "SET k v", "TYPE k"], want: [OK, "+string\r\n"] },

  { name: "SETNX", run: ["SETNX k v", "SETNX k w", "GET k"], want: [integer(1), integer(0), bulk("v")] },
  { name: "SETEX", run: ["SETEX k 5 v", "TTL k", "GET k"], want: [OK, integer(5), bulk("v")] },
  { name: "SETEX 0", run: ["SETEX k 0 v"], want: expireError("setex") },
  { name: "PSETEX", run: ["PSETEX k 5 v", "PTTL k"], want: [OK, integer(5)] },
  { name: "PSETEX negative", run: ["PSETEX k -5 v"], want: expireError("psetex") },
  {
    name: "GETSET",
    run: ["SET k v EX 5", "GETSET k w", "TTL k", "GET k"],
    want: [bulk("v"), integer(-1), bulk("w")],
  },
  { name: "GETSET of nothing", run: ["GETSET k w", "GET k"], want: [NIL, bulk("w")] },
  { name: "GETSET of a list", run: ["RPUSH k x", "GETSET k w", "TYPE k"], want: [WRONG_TYPE, "+list\r\n"] },
  { name: "GETDEL", run: ["SET k v", "GETDEL k", "GETDEL k"], want: [bulk("v"), NIL] },
  { name: "GETDEL of a list", run: ["RPUSH k x", "GETDEL k", "EXISTS k"], want: [WRONG_TYPE, integer(1)] },

  {
    name: "GETEX leaves the deadline",
    run: ["SET k v EX 5", "GETEX k", "TTL k"],
    want: [bulk("v"), integer(5)],
  },
  { name: "GETEX EX", run: ["SET k v", "GETEX k EX 5", "TTL k"], want: [bulk("v"), integer(5)] },
  {
    name: "GETEX PERSIST",
    run: ["SET k v EX 5", "GETEX k PERSIST", "TTL k"],
    want: [bulk("v"), integer(-1)],
  },
  { name: "GETEX gone by", run: ["SET k v", "GETEX k EXAT 1", "EXISTS k"], want: [bulk("v"), integer(0)] },
  { name: "GETEX of nothing", run: ["GETEX k EX 0"], want: NIL },
  { name: "GETEX EX 0", run: ["SET k v", "GETEX k EX 0"], want: expireError("getex") },
  { name: "GETEX PERSIST EX", run: ["SET k v", "GETEX k PERSIST EX 5"], want: SYNTAX },
  { name: "GETEX NX", run: ["SET k v", "GETEX k NX"], want: SYNTAX },
  { name: "GETEX of a list", run: ["RPUSH k x", "GETEX k EX 0"], want: WRONG_TYPE },

  {
    name: "MGET",
    run: ["MSET a 1 b 2", "RPUSH l x", "MGET a l c b"],
    want: array(bulk("1"), NIL, NIL, bulk("2")),
  },
  {
    name: "MSET of half a pair",
    run: ["MSET a 1 b"],
    want: error("ERR wrong number of arguments for 'mset' command"),
  },
  {
    name: "MSETNX of half a pair",
    run: ["MSETNX a 1 b"],
    want: error("ERR wrong number of arguments for 'msetnx' command"),
  },
  { name: "MSET: the last of one key counts", run: ["MSET a 1 a 2", "GET a"], want: bulk("2") },
  {
    name: "MSETNX all or nothing",
    run: ["SET b 1", "MSETNX a 1 b 2", "EXISTS a"],
    want: [integer(0), integer(0)],
  },
  { name: "MSETNX", run: ["MSETNX a 1 b 2", "MGET a b"], want: [integer(1), array(bulk("1"), bulk("2"))] },

  { name: "STRLEN", run: ["SET k abc", "STRLEN k", "STRLEN none"], want: [integer(3), integer(0)] },
  { name: "STRLEN of a list", run: ["RPUSH k x", "STRLEN k"], want: WRONG_TYPE },
  {
    name: "APPEND",
    run: ["APPEND k ab", "APPEND k cd", "GET k"],
    want: [integer(2), integer(4), bulk("abcd")],
  },
  {
    name: "APPEND keeps the deadline",
    run: ["SET k v EX 5", "APPEND k w", "TTL k"],
    want: [integer(2), integer(5)],
  },
  {
    name: "APPEND of nothing creates",
    run: [["APPEND", "k", ""], "EXISTS k"],
    want: [integer(0), integer(1)],
  },
  { name: "APPEND to a list", run: ["RPUSH k x", "APPEND k y"], want: WRONG_TYPE },
  { name: "too few arguments", run: ["GET"], want: error("ERR wrong number of arguments for 'get' command") },
  {
    name: "too many arguments",
    run: ["GET a b"],
    want: error("ERR wrong number of arguments for 'get' command"),
  },
];

testCases(cases);
