// Numbers as text: tables, and properties that need no other server. redis-numbers.test.ts asks Redis.

import assert from "node:assert/strict";
import { test } from "vitest";
import {
  addInteger64,
  addLongDouble,
  formatDouble,
  formatHumanDouble,
  INTEGER_BYTES_MAX,
  INTEGER64_MAX,
  INTEGER64_MIN,
  integerLength,
  parseDouble,
  parseInteger64,
  parseLongDouble,
  writeInteger,
} from "../../src/base/numbers.ts";
import { fc } from "../property.ts";

/** Parses `text` in the middle of other digits, so that reading outside the range shows. */
function within<T>(text: string, parse: (bytes: Buffer, start: number, end: number) => T): T {
  const bytes = Buffer.from(`12${text}34`, "latin1");
  return parse(bytes, 2, bytes.length - 2);
}

const integer = (text: string): number | bigint | undefined => within(text, parseInteger64);

test("integers that are", () => {
  const rows: readonly [string, number | bigint][] = [
    ["0", 0],
    ["7", 7],
    ["-1", -1],
    ["10", 10],
    ["-10", -10],
    ["123456789012345", 123456789012345],
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740992", -9007199254740992n],
    ["9223372036854775807", INTEGER64_MAX],
    ["-9223372036854775808", INTEGER64_MIN],
  ];
  for (const [text, value] of rows) assert.equal(integer(text), value, text);
});

test("integers that are not", () => {
  const rows = [
    "",
    "-",
    "+1",
    "01",
    "-0",
    "00",
    "-01",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x1",
    "--1",
    "1-",
    "a",
    "\x00",
    "1\x00",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "123456789012345678901",
    "0123456789012345678",
    "-0123456789012345678",
    "12345678901234567x",
    "-",
    "١",
  ];
  for (const text of rows) assert.equal(integer(text), undefined, JSON.stringify(text));
});

test("any 64-bit integer comes back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: INTEGER64_MIN, max: INTEGER64_MAX }), (value) => {
      const parsed = integer(value.toString());
      assert.equal(BigInt(parsed ?? 0.5), value);
      assert.equal(typeof parsed, Number.isSafeInteger(Number(value)) ? "number" : "bigint");
    }),
  );
});

test("writeInteger writes what String does, and integerLength says how much", () => {
  const target = Buffer.alloc(INTEGER_BYTES_MAX + 2, "#");
  const check = (value: number): void => {
    const text = String(value);
    const end = writeInteger(target, 1, value);
    assert.equal(target.toString("latin1", 1, end), text);
    assert.equal(target[0], 0x23);
    assert.equal(target[INTEGER_BYTES_MAX + 1], 0x23);
    assert.equal(integerLength(value), text.length);
  };
  for (let power = 0; power < 16; power++) {
    for (const value of [10 ** power - 1, 10 ** power, 10 ** power + 1]) {
      check(value);
      if (value !== 0) check(-value);
    }
  }
  for (let power = 0; power < 53; power++) for (const by of [-1, 0, 1]) check(2 ** power + by);
  fc.assert(fc.property(fc.maxSafeInteger(), check));
});

test("addInteger64 is exact and stops at 64 bits", () => {
  const any = fc
    .bigInt({ min: INTEGER64_MIN, max: INTEGER64_MAX })
    .map((value) => integer(value.toString())!);
  const small = fc.maxSafeInteger();
  fc.assert(
    fc.property(fc.oneof(any, small), fc.oneof(any, small), (a, b) => {
      const exact = BigInt(a) + BigInt(b);
      const sum = addInteger64(a, b);
      if (exact > INTEGER64_MAX || exact < INTEGER64_MIN) assert.equal(sum, undefined);
      else assert.equal(BigInt(sum ?? 0.5), exact);
      if (sum !== undefined) assert.equal(typeof sum === "number", Number.isSafeInteger(Number(exact)));
    }),
  );
});

test("formatDouble is %.17g", () => {
  const rows: readonly [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-1.5, "-1.5"],
    [0.1, "0.10000000000000001"],
    [1.1, "1.1000000000000001"],
    [100, "100"],
    [1e16, "10000000000000000"],
    [1e17, "1e+17"],
    [123456789012345680, "1.2345678901234568e+17"],
    [0.0001, "0.0001"],
    [0.00001, "1.0000000000000001e-05"],
    [1e-7, "9.9999999999999995e-08"],
    [1e100, "1e+100"],
    [5e-324, "4.9406564584124654e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [Number.NaN, "nan"],
    // Ties, 18 digits exactly: to the even neighbour.
    [26215 / 2 ** 18, "0.10000228881835938"],
    [26217 / 2 ** 18, "0.10000991821289062"],
    [-26217 / 2 ** 18, "-0.10000991821289062"],
    [1 - 2 ** -53, "0.99999999999999989"],
  ];
  for (const [value, text] of rows) assert.equal(formatDouble(value), text);
});

test("17 digits bring every double back", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      assert.ok(Object.is(within(formatDouble(value), parseDouble), value), formatDouble(value));
    }),
  );
});

test("floats that are", () => {
  const rows: readonly [string, number][] = [
    ["1", 1],
    ["+1", 1],
    ["-1", -1],
    ["-0", -0],
    ["007", 7],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["1E+3", 1000],
    ["1e-3", 0.001],
    ["inf", Number.POSITIVE_INFINITY],
    ["-INF", Number.NEGATIVE_INFINITY],
    ["+Infinity", Number.POSITIVE_INFINITY],
    ["0x10", 16],
    ["-0X1.8p3", -12],
    ["0x.8", 0.5],
    ["0x1p-1074", 5e-324],
    ["0x1.fffffffffffff8p0", 2],
    ["0e999999999999", 0],
    ["-0.0", -0],
    ["5e-324", 5e-324],
    ["3e-324", 5e-324],
    ["1.7976931348623158e308", 1.7976931348623157e308],
    [`0.${"0".repeat(5000)}1e5001`, 1],
  ];
  for (const [text, value] of rows) assert.ok(Object.is(within(text, parseDouble), value), text);
});

test("floats that are not", () => {
  const rows = [
    "",
    "+",
    "-",
    ".",
    "-.",
    "e5",
    "1e",
    "1e+",
    "1.2.3",
    "1,5",
    " 1",
    "1 ",
    "\t1",
    "1\x00",
    "nan",
    "NaN",
    "nan(1)",
    "infinit",
    "infinityx",
    "in",
    "0x",
    "0x.",
    "0xg",
    "0x1p",
    "0x1p+",
    "--1",
    "+-1",
    "1e1.5",
    "1f",
    "0b1",
    "0o7",
    "1_0",
    "1e309",
    "-1e309",
    "1.7976931348623159e308",
    "1e-400",
    "2e-324",
    "0x1p1024",
    "0x1p-1076",
    "1".repeat(5120),
  ];
  for (const text of rows) assert.equal(within(text, parseDouble), undefined, text.slice(0, 30));
});

test("long doubles have their own range", () => {
  for (const text of [
    "1e4932",
    "-1.18973149535723176502e4932",
    "3.6451995318824746025e-4951",
    "0x1p16383",
    "0x1p-16445",
    "inf",
  ]) {
    assert.notEqual(within(text, parseLongDouble), undefined, text);
  }
  for (const text of [
    "1.18973149535723176509e4932",
    "1e4933",
    "1e-4952",
    "1e999999999999999999999",
    "1e-999999999",
    "0x1p16384",
    "nan",
    "0x1p-16447",
  ]) {
    assert.equal(within(text, parseLongDouble), undefined, text);
  }
});

test("INCRBYFLOAT's sums", () => {
  const rows: readonly [string, string, string | undefined][] = [
    ["10.50", "0.1", "10.6"],
    ["5.0e3", "2.0e2", "5200"],
    ["1", "1", "2"],
    ["0", "-0", "0"],
    ["-1", "1", "0"],
    ["3", "1.1", "4.1"],
    ["1.5", "-1.5", "0"],
    ["-1e-20", "0", "0"],
    ["1e-17", "0", "0.00000000000000001"],
    ["0.1", "0.2", "0.3"],
    ["12345678901234567890", "0.5", "12345678901234567890"],
    ["1e20", "1", "100000000000000000000"],
    ["inf", "1", undefined],
    ["inf", "-inf", undefined],
    ["1e4932", "1e4932", undefined],
    ["x", "1", undefined],
  ];
  for (const [a, b, sum] of rows) assert.equal(addLongDouble(a, b), sum, `${a} + ${b}`);
});

test("human doubles", () => {
  const rows: readonly [number, string][] = [
    [0, "0"],
    [-0, "0"],
    [0.5, "0.5"],
    [-2.25, "-2.25"],
    [0.1, "0.10000000000000001"],
    [13.361389338970184, "13.36138933897018433"],
    [1e300, BigInt(1e300).toString()],
    [5e-324, "0"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [Number.NaN, "nan"],
  ];
  for (const [value, text] of rows) assert.equal(formatHumanDouble(value), text);
});

test("no text takes long: exponents and digits are bounded", () => {
  const start = performance.now();
  for (const text of [
    `${"9".repeat(5119)}`,
    `1e${"9".repeat(5000)}`,
    `0.${"0".repeat(5100)}1`,
    `1e-${"9".repeat(5000)}`,
    "1".repeat(10_000_000),
    `0x${"f".repeat(5000)}`,
  ]) {
    within(text, parseLongDouble);
    within(text, parseDouble);
  }
  assert.ok(performance.now() - start < 500);
});
