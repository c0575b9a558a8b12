// Size classes and slab memory: nothing overlaps, everything comes back.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { Arena, LARGE_REF } from "../../src/store/arena.ts";
import { SegmentPool } from "../../src/store/segment-pool.ts";
import {
  roundToClass,
  SLAB_BYTES_MAX,
  SLAB_CLASS_BYTES,
  SLAB_CLASSES,
  sizeClassOf,
} from "../../src/store/size-class.ts";
import { fc } from "../property.ts";

test("size classes: monotonous, tight, a function of the size", () => {
  for (let bytes = 16; bytes <= SLAB_BYTES_MAX; bytes++) {
    const sizeClass = sizeClassOf(bytes);
    const room = SLAB_CLASS_BYTES[sizeClass]!;
    assert.ok(room >= bytes && room % 16 === 0, `${bytes} bytes in ${room}`);
    assert.ok(room <= Math.max(bytes * 1.25, bytes + 15), `${bytes} bytes in ${room}`);
    assert.equal(roundToClass(bytes), room);
    assert.equal(sizeClass, sizeClassOf(room), "the class holds its own size");
    assert.ok(bytes === 16 || sizeClass - sizeClassOf(bytes - 1) <= 1, "no class is left out");
  }
  assert.equal(sizeClassOf(SLAB_BYTES_MAX), SLAB_CLASSES - 1);
  assert.equal(SLAB_CLASS_BYTES[sizeClassOf(129)], 160);
});

test("large sizes round up by less than a quarter, up to the largest record", () => {
  for (const bytes of [32_769, 65_536, 65_537, 1_000_000, 2 ** 29, 2 ** 29 + 17, 2 ** 30, 2 ** 30 + 16]) {
    const room = roundToClass(bytes);
    assert.ok(room >= bytes && room <= bytes * 1.25, `${bytes} in ${room}`);
  }
});

test("random allocation and freeing: contents stay, memory comes back", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(100, 3000, 40_000), (seed, bytesMax) => {
      const random = new Xoshiro(seed);
      const arena = new Arena();
      const live: { ref: number; bytes: number; mark: number }[] = [];
      const check = (record: { ref: number; bytes: number; mark: number }): void => {
        arena.locate(record.ref);
        assert.equal(arena.bytes[arena.at], record.mark);
        assert.equal(arena.bytes[arena.at + record.bytes - 1], record.mark);
        assert.equal(arena.at % 16, 0);
      };
      for (let i = 0; i < 3000; i++) {
        if (random.below(5) < (i < 1500 ? 3 : 2) || live.length === 0) {
          const bytes = 16 + random.below(bytesMax);
          const ref = arena.allocate(bytes);
          assert.equal(ref >= LARGE_REF, bytes > SLAB_BYTES_MAX);
          assert.ok(ref > 0);
          const mark = i & 0xff;
          arena.bytes.fill(mark, arena.at, arena.at + bytes);
          live.push({ ref, bytes, mark });
        } else {
          const at = random.below(live.length);
          const record = live[at]!;
          check(record);
          arena.free(record.ref);
          live[at] = live[live.length - 1]!;
          live.pop();
        }
      }
      for (const record of live) check(record);
      for (const record of live) arena.free(record.ref);
      const reserved = arena.reservedBytes;
      for (let i = 0; i < 100; i++) arena.allocate(16 + random.below(1000));
      assert.ok(arena.reservedBytes <= Math.max(reserved, 4 << 20), "freed pages are used again");
    }),
    { numRuns: 8 },
  );
});

test("free chunks are given back, but for a spare one", () => {
  const arena = new Arena();
  const refs: number[] = [];
  for (let i = 0; i < 2000; i++) refs.push(arena.allocate(16_000));
  assert.ok(arena.reservedBytes > 30_000_000, `${arena.reservedBytes} bytes`);
  for (const ref of refs) arena.free(ref);
  assert.ok(arena.reservedBytes <= 10_000_000, `${arena.reservedBytes} bytes`);
  const again = Array.from({ length: 2000 }, () => arena.allocate(16_000));
  assert.equal(new Set(again).size, 2000);
});

test("segments: freed ones are used again, chunks of free ones go and come back", () => {
  const pool = new SegmentPool();
  const take = (count: number): number[] => Array.from({ length: count }, () => pool.allocate(3));
  const segments = take(5000);
  assert.equal(new Set(segments).size, 5000);
  assert.ok(!segments.includes(0));
  const held = pool.reservedBytes;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 5000; i += 2) pool.free(segments[i]!);
    const again = take(2500);
    for (let i = 0; i < 5000; i += 2) segments[i] = again[i / 2]!;
    assert.equal(new Set(segments).size, 5000);
    assert.equal(pool.reservedBytes, held);
  }
  for (const segment of segments) pool.free(segment);
  assert.ok(pool.reservedBytes < held / 4, `${pool.reservedBytes} of ${held} bytes`);
  assert.equal(new Set(take(5000)).size, 5000);
  assert.equal(pool.reservedBytes, held);
});
