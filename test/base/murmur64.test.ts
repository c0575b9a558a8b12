// MurmurHash64A in 32-bit halves against the same in 64-bit bigints, over lengths around whole words.

import assert from "node:assert/strict";
import { test } from "vitest";
import { murmur64, murmurHigh, murmurLow } from "../../src/base/murmur64.ts";
import { fc } from "../property.ts";

const MULTIPLIER = 0xc6a4a7935bd1e995n;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const fold = (value: bigint): bigint => value ^ (value >> 47n);

function reference(bytes: Uint8Array, seed: number): bigint {
  const words = Math.floor(bytes.length / 8);
  const view = Buffer.from(bytes);
  let hash = BigInt(seed) ^ u64(BigInt(bytes.length) * MULTIPLIER);
  for (let i = 0; i < words; i++) {
    const word = u64(view.readBigUInt64LE(i * 8) * MULTIPLIER);
    hash = u64((hash ^ u64(fold(word) * MULTIPLIER)) * MULTIPLIER);
  }
  const tail = view.subarray(words * 8);
  if (tail.length > 0)
    hash = u64((hash ^ BigInt(`0x${Buffer.from(tail).reverse().toString("hex")}`)) * MULTIPLIER);
  return fold(u64(fold(hash) * MULTIPLIER));
}

test("equal to the hash in 64 bits", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(7),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      (bytes, skip, seed) => {
        murmur64(
          Buffer.concat([Buffer.alloc(skip, 1), bytes, Buffer.of(9)]),
          skip,
          skip + bytes.length,
          seed,
        );
        const got = (BigInt(murmurHigh >>> 0) << 32n) | BigInt(murmurLow >>> 0);
        assert.equal(got, reference(bytes, seed));
      },
    ),
    { numRuns: 2000 },
  );
});
