// 64-bit integers in two halves, as streams keep them in snapshots.

import assert from "node:assert/strict";
import { test } from "vitest";
import { fromHalves, halves, split } from "../../src/store/stream-id.ts";

const cases: readonly (number | bigint)[] = [
  0,
  1,
  -1,
  0xffff_ffff,
  0x1_0000_0000,
  -0x1_0000_0000,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];

test.each(cases)("%s comes back as it was, a number where it was one", (value) => {
  split(value);
  assert.strictEqual(fromHalves(halves.high, halves.low), value);
});
