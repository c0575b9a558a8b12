// Random streams: what redis-parser makes of the well-formed ones we make too, wherever they are cut; damaged ones
// give the same however they are cut, never throw, and allocate no more than they sent.
//
//   SEED=n   the streams      RUNS=n   how many of each kind

import assert from "node:assert/strict";
import RedisParser, { type Reply } from "redis-parser";
import { test } from "vitest";
import { encodeCommand, ParserScratch, redisLimits } from "../../src/resp/request-parser.ts";
import { drawsOf } from "../chance.ts";
import { fc } from "../property.ts";
import { cutAt, drive } from "./drive.ts";

interface Settings {
  readonly seed: number;
  readonly numRuns: number;
}

const argument = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 90, maxLength: 120 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("*1\r\n", "$3\r\n", "\r\n", "\n", "\x00").map((text) => Buffer.from(text)),
  },
);
const command = fc.oneof(
  { weight: 8, arbitrary: fc.array(argument, { minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.array(argument, { minLength: 30, maxLength: 200 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 900, maxLength: 3000 }).map((bytes) => [bytes]) },
);
const stream = fc.array(command, { minLength: 1, maxLength: 8 });
/** Places to cut, as fractions of the length. */
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

function cutAtFractions(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  return cutAt(
    bytes,
    fractions.map((fraction) => Math.floor(fraction * bytes.length)),
  );
}

for (const { seed, count: numRuns, text } of drawsOf("request parser")) {
  const settings = { seed, numRuns };
  test(`well-formed streams: the same as redis-parser, wherever they are cut: ${text}`, () =>
    likeRedisParser(settings));
  test(`damaged streams: the same however they are cut, no throw, bounded memory: ${text}`, () =>
    damagedStreams(settings));
  test(`random bytes: the same however they are cut, no throw, bounded memory: ${text}`, () =>
    randomStreams(settings));
}

function likeRedisParser(settings: Settings): void {
  fc.assert(
    fc.property(stream, places, (commands, fractions) => {
      const chunks = cutAtFractions(Buffer.concat(commands.map((parts) => encodeCommand(parts))), fractions);
      const theirs: Reply[] = [];
      const parser = new RedisParser({
        returnReply: (reply) => theirs.push(reply),
        returnError: assert.ifError,
        returnFatalError: assert.ifError,
        returnBuffers: true,
      });
      // It does not take empty chunks; a socket gives none.
      for (const chunk of chunks) if (chunk.length > 0) parser.execute(chunk);
      const ours = drive(chunks);
      assert.equal(ours.error, "");
      assert.deepEqual(ours.commands, theirs.map(latin1));
      assert.deepEqual(
        ours.commands,
        commands.map((parts) => parts.map((part) => Buffer.from(part).toString("latin1"))),
      );
    }),
    settings,
  );
}

function latin1(reply: Reply): string[] {
  assert.ok(Array.isArray(reply));
  return reply.map((part) => {
    assert.ok(Buffer.isBuffer(part));
    return part.toString("latin1");
  });
}

const TELLING = Buffer.from(`\r\n*$0123456789-+ "'\\x\x00`);
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom("change", "drop", "insert"),
  byte: fc.oneof(fc.constantFrom(...TELLING), fc.integer({ min: 0, max: 255 })),
});

function damagedStreams(settings: Settings): void {
  fc.assert(
    fc.property(
      stream,
      fc.array(damage, { minLength: 1, maxLength: 6 }),
      places,
      fc.boolean(),
      (commands, hits, fractions, authenticated) => {
        let bytes = Buffer.concat(commands.map((parts) => encodeCommand(parts)));
        for (const { at, kind, byte } of hits) {
          const index = Math.floor(at * bytes.length);
          const rest = bytes.subarray(kind === "insert" ? index : index + 1);
          bytes = Buffer.concat([bytes.subarray(0, index), Buffer.from(kind === "drop" ? [] : [byte]), rest]);
        }
        sameWhereverCut(bytes, fractions, authenticated);
      },
    ),
    settings,
  );
}

function randomStreams(settings: Settings): void {
  const bytes = fc.oneof(
    fc.array(fc.constantFrom(...TELLING), { maxLength: 200 }).map((list) => Buffer.from(list)),
    fc.uint8Array({ maxLength: 200 }).map((list) => Buffer.from(list)),
  );
  fc.assert(fc.property(bytes, places, fc.boolean(), sameWhereverCut), settings);
}

function sameWhereverCut(bytes: Buffer, fractions: readonly number[], authenticated: boolean): void {
  const limits = { ...redisLimits, inlineBytesMax: 40 };
  const scratch = new ParserScratch();
  const capacity = scratch.offsets.length;
  const whole = drive([bytes], { limits, authenticated });
  const cut = drive(cutAtFractions(bytes, fractions), { limits, authenticated, scratch });
  const everywhere = drive(cutAt(bytes, Array.from(bytes.keys())), {
    limits,
    authenticated,
    keepSkipped: true,
  });
  assert.deepEqual(cut, whole);
  assert.deepEqual(everywhere, whole);
  assert.ok(scratch.offsets.length <= Math.max(capacity, bytes.length), `${scratch.offsets.length} offsets`);
  assert.ok(scratch.line.length <= 1024, `${scratch.line.length} bytes of line`);
}
