// Sine, cosine and arcsine against the platform's, which is right to one unit in the last place, and where values are known.

import assert from "node:assert/strict";
import { test } from "vitest";
import { ANGLE_MAX, arcsine, cosine, sine } from "../../src/base/trigonometry.ts";
import { fc } from "../property.ts";

const BITS = 52;

/** Of the number's last bit. */
function unitOf(value: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), Number.MIN_VALUE)));
  return Math.max(2 ** (exponent - BITS), Number.MIN_VALUE);
}

function assertNear(got: number, want: number, units: number, what: string): void {
  const off = Math.abs(got - want) / unitOf(want);
  assert.ok(off <= units, `${what}: ${got} is ${off} units off ${want}`);
}

const angle = fc.oneof(
  fc.double({ min: -7, max: 7, noNaN: true }),
  fc.double({ min: -ANGLE_MAX, max: ANGLE_MAX, noNaN: true }),
  fc.double({ min: -1e-6, max: 1e-6, noNaN: true }),
);

test("sine and cosine are the platform's, but for the last bits", () => {
  fc.assert(
    fc.property(angle, (x) => {
      // Far from 0 what is left of the angle has fewer bits.
      const units = Math.abs(x) <= 7 ? 2 : 2 + Math.abs(x) / Math.abs(Math.sin(x) * Math.cos(x));
      assertNear(sine(x), Math.sin(x), units, `sine of ${x}`);
      assertNear(cosine(x), Math.cos(x), units, `cosine of ${x}`);
    }),
    { numRuns: 20_000 },
  );
});

test("arcsine is the platform's, but for the last bits", () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (x) => {
      assertNear(arcsine(x), Math.asin(x), 4, `arcsine of ${x}`);
    }),
    { numRuns: 20_000 },
  );
});

test("ends, and beyond them", () => {
  assert.equal(sine(0), 0);
  assert.equal(cosine(0), 1);
  assert.equal(arcsine(0), 0);
  assert.equal(arcsine(1), Math.PI / 2);
  assert.equal(arcsine(-1), -Math.PI / 2);
  assert.equal(sine(Math.PI / 2), 1);
  // The double nearest to pi is not pi.
  assert.ok(Math.abs(sine(Math.PI) - 1.2246467991473532e-16) < 1e-25);
  assert.ok(Math.abs(cosine(Math.PI / 2) - 6.123233995736766e-17) < 1e-25);
  for (const wrong of [Number.NaN, Infinity, -Infinity, 2 * ANGLE_MAX]) {
    assert.ok(Number.isNaN(sine(wrong)) && Number.isNaN(cosine(wrong)) && Number.isNaN(arcsine(wrong)));
  }
});
