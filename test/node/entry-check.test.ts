// Entries as peers send them: what every replica can apply passes, what would end all of them is refused with a reason.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { lookupId } from "../../src/command/lookup.ts";
import { EntryCheck } from "../../src/machine/entry-check.ts";
import { encodeCommand, redisLimits } from "../../src/resp/request-parser.ts";
import { ENTRY_HEADER_BYTES, writeEntryHeader } from "../../src/wire/entry-codec.ts";

const check = new EntryCheck(redisLimits, 16);
const OWNER = "1:2:3";

function payloadOf(
  commands: readonly Buffer[],
  { timeMs = 1, evictions = 0, more = Buffer.alloc(0) } = {},
): Buffer {
  const bytes = Buffer.concat(commands);
  const payload = Buffer.concat([Buffer.alloc(ENTRY_HEADER_BYTES), bytes, more]);
  writeEntryHeader(payload, 0, timeMs, 0, bytes.length, evictions, 0);
  return payload;
}

const command = (...words: (string | Buffer)[]): Buffer => encodeCommand(words);
const set = command("SET", "k", "v");
const get = command("GET", "k");
const execOf = (count: string, commands: Buffer | string): Buffer =>
  payloadOf([command("EXEC", OWNER, "0", count, "0", commands)]);
const tryOf = (database: string, waiting: Buffer): Buffer =>
  payloadOf([command("seshat.try", OWNER, database, "0", waiting), command("seshat.cancel", OWNER)]);
const evicting = (database: number, key: string, length = key.length): Buffer => {
  const more = Buffer.concat([Buffer.alloc(8 + 6), Buffer.from(key)]);
  more.writeUInt16LE(database, 8);
  more.writeUInt32LE(length, 10);
  return payloadOf([set], { evictions: 1, more });
};

describe("entries that can be applied", () => {
  const good: [string, Buffer][] = [
    ["a write", payloadOf([set])],
    ["nothing", payloadOf([])],
    ["writes in several databases", payloadOf([set, command("SELECT", "15"), set])],
    ["a transaction", execOf("2", Buffer.concat([set, command("SELECT", "1"), get]))],
    ["a watch and its end", payloadOf([command("WATCH", OWNER, "1", "k"), command("UNWATCH", OWNER)])],
    ["a try and its end", tryOf("0", command("BLPOP", "l", "0"))],
    ["a digest", payloadOf([command("seshat.digest", "0", "4294967295", "64", "3")])],
    ["an eviction", evicting(3, "key")],
  ];
  for (const [name, payload] of good) test(name, () => assert.equal(check.problem(payload), undefined));
});

describe("entries that nobody can apply", () => {
  const older = payloadOf([set]);
  older[0] = 9;
  const long = payloadOf([set]);
  long.writeUInt32LE(1000, 16);
  const bad: [string, Buffer, RegExp][] = [
    ["no header", Buffer.alloc(5), /has no header/],
    ["another version", older, /payload version 9/],
    ["commands behind the end", long, /commands end at 1024/],
    ["a time that is none", payloadOf([set], { timeMs: Number.NaN }), /entry time NaN/],
    ["a part of a millisecond", payloadOf([set], { timeMs: 1.5 }), /entry time 1.5/],
    ["a time beyond all dates", payloadOf([set], { timeMs: 1e300 }), /entry time/],
    ["half a command", payloadOf([set.subarray(0, 9)]), /no command at byte 24/],
    ["an unknown command", payloadOf([command("NOSUCH")]), /NOSUCH with 0 arguments has no place/],
    ["too few arguments", payloadOf([command("SET", "k")]), /SET with 1 arguments/],
    ["a read", payloadOf([get]), /GET with 1/],
    ["a command of the node itself", payloadOf([command("SHUTDOWN")]), /SHUTDOWN/],
    ["a database that is not there", payloadOf([command("SELECT", "16")]), /SELECT/],
    ["no database", payloadOf([command("SELECT", "x")]), /SELECT/],
    ["a transaction of too few", execOf("2", set), /of 2 commands holds 1/],
    ["a transaction of half a command", execOf("1", set.subarray(0, 9)), /no command at byte/],
    ["a transaction in itself", execOf("1", command("EXEC")), /EXEC with 0/],
    ["EXEC as clients send it", payloadOf([command("EXEC")]), /EXEC with 0/],
    ["a watch by nobody", payloadOf([command("WATCH", "me", "1", "k")]), /watch of me/],
    ["a try of two commands", tryOf("0", Buffer.concat([set, set])), /2 commands wait/],
    ["a try in no database", tryOf("99", set), /seshat.try/],
    ["a digest of no database", payloadOf([command("seshat.digest", "16", "0", "1", "0")]), /seshat.digest/],
    ["an eviction from no database", evicting(16, "k"), /database 16 of 16/],
    ["an eviction behind the end", evicting(0, "k", 99), /evictions end at/],
    ["evictions that are not there", payloadOf([set], { evictions: 9 }), /eviction 0 starts/],
  ];
  for (const [name, payload, why] of bad) {
    test(name, () => assert.match(check.problem(payload) ?? "", why));
  }
});

test("a log form alone, as members pass it on", () => {
  const problemOf = (...words: string[]): string | undefined => {
    const args = Args.of(...words);
    return check.formProblem(lookupId(args), args);
  };
  assert.equal(problemOf("UNWATCH", OWNER), undefined);
  assert.match(problemOf("UNWATCH", "x") ?? "", /unwatch of x/);
  assert.equal(problemOf("GET", "k"), undefined, "no log form");
});
