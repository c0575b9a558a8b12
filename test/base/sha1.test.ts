// SHA-1 against Node's, at every length around its blocks.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { SHA1_BYTES, sha1 } from "../../src/base/sha1.ts";

test("every length up to three blocks, and a long one", () => {
  for (const length of [...Array(200).keys(), 100_000]) {
    const bytes = Buffer.from(Array.from({ length: length + 2 }, (_, i) => (i * 7 + length) & 0xff));
    const out = Buffer.alloc(SHA1_BYTES);
    sha1(bytes, 1, 1 + length, out);
    const want = createHash("sha1")
      .update(bytes.subarray(1, 1 + length))
      .digest("hex");
    assert.equal(out.toString("hex"), want, `${length} bytes`);
  }
});

test("the output may be the input", () => {
  const bytes = Buffer.alloc(SHA1_BYTES, 7);
  const want = createHash("sha1").update(bytes).digest("hex");
  sha1(bytes, 0, SHA1_BYTES, bytes);
  assert.equal(bytes.toString("hex"), want);
});
