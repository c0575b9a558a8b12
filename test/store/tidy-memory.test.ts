// Memory that deleted keys leave behind: records move together in steps, so that whole chunks go back, and nobody sees anything of it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { Store } from "../../src/store/store.ts";

const MIB = 1 << 20;
const STEP_RECORDS = 500;

const keyOf = (i: number): Buffer => Buffer.from(`key:${i}`);

function set(store: Store, i: number, length: number, deadlineMs = 0): void {
  const keys = store.databases[0]!;
  const key = keyOf(i);
  const value = Buffer.alloc(length, `${i},`);
  const handle = keys.setString(key, 0, key.length, value, 0, length, false);
  if (deadlineMs !== 0) keys.setDeadline(handle, deadlineMs);
}

function remove(store: Store, i: number): void {
  const key = keyOf(i);
  store.databases[0]!.remove(key, 0, key.length);
}

function filled(count: number, lengthOf: (i: number) => number): Store {
  const store = new Store({ databases: 1, hashSeed: [1, 2] });
  store.setTime(1, 1);
  for (let i = 0; i < count; i++)
    set(store, i, lengthOf(i), i % 3 === 0 ? 1_000_000 + ((i * 7919) % 100_000) : 0);
  return store;
}

/** As it would be if it had always been so. */
function afresh(store: Store, alive: ReadonlySet<number>, lengthOf: (i: number) => number): Store {
  const fresh = new Store({ databases: 1, hashSeed: [1, 2] });
  fresh.setTime(1, 1);
  for (const i of alive) set(fresh, i, lengthOf(i), i % 3 === 0 ? 1_000_000 + ((i * 7919) % 100_000) : 0);
  assert.equal(store.digest(), fresh.digest());
  return fresh;
}

test("nine of ten keys deleted: the memory goes, in steps, and what is left is as it was", () => {
  const lengthOf = (i: number): number => 100 + ((i * 31) % 1500);
  const store = filled(80_000, lengthOf);
  const before = store.reservedBytes;
  const alive = new Set<number>();
  for (let i = 0; i < 80_000; i++) {
    if (i % 10 === 0) alive.add(i);
    else remove(store, i);
  }
  assert.ok(store.reservedBytes > 0.9 * before, "pages are sparse, chunks are not empty");
  const digest = store.digest();
  const { logicalBytes } = store;
  let steps = 0;
  while (store.tidy(STEP_RECORDS)) steps++;
  assert.ok(store.reservedBytes <= before / 4, `${store.reservedBytes} of ${before} bytes`);
  assert.ok(steps > 5, `${steps} steps`);
  assert.equal(store.digest(), digest);
  assert.equal(store.logicalBytes, logicalBytes);
  const fresh = afresh(store, alive, lengthOf);
  // Deadlines come due in the same order.
  for (const nowMs of [1_010_000, 1_050_000, 1_200_000]) {
    for (const each of [store, fresh]) {
      each.setTime(nowMs, nowMs);
      while (each.reclaimDue(1000) > 0);
    }
    assert.equal(store.digest(), fresh.digest());
  }
  // Full of new records where there was room.
  for (let i = 0; i < 80_000; i++) set(store, i, lengthOf(i));
  assert.equal(store.databases[0]!.size, 80_000);
});

test("commands between the steps: the same as without any", () => {
  const random = new Xoshiro(7);
  const lengths = new Map<number, number>();
  const tidied = filled(60_000, () => 700);
  const plain = filled(60_000, () => 700);
  for (let i = 0; i < 60_000; i++) if (i % 8 !== 0) for (const store of [tidied, plain]) remove(store, i);
  for (let steps = 0; steps < 200; steps++) {
    tidied.tidy(50);
    for (let k = 0; k < 40; k++) {
      const i = random.below(60_000);
      const length = random.below(3000);
      const isRemoved = random.below(3) > 0;
      if (!isRemoved) lengths.set(i, length);
      for (const store of [tidied, plain]) {
        if (isRemoved) remove(store, i);
        else set(store, i, length);
      }
    }
    if (steps % 50 === 0) assert.equal(tidied.digest(), plain.digest());
  }
  // What rests goes on after a while.
  for (let i = 0; i < 400; i++) tidied.tidy(STEP_RECORDS);
  assert.equal(tidied.digest(), plain.digest());
  assert.equal(tidied.logicalBytes, plain.logicalBytes);
  assert.ok(tidied.reservedBytes < plain.reservedBytes / 2);
});

test("nothing moves while a snapshot is read, and where memory is well used", () => {
  const store = filled(40_000, () => 900);
  assert.equal(store.tidy(STEP_RECORDS), false);
  for (let i = 0; i < 40_000; i++) if (i % 10 !== 0) remove(store, i);
  const snapshot = store.beginSnapshot(new Uint8Array(0));
  assert.equal(store.tidy(STEP_RECORDS), false);
  snapshot.abort();
  assert.equal(store.tidy(STEP_RECORDS), true);
  // One begins in the middle of it.
  const digest = store.digest();
  const other = store.beginSnapshot(new Uint8Array(0));
  let chunks = 0;
  for (; other.next(64 << 10) !== undefined; chunks++) {
    if (other.done) break;
    remove(store, 20 * chunks);
    assert.equal(store.tidy(STEP_RECORDS), false);
  }
  assert.notEqual(store.digest(), digest);
  while (store.tidy(STEP_RECORDS));
  assert.ok(store.reservedBytes < 16 * MIB, `${store.reservedBytes}`);
});
