// Large sorted sets against a sorted array: order, ranks, both kinds of bounds, numbers; clones and copies taken in the
// middle stay what they were.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { PieceWriter } from "../../src/store/collection.ts";
import { SortedSet } from "../../src/store/sorted-set.ts";
import { fc } from "../property.ts";

type Pair = readonly [member: string, score: number];

const byPlace = (a: Pair, b: Pair): number => a[1] - b[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
const padded = (text: string): [Buffer, number, number] => [
  Buffer.from(`<${text}>`, "latin1"),
  1,
  text.length + 1,
];

function find(set: SortedSet, name: string): number {
  return set.table.find(...padded(name));
}

function pairOf(set: SortedSet, number: number): Pair {
  const { table } = set;
  table.locate(number);
  return [table.bytes.toString("latin1", table.memberStart, table.memberEnd), table.scoreOf(number)];
}

function put(set: SortedSet, name: string, score: number): void {
  const number = find(set, name);
  if (number < 0) set.add(score, ...padded(name));
  else set.setScore(number, score);
}

function remove(set: SortedSet, name: string): boolean {
  const number = find(set, name);
  if (number >= 0) set.remove(number);
  return number >= 0;
}

function ordered(set: SortedSet): Pair[] {
  const found: Pair[] = [];
  for (let number = set.tree.at(0); number >= 0; number = set.tree.next()) found.push(pairOf(set, number));
  return found;
}

/** Everything that can be asked, for all members or some. */
function assertSame(
  set: SortedSet,
  model: ReadonlyMap<string, number>,
  some: (count: number) => number,
): void {
  const want = [...model].sort(byPlace);
  assert.equal(set.tree.count, want.length);
  assert.equal(set.table.count, want.length);
  assert.deepEqual(ordered(set), want);
  const backwards: Pair[] = [];
  for (let n = set.tree.at(want.length - 1); n >= 0; n = set.tree.previous()) backwards.push(pairOf(set, n));
  assert.deepEqual(backwards.reverse(), want);
  assert.equal(set.tree.at(-1), -1);
  assert.equal(set.tree.at(want.length), -1);
  for (let i = 0; i < Math.min(want.length, 40); i++) {
    const rank = some(want.length);
    const [name, score] = want[rank]!;
    const number = find(set, name);
    assert.equal(set.tree.rankOf(number), rank);
    assert.equal(set.tree.at(rank), number);
    assert.equal(
      set.tree.rankOfScore(score, false),
      want.findIndex(([, s]) => s >= score),
    );
    assert.equal(set.tree.rankOfScore(score, true), want.filter(([, s]) => s <= score).length);
    assert.equal(set.tree.rankOfScore(score + 0.5, false), want.filter(([, s]) => s < score + 0.5).length);
  }
  assert.equal(set.tree.rankOfScore(Infinity, true), want.length);
  assert.equal(set.tree.rankOfScore(-Infinity, false), 0);
}

/** Through pieces, as a snapshot goes. */
function rebuilt(set: SortedSet): SortedSet {
  const made = new SortedSet(set.table.seed);
  const piece = new PieceWriter();
  for (let i = 0, count = set.beginPieces(); i < count; i++) {
    piece.begin();
    set.writePiece(i, piece);
    assert.ok(made.acceptPiece(piece.bytes, 0, piece.length));
  }
  return made;
}

const numbersOf = (set: SortedSet): Pair[] =>
  Array.from({ length: set.table.count }, (_, i) => pairOf(set, i));

test("a sorted set is a sorted array, whatever the history; clones keep what they were", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom(30, 200, 3000, 12_000),
      fc.constantFrom(1, 3, 1000, 1e9),
      (seed, names, scores) => {
        const random = new Xoshiro(seed);
        let set = new SortedSet([seed, 3]);
        const model = new Map<string, number>();
        const score = (): number => random.below(scores) - (scores >> 1);
        for (let phase = 0; phase < 6; phase++) {
          const clone = set.clone();
          const [frozen, before] = [set, new Map(model)];
          set = phase % 2 === 0 ? clone : set.copy();
          const growing = phase % 3 !== 2;
          for (let i = 0; i < names; i++) {
            const name = `m${random.below(names)}`;
            if (random.below(10) < (growing ? 8 : 1)) {
              const value = score();
              put(set, name, value);
              model.set(name, value);
            } else assert.equal(remove(set, name), model.delete(name));
          }
          if (!growing)
            for (const [name] of [...model].sort(byPlace).slice(0, names >> 1)) {
              assert.ok(remove(set, name) && model.delete(name));
            }
          assertSame(set, model, (count) => random.below(count));
          assertSame(frozen, before, (count) => random.below(count));
          const other = rebuilt(set);
          assert.deepEqual(numbersOf(other), numbersOf(set));
          assert.equal(other.logicalBytes, set.logicalBytes);
          assertSame(other, model, (count) => random.below(count));
        }
        for (const name of [...model.keys()]) assert.ok(remove(set, name));
        assertSame(set, new Map(), () => 0);
        assert.equal(set.logicalBytes, 0);
      },
    ),
    { numRuns: 25 },
  );
});

test("equal scores: order and bounds by bytes", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: "binary", maxLength: 3 })),
      fc.string({ maxLength: 2 }),
      (texts, bound) => {
        const names = [...new Set(texts.map((text) => Buffer.from(text).toString("latin1")))];
        const set = new SortedSet([5, 6]);
        for (const name of names) set.add(0, ...padded(name));
        const want = [...names].sort();
        assert.deepEqual(
          ordered(set).map(([name]) => name),
          want,
        );
        for (const text of [bound, ...names]) {
          assert.equal(set.tree.rankOfText(...padded(text), false), want.filter((it) => it < text).length);
          assert.equal(set.tree.rankOfText(...padded(text), true), want.filter((it) => it <= text).length);
        }
      },
    ),
  );
});

test("ascending, descending and from both ends: the tree stays small, and empties", () => {
  for (const scoreOf of [(i: number) => i, (i: number) => -i, (i: number) => (i % 2 === 0 ? i : -i)]) {
    const set = new SortedSet([1, 2]);
    for (let i = 0; i < 50_000; i++) put(set, `${i}`, scoreOf(i));
    assert.ok(set.tree.reservedBytes < 24 * 50_000, `${set.tree.reservedBytes} bytes of a tree of 50,000`);
    const want = Array.from({ length: 50_000 }, (_, i): Pair => [`${i}`, scoreOf(i)]).sort(byPlace);
    assert.deepEqual(ordered(set), want);
    for (let i = 0; i < 50_000; i++) {
      const rank = i % 3 === 0 ? set.tree.count - 1 : i % 3 === 1 ? 0 : set.tree.count >> 1;
      const number = set.tree.at(rank);
      assert.equal(set.tree.rankOf(number), rank);
      set.remove(number);
    }
    assert.equal(set.tree.at(0), -1);
  }
});

test("infinities and both zeros", () => {
  const set = new SortedSet([1, 2]);
  const scores = [Infinity, -Infinity, 0, -0, 5e-324, -5e-324, 1.7e308];
  for (const [i, score] of scores.entries()) put(set, `${i}`, score);
  assert.deepEqual(
    ordered(set).map(([, score]) => score),
    [-Infinity, -5e-324, 0, -0, 5e-324, 1.7e308, Infinity],
  );
  put(set, "2", -0);
  assert.ok(Object.is(set.table.scoreOf(find(set, "2")), -0));
});

test("pieces that make no sense", () => {
  const set = new SortedSet([1, 2]);
  const piece = Buffer.alloc(9);
  assert.equal(set.acceptPiece(piece, 0, 7), false);
  assert.equal(set.acceptPiece(piece, 0, 9), true);
  assert.equal(set.acceptPiece(piece, 0, 9), false);
  piece.writeDoubleLE(NaN);
  assert.equal(set.acceptPiece(piece, 0, 8), false);
});
