// Order is a function of the keys and the seed: SCAN across resizes, equal hashes, deadlines, and bounded resize work.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { hashKey } from "../../src/store/hash.ts";
import { SEGMENT_ENTRIES } from "../../src/store/segment-pool.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { Store } from "../../src/store/store.ts";
import { fc } from "../property.ts";
import { TextStore } from "./model.ts";

const SEED: readonly [number, number] = [1, 2];
const newText = (): TextStore => new TextStore(new Store({ databases: 1, hashSeed: SEED }));

function scanStep(text: TextStore, cursor: number, count: number, found: string[]): number {
  return text
    .keys(0)
    .scan(cursor, count, (bytes, start, end) => found.push(bytes.toString("latin1", start, end)));
}

function scanAll(text: TextStore, count: number): string[] {
  const found: string[] = [];
  let cursor = 0;
  do cursor = scanStep(text, cursor, count, found);
  while (cursor !== 0);
  return found;
}

test("SCAN: a key that is there throughout is returned exactly once, whatever grows, shrinks or fails over", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 5, max: 40 }), (seed, count) => {
      const random = new Xoshiro(seed);
      let text = newText();
      const stable = Array.from({ length: 200 }, (_, i) => `stable ${i}`);
      for (const key of stable) text.set(0, key, "");
      const found: string[] = [];
      let cursor = 0;
      let fresh = 0;
      do {
        cursor = scanStep(text, cursor, count, found);
        const change = random.below(400);
        if (random.below(3) === 0)
          for (let i = 0; i < change; i++) text.remove(0, `fresh ${random.below(fresh + 1)}`);
        else for (let i = 0; i < change && fresh < 3000; i++) text.set(0, `fresh ${fresh++}`, "");
        if (random.below(10) === 0) text = replica(text);
      } while (cursor !== 0);
      const seen = found.filter((key) => key.startsWith("stable"));
      assert.deepEqual([...seen].sort(), [...stable].sort());
    }),
    { numRuns: 25 },
  );
});

/** The same content, made by another history. */
function replica(text: TextStore): TextStore {
  const other = newText();
  for (const [key, record] of text.records(0).reverse()) other.set(0, key, record.value);
  return other;
}

test("order, digest and logical bytes do not depend on history", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 2000 }), { maxLength: 300 }), fc.nat(), (numbers, seed) => {
      const random = new Xoshiro(seed);
      const plain = newText();
      const busy = newText();
      for (const n of numbers) plain.set(0, `${n}`, "v".repeat(n % 700));
      for (let i = 0; i < 1000; i++) busy.set(0, `${random.below(4000)}`, "w".repeat(random.below(900)));
      for (const n of [...numbers].reverse()) {
        busy.set(0, `${n}`, "v".repeat(n % 700));
        busy.expire(0, `${n}`, 1000 + (n % 7));
        if (n % 5 !== 0) busy.persist(0, `${n}`);
      }
      for (const n of numbers) if (n % 5 === 0) plain.expire(0, `${n}`, 1000 + (n % 7));
      const kept = new Set(numbers.map((n) => `${n}`));
      for (let i = 0; i < 4000; i++) if (!kept.has(`${i}`)) busy.remove(0, `${i}`);
      assert.deepEqual(busy.records(0), plain.records(0));
      assert.equal(busy.store.digest(), plain.store.digest());
      assert.equal(busy.store.logicalBytes, plain.store.logicalBytes);
      assert.deepEqual(scanAll(busy, 7), scanAll(plain, 11));
      for (const text of [plain, busy]) text.store.setTime(1_000_000, 1_000_000);
      assert.deepEqual(expiredInOrder(busy), expiredInOrder(plain), "due keys go in the same order");
    }),
    { numRuns: 25 },
  );
});

function expiredInOrder(text: TextStore): string[] {
  const gone: string[] = [];
  text.store.onExpired = (_, bytes, start, end) => gone.push(bytes.toString("latin1", start, end));
  while (text.store.reclaimDue(3) > 0);
  return gone;
}

test("due keys of several databases: by deadline, then database, then hash", () => {
  const store = new Store({ databases: 3, hashSeed: SEED });
  const text = new TextStore(store);
  const random = new Xoshiro(3);
  const want: [number, number, number, string][] = [];
  for (let i = 0; i < 3000; i++) {
    const database = random.below(3);
    const key = `${i}`;
    text.set(database, key, "v");
    const deadlineMs = 1 + random.below(40);
    text.expire(database, key, random.below(1000) + 1);
    text.expire(database, key, deadlineMs);
    const bytes = Buffer.from(key);
    want.push([deadlineMs, database, hashKey(bytes, 0, bytes.length, ...SEED) >>> 0, key]);
  }
  want.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const gone: [number, string][] = [];
  store.onExpired = (database, bytes, start, end) =>
    gone.push([database, bytes.toString("latin1", start, end)]);
  for (let nowMs = 0; nowMs <= 40; nowMs++) {
    assert.equal(store.nextDeadlineMs(), want[gone.length]?.[0] ?? Infinity);
    store.setTime(nowMs, nowMs);
    while (store.reclaimDue(7) > 0);
    assert.equal(gone.length, want.filter((w) => w[0] <= nowMs).length);
  }
  assert.deepEqual(
    gone,
    want.map((w) => [w[1], w[3]]),
  );
  assert.equal(store.nextDeadlineMs(), Infinity);
});

/** Keys of equal hash under SEED: of 300,000 keys about ten pairs. */
function collidingPairs(): [string, string][] {
  const byHash = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let i = 0; i < 300_000; i++) {
    const key = `${i}`;
    const bytes = Buffer.from(key);
    const hash = hashKey(bytes, 0, bytes.length, ...SEED);
    const other = byHash.get(hash);
    if (other === undefined) byHash.set(hash, key);
    else pairs.push([other, key]);
  }
  return pairs;
}

test("equal hashes: ordered by key, scanned together, through splits, merges and snapshots", () => {
  const pairs = collidingPairs();
  assert.ok(pairs.length >= 3, `${pairs.length} pairs`);
  for (const [i, [a, b]] of pairs.slice(0, 4).entries()) {
    const text = newText();
    const [first, second] = Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? [a, b] : [b, a];
    text.set(0, second, "x".repeat(50_000));
    text.set(0, first, "y".repeat(50_000));
    assert.deepEqual(scanAll(text, 1), [first, second]);
    for (let n = 0; n < 900; n++) {
      text.set(0, `other ${n}`, "");
      text.set(0, first, "y".repeat(100 + 50 * (n % 3)));
      assert.equal(text.get(0, first)?.length, 100 + 50 * (n % 3));
      assert.equal(text.get(0, second)?.length, 50_000);
      if (n % 16 === 0) assert.equal(text.records(0).length, n + 3);
    }
    const digest = text.store.digest();
    const reader = text.store.beginSnapshot();
    const loader = new SnapshotLoader();
    for (let chunk = reader.next(0); chunk !== undefined; chunk = reader.next(0)) {
      assert.equal(loader.accept(chunk), undefined);
      if (i % 2 === 0) text.resize(0, second, 50_000, "changed");
    }
    const result = loader.finish();
    assert.ok(result.ok);
    assert.equal(result.store.digest(), digest);
    for (let n = 0; n < 900; n++) {
      text.remove(0, `other ${n}`);
      assert.ok(text.find(0, first) !== 0 && text.find(0, second) !== 0);
    }
    assert.ok(text.remove(0, first));
    assert.equal(text.get(0, first), undefined);
    assert.equal(text.get(0, second)?.[0], "x");
  }
});

test("growing and shrinking: each write moves a bounded number of entries, and memory follows", () => {
  const text = newText();
  const { index } = text.keys(0);
  let movedBefore = 0;
  let bytesMax = 0;
  const check = (): void => {
    // One split or merge is usual; a few in a row happen.
    assert.ok(
      index.movedEntries - movedBefore <= 4 * SEGMENT_ENTRIES,
      `${index.movedEntries - movedBefore} entries`,
    );
    movedBefore = index.movedEntries;
  };
  for (let i = 0; i < 60_000; i++) {
    text.set(0, `${i}`, "");
    check();
  }
  bytesMax = index.reservedBytes;
  assert.ok(bytesMax < 16 * 60_000, `${bytesMax} bytes for 60,000 entries`);
  for (let i = 0; i < 59_000; i++) {
    text.remove(0, `${i}`);
    check();
  }
  assert.ok(index.reservedBytes < bytesMax / 4, `${index.reservedBytes} bytes are left of ${bytesMax}`);
  assert.ok(movedBefore > 40_000, "there were splits and merges");
});

test("growing and shrinking again and again takes no more memory", () => {
  const text = newText();
  const { index, arena } = text.keys(0);
  let indexBytes = 0;
  let arenaBytes = 0;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 40_000; i++) text.set(0, `${round} ${i}`, "");
    if (round === 1) {
      indexBytes = index.reservedBytes;
      arenaBytes = arena.reservedBytes;
    }
    if (round > 1) {
      assert.ok(index.reservedBytes <= 1.2 * indexBytes, `${index.reservedBytes} after ${indexBytes}`);
      assert.ok(arena.reservedBytes <= 1.2 * arenaBytes, `${arena.reservedBytes} after ${arenaBytes}`);
    }
    for (let i = 0; i < 40_000; i++) if (i % 8 !== 0 || round > 0) text.remove(0, `${round} ${i}`);
  }
});

test("filling in hash order takes no more work than filling in any other order", () => {
  const text = newText();
  for (let i = 0; i < 50_000; i++) text.set(0, `${i}`, "");
  const ordered = newText();
  for (const key of scanAll(text, 1000)) ordered.set(0, key, "");
  assert.deepEqual(ordered.records(0), text.records(0));
  const { index } = text.keys(0);
  assert.ok(ordered.keys(0).index.movedEntries <= 2 * index.movedEntries);
  assert.equal(ordered.keys(0).index.reservedBytes, index.reservedBytes);
});
