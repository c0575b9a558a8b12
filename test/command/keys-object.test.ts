// OBJECT and DEBUG's data commands. Wanted digests are redis-server 7.0.15's for the same commands.

import assert from "node:assert/strict";
import { test } from "vitest";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { array, bulk, type Case, error, integer, NIL, NOW_MS, testCases } from "./cases.ts";

const encodings: readonly (readonly [command: readonly string[], want: string])[] = [
  [["SET", "k", "1"], "int"],
  [["SET", "k", "-9223372036854775808"], "int"],
  [["SET", "k", "9223372036854775808"], "embstr"],
  [["SET", "k", "01"], "embstr"],
  [["SET", "k", ""], "embstr"],
  [["SET", "k", "x".repeat(44)], "embstr"],
  [["SET", "k", "x".repeat(45)], "raw"],
  [["INCR", "k"], "int"],
  [["APPEND", "k", "1"], "int"],
  [["SETRANGE", "k", "0", "1"], "raw"],
];

const NO_LFU =
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching " +
  "between policies at runtime LRU and LFU data will take some time to adjust.";

const cases: readonly Case[] = [
  ...encodings.map(([command, want]) => ({
    name: `OBJECT ENCODING after ${command.join(" ").slice(0, 40)} (${command.at(-1)!.length} bytes)`,
    run: [command, "OBJECT ENCODING k"],
    want: bulk(want),
  })),
  { name: "APPEND makes raw", run: ["SET k 1", "APPEND k 2", "OBJECT ENCODING k"], want: bulk("raw") },
  {
    name: "raw is copied",
    run: ["SET k 1", "APPEND k 2", "COPY k l", "OBJECT ENCODING l"],
    want: bulk("raw"),
  },
  {
    name: "SET makes int again",
    run: ["APPEND k 1", "APPEND k 2", "SET k 12", "OBJECT ENCODING k"],
    want: bulk("int"),
  },
  {
    name: "OBJECT of nothing",
    run: ["OBJECT ENCODING k", "OBJECT FREQ k", "OBJECT IDLETIME k", "OBJECT REFCOUNT k"],
    want: [NIL, NIL, NIL, NIL],
  },
  {
    name: "OBJECT REFCOUNT of a shared integer",
    run: ["SET k 9999", "OBJECT REFCOUNT k"],
    want: integer(2147483647),
  },
  { name: "OBJECT REFCOUNT", run: ["SET k 10000", "OBJECT REFCOUNT k"], want: integer(1) },
  { name: "OBJECT REFCOUNT of a list", run: ["RPUSH k x", "OBJECT REFCOUNT k"], want: integer(1) },
  { name: "OBJECT FREQ without LFU", run: ["SET k 1", "OBJECT FREQ k"], want: error(NO_LFU) },
  {
    name: "OBJECT alone",
    run: ["OBJECT"],
    want: error("ERR wrong number of arguments for 'object' command"),
  },
  {
    name: "OBJECT ENCODING alone",
    run: ["OBJECT ENCODING"],
    want: error("ERR wrong number of arguments for 'object|encoding' command"),
  },
  {
    name: "OBJECT junk",
    run: ["OBJECT junk k"],
    want: error("ERR unknown subcommand 'junk'. Try OBJECT HELP."),
  },

  { name: "DEBUG DIGEST of nothing", run: ["DEBUG DIGEST"], want: `+${"0".repeat(40)}\r\n` },
  {
    name: "DEBUG DIGEST",
    run: ["SET a 5", "DEBUG DIGEST"],
    want: "+bfab6e2862454f4c6eec0fb25b3e9455169af58c\r\n",
  },
  {
    name: "DEBUG DIGEST-VALUE",
    run: ["SET n 1", "DEBUG DIGEST-VALUE n zz"],
    want: array("+b4fc66738120fba0b5aa500ab5c2bf89cea1c5da\r\n", `+${"0".repeat(40)}\r\n`),
  },
  { name: "DEBUG OBJECT of nothing", run: ["DEBUG OBJECT k"], want: error("ERR no such key") },
  {
    name: "DEBUG STRINGMATCH-LEN",
    run: ["DEBUG STRINGMATCH-LEN a* abc", "DEBUG STRINGMATCH-LEN a? abc"],
    want: [integer(1), integer(0)],
  },
];

testCases(cases);

const idle: readonly (readonly [command: string, touches: boolean])[] = [
  ["GET k", true],
  ["STRLEN k", true],
  ["TOUCH k", true],
  ["APPEND k v", true],
  ["EXISTS k", false],
  ["TYPE k", false],
  ["TTL k", false],
  ["OBJECT ENCODING k", false],
  ["DEBUG DIGEST-VALUE k", false],
  ["SCAN 0", false],
];

for (const [command, touches] of idle) {
  test(`${command} ${touches ? "counts" : "does not count"} as a use`, () => {
    const executor = new MemoryExecutor({ clock: () => NOW_MS });
    executor.runOne(["SET", "k", "v"]);
    executor.setTime(NOW_MS + 30_000);
    executor.runOne(command.split(" "));
    assert.equal(executor.runOne(["OBJECT", "IDLETIME", "k"]).toString(), integer(touches ? 0 : 30));
  });
}

test("under LFU there are frequencies and no idle times", () => {
  const executor = new MemoryExecutor({ clock: () => NOW_MS });
  executor.store.lfu = true;
  executor.runOne(["SET", "k", "v"]);
  assert.equal(executor.runOne(["OBJECT", "FREQ", "k"]).toString(), integer(5));
  assert.match(
    executor.runOne(["OBJECT", "IDLETIME", "k"]).toString(),
    /^-ERR An LFU maxmemory policy is selected/,
  );
});
