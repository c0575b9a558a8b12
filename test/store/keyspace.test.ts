// What commands see beyond the plain map: time, access clocks, encodings, random keys.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { newLfuClock } from "../../src/store/access.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { Store } from "../../src/store/store.ts";
import { TextStore } from "./model.ts";

const newText = (): TextStore => new TextStore(new Store({ databases: 2, hashSeed: [1, 2] }));

test("a key between log time and running time is dying: alive, and told of", () => {
  const text = newText();
  const { store } = text;
  text.set(0, "k", "v");
  text.expire(0, "k", 100);
  for (const { log, running, alive, dying } of [
    { log: 99, running: 99, alive: true, dying: false },
    { log: 99, running: 100, alive: true, dying: true },
    { log: 50, running: 5000, alive: true, dying: true },
    { log: 100, running: 100, alive: false, dying: false },
  ]) {
    store.setTime(log, running);
    store.metDying = false;
    assert.equal(text.find(0, "k") !== 0, alive);
    assert.equal(store.metDying, dying);
  }
  assert.equal(text.keys(0).size, 1, "dead, but not reclaimed");
  assert.throws(() => store.setTime(2, 1), /before/);
});

test("writes that meet a dead key start afresh", () => {
  const text = newText();
  const dead = (): void => {
    text.store.setTime(0, 0);
    text.set(0, "k", "old");
    text.expire(0, "k", 10);
    text.store.setTime(10, 10);
  };
  dead();
  text.set(0, "k", "new", true);
  assert.equal(text.keys(0).deadlineOf(text.find(0, "k")), 0, "KEEPTTL keeps nothing of a dead key");
  dead();
  text.resize(0, "k", 2);
  assert.equal(text.get(0, "k"), "\0\0");
  dead();
  assert.equal(text.remove(0, "k"), false);
  assert.equal(text.keys(0).size, 0);
  assert.equal(text.store.expiredKeys, 3);
  dead();
  assert.equal(text.rename(0, "k", "l"), false);
  text.store.onExpired = (_, bytes, start, end) => void text.find(0, bytes.toString("latin1", start, end));
  assert.equal(text.move(0, "k", 1), false);
  text.set(1, "k", "there");
  assert.equal(text.remove(0, "k"), false, "a hook that reads does not disturb");
});

test("encodings as Redis names them", () => {
  const text = newText();
  for (const [value, encoding] of [
    ["0", "int"],
    ["-1", "int"],
    ["9223372036854775807", "int"],
    ["-9223372036854775808", "int"],
    ["9223372036854775808", "embstr"],
    ["-9223372036854775809", "embstr"],
    ["00", "embstr"],
    ["-0", "embstr"],
    ["+1", "embstr"],
    ["-", "embstr"],
    ["", "embstr"],
    ["1 ", "embstr"],
    ["x".repeat(44), "embstr"],
    ["x".repeat(45), "raw"],
    ["1".repeat(20), "embstr"],
  ] as const) {
    text.set(0, "k", value);
    assert.equal(text.keys(0).encodingOf(text.find(0, "k")), encoding, value);
  }
  text.set(0, "k", "12");
  text.resize(0, "k", 2);
  assert.equal(text.keys(0).encodingOf(text.find(0, "k")), "raw");
});

test("LRU: seconds since the last access, across the wrap of 24 bits", () => {
  const text = newText();
  const { store } = text;
  const keys = text.keys(0);
  store.accessClock = 0xff_fff0;
  text.set(0, "k", "v");
  const handle = text.find(0, "k");
  store.accessClock = 0xff_fffa;
  assert.equal(keys.idleOf(handle), 10);
  store.noTouch = true;
  text.find(0, "k");
  assert.equal(keys.idleOf(handle), 10);
  store.accessClock = 5;
  assert.equal(keys.idleOf(handle), 20);
  store.noTouch = false;
  text.find(0, "k");
  assert.equal(keys.idleOf(handle), 0);
});

test("a copy is new to the policies of eviction, and what moves keeps its use", () => {
  const text = newText();
  const { store } = text;
  const useOf = (database: number, key: string): number => {
    store.noTouch = true;
    const keys = text.keys(database);
    const handle = text.find(database, key);
    store.noTouch = false;
    return store.lfu ? keys.frequencyOf(handle) : keys.idleOf(handle);
  };
  for (const { lfu, fresh, clock, used } of [
    { lfu: true, fresh: 5, clock: newLfuClock(100, 200), used: 200 },
    { lfu: false, fresh: 0, clock: 17, used: 83 },
  ]) {
    store.clear();
    store.lfu = lfu;
    store.accessClock = 100;
    for (const key of ["a", "there"]) {
      text.set(0, key, "v");
      text.keys(0).setAccessClock(text.find(0, key), clock);
    }
    for (const key of ["b", "there"]) {
      text.keys(0).setAccessClock(text.find(0, "a"), clock);
      text.copy(0, "a", 0, key);
      assert.equal(useOf(0, key), fresh);
    }
    text.rename(0, "a", "c");
    assert.equal(useOf(0, "c"), used);
    text.move(0, "c", 1);
    assert.equal(useOf(1, "c"), used);
  }
});

test("LFU: a counter that grows with its logarithm and decays by the minute", () => {
  const text = newText();
  const { store } = text;
  const keys = text.keys(0);
  store.lfu = true;
  store.accessClock = 0xffff;
  text.set(0, "k", "v");
  const handle = text.find(0, "k");
  for (let i = 0; i < 1000; i++) text.find(0, "k");
  const counter = keys.frequencyOf(handle);
  assert.ok(counter >= 12 && counter <= 26, `${counter} after 1000 hits; Redis documents 18`);
  text.set(0, "k", "w");
  assert.equal(keys.frequencyOf(handle), counter, "overwriting keeps it");
  store.accessClock = 3;
  assert.equal(keys.frequencyOf(handle), counter - 3);
  store.lfuDecayMinutes = 0;
  assert.equal(keys.frequencyOf(handle), counter);
  store.lfuDecayMinutes = 1;
  store.accessClock = 2000;
  assert.equal(keys.frequencyOf(handle), 0);
});

test("random keys and samples", () => {
  const text = newText();
  const keys = text.keys(0);
  const random = new Xoshiro(1);
  const hashes = new Uint32Array(16);
  const into = new Uint32Array(16);
  assert.equal(keys.randomKey(random), 0);
  assert.equal(keys.sample(5, random, false, hashes, into), 0);
  for (let i = 0; i < 100; i++) text.set(0, `${i}`, "v");
  assert.equal(keys.sample(5, random, true, hashes, into), 0);
  for (let i = 0; i < 50; i++) text.expire(0, `${i}`, 10);
  assert.equal(keys.sample(50, random, true, hashes, into), 16);
  for (const handle of into) assert.equal(keys.deadlineOf(handle), 10);
  assert.equal(keys.sample(5, random, false, hashes, into), 5);
  text.store.setTime(10, 10);
  const met = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    const handle = keys.randomKey(random);
    assert.ok(handle !== 0);
    keys.keyRange(handle);
    met.add(keys.keyBytes.toString("latin1", keys.keyStart, keys.keyEnd));
  }
  assert.ok([...met].every((key) => Number(key) >= 50));
  assert.ok(met.size > 40, `${met.size} of 50 alive keys`);
});

test("the mean time to live is exact for few keys and near for many; what is due counts as 0", () => {
  const text = newText();
  const keys = text.keys(0);
  assert.equal(keys.averageTtlMs(0, 10), 0);
  text.set(0, "for ever", "v");
  assert.equal(keys.averageTtlMs(0, 10), 0);
  for (let i = 1; i <= 10; i++) {
    text.set(0, `${i}`, "v");
    text.expire(0, `${i}`, 1000 * i);
  }
  assert.equal(keys.averageTtlMs(0, 10), 5500);
  assert.equal(keys.averageTtlMs(5000, 10), 1500);
  assert.equal(keys.averageTtlMs(20_000, 10), 0);
  const random = new Xoshiro(7);
  let sum = 0;
  for (let i = 0; i < 10_000; i++) {
    const deadlineMs = 1 + random.below(1_000_000);
    sum += deadlineMs;
    text.set(1, `${i}`, "v");
    text.expire(1, `${i}`, deadlineMs);
  }
  const mean = sum / 10_000;
  const estimate = text.keys(1).averageTtlMs(0, 256);
  assert.ok(Math.abs(estimate - mean) < mean / 10, `${estimate} for ${mean}`);
});

test("scan cursors from clients: any number is safe", () => {
  const text = newText();
  for (let i = 0; i < 100; i++) text.set(0, `${i}`, "v");
  for (const cursor of [-1, 2 ** 32, 2 ** 53, NaN, Infinity]) {
    assert.equal(
      text.keys(0).scan(cursor, 10, () => assert.fail()),
      0,
    );
  }
  text.keys(0).scan(0xffff_ffff, 10, () => {});
});

test("a deadline changed before the snapshot's walk came by", () => {
  const text = newText();
  for (let i = 0; i < 20; i++) {
    text.set(0, `${i}`, "v");
    text.expire(0, `${i}`, 100 + i);
  }
  const digest = text.store.digest();
  const reader = text.store.beginSnapshot();
  for (let i = 0; i < 20; i++)
    assert.equal(i % 2 === 0 ? text.persist(0, `${i}`) : text.expire(0, `${i}`, 7), true);
  const loader = new SnapshotLoader({ databases: 2, accessClock: 77 });
  for (let chunk = reader.next(0); chunk !== undefined; chunk = reader.next(0)) loader.accept(chunk);
  const result = loader.finish();
  assert.ok(result.ok);
  assert.equal(result.store.digest(), digest);
  assert.equal(result.store.databases[0]!.idleOf(new TextStore(result.store).find(0, "1")), 0);
});
