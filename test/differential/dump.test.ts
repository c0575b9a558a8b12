// Values dumped by redis-server and restored here, and the other way: the same value must come out, in the same encoding.
//
//   DIFFERENTIAL_SEED=n   the values      DIFFERENTIAL_COMMANDS=n   how many

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { drawsOf } from "../chance.ts";
import { TEST_MS_MAX } from "../until.ts";
import type { Executor } from "./executor.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";

const version = installedVersion();
const NUMBERS =
  "0 -1 127 128 -128 -129 32767 32768 -32768 -32769 2147483647 2147483648 -2147483648 -2147483649".split(" ");

/** Runs that can be packed, from near and from far, and bytes that cannot. */
function drawValue(random: Xoshiro): Buffer {
  const how = random.below(6);
  if (how === 0) return Buffer.from(NUMBERS[random.below(NUMBERS.length)]!);
  const length = random.below([20, 70, 400, 20_000][random.below(4)]!);
  const bytes = Buffer.alloc(length);
  const period = 1 + random.below(how === 1 ? 3 : 9000);
  const values = how === 2 ? 256 : 1 + random.below(4);
  for (let i = 0; i < length; i++)
    bytes[i] = i >= period && how !== 2 ? bytes[i - period]! : random.below(values);
  return bytes;
}

async function moved(
  value: Buffer,
  from: Executor,
  to: Executor,
): Promise<[value: Buffer, encoding: Buffer]> {
  const key = Buffer.from("k");
  const word = (text: string): Buffer => Buffer.from(text);
  const [, dumped] = await from.run([
    [word("SET"), key, value],
    [word("DUMP"), key],
  ]);
  const payload = dumped!.subarray(dumped!.indexOf("\r\n") + 2, -2);
  const [restored, got, encoding] = await to.run([
    [word("RESTORE"), key, word("0"), payload, word("REPLACE")],
    [word("GET"), key],
    [word("OBJECT"), word("ENCODING"), key],
  ]);
  assert.equal(restored!.toString(), "+OK\r\n");
  return [got!.subarray(got!.indexOf("\r\n") + 2, -2), encoding!];
}

for (const { seed, count, text } of drawsOf("dumps of strings")) {
  test.skipIf(version === undefined)(
    `dumps both ways: ${text}${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
    async () => {
      const redis = await startRedisServer();
      const ours = new MemoryExecutor();
      const random = new Xoshiro(seed);
      try {
        for (let i = 0; i < count; i++) {
          const value = drawValue(random);
          const [there, encodingThere] = await moved(value, ours, redis.executor);
          const [here, encodingHere] = await moved(value, redis.executor, ours);
          const what = `seed ${seed}, value ${i} of ${value.length} bytes`;
          assert.ok(there.equals(value), `${what}: to Redis`);
          assert.ok(here.equals(value), `${what}: from Redis`);
          assert.equal(encodingHere.toString(), encodingThere.toString(), what);
        }
      } finally {
        await redis.stop();
      }
    },
    TEST_MS_MAX + 20 * count,
  );
}
