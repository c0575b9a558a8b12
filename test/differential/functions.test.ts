// Two functions that the random commands touch too seldom, each against redis-server on many inputs: the glob
// matcher through KEYS, and long double addition through INCRBYFLOAT.
//
//   DIFFERENTIAL_SEED=n   the inputs      DIFFERENTIAL_COMMANDS=n   how many

import assert from "node:assert/strict";
import { test } from "vitest";
import { globMatches } from "../../src/base/glob.ts";
import { addLongDoubles, parseLongDouble } from "../../src/base/long-double.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { replyError } from "../../src/command/errors.ts";
import { drawsOf } from "../chance.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import type { TcpExecutor } from "./tcp-executor.ts";

const version = installedVersion();
const note = version === undefined ? " (skipped: no redis-server installed)" : "";
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

async function withRedis(run: (redis: TcpExecutor) => Promise<void>): Promise<void> {
  const redis = await startRedisServer();
  try {
    await run(redis.executor);
  } finally {
    await redis.stop();
  }
}

function textOf(random: Xoshiro, alphabet: string, lengthMax: number): string {
  const length = random.below(lengthMax + 1);
  return Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join("");
}

for (const { seed, count, text } of drawsOf("functions")) {
  test.skipIf(version === undefined)(`glob patterns: ${text}${note}`, () =>
    withRedis((redis) => compareGlobs(redis, seed, count)),
  );
  test.skipIf(version === undefined)(`long doubles: ${text}${note}`, () =>
    withRedis((redis) => compareLongDoubles(redis, seed, count)),
  );
}

async function compareGlobs(redis: TcpExecutor, seed: number, count: number): Promise<void> {
  const random = new Xoshiro(seed);
  const texts = new Set(
    Array.from({ length: 300 }, () => textOf(random, "aabbcB]^-\\[*\x00\x7f\x80\xff", 6)),
  );
  await redis.run([...texts].map((text) => [latin1("SET"), latin1(text), latin1("1")]));
  for (let round = 0; round < count; round += 50) {
    const patterns = Array.from({ length: 50 }, () =>
      textOf(random, "aabbcB***??[[]]^--\\\\\x00\x7f\x80\xff", 10),
    );
    const replies = await redis.run(patterns.map((pattern) => [latin1("KEYS"), latin1(pattern)]));
    patterns.forEach((pattern, i) => {
      if (pattern === "*") return; // KEYS does not ask the matcher
      const theirs = bulksOf(replies[i]!).sort();
      const bytes = latin1(pattern);
      const ours = [...texts].filter((text) =>
        globMatches(bytes, 0, bytes.length, latin1(text), 0, text.length),
      );
      assert.deepEqual(ours.sort(), theirs, `seed ${seed}, pattern ${JSON.stringify(pattern)}`);
    });
  }
}

function bulksOf(reply: Buffer): string[] {
  const items: string[] = [];
  let at = reply.indexOf("\r\n") + 2;
  while (at < reply.length) {
    const lineEnd = reply.indexOf("\r\n", at);
    const length = Number(reply.toString("latin1", at + 1, lineEnd));
    items.push(reply.toString("latin1", lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
  return items;
}

async function compareLongDoubles(redis: TcpExecutor, seed: number, count: number): Promise<void> {
  const random = new Xoshiro(seed);
  for (let round = 0; round < count; round += 50) {
    const pairs = Array.from({ length: 50 }, () => [floatText(random), floatText(random)] as const);
    const replies = await redis.run(
      pairs.flatMap(([a, b]) => [
        [latin1("SET"), latin1("k"), latin1(a)],
        [latin1("INCRBYFLOAT"), latin1("k"), latin1(b)],
      ]),
    );
    pairs.forEach(([a, b], i) => {
      const theirs = replies[2 * i + 1]!.toString("latin1");
      assert.equal(oursOf(a, b), theirs, `seed ${seed}: ${JSON.stringify(a)} + ${JSON.stringify(b)}`);
    });
  }
}

function oursOf(a: string, b: string): string {
  const x = parseLongDouble(latin1(a), 0, a.length);
  const y = parseLongDouble(latin1(b), 0, b.length);
  if (x === undefined || y === undefined) return `-${replyError.notFloat}\r\n`;
  const sum = addLongDoubles(x, y);
  return sum === undefined ? `-${replyError.incrementNotFinite}\r\n` : `$${sum.length}\r\n${sum}\r\n`;
}

function floatText(random: Xoshiro): string {
  const sign = ["", "", "-", "+"][random.below(4)]!;
  const kind = random.below(10);
  if (kind === 0) return sign + textOf(random, "0123456789.eE-+xXpPinfa ", 8);
  if (kind === 1)
    return `${sign}0x${textOf(random, "0123456789abcdefF", 20)}.${textOf(random, "08f", 8)}p${random.below(140) - 70}`;
  if (kind === 2) return `${sign}${digits(random, 25)}e${random.below(10_000) - 5000}`;
  if (kind === 3) return sign + String(2n ** BigInt(random.below(70)) + BigInt(random.below(3)) - 1n);
  if (kind === 4) return `${sign}${digits(random, 4)}e${-4960 + random.below(30)}`;
  if (kind === 5) return `${sign}${digits(random, 40)}.${digits(random, 40)}`;
  return `${sign}${digits(random, 12)}.${digits(random, 18)}`;
}

function digits(random: Xoshiro, lengthMax: number): string {
  return textOf(random, "0123456789", lengthMax);
}
