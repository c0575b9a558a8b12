// Glob patterns: Redis's odd corners, any case, and a bound on the work.

import assert from "node:assert/strict";
import { test } from "vitest";
import { globMatches } from "../../src/base/glob.ts";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  // Something stands around both: offsets must be kept to.
  const p = latin1(`*${pattern}*`);
  const t = latin1(`[${text}]`);
  return globMatches(p, 1, p.length - 1, t, 1, t.length - 1, ignoreCase);
}

const cases: readonly (readonly [pattern: string, text: string, want: boolean])[] = [
  ["", "", true],
  ["", "a", false],
  ["a", "", false],
  ["abc", "abc", true],
  ["abc", "abd", false],
  ["*", "anything", true],
  ["*", "", false],
  ["**", "a", true],
  ["a*", "a", true],
  ["*a", "a", true],
  ["a*b*c", "aXXbXXc", true],
  ["a*b*c", "aXXcXXb", false],
  ["*aab", "aaaab", true],
  ["h?llo", "hello", true],
  ["h?llo", "hllo", false],
  ["?", "", false],
  ["[ab]", "b", true],
  ["[ab]", "c", false],
  ["[^ab]", "c", true],
  ["[^ab]", "a", false],
  ["[a-c]", "b", true],
  ["[c-a]", "b", true],
  ["[a-c]", "d", false],
  ["[a-]", "-", false], // a range from "]" to "a", unclosed
  ["[a-]", "_", true],
  ["[-a]", "-", true],
  ["[]a]", "a", false],
  ["[a", "a", true],
  ["[", "a", false],
  ["[^", "a", true],
  ["[^]", "a", true],
  ["[\\]]", "]", true],
  ["[\\a-c]", "-", true],
  ["[\x80-\x10]", "\x00", true],
  ["[\x80-\x10]", "\x20", false],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["\\", "\\", true],
  ["a\\", "a\\", true],
];

for (const [pattern, text, want] of cases) {
  test(`${JSON.stringify(pattern)} ${want ? "takes" : "refuses"} ${JSON.stringify(text)}`, () =>
    assert.equal(matches(pattern, text), want));
}

test("any case", () => {
  assert.ok(matches("MAX*", "maxmemory", true));
  assert.ok(matches("[A-C]x", "bX", true));
  assert.ok(matches("[ABC]", "b", true));
  assert.ok(!matches("[\\B]", "b", true), "case counts after a backslash in brackets, as in Redis");
  assert.ok(!matches("[@]", "`", true));
});

test("patterns made to be slow end soon", () => {
  const started = performance.now();
  assert.equal(matches("a*".repeat(40) + "b", "a".repeat(5000)), false);
  assert.equal(matches("*a".repeat(20_000), "a".repeat(20_000)), true);
  assert.equal(matches(`*${"a".repeat(30_000)}b`, "a".repeat(60_000)), false);
  assert.equal(matches("*?".repeat(50_000), "a".repeat(50_000)), true);
  assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
});
