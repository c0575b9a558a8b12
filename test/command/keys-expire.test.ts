// Deadlines: set, asked, removed, passed. All at a cluster time that stands still unless a test moves it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { bulk, type Case, error, integer, NIL, NOT_INTEGER, NOW_MS, testCases } from "./cases.ts";

const nowS = NOW_MS / 1000;
const invalid = (name: string): string => error(`ERR invalid expire time in '${name}' command`);
const NX_OTHERS = error("ERR NX and XX, GT or LT options at the same time are not compatible");

/** Deadline before (0 none), options, whether EXPIRE k 100 takes. */
const conditions: readonly (readonly [beforeS: number, options: string, taken: 0 | 1])[] = [
  [0, "NX", 1],
  [50, "NX", 0],
  [0, "XX", 0],
  [50, "xx", 1],
  [0, "GT", 0],
  [50, "GT", 1],
  [100, "GT", 0],
  [150, "GT", 0],
  [0, "LT", 1],
  [50, "LT", 0],
  [100, "LT", 0],
  [150, "LT", 1],
  [150, "XX LT", 1],
  [0, "XX LT", 0],
  [50, "GT XX", 1],
  [50, "NX NX", 0],
];

const cases: readonly Case[] = [
  { name: "EXPIRE", run: ["SET k v", "EXPIRE k 100", "PTTL k"], want: [integer(1), integer(100_000)] },
  { name: "PEXPIRE", run: ["SET k v", "PEXPIRE k 100", "PTTL k"], want: [integer(1), integer(100)] },
  { name: "EXPIREAT", run: ["SET k v", `EXPIREAT k ${nowS + 7}`, "TTL k"], want: [integer(1), integer(7)] },
  {
    name: "PEXPIREAT",
    run: ["SET k v", `PEXPIREAT k ${NOW_MS + 7}`, "PEXPIRETIME k"],
    want: [integer(1), integer(NOW_MS + 7)],
  },
  { name: "EXPIRE of nothing", run: ["EXPIRE k 100"], want: integer(0) },
  ...[
    "EXPIRE k 0",
    "EXPIRE k -1",
    "PEXPIRE k 0",
    "EXPIREAT k 1",
    "PEXPIREAT k -5",
    `PEXPIREAT k ${NOW_MS}`,
  ].map((command) => ({
    name: `${command} deletes`,
    run: ["SET k v", command, "EXISTS k", "DBSIZE"],
    want: [integer(1), integer(0), integer(0)],
  })),
  ...conditions.map(([beforeS, options, taken]) => ({
    name: `EXPIRE 100 ${options} with ${beforeS} before`,
    run: ["SET k v", beforeS > 0 ? `EXPIRE k ${beforeS}` : "PERSIST k", `EXPIRE k 100 ${options}`, "TTL k"],
    want: [integer(taken), integer(taken === 1 ? 100 : beforeS > 0 ? beforeS : -1)],
  })),
  { name: "EXPIRE NX XX", run: ["EXPIRE k 1 NX XX"], want: NX_OTHERS },
  { name: "EXPIRE NX GT", run: ["EXPIRE k 1 NX GT"], want: NX_OTHERS },
  {
    name: "EXPIRE GT LT",
    run: ["EXPIRE k 1 GT LT"],
    want: error("ERR GT and LT options at the same time are not compatible"),
  },
  {
    name: "EXPIRE junk, line end",
    run: ["EXPIRE k 1 junk\r\n\0c"],
    want: error("ERR Unsupported option junk"),
  },
  { name: "EXPIRE junk", run: ["EXPIRE k 1 a\r\nb\0c"], want: error("ERR Unsupported option a  b") },
  {
    name: "EXPIRE reads its options first",
    run: ["EXPIRE k x junk"],
    want: error("ERR Unsupported option junk"),
  },
  { name: "EXPIRE x", run: ["EXPIRE k x"], want: NOT_INTEGER },
  { name: "EXPIRE overflows in ms", run: ["EXPIRE k 9223372036854776"], want: invalid("expire") },
  { name: "EXPIRE underflows in ms", run: ["EXPIRE k -9223372036854776"], want: invalid("expire") },
  { name: "EXPIRE overflows with now", run: ["EXPIRE k 9223372036854775"], want: invalid("expire") },
  { name: "PEXPIRE overflows with now", run: ["PEXPIRE k 9223372036854775807"], want: invalid("pexpire") },
  { name: "EXPIREAT overflows", run: ["EXPIREAT k 9223372036854776"], want: invalid("expireat") },
  {
    name: "PEXPIREAT at the end of time",
    run: ["SET k v", "PEXPIREAT k 9223372036854775807", "PEXPIRETIME k"],
    want: [integer(1), integer("9223372036854775807")],
  },

  {
    name: "TTL of nothing",
    run: ["TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"],
    want: Array<string>(4).fill(integer(-2)),
  },
  {
    name: "TTL of a key for ever",
    run: ["SET k v", "TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"],
    want: Array<string>(4).fill(integer(-1)),
  },
  {
    name: "TTL rounds",
    run: ["SET k v PX 1499", "TTL k", "PEXPIRE k 1500", "TTL k"],
    want: [integer(1), integer(1), integer(2)],
  },
  {
    name: "EXPIRETIME rounds",
    run: [`SET k v PXAT ${NOW_MS + 1500}`, "EXPIRETIME k"],
    want: integer(nowS + 2),
  },
  {
    name: "PERSIST",
    run: ["SET k v EX 5", "PERSIST k", "PERSIST k", "PERSIST n"],
    want: [integer(1), integer(0), integer(0)],
  },
];

testCases(cases);

/** Cluster time moves on by `ms` after SET k v PX 1000 (and k2 for ever); what each command says then. */
const passing: readonly (readonly [ms: number, command: string, want: string])[] = [
  [999, "GET k", bulk("v")],
  [999, "TTL k", integer(0)],
  [1000, "GET k", NIL],
  [1000, "EXISTS k k2", integer(1)],
  [1000, "TTL k", integer(-2)],
  [1000, "TYPE k", "+none\r\n"],
  [1000, "DEL k", integer(0)],
  [1000, "PERSIST k", integer(0)],
  [1000, "EXPIRE k 5", integer(0)],
  [1000, "SETNX k w", integer(1)],
  [1000, "SET k w XX", NIL],
  [1000, "SET k w NX", "+OK\r\n"],
  [1000, "SET k w GET", NIL],
  [1000, "APPEND k w", integer(1)],
  [1000, "SETRANGE k 0 w", integer(1)],
  [1000, "INCR k", integer(1)],
  [1000, "INCRBYFLOAT k 1.5", bulk("1.5")],
  [1000, "GETSET k w", NIL],
  [1000, "GETDEL k", NIL],
  [1000, "GETEX k EX 5", NIL],
  [1000, "RENAME k k3", error("ERR no such key")],
  [1000, "RENAMENX k2 k", integer(1)],
  [1000, "COPY k k3", integer(0)],
  [1000, "COPY k2 k", integer(1)],
  [1000, "MOVE k 1", integer(0)],
  [1000, "KEYS *", `*1\r\n${bulk("k2")}`],
  [1000, "SCAN 0", `*2\r\n${bulk("0")}*1\r\n${bulk("k2")}`],
  [1000, "RANDOMKEY", bulk("k2")],
  [1000, "MSETNX k a k3 b", integer(1)],
  [1000, "DBSIZE", integer(2)],
];

for (const [ms, command, want] of passing) {
  test(`${ms} ms after SET k v PX 1000: ${command}`, () => {
    const executor = new MemoryExecutor({ clock: () => NOW_MS });
    executor.runOne(["SET", "k", "v", "PX", "1000"]);
    executor.runOne(["SET", "k2", "v"]);
    executor.setTime(NOW_MS + ms);
    assert.equal(executor.runOne(command.split(" ")).toString("latin1"), want);
  });
}

for (const command of ["SET k w KEEPTTL", "APPEND k w", "INCR k", "SETRANGE k 0 w", "INCRBYFLOAT k 1"]) {
  test(`a dead key's deadline is not inherited: ${command}`, () => {
    const executor = new MemoryExecutor({ clock: () => NOW_MS });
    executor.runOne(["SET", "k", "v", "PX", "1000"]);
    executor.setTime(NOW_MS + 1000);
    executor.runOne(command.split(" "));
    assert.equal(executor.runOne(["TTL", "k"]).toString(), integer(-1));
  });
}
