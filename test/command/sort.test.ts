// SORT: what its options do, in examples.

import { array, bulk, type Case, error, integer, NIL, OK, SYNTAX, testCases, WRONG_TYPE } from "./cases.ts";

const texts = (...words: readonly string[]): string => array(...words.map(bulk));
const LIST = "RPUSH l 3 10 -1 2.5";
const WEIGHTS = ["SADD s a b c", "MSET w_a 3 w_b 1", "HSET h_c f 2", "HSET h_a f 9"];

const cases: readonly Case[] = [
  { name: "by number", run: [LIST, "SORT l"], want: texts("-1", "2.5", "3", "10") },
  { name: "by text", run: [LIST, "SORT l ALPHA DESC"], want: texts("3", "2.5", "10", "-1") },
  { name: "a part", run: [LIST, "SORT_RO l LIMIT 1 2"], want: texts("2.5", "3") },
  { name: "a negative count is all", run: [LIST, "SORT l LIMIT -5 -7"], want: texts("-1", "2.5", "3", "10") },
  { name: "beyond the end", run: [LIST, "SORT l LIMIT 9 2"], want: array() },
  { name: "not at all", run: [LIST, "SORT l BY nosort DESC LIMIT 1 2"], want: texts("-1", "10") },
  {
    name: "not at all, of a sorted set",
    run: ["ZADD z 1 x 2 y 3 w", "SORT z BY nosort DESC LIMIT 0 2"],
    want: texts("w", "y"),
  },
  {
    name: "by weights; what has none counts as 0",
    run: [...WEIGHTS, "SORT s BY w_*"],
    want: texts("c", "b", "a"),
  },
  {
    name: "by fields; what has none comes first in the order of texts",
    run: [...WEIGHTS, "SORT s BY h_*->f ALPHA"],
    want: texts("b", "c", "a"),
  },
  {
    name: "GET, several times",
    run: [...WEIGHTS, "SORT s BY w_* GET # GET w_* GET h_*->f LIMIT 1 2"],
    want: array(bulk("b"), bulk("1"), NIL, bulk("a"), bulk("3"), bulk("9")),
  },
  {
    name: "stored as a list; nothing is an empty text there",
    run: [...WEIGHTS, "SORT s ALPHA GET w_* STORE d", "LRANGE d 0 -1", "OBJECT ENCODING d"],
    want: [integer(3), texts("3", "1", ""), bulk("listpack")],
  },
  {
    name: "nothing to store removes what is there",
    run: ["SET d x", "SORT nosuch STORE d", "EXISTS d"],
    want: [integer(0), integer(0)],
  },
  {
    name: "a set that is not to be sorted is, where it is stored",
    run: ["SADD s b c a", "SORT s BY nosort STORE d", "LRANGE d 0 -1"],
    want: texts("a", "b", "c"),
  },
  {
    name: "what is no number",
    run: ["RPUSH l 1 x", "SORT l", "SORT l ALPHA"],
    want: [error("ERR One or more scores can't be converted into double"), texts("1", "x")],
  },
  { name: "another type", run: ["SET k 1", "SORT k"], want: [OK, WRONG_TYPE] },
  { name: "SORT_RO does not store", run: [LIST, "SORT_RO l STORE d"], want: SYNTAX },
];

testCases(cases);
