// Slots of keys: the checksum's published check value, the rules of hash tags, and random keys beside redis-server.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { crc16 } from "../../src/base/crc16.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { SLOT_COUNT, slotOfKey } from "../../src/command/key-slot.ts";
import { startRedisCluster } from "../resp/redis-cluster.ts";
import { isRedis70, textOf } from "../resp/redis-server.ts";

const slotOf = (key: string): number => {
  const bytes = Buffer.from(key, "latin1");
  return slotOfKey(bytes, 0, bytes.length);
};

test("CRC-16/XMODEM has its check value, and takes a part of a buffer", () => {
  const check = Buffer.from("123456789");
  assert.equal(crc16(check, 0, check.length), 0x31c3);
  assert.equal(crc16(Buffer.from("xx123456789yy"), 2, 11), 0x31c3);
  assert.equal(crc16(check, 3, 3), 0);
});

describe("hash tags", () => {
  for (const [key, tag] of [
    ["{user1000}.following", "user1000"],
    ["{user1000}.followers", "user1000"],
    ["foo{{bar}}zap", "{bar"],
    ["foo{bar}{zap}", "bar"],
    ["a{b}c{", "b"],
    ["}{x}", "x"],
  ] as const) {
    test(`${key}: only ${tag}`, () => assert.equal(slotOf(key), slotOf(tag)));
  }
  for (const key of ["foo{}{bar}", "{}", "{", "}", "a{b", "a}b{c", ""]) {
    test(`${key}: the whole key`, () => {
      const bytes = Buffer.from(key);
      assert.equal(slotOf(key), crc16(bytes, 0, bytes.length) % SLOT_COUNT);
    });
  }
});

test.skipIf(!isRedis70)("as CLUSTER KEYSLOT (skipped where redis-server 7.0 is not installed)", async () => {
  const seed = 20261125;
  const random = new Xoshiro(seed);
  const signs = "{}ab\x00\xff";
  const keys = Array.from({ length: 500 }, () =>
    Array.from({ length: random.below(9) }, () => signs[random.below(signs.length)]).join(""),
  );
  const redis = await startRedisCluster();
  const theirs = await redis.ask(keys.map((key) => ["CLUSTER", "KEYSLOT", Buffer.from(key, "latin1")]));
  await redis.stop();
  assert.deepEqual(keys.map(slotOf), theirs.map(textOf).map(Number), `seed ${seed}`);
});
