// What one step of comparing replicas costs (docs/adr/0017): processor time for each of its records, over a store of a million keys of 16
// bytes with values of 32, and for a step as the leader orders them every 50 ms.
// Run: node bench/micro/run.mjs digest; KEYS=n for another number.

import { ContentDigest, digestStep } from "../../src/store/digest.ts";
import { Store } from "../../src/store/store.ts";
import { nsEach, processorNs } from "./measure.ts";

const KEYS = Number(process.env["KEYS"] ?? 1_000_000);
const STEP_RECORDS = 1024;
const STEP_INTERVAL_MS = 50;

const store = new Store({ databases: 1, hashSeed: [1, 2] });
const keys = store.databases[0]!;
const key = Buffer.alloc(16);
const value = Buffer.alloc(32, "v");
for (let i = 0; i < KEYS; i++) {
  key.write(`key:${String(i).padStart(12, "0")}`, "latin1");
  keys.setString(key, 0, key.length, value, 0, value.length, false);
}
for (let round = 0; round < 3; round++) {
  const began = processorNs();
  let steps = 0;
  let longestMs = 0;
  let from = 0;
  do {
    const ns = nsEach(1, () => {
      from = digestStep(keys, from, STEP_RECORDS, new ContentDigest(), 0);
    });
    longestMs = Math.max(longestMs, ns / 1e6);
    steps++;
  } while (from !== 0);
  const stepMs = (processorNs() - began) / 1e6 / steps;
  console.log(
    `${KEYS} keys: ${((1e6 * stepMs) / STEP_RECORDS).toFixed(0)} ns a record, ${stepMs.toFixed(2)} ms a step of ${STEP_RECORDS} ` +
      `(longest ${longestMs.toFixed(2)} ms), ${((100 * stepMs) / STEP_INTERVAL_MS).toFixed(1)} % of one core`,
  );
}
