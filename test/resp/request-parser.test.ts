// Every case of the table, whole and cut; limits; memory; linear work.

import assert from "node:assert/strict";
import { test } from "vitest";
import {
  COMMAND,
  encodeCommand,
  NEED_MORE,
  ParserScratch,
  PROTOCOL_ERROR,
  RequestParser,
  redisLimits,
} from "../../src/resp/request-parser.ts";
import { type Case, cases, longCases } from "./cases.ts";
import { argumentsOf, cutAt, drive, type Options } from "./drive.ts";

const limits = { ...redisLimits, bulkBytesMax: 1024 * 1024, argumentsMax: 0x7fff_ffff };
const PIECE = 64 * 1024;

function check(row: Case, cuts: readonly number[], more: Options = {}): void {
  const chunks = cutAt(Buffer.from(row.wire, "latin1"), cuts);
  const got = drive(chunks, { limits, authenticated: row.unauthenticated !== true, ...more });
  const error = row.refused === undefined ? "" : `ERR Protocol error: ${row.refused}`;
  assert.deepEqual(got, { commands: row.commands, error }, `cut at ${cuts.join(", ")}`);
}

for (const row of cases) {
  test(`${row.name}: whole and cut everywhere`, () => {
    check(row, []);
    const length = row.wire.length;
    // TCP keeps order, not boundaries: the answer may not depend on where it cuts.
    for (let cut = 0; cut <= length; cut++) {
      check(row, [cut]);
      check(row, [cut], { keepSkipped: true });
      if (length < 64) for (let second = cut + 1; second <= length; second++) check(row, [cut, second]);
    }
    check(
      row,
      Array.from({ length }, (_, i) => i),
    );
  });
}

for (const row of longCases) {
  test(`${row.name}: whole and in pieces`, () => {
    check(row, []);
    for (const cut of [1, 4, 5, 6, PIECE - 1, PIECE, PIECE + 1, PIECE + 4, row.wire.length - 1]) {
      if (cut <= row.wire.length) check(row, [cut]);
    }
    check(
      row,
      Array.from({ length: Math.floor(row.wire.length / 1000) }, (_, i) => 1000 * i),
    );
  });
}

test("limits of a client that is not authenticated end with authentication", () => {
  const parser = new RequestParser(redisLimits);
  parser.authenticated = false;
  const ten = encodeCommand(Array.from({ length: 9 }, () => "x").concat("y".repeat(16 * 1024)));
  assert.equal(parser.next(ten, 0, ten.length), COMMAND);
  const eleven = encodeCommand(Array.from({ length: 11 }, () => "x"));
  assert.equal(parser.next(eleven, 0, eleven.length), PROTOCOL_ERROR);
  parser.authenticated = true;
  assert.equal(parser.next(eleven, 0, eleven.length), COMMAND);
});

test("a small unauthenticated limit holds on the fast path too", () => {
  const parser = new RequestParser({ ...redisLimits, unauthenticated: { arguments: 2, bulk: 5 } });
  parser.authenticated = false;
  const refuse = (wire: string): string => {
    assert.equal(parser.next(Buffer.from(wire), 0, wire.length), PROTOCOL_ERROR);
    return parser.errorText;
  };
  assert.equal(refuse("*3\r\n$1\r\nx\r\n"), "ERR Protocol error: unauthenticated multibulk length");
  assert.equal(refuse("*1\r\n$6\r\nxxxxxx\r\n"), "ERR Protocol error: unauthenticated bulk length");
  assert.equal(refuse("*1\r\n$10\r\nxxxxxxxxxx\r\n"), "ERR Protocol error: unauthenticated bulk length");
});

test("argument counts above the limit are refused before anything is allocated", () => {
  const scratch = new ParserScratch();
  const parser = new RequestParser(redisLimits, scratch);
  const capacity = scratch.offsets.length;
  const refused = Buffer.from("*1048577\r\n");
  assert.equal(parser.next(refused, 0, refused.length), PROTOCOL_ERROR);
  assert.equal(parser.errorText, "ERR Protocol error: invalid multibulk length");
  const largest = Buffer.from("*1048576\r\n$4\r\nMSET\r\n");
  assert.equal(parser.next(largest, 0, largest.length), NEED_MORE);
  assert.equal(scratch.offsets.length, capacity);
});

test("arguments follow the buffer when the command is resumed elsewhere", () => {
  const parts = Array.from({ length: 200 }, (_, i) => `argument ${i}`);
  const command = encodeCommand(parts);
  const parser = new RequestParser(redisLimits);
  for (const [cut, shift] of [
    [1500, 3],
    [2500, 0],
    [command.length, 1000],
  ] as const) {
    const moved = Buffer.concat([Buffer.alloc(shift, "$"), command]);
    const status = parser.next(moved, shift, shift + cut);
    assert.equal(status, cut === command.length ? COMMAND : NEED_MORE);
    assert.equal(parser.position, cut === command.length ? moved.length : shift);
  }
  assert.deepEqual(argumentsOf(parser), parts);
});

test("after reset other bytes may stand before the half-received command, or instead of it", () => {
  const large = encodeCommand(Array.from({ length: 100 }, (_, i) => `a${i}`));
  const before = encodeCommand(["PING"]);
  const unfinished = [large.subarray(0, 500), Buffer.from("PING unfinished"), Buffer.from("*1\r\n$4444")];
  for (const half of unfinished) {
    const parser = new RequestParser(redisLimits);
    assert.equal(parser.next(half, 0, half.length), NEED_MORE);
    parser.reset();
    const all = Buffer.concat([before, large]);
    assert.equal(parser.next(all, 0, all.length), COMMAND);
    assert.deepEqual(argumentsOf(parser), ["PING"]);
    assert.equal(parser.next(all, parser.position, all.length), COMMAND);
    assert.equal(parser.argumentCount, 100);
  }
});

test("two half-received commands on one scratch do not mix", () => {
  const a = encodeCommand(Array.from({ length: 100 }, (_, i) => `a${i}`));
  const b = encodeCommand(Array.from({ length: 90 }, (_, i) => `b${i}`));
  const scratch = new ParserScratch();
  const [first, second] = [new RequestParser(redisLimits, scratch), new RequestParser(redisLimits, scratch)];
  for (let cut = 1; cut < b.length; cut += 7) {
    assert.equal(first.next(a, 0, cut), NEED_MORE);
    assert.equal(second.next(b, 0, cut), NEED_MORE);
  }
  assert.equal(first.next(a, 0, a.length), COMMAND);
  assert.equal(argumentsOf(first).join(), Array.from({ length: 100 }, (_, i) => `a${i}`).join());
  assert.equal(second.next(b, 0, b.length), COMMAND);
  assert.equal(argumentsOf(second).join(), Array.from({ length: 90 }, (_, i) => `b${i}`).join());
});

test("bytesWanted never asks for more than the command has", () => {
  const command = encodeCommand(["SET", "k", "v".repeat(1000)]);
  const parser = new RequestParser(redisLimits);
  for (let cut = 0; cut < command.length; cut++) {
    assert.equal(parser.next(command, 0, cut), NEED_MORE);
    assert.ok(
      parser.bytesWanted > cut && parser.bytesWanted <= command.length,
      `${parser.bytesWanted} at ${cut}`,
    );
  }
  parser.next(command, 0, 100);
  assert.equal(parser.bytesWanted, command.length);
});

test("memory follows what arrived, not what was announced", () => {
  const command = Buffer.from(`*1048576\r\n${"$1\r\nx\r\n".repeat(40)}`);
  const parsers = Array.from({ length: 2000 }, () => new RequestParser(redisLimits));
  const before = process.memoryUsage().arrayBuffers;
  for (const parser of parsers) assert.equal(parser.next(command, 0, command.length), NEED_MORE);
  const each = (process.memoryUsage().arrayBuffers - before) / parsers.length;
  assert.ok(each < 2048, `${each} bytes for 40 arguments`);
});

test("idle parsers are tiny", () => {
  const command = encodeCommand(Array.from({ length: 1000 }, () => "x"));
  const parsers: RequestParser[] = [];
  const before = process.memoryUsage();
  for (let i = 0; i < 10_000; i++) {
    const parser = new RequestParser(redisLimits);
    parsers.push(parser);
    assert.equal(parser.next(command, 0, command.length - 1), NEED_MORE);
    assert.equal(parser.next(command, 0, command.length), COMMAND);
    assert.equal(parser.next(command, command.length, command.length), NEED_MORE);
    assert.equal(parser.argsBuffer.length, 0);
  }
  globalThis.gc?.();
  const after = process.memoryUsage();
  // Garbage included, where there is no gc() to call: a coarse bound on purpose.
  const kilobytes = (after.heapUsed - before.heapUsed) / 1024 / parsers.length;
  assert.ok(kilobytes < 4, `${kilobytes} KiB of heap for an idle parser`);
});

test("a million arguments in 64 KiB pieces are linear work", () => {
  const count = 1024 * 1024;
  const wire = Buffer.from(`*${count}\r\n${"$3\r\nabc\r\n".repeat(count)}`);
  const scratch = new ParserScratch();
  const parser = new RequestParser(redisLimits, scratch);
  const start = performance.now();
  let status = NEED_MORE;
  for (let to = PIECE; status === NEED_MORE; to += PIECE)
    status = parser.next(wire, 0, Math.min(to, wire.length));
  const milliseconds = performance.now() - start;
  assert.equal(status, COMMAND);
  assert.equal(parser.argumentCount, count);
  assert.equal(parser.offsets[2 * count - 1], wire.length - 2);
  // About 10 ms; reading the arguments anew for each piece would be 70 times that.
  assert.ok(milliseconds < 500, `${milliseconds} ms`);
  assert.equal(parser.next(wire, wire.length, wire.length), NEED_MORE);
  assert.ok(scratch.offsets.length <= 32_768, "the large array is not kept");
});

test("a large argument in 64 KiB pieces is linear work", () => {
  const size = 64 * 1024 * 1024;
  const head = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\n`);
  const wire = Buffer.concat([head, Buffer.alloc(size + 2)]);
  const parser = new RequestParser(redisLimits);
  const start = performance.now();
  for (let to = PIECE; to < wire.length; to += PIECE) assert.equal(parser.next(wire, 0, to), NEED_MORE);
  assert.equal(parser.bytesWanted, wire.length);
  assert.equal(parser.next(wire, 0, wire.length), COMMAND);
  const milliseconds = performance.now() - start;
  assert.ok(milliseconds < 100, `${milliseconds} ms`);
});

test("a long line byte by byte is linear work", () => {
  for (const first of ["*", "x", "*1\r\n$"]) {
    const wire = Buffer.from(first.padEnd(PIECE, "1"));
    const parser = new RequestParser(redisLimits);
    const start = performance.now();
    for (let to = 0; to <= wire.length; to++) assert.equal(parser.next(wire, 0, to), NEED_MORE);
    const milliseconds = performance.now() - start;
    // Searching from the start each time is 2 * 10^9 bytes: seconds.
    assert.ok(milliseconds < 500, `${milliseconds} ms`);
  }
});
