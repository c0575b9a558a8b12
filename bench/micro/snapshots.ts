// ns of processor time a key for a snapshot: chunks read from a store that nobody writes to meanwhile, or that somebody does between
// chunks, and loaded again. The longest chunk is the longest that clients wait for one.
// Run: node bench/micro/run.mjs snapshots; KEYS=n for another number than a million.

import { Xoshiro } from "../../src/base/prng.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { Store } from "../../src/store/store.ts";
import { nsEach } from "./measure.ts";

const KEYS = Number(process.env["KEYS"] ?? 1_000_000);
const CHUNK_BYTES = 256 * 1024;
const ROUNDS = 3;
const WRITES_BETWEEN = 200;
const random = new Xoshiro(1);

const store = new Store({ databases: 16, hashSeed: [1, 2] });
const key = Buffer.alloc(16);
const value = Buffer.alloc(32, "v");
function write(i: number): void {
  key.write(`key:${String(i).padStart(12, "0")}`, "latin1");
  store.databases[0]!.setString(key, 0, key.length, value, 0, value.length, false);
}
for (let i = 0; i < KEYS; i++) write(i);

function report(what: string, ns: number, longestNs: number, bytes: number, chunks: number): void {
  console.log(
    `${what.padEnd(32)} ${(ns / KEYS).toFixed(0).padStart(5)} ns a key, ${((bytes / ns) * 1000).toFixed(0).padStart(5)} MB/s, ` +
      `longest of ${chunks} chunks ${(longestNs / 1e6).toFixed(2)} ms`,
  );
}

for (let round = 0; round < ROUNDS; round++) {
  for (const writes of [0, WRITES_BETWEEN]) {
    const reader = store.beginSnapshot(Buffer.alloc(0));
    const chunks: Buffer[] = [];
    let [sum, longest, bytes] = [0, 0, 0];
    for (let isMore = true; isMore; ) {
      const ns = nsEach(1, () => {
        const chunk = reader.next(CHUNK_BYTES);
        if (chunk === undefined) isMore = false;
        else chunks.push(chunk);
      });
      sum += ns;
      longest = Math.max(longest, ns);
      for (let i = 0; i < writes; i++) write(random.below(KEYS));
    }
    for (const chunk of chunks) bytes += chunk.length;
    report(writes === 0 ? "read" : `read, ${writes} writes a chunk`, sum, longest, bytes, chunks.length);
    if (writes > 0) continue;
    const loader = new SnapshotLoader({ databases: 16 });
    [sum, longest] = [0, 0];
    for (const chunk of chunks) {
      const ns = nsEach(1, () => {
        if (loader.accept(chunk) !== undefined) throw new Error("a chunk was refused");
      });
      sum += ns;
      longest = Math.max(longest, ns);
    }
    if (!loader.finish().ok) throw new Error("the state was refused");
    report("loaded", sum, longest, bytes, chunks.length);
  }
}
