// Integers inside bytes against a model: the bits as one string of 0 and 1, the arithmetic as exact bigints.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type FieldType, fitField, type Overflow, readField, writeField } from "../../src/base/bit-fields.ts";
import { fc } from "../property.ts";

const bitsOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");

const type: fc.Arbitrary<FieldType> = fc.oneof(
  fc.record({ signed: fc.constant(true), bits: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ signed: fc.constant(false), bits: fc.integer({ min: 1, max: 63 }) }),
);
const integer64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const START = 3;

function numberOf(bits: string, { signed }: FieldType): bigint {
  const value = BigInt(`0b${bits}`);
  return signed && bits[0] === "1" ? value - (1n << BigInt(bits.length)) : value;
}

test("reading, also behind the end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(140), type, (value, offset, field) => {
      const bytes = Uint8Array.of(...Array<number>(START).fill(0xaa), ...value, 0xff, 0xff);
      const bits = bitsOf(value)
        .padEnd(300, "0")
        .slice(offset, offset + field.bits);
      assert.equal(readField(bytes, START, START + value.length, offset, field), numberOf(bits, field));
    }),
  );
});

test("writing touches the field and nothing else", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.nat(90),
      type,
      integer64,
      (bytes, offset, field, value) => {
        const before = bitsOf(bytes);
        const at = START * 8 + offset;
        fc.pre(at + field.bits <= 160);
        writeField(bytes, START, offset, field, value);
        const low = BigInt.asUintN(field.bits, value).toString(2).padStart(field.bits, "0");
        assert.equal(bitsOf(bytes), before.slice(0, at) + low + before.slice(at + field.bits));
      },
    ),
  );
});

test("overflow wraps, saturates or fails", () => {
  const overflow = fc.constantFrom<Overflow>("WRAP", "SAT", "FAIL");
  fc.assert(
    fc.property(type, overflow, integer64, integer64, (field, how, a, b) => {
      const least = field.signed ? -(2n ** BigInt(field.bits - 1)) : 0n;
      const count = 2n ** BigInt(field.bits);
      const most = least + count - 1n;
      const exact = a + b;
      const got = fitField(exact, field, how);
      if (exact >= least && exact <= most) assert.equal(got, exact);
      else if (how === "FAIL") assert.equal(got, undefined);
      else if (how === "SAT") assert.equal(got, exact < least ? least : most);
      else assert.equal(got, ((((exact - least) % count) + count) % count) + least);
    }),
    { examples: [[{ signed: true, bits: 64 }, "WRAP", 2n ** 63n - 1n, 1n]] },
  );
});
