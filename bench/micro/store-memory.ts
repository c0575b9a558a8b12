// Resident memory per key of the store alone, in a fresh process: keys of 16 bytes, values of 32.
// Run: node bench/micro/run.mjs store-memory

import { Store } from "../../src/store/store.ts";

const store = new Store({ databases: 16, hashSeed: [1, 2] });
const keys = store.databases[0]!;
const key = Buffer.alloc(16, "0");
const value = Buffer.alloc(32, "v");

function add(from: number, to: number): void {
  for (let i = from; i < to; i++) {
    for (let at = 15, rest = i; at >= 0; at--, rest = Math.floor(rest / 10)) key[at] = 48 + (rest % 10);
    keys.setString(key, 0, 16, value, 0, 32, false);
  }
}

add(0, 2000); // what the compiler needs does not count
store.clear();
const before = process.memoryUsage.rss();
let peak = 0;

function report(when: string): void {
  const rss = process.memoryUsage.rss() - before;
  const reserved = store.reservedBytes;
  const line = [
    `${keys.size} keys ${when}:`,
    `RSS ${(rss / keys.size).toFixed(1)} bytes a key,`,
    `held ${(reserved / keys.size).toFixed(1)}, logical ${(store.logicalBytes / keys.size).toFixed(1)},`,
    `index ${(keys.index.reservedBytes / keys.size).toFixed(1)}`,
  ];
  console.log(line.join(" "));
}

for (let size = 0; size < 1_700_000; size += 1000) {
  add(size, size + 1000);
  if (keys.size % 200_000 === 0 && keys.size !== 1_000_000) report("");
  if (keys.size === 1_000_000) report("(the goal: 110)");
  peak = Math.max(peak, process.memoryUsage.rss() - before);
}
report(`at the end, peak ${(peak / 1e6).toFixed(0)} MB`);
