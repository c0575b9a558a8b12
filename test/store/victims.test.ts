// Which keys are named for eviction: each policy on a store whose best victims are known, fairly drawn, never twice, and
// never a key that is no longer what it was.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { newLfuClock } from "../../src/store/access.ts";
import { CandidateQueue, emptyCandidate } from "../../src/store/candidates.ts";
import { Store } from "../../src/store/store.ts";
import { type EvictionPolicy, evictableCount, VictimPicker } from "../../src/store/victims.ts";
import { fc } from "../property.ts";
import { TextStore } from "./model.ts";

const newText = (databases = 1): TextStore => new TextStore(new Store({ databases, hashSeed: [1, 2] }));

interface Named {
  readonly database: number;
  readonly key: string;
  readonly bytes: number;
}

/** Names up to `count` keys. */
function name(
  picker: VictimPicker,
  { store }: TextStore,
  policy: EvictionPolicy,
  count: number,
  samples = 5,
): Named[] {
  const victim = emptyCandidate();
  const named: Named[] = [];
  picker.begin(store, policy, samples);
  while (named.length < count && picker.pick(victim)) {
    const keys = store.databases[victim.database]!;
    keys.keyRange(victim.handle);
    const key = keys.keyBytes.toString("latin1", keys.keyStart, keys.keyEnd);
    named.push({ database: victim.database, key, bytes: victim.bytes });
  }
  return named;
}

const numbersOf = (named: readonly Named[]): number[] => named.map(({ key }) => Number(key));
const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** A thousand keys: the lower its number, the longer unused, the seldomer used and the sooner dead a key is. */
function graded(policy: EvictionPolicy, onlyEven = false): TextStore {
  const text = newText();
  const { store } = text;
  const keys = text.keys(0);
  store.lfu = policy.endsWith("lfu");
  for (let i = 0; i < 1000; i++) {
    text.set(0, `${i}`, "v");
    const handle = text.find(0, `${i}`);
    keys.setAccessClock(handle, store.lfu ? newLfuClock(0, Math.floor(i / 4)) : i);
    if (!onlyEven || i % 2 === 0) keys.setDeadline(handle, 10_000 + i);
  }
  store.accessClock = store.lfu ? 0 : 1000;
  return text;
}

for (const policy of [
  "allkeys-lru",
  "allkeys-lfu",
  "volatile-lru",
  "volatile-lfu",
  "volatile-ttl",
] as const) {
  test(`${policy}: of a thousand graded keys, the hundred named are from the worst`, () => {
    const text = graded(policy);
    const numbers = numbersOf(name(new VictimPicker(new Xoshiro(1)), text, policy, 100));
    assert.equal(new Set(numbers).size, 100);
    assert.ok(Math.max(...numbers) < 600, `the best of them is ${Math.max(...numbers)}`);
    assert.ok(mean(numbers) < 180, `on average ${mean(numbers)}`);
    const many = numbersOf(name(new VictimPicker(new Xoshiro(1)), text, policy, 100, 20));
    assert.ok(mean(many) < mean(numbers), "more samples find worse keys");
  });
}

for (const policy of ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"] as const) {
  test(`${policy} takes all keys with a deadline and no others`, () => {
    const text = graded(policy, true);
    assert.equal(evictableCount(text.store, policy), 500);
    const numbers = numbersOf(name(new VictimPicker(new Xoshiro(2)), text, policy, 1000));
    assert.ok(numbers.every((i) => i % 2 === 0));
    assert.ok(numbers.length > 450, `${numbers.length} of 500 found`);
  });
}

test("noeviction names nothing, and an empty store has nothing to name", () => {
  assert.deepEqual(name(new VictimPicker(new Xoshiro(1)), graded("noeviction"), "noeviction", 1), []);
  assert.deepEqual(name(new VictimPicker(new Xoshiro(1)), newText(), "allkeys-lru", 1), []);
  const text = newText();
  text.set(0, "k", "v");
  assert.deepEqual(name(new VictimPicker(new Xoshiro(1)), text, "volatile-ttl", 1), []);
  assert.equal(name(new VictimPicker(new Xoshiro(1)), text, "allkeys-random", 5).length, 1);
});

test("samples favour no key: each is drawn as often as any other, whatever the gap before its hash", () => {
  const keyCount = 500;
  const draws = 400_000;
  for (const seed of [1, 2, 3]) {
    const store = new Store({ databases: 1, hashSeed: [seed, 7] });
    const text = new TextStore(store);
    for (let i = 0; i < keyCount; i++) text.set(0, `${i}`, "v");
    const keys = text.keys(0);
    const met = new Map<number, number>();
    const hashes = new Uint32Array(5);
    const handles = new Uint32Array(5);
    const random = new Xoshiro(seed);
    for (let i = 0; i < draws / 5; i++) {
      assert.equal(keys.sample(5, random, false, hashes, handles), 5);
      for (const handle of handles) met.set(handle, (met.get(handle) ?? 0) + 1);
    }
    const expected = draws / keyCount;
    const chiSquare = [...met.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 499 degrees of freedom, and a sample of five neighbours counts as fewer than five: 5 times the mean is far out.
    assert.equal(met.size, keyCount);
    assert.ok(chiSquare < 5 * keyCount, `seed ${seed}: chi square ${chiSquare}`);
  }
});

test("databases are drawn by their number of keys", () => {
  const text = newText(3);
  for (let i = 0; i < 900; i++) text.set(0, `a${i}`, "v");
  for (let i = 0; i < 100; i++) text.set(2, `b${i}`, "v");
  const named = name(new VictimPicker(new Xoshiro(3)), text, "allkeys-random", 200);
  const fromSmall = named.filter(({ database }) => database === 2).length;
  assert.ok(
    fromSmall > 5 && fromSmall < 45,
    `${fromSmall} of 200 from the database with a tenth of the keys`,
  );
});

test("what was named is not named again until it is settled, and then first, unless it was used", () => {
  const text = graded("allkeys-lru");
  const picker = new VictimPicker(new Xoshiro(4));
  const first = name(picker, text, "allkeys-lru", 10);
  const second = name(picker, text, "allkeys-lru", 400);
  assert.equal(new Set([...first, ...second].map(({ key }) => key)).size, 410);
  picker.settle(10, 3); // three of the first ten were evicted, or should have been
  for (const { key } of first.slice(0, 3)) text.remove(0, key);
  text.find(0, first[4]!.key); // used
  text.remove(0, first[5]!.key); // gone
  const third = name(picker, text, "allkeys-lru", 5).map(({ key }) => key);
  assert.deepEqual(
    third,
    [3, 6, 7, 8, 9].map((i) => first[i]!.key),
  );
  picker.takeBack(5);
});

/** Names, evicts a part, changes keys, and again: whatever happens, a named key is there and named once. */
test("property: named keys exist, once, with the bytes that their removal frees", () => {
  const policies = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-ttl",
    "volatile-random",
  ] as const;
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), key: fc.nat(200), length: fc.nat(300), db: fc.nat(1) }),
    fc.record({ do: fc.constant("remove" as const), key: fc.nat(200), db: fc.nat(1) }),
    fc.record({ do: fc.constant("expire" as const), key: fc.nat(200), at: fc.integer({ min: 1, max: 99 }) }),
    fc.record({ do: fc.constant("name" as const), count: fc.nat(30) }),
    fc.record({ do: fc.constant("settle" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...policies),
      fc.array(step, { maxLength: 150 }),
      fc.nat(),
      (policy, steps, seed) => {
        const text = newText(2);
        const picker = new VictimPicker(new Xoshiro(seed));
        const inFlight: Named[][] = [];
        for (let i = 0; i < 150; i++) text.set(i % 2, `${i}`, "v");
        for (const it of steps) {
          if (it.do === "set") text.set(it.db, `${it.key}`, "x".repeat(it.length));
          else if (it.do === "remove") text.remove(it.db, `${it.key}`);
          else if (it.do === "expire") text.expire(0, `${it.key}`, it.at);
          else if (it.do === "name") {
            const named = name(picker, text, policy, it.count);
            for (const { database, key, bytes } of named) {
              assert.notEqual(text.find(database, key), 0, `${key} is there`);
              assert.equal(text.keys(database).memoryOf(text.find(database, key)), bytes);
              for (const earlier of inFlight.flat())
                assert.ok(earlier.database !== database || earlier.key !== key, `${key} twice`);
            }
            inFlight.push(named);
          } else {
            const named = inFlight.shift();
            if (named === undefined) continue;
            const taken = Math.floor(it.part * named.length);
            for (const { database, key } of named.slice(0, taken)) text.remove(database, key);
            picker.settle(named.length, taken);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a queue of candidates wraps around and grows", () => {
  const queue = new CandidateQueue();
  const into = emptyCandidate();
  let next = 0;
  let first = 0;
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 7; i++)
      queue.push({ database: next % 9, hash: next, handle: next, score: -next, bytes: next++ });
    for (let i = 0; i < 5; i++) {
      assert.ok(queue.shift(into));
      assert.deepEqual(into, {
        database: first % 9,
        hash: first,
        handle: first,
        score: -first,
        bytes: first++,
      });
    }
    assert.ok(queue.pop(into));
    assert.equal(into.handle, --next);
  }
  assert.equal(queue.count, next - first);
  queue.clear();
  assert.equal(queue.shift(into), false);
});
