// The key hash and the chunk checksum against published values.

import assert from "node:assert/strict";
import { test } from "vitest";
import { crc32c } from "../../src/base/crc32c.ts";
import { hashKey } from "../../src/store/hash.ts";

/** Linux lib/test_siphash.c, hsiphash on 32-bit machines (HalfSipHash-1-3): inputs 0, 1, 2 ... of length 0 to 31. */
const HALF_SIP_13 = [
  1477757078, -404200246, -1135931856, 22255929, 2114297510, -1998333797, -1610085531, -1657218602,
  1467586993, -935736595, -453365041, -1785575698, 1797785964, 1725799638, 375753340, -802850044, -1959668479,
  723308619, 108077881, 1378536039, -1860454907, -1868144882, -131666053, 1649487339, 1460996823, 1564947719,
  516191298, -1419464749, 172032208, 1831659090, 590460579, 148404506,
];

test("HalfSipHash-1-3, at any offset", () => {
  for (const [length, want] of HALF_SIP_13.entries()) {
    for (const start of [0, 1, 5]) {
      const bytes = Buffer.alloc(64, 0xee);
      for (let i = 0; i < length; i++) bytes[start + i] = i;
      assert.equal(hashKey(bytes, start, start + length, 0x03020100, 0x07060504), want, `length ${length}`);
    }
  }
});

const CRC_32C = [
  { name: "32 bytes of 0", bytes: Buffer.alloc(32), want: 0x8a9136aa },
  { name: "32 bytes of 255", bytes: Buffer.alloc(32, 0xff), want: 0x62a8ab43 },
  { name: "0 to 31", bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => i)), want: 0x46dd794e },
  { name: "31 to 0", bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), want: 0x113fdb5c },
  { name: "the digits 1 to 9", bytes: Buffer.from("123456789"), want: 0xe3069283 },
];

for (const { name, bytes, want } of CRC_32C) {
  test(`CRC-32C (RFC 3720 B.4): ${name}, whole and in two pieces`, () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.equal(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut)), want);
    }
  });
}
