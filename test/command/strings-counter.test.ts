// Counters: 64-bit integers, and INCRBYFLOAT's long doubles (wanted values are redis-server 7.0.15's).

import { bulk, type Case, error, integer, NOT_INTEGER, OK, testCases, WRONG_TYPE } from "./cases.ts";

const OVERFLOW = error("ERR increment or decrement would overflow");
const NOT_FLOAT = error("ERR value is not a valid float");
const NOT_FINITE = error("ERR increment would produce NaN or Infinity");
const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";

const counted: readonly (readonly [from: string, command: string, want: string])[] = [
  ["1", "INCR k", integer(2)],
  ["-1", "INCR k", integer(0)],
  ["0", "DECR k", integer(-1)],
  ["999", "INCR k", integer(1000)],
  ["5", "INCRBY k -7", integer(-2)],
  ["5", "DECRBY k 7", integer(-2)],
  ["0", "DECRBY k 0", integer(0)],
  ["9007199254740991", "INCR k", integer("9007199254740992")],
  ["9007199254740992", "INCR k", integer("9007199254740993")],
  ["9007199254740993", "DECRBY k 3", integer("9007199254740990")],
  ["9223372036854775806", "INCR k", integer(MAX)],
  [MAX, "INCR k", OVERFLOW],
  [MAX, "DECR k", integer("9223372036854775806")],
  [MIN, "DECR k", OVERFLOW],
  [MIN, `INCRBY k ${MAX}`, integer(-1)],
  ["-1", `INCRBY k ${MIN}`, OVERFLOW],
  ["0", `INCRBY k ${MIN}`, integer(MIN)],
  ["0", `DECRBY k ${MIN}`, error("ERR decrement would overflow")],
  ["0", `DECRBY k ${MAX}`, integer("-9223372036854775807")],
  ["0", "INCRBY k 9223372036854775808", NOT_INTEGER],
  ["0", "INCRBY k 1.5", NOT_INTEGER],
  ["0", "INCRBY k +1", NOT_INTEGER],
  ["01", "INCR k", NOT_INTEGER],
  ["-0", "INCR k", NOT_INTEGER],
  ["1.0", "INCR k", NOT_INTEGER],
  ["9223372036854775808", "INCR k", NOT_INTEGER],
  ["abc", "INCR k", NOT_INTEGER],
];

/** "-" for a key that is absent. */
const floats: readonly (readonly [from: string, by: string, want: string])[] = [
  ["-", "0.1", bulk("0.1")],
  ["0.1", "0.2", bulk("0.3")],
  ["10.5", "0.1", bulk("10.6")],
  ["5.0e3", "2.0e2", bulk("5200")],
  ["3", "1.1", bulk("4.1")],
  ["1", "-1", bulk("0")],
  ["0", "-1e-30", bulk("0")],
  ["1e17", "0.5", bulk("100000000000000000.5")],
  ["1e18", "0.05", bulk("1000000000000000000.0625")],
  ["17179869184", "1.5", bulk("17179869185.5")],
  ["0", "0.00000000000000001", bulk("0.00000000000000001")],
  ["0", "0.000000000000000005", bulk("0")],
  ["0", "0.000000000000000004", bulk("0")],
  ["0", "0x1.8p1", bulk("3")],
  ["0", "0x10", bulk("16")],
  [".5", "5.", bulk("5.5")],
  ["18446744073709551615", "1", bulk("18446744073709551616")],
  ["18446744073709551617", "0", bulk("18446744073709551616")],
  ["18446744073709551619", "0", bulk("18446744073709551620")],
  ["1e30", "0", bulk("1000000000000000000024696061952")],
  ["1e4932", "1e4932", NOT_FINITE],
  ["0", "inf", NOT_FINITE],
  ["-inf", "inf", NOT_FINITE],
  ["0", "1e4933", NOT_FLOAT],
  ["0", "1e-4970", NOT_FLOAT],
  ["0", "1e-4940", bulk("0")],
  ["0", "nan", NOT_FLOAT],
  ["0", "1e", NOT_FLOAT],
  ["0", "", NOT_FLOAT],
  ["0", " 1", NOT_FLOAT],
  ["0", "1 ", NOT_FLOAT],
  ["abc", "1", NOT_FLOAT],
  ["", "1", NOT_FLOAT],
];

const cases: readonly Case[] = [
  ...counted.map(([from, command, want]) => ({
    name: `${from}: ${command}`,
    run: [`SET k ${from}`, command],
    want,
  })),
  ...floats.map(([from, by, want]) => ({
    name: `INCRBYFLOAT: ${from} and ${by}`,
    run: [from === "-" ? "DEL k" : ["SET", "k", from], ["INCRBYFLOAT", "k", by]],
    want,
  })),
  { name: "INCR of nothing", run: ["INCR k", "GET k"], want: [integer(1), bulk("1")] },
  {
    name: "INCR keeps the deadline",
    run: ["SET k 1 EX 5", "INCR k", "TTL k"],
    want: [integer(2), integer(5)],
  },
  {
    name: "a refused INCR changes nothing",
    run: [`SET k ${MAX}`, "INCR k", "GET k"],
    want: [OVERFLOW, bulk(MAX)],
  },
  { name: "INCR of a list", run: ["RPUSH k x", "INCR k"], want: WRONG_TYPE },
  { name: "the argument is read before the key", run: ["RPUSH k x", "INCRBY k x"], want: NOT_INTEGER },
  { name: "INCRBYFLOAT of a list", run: ["RPUSH k x", "INCRBYFLOAT k 1"], want: WRONG_TYPE },
  {
    name: "INCRBYFLOAT keeps the deadline",
    run: ["SET k 1 EX 5", "INCRBYFLOAT k .5", "TTL k", "GET k"],
    want: [bulk("1.5"), integer(5), bulk("1.5")],
  },
  { name: "INCR after SET", run: ["SET k 41", "INCR k"], want: [OK, integer(42)] },
];

testCases(cases);
