// ns per operation of the store alone, one thread, keys of 16 bytes and values of 32. No network, no parsing.
// Run: node bench/micro/run.mjs store; KEYS=n for another number than 100,000.

import { Xoshiro } from "../../src/base/prng.ts";
import { Store } from "../../src/store/store.ts";
import { rounds, show, shuffled } from "./measure.ts";

const KEYS = Number(process.env["KEYS"] ?? 100_000);
const ROUNDS = Math.max(1, Math.round(2_000_000 / KEYS));
const random = new Xoshiro(1);
// Keys are used in another order than they were inserted, but read from memory in order, as from a socket.
const order = shuffled(KEYS, random);
const sorted = Buffer.alloc(16 * KEYS);
const inDisorder = Buffer.alloc(16 * KEYS);
const absent = Buffer.alloc(16 * KEYS);
for (let i = 0; i < KEYS; i++) {
  sorted.write(`key:${String(i).padStart(12, "0")}`, 16 * i, "latin1");
  inDisorder.write(`key:${String(order[i]!).padStart(12, "0")}`, 16 * i, "latin1");
  absent.write(`key:${String(order[i]! + KEYS).padStart(12, "0")}`, 16 * i, "latin1");
}
const value = Buffer.alloc(40, "v");

function measure(
  name: string,
  before: (store: Store) => void,
  run: (store: Store, key: number) => void,
): void {
  const store = new Store({ databases: 1, hashSeed: [1, 2] });
  store.setTime(1000, 1000);
  const all = (): void => {
    for (let i = 0; i < KEYS; i++) run(store, 16 * i);
  };
  show(
    name,
    rounds(Math.max(ROUNDS, 3), KEYS, all, () => before(store)),
  );
}

function fill(store: Store): void {
  store.clear();
  const keys = store.databases[0]!;
  for (let key = 0; key < 16 * KEYS; key += 16) keys.setString(sorted, key, key + 16, value, 0, 32, false);
}
function fillOnce(store: Store): void {
  if (store.databases[0]!.size === 0) fill(store);
}
function set(store: Store, key: number): void {
  store.databases[0]!.setString(inDisorder, key, key + 16, value, 0, 32, false);
}

console.log(`${KEYS} keys, node ${process.version}`);
measure("set new", (store) => store.clear(), set);
measure("set overwrite in place", fillOnce, set);
let length = 32;
measure(
  "set overwrite, other class",
  (store) => {
    fillOnce(store);
    length = length === 33 ? 32 : 33; // 64 and 80 bytes
  },
  (store, key) => store.databases[0]!.setString(inDisorder, key, key + 16, value, 0, length, false),
);
let found = 0;
measure("get hit", fillOnce, (store, key) => {
  const keys = store.databases[0]!;
  if (keys.find(inDisorder, key, key + 16) !== 0) found += keys.valueBytes[keys.valueStart]!;
});
measure("get miss", fillOnce, (store, key) => {
  found += store.databases[0]!.find(absent, key, key + 16);
});
measure("del", fill, (store, key) => store.databases[0]!.remove(inDisorder, key, key + 16));
let deadline = 2000;
measure("expire, first", fill, (store, key) => {
  const keys = store.databases[0]!;
  keys.setDeadline(keys.find(inDisorder, key, key + 16), deadline + (key & 1023));
});
measure("expire, again, growing", fillOnce, (store, key) => {
  const keys = store.databases[0]!;
  keys.setDeadline(keys.find(inDisorder, key, key + 16), ++deadline);
});
measure(
  "set ex (same deadline)",
  (store) => store.clear(),
  (store, key) => {
    const keys = store.databases[0]!;
    keys.setDeadline(keys.setString(inDisorder, key, key + 16, value, 0, 32, false), 2000);
  },
);
if (found === 1) console.log("");
