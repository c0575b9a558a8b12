// MemberTable against a dense array: numbers, values, scores, with clones and copies taken in between; and that its memory
// follows what is in it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { MemberTable } from "../../src/store/member-table.ts";
import { fc } from "../property.ts";

const SEED = [3, 4] as const;

const text = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 400 }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom("", "\0", "a".repeat(253), "a".repeat(254), "b".repeat(300)) },
  { weight: 1, arbitrary: fc.integer({ min: 15_000, max: 70_000 }).map((length) => "x".repeat(length)) },
);
const value = fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight: 3, arbitrary: text });

/** `which` of the tables that there are. */
type Step = { readonly which: number } & (
  | { readonly do: "set"; readonly name: string; readonly value: string; readonly score: number }
  | { readonly do: "fill"; readonly from: number; readonly count: number; readonly value: string }
  | { readonly do: "empty"; readonly from: number; readonly count: number }
  | { readonly do: "remove"; readonly name: string }
  | { readonly do: "pop"; readonly number: number }
  | { readonly do: "clone" | "copy" }
);

const which = fc.nat({ max: 5 });
const score = fc.double({ noNaN: true });
const range = { which, from: fc.nat({ max: 300 }), count: fc.nat({ max: 300 }) };
const as = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ which, do: as("set"), name: text, value, score }) },
  { weight: 3, arbitrary: fc.record({ ...range, do: as("fill"), value }) },
  { weight: 3, arbitrary: fc.record({ ...range, do: as("empty") }) },
  { weight: 4, arbitrary: fc.record({ which, do: as("remove"), name: text }) },
  { weight: 5, arbitrary: fc.record({ which, do: as("pop"), number: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ which, do: fc.constantFrom("clone" as const, "copy" as const) }) },
);

const latin1 = (name: string): Buffer => Buffer.from(name, "latin1");

interface Member {
  readonly name: string;
  readonly value: string;
  readonly score: number;
}

class Pair {
  readonly table: MemberTable;
  readonly members: Member[];
  /** Where each name stands among the members. */
  readonly #numbers = new Map<string, number>();

  constructor(table: MemberTable, members: readonly Member[]) {
    this.table = table;
    this.members = [...members];
    for (const [number, { name }] of members.entries()) this.#numbers.set(name, number);
  }

  find(name: string): number {
    const bytes = latin1(`<${name}>`);
    const found = this.table.find(bytes, 1, bytes.length - 1);
    assert.equal(found, this.#numbers.get(name) ?? -1);
    return found;
  }

  set(name: string, value: string, score: number): void {
    const { table, members } = this;
    const found = this.find(name);
    const number = found < 0 ? members.length : found;
    const bytes = latin1(name + value);
    const length = name.length;
    if (found >= 0) table.setValue(found, bytes, length, bytes.length);
    else if (members.length % 2 === 0)
      assert.equal(table.add(bytes, 0, length, bytes, length, bytes.length), number);
    else assert.equal(table.addNotFound(bytes, 0, length, bytes, length, bytes.length), number);
    if (table.scored) table.setScore(number, score);
    members[number] = { name, value, score: table.scored ? score : 0 };
    this.#numbers.set(name, number);
  }

  remove(number: number): void {
    const { members } = this;
    const { name } = members[number]!;
    assert.equal(this.table.remove(number), members.length - 1);
    const last = members.pop()!;
    this.#numbers.delete(name);
    if (number === members.length) return;
    members[number] = last;
    this.#numbers.set(last.name, number);
  }

  check(): void {
    const { table, members } = this;
    assert.equal(table.count, members.length);
    const again = new MemberTable(SEED, table.scored);
    for (const [number, { name, value, score }] of members.entries()) {
      table.locate(number);
      assert.equal(table.bytes.toString("latin1", table.memberStart, table.memberEnd), name);
      assert.equal(table.bytes.toString("latin1", table.valueStart, table.valueEnd), value);
      if (table.scored) assert.equal(table.scoreOf(number), score);
      this.find(name);
      const bytes = latin1(name + value);
      again.add(bytes, 0, name.length, bytes, name.length, bytes.length);
    }
    assert.equal(table.logicalBytes, again.logicalBytes, "a function of the content");
  }
}

function run(pairs: Pair[], frozen: Pair[], step: Step): void {
  const at = step.which % pairs.length;
  const pair = pairs[at]!;
  const { count } = pair.table;
  switch (step.do) {
    case "set":
      return pair.set(step.name, step.value, step.score);
    case "fill": {
      // A few of the long values are enough.
      const most = step.value.length < 1000 ? step.count : Math.min(step.count, 5);
      for (let i = 0; i < most; i++) pair.set(String(step.from + i), step.value, i);
      return;
    }
    case "empty":
      for (let i = 0; i < step.count; i++) {
        const number = pair.find(String(step.from + i));
        if (number >= 0) pair.remove(number);
      }
      return;
    case "remove": {
      const number = pair.find(step.name);
      if (number >= 0) pair.remove(number);
      return;
    }
    case "pop":
      if (count > 0) pair.remove(step.number % count);
      return;
    case "clone":
      // As for a snapshot: the old one is read on, the new one is written to.
      frozen.push(pair);
      pairs[at] = new Pair(pair.table.clone(), pair.members);
      return;
    case "copy":
      if (pairs.length < 5) pairs.push(new Pair(pair.table.copy(), pair.members));
  }
}

for (const scored of [false, true]) {
  test(`a ${scored ? "scored " : ""}table is a dense array, its clones and copies too`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 150, size: "max" }), (steps) => {
        const pairs = [new Pair(new MemberTable(SEED, scored), [])];
        const frozen: Pair[] = [];
        for (const each of steps) run(pairs, frozen, each);
        for (const pair of [...pairs, ...frozen]) pair.check();
      }),
      { numRuns: 120 },
    );
  });
}

/**
 * What a table may hold on to: segments half empty, arrays a quarter full, slots an eighth, twice as many slots more while
 * they are being moved, and a start. The shortest members cost most: 36 logical bytes, 180 in the worst case.
 */
function assertBounded(table: MemberTable, when: string): void {
  const most = 6 * table.logicalBytes + 256 * 1024;
  assert.ok(
    table.reservedBytes <= most,
    `${when}: ${table.reservedBytes} bytes reserved for ${table.count} members of ${table.logicalBytes}`,
  );
}

const churns: readonly {
  readonly name: string;
  readonly length: (random: Xoshiro) => number;
  readonly rounds: number;
}[] = [
  { name: "short values", length: (random) => random.below(30), rounds: 300_000 },
  { name: "values of all lengths", length: (random) => 2 ** random.below(17), rounds: 20_000 },
  { name: "values that just fit a segment's quarter", length: () => 16_000, rounds: 10_000 },
];

for (const { name, length, rounds } of churns) {
  test(`churn does not make memory grow: ${name}`, () => {
    const random = new Xoshiro(11);
    let table = new MemberTable(SEED, false);
    const bytes = Buffer.alloc(1 << 17, "v");
    for (let round = 0; round < rounds; round++) {
      bytes.write(String(random.below(2000)).padStart(4, "0"), "latin1");
      const number = table.find(bytes, 0, 4);
      const end = 4 + length(random);
      if (number < 0) table.addNotFound(bytes, 0, 4, bytes, 4, end);
      else if (random.below(2) === 0) table.setValue(number, bytes, 4, end);
      else table.remove(number);
      if (round % 5000 === 4999) table = table.clone();
      if (round % 100 === 0) assertBounded(table, `round ${round}`);
    }
    while (table.count > 0) {
      table.remove(random.below(table.count));
      if (table.count % 100 === 0) assertBounded(table, "at the end");
    }
    assert.ok(table.reservedBytes < 128 * 1024, `${table.reservedBytes} bytes of an empty table`);
    assert.equal(table.logicalBytes, 0);
  });
}

test("growing to 100,000 and back costs what is there, at every size", () => {
  const table = new MemberTable(SEED, true);
  const bytes = Buffer.alloc(6);
  for (let i = 0; i < 100_000; i++) {
    bytes.write(String(i).padStart(6, "0"), "latin1");
    table.add(bytes, 0, 6);
    if (i % 997 === 0) assertBounded(table, "growing");
  }
  for (let i = 0; i < 100_000; i++) {
    table.remove(0);
    if (i % 997 === 0) assertBounded(table, "shrinking");
  }
});
