// Histories small enough to see with the eye whether one copy of the data could have given these replies.

import assert from "node:assert/strict";
import { test } from "vitest";
import { checkHistory } from "./linearizability.ts";
import type { Operation } from "./model.ts";

const OPEN = Number.POSITIVE_INFINITY;

/** [connection, call, return, command, reply]; a return of OPEN is an unknown outcome. */
type Row = readonly [connection: number, callMs: number, returnMs: number, command: string, reply?: string];

const cases: {
  name: string;
  rows: Row[];
  want: "linearizable" | "violation";
  group?: string;
  mayVanish?: true;
}[] = [
  { name: "nothing happened", rows: [], want: "linearizable" },
  {
    name: "a read sees the write before it",
    want: "linearizable",
    rows: [
      [1, 0, 1, "SET k a0;", "+OK"],
      [2, 2, 3, "GET k", "$a0;"],
    ],
  },
  {
    name: "a read misses the write before it",
    want: "violation",
    rows: [
      [1, 0, 1, "SET k a0;", "+OK"],
      [2, 2, 3, "GET k", "$-1"],
    ],
  },
  {
    name: "a read beside the write may miss it",
    want: "linearizable",
    rows: [
      [1, 0, 4, "SET k a0;", "+OK"],
      [2, 2, 3, "GET k", "$-1"],
    ],
  },
  {
    name: "a value comes back",
    want: "violation",
    rows: [
      [1, 0, 1, "SET k a0;", "+OK"],
      [1, 2, 3, "SET k a1;", "+OK"],
      [2, 2, 9, "GET k", "$a1;"],
      [2, 10, 11, "GET k", "$a0;"],
    ],
  },
  {
    name: "new, then old, by two readers",
    want: "violation",
    rows: [
      [1, 0, 9, "SET k a0;", "+OK"],
      [2, 1, 2, "GET k", "$a0;"],
      [3, 3, 4, "GET k", "$-1"],
    ],
  },
  {
    name: "an unknown write may have happened",
    want: "linearizable",
    rows: [
      [1, 0, OPEN, "SET k a0;"],
      [2, 2, 3, "GET k", "$a0;"],
    ],
  },
  {
    name: "an unknown write may never happen",
    want: "linearizable",
    rows: [
      [1, 0, OPEN, "SET k a0;"],
      [2, 2, 3, "GET k", "$-1"],
    ],
  },
  {
    name: "an unknown write may happen late",
    want: "linearizable",
    rows: [
      [1, 0, OPEN, "SET k a0;"],
      [2, 2, 3, "GET k", "$-1"],
      [2, 8, 9, "GET k", "$a0;"],
    ],
  },
  {
    name: "an unknown write happens once",
    want: "violation",
    rows: [
      [1, 0, OPEN, "INCR k"],
      [2, 2, 3, "GET k", "$1"],
      [2, 8, 9, "GET k", "$2"],
    ],
  },
  {
    name: "not before it was called",
    want: "violation",
    rows: [
      [1, 5, OPEN, "SET k a0;"],
      [2, 2, 3, "GET k", "$a0;"],
    ],
  },
  {
    name: "two increments, one lost",
    want: "violation",
    rows: [
      [1, 0, 2, "INCR k", ":1"],
      [2, 0, 2, "INCR k", ":1"],
    ],
  },
  {
    name: "increments in the order of their replies",
    want: "linearizable",
    rows: [
      [1, 0, 2, "INCR k", ":2"],
      [2, 0, 2, "INCR k", ":1"],
    ],
  },
  {
    name: "appended twice",
    want: "violation",
    rows: [
      [1, 0, 1, "APPEND k a0;", ":3"],
      [2, 2, 3, "GET k", "$a0;a0;"],
    ],
  },
  {
    name: "a pipeline keeps its order",
    want: "violation",
    rows: [
      [1, 0, 9, "GET k", "$a0;"],
      [1, 0, 9, "SET k a0;", "+OK"],
    ],
  },
  {
    name: "alive before its time",
    want: "linearizable",
    rows: [
      [1, 0, 1, "SET k a0; PX 100", "+OK"],
      [2, 50, 51, "GET k", "$a0;"],
    ],
  },
  {
    name: "dead before its time",
    want: "violation",
    rows: [
      [1, 0, 1, "SET k a0; PX 100", "+OK"],
      [2, 50, 51, "GET k", "$-1"],
    ],
  },
  {
    name: "dead after its time",
    want: "linearizable",
    rows: [
      [1, 0, 1, "SET k a0; PX 100", "+OK"],
      [2, 101, 102, "GET k", "$-1"],
    ],
  },
  {
    name: "back from the dead",
    want: "violation",
    rows: [
      [1, 0, 1, "SET k a0; PX 100", "+OK"],
      [2, 101, 102, "GET k", "$-1"],
      [2, 103, 104, "GET k", "$a0;"],
    ],
  },
  {
    name: "half of two writes",
    want: "violation",
    group: "pair",
    rows: [
      [1, 0, 1, "MSET k.0 a0; k.1 a1;", "+OK"],
      [1, 2, 5, "MSET k.0 b0; k.1 b1;", "+OK"],
      [2, 2, 3, "MGET k.0 k.1", "*$b0;,$a1;"],
    ],
  },
  {
    name: "what changes nothing now may be what changes something later",
    want: "linearizable",
    rows: [
      [1, 0, 1, "ZADD k 3 z", ":1"],
      [1, 2, 9, "ZADD k 3 z", ":0"],
      [2, 3, 8, "ZADD k 4 z", ":0"],
      [3, 10, 11, "ZSCORE k z", "$3"],
    ],
  },
  {
    name: "a rename moves",
    want: "linearizable",
    group: "pair",
    rows: [
      [1, 0, 1, "MSET k.0 a0; k.1 a1;", "+OK"],
      [1, 2, 3, "RENAME k.0 k.1", "+OK"],
      [2, 4, 5, "MGET k.0 k.1", "*$-1,$a0;"],
    ],
  },
  {
    name: "evicted",
    want: "linearizable",
    mayVanish: true,
    rows: [
      [1, 0, 1, "SET k a0;", "+OK"],
      [2, 2, 3, "GET k", "$-1"],
    ],
  },
  {
    name: "evicted, and there again",
    want: "violation",
    mayVanish: true,
    rows: [
      [1, 0, 1, "SET k a0;", "+OK"],
      [2, 2, 3, "GET k", "$-1"],
      [2, 4, 5, "GET k", "$a0;"],
    ],
  },
  {
    name: "evicted in part",
    want: "violation",
    mayVanish: true,
    rows: [
      [1, 0, 1, "APPEND k a.0;", ":4"],
      [1, 2, 3, "APPEND k a.1;", ":8"],
      [2, 4, 5, "GET k", "$a.1;"],
    ],
  },
  {
    name: "evicted between two of a pair",
    want: "linearizable",
    group: "pair0",
    mayVanish: true,
    rows: [
      [1, 0, 1, "MSET k.0 a0; k.1 a1;", "+OK"],
      [2, 2, 3, "MGET k.0 k.1", "*$-1,$a1;"],
      [2, 4, 5, "MGET k.0 k.1", "*$-1,$-1"],
    ],
  },
  {
    name: "a member that is added again to what was evicted",
    want: "linearizable",
    mayVanish: true,
    rows: [
      [1, 0, 1, "SADD k m", ":1"],
      [1, 2, 3, "SADD k m", ":1"],
      [2, 4, 5, "SMEMBERS k", "*$m"],
    ],
  },
];

for (const { name, rows, want, group = "k", mayVanish = false } of cases) {
  test(name, () => {
    const history = rows.map(([connection, callMs, returnMs, command, reply], order): Operation => {
      const client = String(connection);
      const words = command.split(" ");
      return { client, connection, order, group, command: words, callMs, returnMs, reply, mayVanish };
    });
    assert.equal(checkHistory(history).kind, want);
  });
}
