// The table and the lookup by bytes: every row is found under its name in any case, and nothing else is.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { lookup, lookupId, lookupName, rowId, rows, topLevelRows } from "../../src/command/lookup.ts";

const mixedCase = (text: string): string =>
  [...text].map((letter, i) => (i % 2 === 0 ? letter.toUpperCase() : letter)).join("");

test("every row is found by its words, in any case, and by its name", () => {
  assert.ok(rows.length >= 50, `${rows.length} rows`);
  for (const [id, row] of rows.entries()) {
    const words = row.name.split("|");
    for (const spelled of [words, words.map((word) => word.toUpperCase()), words.map(mixedCase)]) {
      assert.equal(lookup(Args.of(...spelled)), row, row.name);
      assert.equal(lookup(Args.of(...spelled, "one", "two")), row, row.name);
      assert.equal(lookupId(Args.of(...spelled)), id);
    }
    assert.equal(rowId(row), id);
    assert.equal(lookupName(row.name), row);
    assert.equal(lookupName(row.name.toUpperCase()), row);
  }
});

test("a container's row comes back when the subcommand is missing or unknown", () => {
  const object = lookupName("object");
  assert.equal(object?.route, "container");
  assert.equal(lookup(Args.of("OBJECT")), object);
  assert.equal(lookup(Args.of("OBJECT", "nothing")), object);
  assert.equal(lookup(Args.of("OBJECT", "")), object);
  assert.equal(lookup(Args.of("object", "ENCODING", "key"))?.name, "object|encoding");
});

const unknown = [
  "",
  "ge",
  "gett",
  "get ",
  "object|encoding",
  "encoding",
  "[",
  "\x00et",
  "g\x05t", // 0x45 with the case bit lost
  "GE\x74\x00",
  "\x47\x45\xd4",
  "x".repeat(1 << 20),
];

for (const name of unknown) {
  test(`unknown: ${JSON.stringify(name.slice(0, 20))}`, () => {
    assert.equal(lookup(Args.of(Buffer.from(name, "latin1"))), undefined);
    assert.equal(lookupId(Args.of(Buffer.from(name, "latin1"), "x")), -1);
  });
}

test("a subcommand is not found under another container, nor a command under one", () => {
  assert.equal(lookup(Args.of("object", "get"))?.name, "object");
  for (const row of topLevelRows) {
    if (row.route !== "container") continue;
    for (const other of topLevelRows) {
      const found = lookup(Args.of(row.name, other.name));
      assert.ok(found === row || found?.name === `${row.name}|${other.name}`, `${row.name} ${other.name}`);
    }
  }
});

test("signs that differ from a letter only in the case bit are told apart", () => {
  for (const row of topLevelRows) {
    const at = row.name.search(/[_-]/);
    if (at < 0) continue;
    const bytes = Buffer.from(row.name);
    bytes[at] = bytes[at]! ^ 0x20;
    assert.equal(lookup(Args.of(bytes)), undefined, bytes.toString("latin1"));
  }
});
