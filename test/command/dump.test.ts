// DUMP and RESTORE: payloads byte for byte, options, deadlines, errors.

import assert from "node:assert/strict";
import { test } from "vitest";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { payloadOf, stringBody } from "../differential/payload.ts";
import { fc } from "../property.ts";
import { bulk, type Case, error, integer, NIL, NOW_MS, OK, SYNTAX, testCases } from "./cases.ts";

const ONE = payloadOf(stringBody("1"));
const BAD_FORMAT = error("ERR Bad data format");
const CHECKSUM = error("ERR DUMP payload version or checksum are wrong");
const BUSY = error("BUSYKEY Target key name already exists.");

const restored = (body: string, text: string): Case => ({
  name: `RESTORE of ${JSON.stringify(body)}`,
  run: [["RESTORE", "k", "0", payloadOf(body)], "GET k"],
  want: [OK, bulk(text)],
});

const cases: readonly Case[] = [
  { name: "DUMP", run: ["SET k 10", "DUMP k"], want: bulk(payloadOf("\x00\xc0\x0a")) },
  { name: "DUMP of nothing", run: ["DUMP k"], want: NIL },
  {
    name: "DUMP of a long string",
    run: [["SET", "k", "x".repeat(64)], "DUMP k"],
    want: bulk(payloadOf(`\x00\x40\x40${"x".repeat(64)}`)),
  },
  restored("\x00\xc0\x85", "-123"),
  restored("\x00\xc1\x00\x80", "-32768"),
  restored("\x00\xc2\xff\xff\xff\x7f", "2147483647"),
  restored("\x00\x80\x00\x00\x00\x03abc", "abc"),
  restored("\x00\xc3\x05\x14\x00a\xe0\x0a\x00", "a".repeat(20)),
  { name: "version 11", run: [["RESTORE", "k", "0", payloadOf(stringBody("1"), 11)]], want: OK },
  { name: "version 12", run: [["RESTORE", "k", "0", payloadOf(stringBody("1"), 12)]], want: CHECKSUM },
  { name: "a bit off", run: [["RESTORE", "k", "0", `${ONE.slice(0, -1)}~`]], want: CHECKSUM },
  { name: "nine bytes", run: [["RESTORE", "k", "0", "123456789"]], want: CHECKSUM },
  {
    name: "of no type",
    run: [["RESTORE", "k", "0", payloadOf("\xfe\x01a")], "EXISTS k"],
    want: [BAD_FORMAT, integer(0)],
  },
  {
    name: "packed to more than can be",
    run: [["RESTORE", "k", "0", payloadOf("\x00\xc3\x01\x80\x1f\xff\xff\xff\x00a")]],
    want: BAD_FORMAT,
  },
  { name: "BUSYKEY before the payload", run: ["SET k 1", ["RESTORE", "k", "x", "junk"]], want: BUSY },
  {
    name: "a bad payload replaces nothing",
    run: ["SET k 1", ["RESTORE", "k", "0", payloadOf("\x00\x7f"), "REPLACE"], "GET k"],
    want: [BAD_FORMAT, bulk("1")],
  },
  {
    name: "REPLACE, whatever the type",
    run: ["RPUSH k x", ["RESTORE", "k", "0", ONE, "REPLACE"], "GET k"],
    want: [OK, bulk("1")],
  },
  {
    name: "REPLACE drops the deadline",
    run: ["SET k x EX 9", ["RESTORE", "k", "0", ONE, "REPLACE"], "TTL k"],
    want: [OK, integer(-1)],
  },
  { name: "a time to live", run: [["RESTORE", "k", "9000", ONE], "PTTL k"], want: [OK, integer(9000)] },
  {
    name: "ABSTTL",
    run: [["RESTORE", "k", String(NOW_MS + 5), ONE, "ABSTTL"], "PTTL k"],
    want: [OK, integer(5)],
  },
  {
    name: "ABSTTL in the past",
    run: ["SET k 2", ["RESTORE", "k", "5", ONE, "ABSTTL", "REPLACE"], "EXISTS k"],
    want: [OK, integer(0)],
  },
  {
    name: "a negative time",
    run: [["RESTORE", "k", "-1", ONE]],
    want: error("ERR Invalid TTL value, must be >= 0"),
  },
  {
    name: "IDLETIME",
    run: [["RESTORE", "k", "0", ONE, "IDLETIME", "77"], "OBJECT IDLETIME k"],
    want: [OK, integer(77)],
  },
  {
    name: "IDLETIME below 0",
    run: [["RESTORE", "k", "0", ONE, "IDLETIME", "-1"]],
    want: error("ERR Invalid IDLETIME value, must be >= 0"),
  },
  {
    name: "FREQ over 255",
    run: [["RESTORE", "k", "0", ONE, "FREQ", "256"]],
    want: error("ERR Invalid FREQ value, must be >= 0 and <= 255"),
  },
  {
    name: "FREQ and IDLETIME",
    run: [["RESTORE", "k", "0", ONE, "FREQ", "1", "IDLETIME", "1"]],
    want: SYNTAX,
  },
];
testCases(cases);

test("what is dumped is restored", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.bigInt().map((n) => Buffer.from(String(n))),
      ),
      (value) => {
        const executor = new MemoryExecutor();
        executor.runOne(["SET", "a", value]);
        const dumped = executor.runOne(["DUMP", "a"]);
        const payload = dumped.subarray(dumped.indexOf("\r\n") + 2, -2);
        assert.equal(executor.runOne(["RESTORE", "b", "0", payload]).toString(), OK);
        assert.deepEqual(executor.runOne(["GET", "b"]), executor.runOne(["GET", "a"]));
      },
    ),
  );
});
