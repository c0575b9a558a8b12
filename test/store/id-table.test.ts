// Tables of ids against a sorted array: changes in any order, clones and copies that stay what they were.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { IdTable } from "../../src/store/id-table.ts";
import { ID_WORDS, StreamId } from "../../src/store/stream-id.ts";
import { fc } from "../property.ts";

const WIDTH = ID_WORDS + 1;
const id = new StreamId();

/** Small ones, and ones on both sides of every border between words. */
function idOf(n: number): StreamId {
  const words = [n >> 12, (n >> 8) & 15, (n >> 4) & 15, n & 15].map((part) =>
    part < 8 ? part : 0xffff_ffff - 15 + part,
  );
  return new StreamId().readWords(Uint32Array.from(words), 0);
}

/** In order: number and payload. */
type Model = Map<number, number>;
const sorted = (model: Model): [number, number][] => [...model].sort(([a], [b]) => a - b);

function contentOf(table: IdTable): [string, number][] {
  const found: [string, number][] = [];
  for (let more = table.seekOrdinal(0); more; more = table.next()) {
    id.readWords(table.words, table.at);
    found.push([textOf(id), table.words[table.at + ID_WORDS]!]);
  }
  return found;
}

function textOf(of: StreamId): string {
  const bytes = Buffer.alloc(41);
  return bytes.toString("latin1", 0, of.writeText(bytes, 0));
}

const expected = (model: Model): [string, number][] =>
  sorted(model).map(([n, payload]) => [textOf(idOf(n)), payload]);

function check(table: IdTable, model: Model, random: Xoshiro): void {
  const all = expected(model);
  assert.equal(table.count, all.length);
  assert.deepEqual(contentOf(table), all);
  const numbers = sorted(model);
  for (let i = 0; i < 5; i++) {
    const n = random.below(0x1_0000);
    assert.equal(table.find(idOf(n)), model.has(n));
    const next = numbers.find(([other]) => other >= n);
    assert.equal(table.seek(idOf(n)), next !== undefined);
    if (next !== undefined) assert.equal(table.words[table.at + ID_WORDS], next[1]);
    const ordinal = random.below(all.length + 2);
    assert.equal(table.seekOrdinal(ordinal), ordinal < all.length);
    if (ordinal < all.length) assert.equal(table.words[table.at + ID_WORDS], all[ordinal]![1]);
  }
}

function change(table: IdTable, model: Model, random: Xoshiro, from: number): void {
  const how = random.below(4);
  for (let i = random.below(300); i > 0; i--) {
    const n = how === 0 ? Math.min(0xffff, from + random.below(2000)) : random.below(0x1_0000);
    if (how < 3) {
      const payload = random.below(1000);
      const isNew = table.insert(idOf(n));
      assert.equal(isNew, !model.has(n));
      if (isNew) assert.equal(table.words[table.at + ID_WORDS], 0);
      table.own();
      table.words[table.at + ID_WORDS] = payload;
      model.set(n, payload);
    } else {
      const all = sorted(model);
      const first = random.below(all.length + 1);
      // A run: whole chunks go.
      for (const [each] of all.slice(first, first + random.below(200))) {
        assert.ok(table.find(idOf(each)));
        table.remove();
        model.delete(each);
      }
      return;
    }
  }
}

test("random changes do what they do to a sorted array, and clones keep what was", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 12 }), (seed, rounds) => {
      const random = new Xoshiro(seed);
      let table = new IdTable(WIDTH);
      const model: Model = new Map();
      for (let round = 0; round < rounds; round++) {
        const before = expected(model);
        const old = table;
        const how = random.below(4);
        if (how === 0) table = old.clone();
        if (how === 1) table = old.copy();
        change(table, model, random, round * 2500);
        check(table, model, random);
        if (table !== old) assert.deepEqual(contentOf(old), before);
      }
      for (const [n] of sorted(model)) {
        assert.ok(table.find(idOf(n)));
        table.remove();
      }
      assert.equal(table.count, 0);
      assert.equal(table.seekOrdinal(0), false);
    }),
    { numRuns: 20 },
  );
});
