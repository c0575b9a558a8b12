// CRC-64 by its published check value and in the ways it is used; LZF against plain texts and against nonsense.

import assert from "node:assert/strict";
import { test } from "vitest";
import { CRC64_BYTES, writeCrc64 } from "../../src/base/crc64.ts";
import { unpackLzf } from "../../src/base/lzf.ts";
import { fc } from "../property.ts";

function crc64Of(bytes: Buffer, start = 0, end = bytes.length): string {
  const target = Buffer.alloc(CRC64_BYTES);
  writeCrc64(target, 0, bytes, start, end);
  return target.readBigUInt64LE(0).toString(16);
}

test("CRC-64 of the nine digits", () => {
  assert.equal(crc64Of(Buffer.from("123456789")), "e9c6d914c4b8d9ca");
  assert.equal(crc64Of(Buffer.from("x123456789x"), 1, 10), "e9c6d914c4b8d9ca");
  assert.equal(crc64Of(Buffer.alloc(0)), "0");
});

const unpacked = (hex: string, length: number): string | undefined => {
  const bytes = Buffer.from(hex, "hex");
  return unpackLzf(bytes, 0, bytes.length, length)?.toString();
};

const packed: readonly (readonly [hex: string, length: number, want: string | undefined])[] = [
  ["02616263", 3, "abc"],
  ["0061e00a00", 20, "a".repeat(20)],
  ["02616263c002", 11, "abcabcabcab"],
  ["02616263c002", 10, undefined],
  ["02616263c002", 12, undefined],
  ["02616263c003", 11, undefined],
  ["02616263c0", 11, undefined],
  ["0061e00a", 20, undefined],
  ["0061e0", 20, undefined],
  ["026162", 3, undefined],
  ["0061", 500_000_000, undefined],
  ["", 0, ""],
];
for (const [hex, length, want] of packed) {
  test(`LZF ${hex} of ${length}`, () => assert.equal(unpacked(hex, length), want));
}

test("LZF of anything ends, and gives the announced length or nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(400), (bytes, length) => {
      const plain = unpackLzf(Buffer.from(bytes), 0, bytes.length, length);
      assert.ok(plain === undefined || plain.length === length);
    }),
  );
});
