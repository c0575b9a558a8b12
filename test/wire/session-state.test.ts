// What clients have in the replicated state, as it travels in a snapshot: it comes back as it went in, and what no node
// would write is a coded refusal, never an exception.

import assert from "node:assert/strict";
import { test } from "vitest";
import {
  decodeSessionState,
  encodeSessionState,
  type WaiterState,
  type WatchState,
} from "../../src/wire/session-state.ts";
import { fc } from "../property.ts";

const watch = (session: number, ...databases: readonly number[]): WatchState => ({
  owner: { incarnation: 7, session, serial: 1 },
  commands: 1,
  isDirty: false,
  keys: databases.map((database) => ({ database, key: Buffer.from(`key of ${database}`) })),
});

const waiter = (session: number, database: number): WaiterState => ({
  owner: { incarnation: 7, session, serial: 9 },
  database,
  keys: [Buffer.from("a"), Buffer.from("")],
  type: 1,
  evenWithoutKey: session > 1,
  command: Buffer.from("command"),
});

const settings = (count: number, length: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`setting-${i}`, "v".repeat(length)]);

test("comes back as it went in", () => {
  const state = {
    watches: [watch(1, 0, 15), watch(2)],
    waiters: [waiter(3, 15), waiter(1, 0)],
    settings: [["maxmemory", "5"] as const],
  };
  const back = decodeSessionState(encodeSessionState(state), 16);
  assert.deepEqual(back, { ok: true, value: state });
});

for (const { name, encoded, error } of [
  { name: "no protobuf", encoded: Buffer.from("garbage"), error: "malformed" },
  {
    name: "cut short",
    encoded: encodeSessionState({ watches: [watch(1, 0)], waiters: [], settings: [] }).subarray(0, -1),
    error: "malformed",
  },
  { name: "no owner", encoded: Buffer.from("0a00", "hex"), error: "missing" },
  {
    name: "a database too many",
    encoded: encodeSessionState({ watches: [watch(1, 16)], waiters: [], settings: [] }),
    error: "outOfRange",
  },
  {
    name: "a waiter's database too many",
    encoded: encodeSessionState({ watches: [], waiters: [waiter(1, 16)], settings: [] }),
    error: "outOfRange",
  },
  {
    name: "too many settings",
    encoded: encodeSessionState({ watches: [], waiters: [], settings: settings(257, 1) }),
    error: "outOfRange",
  },
  {
    name: "a setting too long",
    encoded: encodeSessionState({ watches: [], waiters: [], settings: settings(1, 1025) }),
    error: "outOfRange",
  },
  {
    name: "one session waits twice",
    encoded: encodeSessionState({ watches: [], waiters: [waiter(1, 0), waiter(1, 0)], settings: [] }),
    error: "malformed",
  },
  {
    name: "one session twice",
    encoded: encodeSessionState({ watches: [watch(1), watch(1, 2)], waiters: [], settings: [] }),
    error: "malformed",
  },
]) {
  test(`refused: ${name}`, () => {
    const back = decodeSessionState(encoded, 16);
    assert.equal(back.ok ? "ok" : back.error, error);
  });
}

test("property: no bytes at all make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      decodeSessionState(bytes, 4);
    }),
    { numRuns: 1000 },
  );
});
