// From registers to a count of distinct elements: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (arXiv:1702.01284), algorithm 6, as in Redis. Additions, products and square roots only, which are the same
// on every machine.

import { REGISTERS, VALUE_MAX } from "./hyperloglog-format.ts";

/** 1 / (2 ln 2), the limit of the bias correction for many registers. */
const ALPHA = 0.7213475204444817;

/** Six bits hold more values than a hash can make. */
const histogram = new Uint32Array(64);

/** What Redis's conversion makes of a number of 2^63 or more, which only a made-up sketch can give. */
const TOO_MANY = -(2n ** 63n);

export function estimateCount(registers: Uint8Array): number | bigint {
  histogram.fill(0);
  for (let i = 0; i < REGISTERS; i++) histogram[registers[i]!]!++;
  let sum = REGISTERS * tau((REGISTERS - histogram[VALUE_MAX]!) / REGISTERS);
  for (let value = VALUE_MAX - 1; value >= 1; value--) sum = (sum + histogram[value]!) * 0.5;
  sum += REGISTERS * sigma(histogram[0]! / REGISTERS);
  const count = Math.round((ALPHA * REGISTERS * REGISTERS) / sum);
  if (Number.isSafeInteger(count)) return count;
  return count < 2 ** 63 ? BigInt(count) : TOO_MANY;
}

/** x + x^2 + 2 x^4 + 4 x^8 + ..., until it stops growing. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let power = share;
  let factor = 1;
  let sum = share;
  for (let before = -1; sum !== before; factor += factor) {
    power *= power;
    before = sum;
    sum += power * factor;
  }
  return sum;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let factor = 1;
  let sum = 1 - share;
  for (let before = -1; sum !== before; ) {
    root = Math.sqrt(root);
    before = sum;
    factor *= 0.5;
    sum -= (1 - root) * (1 - root) * factor;
  }
  return sum / 3;
}
