// A snapshot on its way without a network: what a chunk costs its sender and its receiver, and how long the longest one
// holds up a turn. Run: node bench/micro/run.mjs snapshot [value bytes]

import { crc32c } from "../../src/base/crc32c.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { Store } from "../../src/store/store.ts";

const CHUNK_BYTES = 256 * 1024;
const DATA_BYTES = 512 * 1024 * 1024;
const valueBytes = Number(process.argv[3] ?? 1024);
const count = Math.floor(DATA_BYTES / (valueBytes + 16));

const store = new Store({ databases: 1, hashSeed: [1, 2] });
store.setTime(1000, 1000);
const keys = store.databases[0]!;
const key = Buffer.alloc(16);
const value = Buffer.alloc(valueBytes, "v");
for (let i = 0; i < count; i++) {
  key.write(`key:${String(i).padStart(12, "0")}`, 0, "latin1");
  value.writeUInt32LE(i, 0);
  keys.setString(key, 0, 16, value, 0, valueBytes, false);
}

const reader = store.beginSnapshot(Buffer.alloc(0));
const loader = new SnapshotLoader({ databases: 1 });
const read: number[] = [];
const loaded: number[] = [];
let bytes = 0;
let memory: Buffer | undefined;
const ms = (): number => Number(process.hrtime.bigint()) / 1e6;
for (;;) {
  const start = ms();
  const chunk = reader.next(CHUNK_BYTES, memory);
  // As on a connection: the kernel has taken it before the next one is read.
  if (chunk !== undefined) memory = Buffer.from(chunk.buffer);
  const between = ms();
  read.push(between - start);
  if (chunk === undefined) break;
  bytes += chunk.length;
  const problem = loader.accept(chunk);
  if (problem !== undefined) throw new Error(problem);
  loaded.push(ms() - between);
}
if (!loader.finish().ok) throw new Error("not loaded");

function print(what: string, each: number[]): void {
  const total = each.reduce((a, b) => a + b, 0);
  each.sort((a, b) => a - b);
  const at = (part: number): string => each[Math.floor(part * (each.length - 1))]!.toFixed(2);
  console.log(
    `${what.padEnd(10)} ${(bytes / 1e3 / total).toFixed(0).padStart(5)} MB/s, ms a chunk: p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`,
  );
}
console.log(
  `${count} values of ${valueBytes} bytes, ${(bytes / 1e6).toFixed(0)} MB in ${loaded.length} chunks`,
);
print("read", read);
print("load", loaded);

const some = Buffer.alloc(CHUNK_BYTES, "v");
const start = ms();
for (let i = 0; i < 1000; i++) crc32c(some, 0, some.length);
console.log(`checksum   ${((1000 * CHUNK_BYTES) / 1e3 / (ms() - start)).toFixed(0).padStart(5)} MB/s`);
