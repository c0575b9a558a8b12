// Snapshots while the store changes, and what loaders do with damaged ones.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import type { SnapshotReader } from "../../src/store/snapshot-reader.ts";
import { Store } from "../../src/store/store.ts";
import { fc } from "../property.ts";
import { assertSame, Model, TextStore } from "./model.ts";
import { DATABASES, run, type Step, step } from "./steps.ts";

type SnapshotStep = Step | { do: "begin" } | { do: "next"; count: number } | { do: "abort" };

const snapshotStep: fc.Arbitrary<SnapshotStep> = fc.oneof(
  { weight: 38, arbitrary: step },
  { weight: 3, arbitrary: fc.constant({ do: "begin" as const }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("next" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "abort" as const }) },
);

function load(chunks: readonly Buffer[]): Store {
  const loader = new SnapshotLoader({ databases: DATABASES });
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    assert.equal(loader.accept(copy), undefined);
    // The memory of a chunk is used for the next one.
    copy.fill(0xa5);
  }
  const result = loader.finish();
  assert.ok(result.ok, result.ok ? "" : result.error);
  assert.equal(result.metadata.toString(), "metadata");
  return result.store;
}

/** Follows one snapshot at a time and compares what it gives with what was there when it began. */
class Observer {
  reader: SnapshotReader | undefined;
  chunks: Buffer[] = [];
  #memory: Buffer | undefined;
  completed = 0;
  #model = new Model(0);
  #digest = "";
  #orders: string[][] = [];

  begin(text: TextStore, model: Model): void {
    if (this.reader !== undefined) return;
    this.#model = model.clone();
    this.#digest = text.store.digest();
    this.#orders = this.#ordersOf(text);
    this.chunks = [];
    this.reader = text.store.beginSnapshot(Buffer.from("metadata"));
  }

  #ordersOf(text: TextStore): string[][] {
    return text.store.databases.map((_, i) => text.records(i).map(([key]) => key));
  }

  next(): void {
    if (this.reader === undefined) return;
    const chunk = this.reader.next(65_536, this.#memory);
    if (chunk !== undefined) {
      assert.ok(chunk.length <= 65_536, `a chunk of ${chunk.length} bytes`);
      this.chunks.push(Buffer.from(chunk));
      this.#memory = Buffer.from(chunk.buffer as ArrayBuffer).fill(0xa5);
      return;
    }
    assert.equal(this.reader.queuedBytes, 0);
    const loaded = new TextStore(load(this.chunks));
    assert.equal(loaded.store.digest(), this.#digest);
    assert.deepEqual(this.#ordersOf(loaded), this.#orders, "same order after loading");
    assertSame(loaded, this.#model);
    this.completed++;
    this.reader = undefined;
  }

  abort(): void {
    this.reader?.abort();
    assert.equal(this.reader?.next(65_536), undefined);
    this.reader = undefined;
  }
}

let completedInAll = 0;

test("a snapshot is the state at its beginning, whatever is written meanwhile", () => {
  fc.assert(
    fc.property(
      fc.array(snapshotStep, { minLength: 20, maxLength: 200, size: "max" }),
      fc.nat(),
      (steps, seed) => {
        const text = new TextStore(new Store({ databases: DATABASES, hashSeed: [seed, 7] }));
        const model = new Model(DATABASES);
        const observer = new Observer();
        for (const s of steps) {
          if (s.do === "begin") observer.begin(text, model);
          else if (s.do === "next") for (let i = 0; i < s.count; i++) observer.next();
          else if (s.do === "abort") observer.abort();
          else run(text, model, s);
        }
        while (observer.reader !== undefined) observer.next();
        assertSame(text, model);
        completedInAll += observer.completed;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(completedInAll > 100, `${completedInAll} snapshots came to their end`);
});

test("many keys: writes between all chunks, through resizes", () => {
  const random = new Xoshiro(5);
  const text = new TextStore(new Store({ databases: 1, hashSeed: [1, 2] }));
  for (let i = 0; i < 20_000; i++) text.set(0, `key ${i}`, `value ${i}`);
  const digest = text.store.digest();
  const reader = text.store.beginSnapshot(Buffer.from("metadata"));
  const loader = new SnapshotLoader();
  let fresh = 0;
  for (let chunk = reader.next(65_536); chunk !== undefined; chunk = reader.next(65_536)) {
    assert.equal(loader.accept(chunk), undefined);
    for (let i = 0; i < 1500; i++) {
      const key = `key ${random.below(20_000)}`;
      if (i % 3 === 0) text.remove(0, key);
      else if (i % 3 === 1) text.set(0, key, `changed ${i}`);
      else text.set(0, `new ${fresh++}`, "new");
    }
  }
  const result = loader.finish();
  assert.ok(result.ok);
  assert.equal(result.store.digest(), digest);
  assert.notEqual(text.store.digest(), digest);
});

test("large values: split, and copied only when they are written to in place", () => {
  const text = new TextStore(new Store({ databases: DATABASES, hashSeed: [1, 2] }));
  for (let i = 0; i < 8; i++) text.set(0, `large ${i}`, String.fromCharCode(65 + i).repeat(300_000 + i));
  text.set(1, "k".repeat(200_000), "long key");
  const digest = text.store.digest();
  const reader = text.store.beginSnapshot(Buffer.from("metadata"));
  const chunks = [reader.next(0)!, reader.next(0)!, reader.next(0)!];
  text.resize(0, "large 0", 300_001, "in place");
  text.resize(0, "large 1", 300_001, "in place");
  text.expire(0, "large 2", 50);
  text.resize(0, "large 2", 300_000, "in place, after the deadline made it known");
  text.remove(0, "large 3");
  text.resize(0, "large 4", 900_000, "moved");
  text.rename(0, "large 5", "small");
  text.set(0, "large 6", "small");
  text.set(1, "k".repeat(200_000), "LONG KEY");
  for (let chunk = reader.next(0); chunk !== undefined; chunk = reader.next(0)) {
    chunks.push(chunk);
    text.resize(0, "large 7", 300_000, `again ${chunks.length}`);
  }
  assert.equal(load(chunks).digest(), digest);
});

test("one snapshot at a time", () => {
  const store = new Store({ databases: 1, hashSeed: [1, 2] });
  const reader = store.beginSnapshot();
  assert.throws(() => store.beginSnapshot(), /already/);
  reader.abort();
  store.beginSnapshot().abort();
});

test("an empty store", () => {
  const store = new Store({ databases: DATABASES, hashSeed: [1, 2] });
  store.setTime(123, 456);
  const reader = store.beginSnapshot(Buffer.from("metadata"));
  const chunks = [reader.next(0)!, reader.next(0)!];
  assert.equal(reader.next(0), undefined);
  const loaded = load(chunks);
  assert.equal(loaded.logMs, 123);
  assert.equal(loaded.digest(), store.digest());
});

function someChunks(): Buffer[] {
  const text = new TextStore(new Store({ databases: DATABASES, hashSeed: [1, 2] }));
  for (let i = 0; i < 40; i++) text.set(i % 3, `key ${i}`, `value ${i}`);
  text.expire(0, "key 3", 77);
  text.set(2, "large", "x".repeat(150_000));
  const reader = text.store.beginSnapshot(Buffer.from("metadata"));
  const chunks: Buffer[] = [];
  for (let chunk = reader.next(0); chunk !== undefined; chunk = reader.next(0)) chunks.push(chunk);
  return chunks;
}

/** What the loader says in the end; it never throws. */
function verdict(chunks: readonly Buffer[]): string {
  const loader = new SnapshotLoader({ databases: DATABASES });
  for (const chunk of chunks) loader.accept(chunk);
  const result = loader.finish();
  return result.ok ? "ok" : result.error;
}

test("damaged streams: lost, double, cut, swapped chunks", () => {
  const chunks = someChunks();
  assert.ok(chunks.length >= 6, `${chunks.length} chunks`);
  assert.equal(verdict(chunks), "ok");
  for (let i = 0; i < chunks.length; i++) {
    assert.equal(verdict(chunks.slice(0, i)), "incomplete");
    const lost = verdict(chunks.filter((_, j) => j !== i));
    assert.equal(lost, i === chunks.length - 1 ? "incomplete" : "sequence");
    const double = verdict([...chunks.slice(0, i + 1), ...chunks.slice(i)]);
    assert.equal(double, i === chunks.length - 1 ? "afterEnd" : "sequence");
    for (const length of [0, 1, 19, 20, chunks[i]!.length - 1]) {
      const cut = chunks.map((chunk, j) => (i === j ? chunk.subarray(0, length) : chunk));
      assert.equal(verdict(cut), length < 20 ? "short" : "length");
    }
  }
});

test("damaged bytes: every flipped bit is noticed", () => {
  const chunks = someChunks();
  fc.assert(
    fc.property(
      fc.nat({ max: chunks.length - 1 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (i, where, mask) => {
        const damaged = chunks.map((chunk) => Buffer.from(chunk));
        const chunk = damaged[i]!;
        chunk[where % chunk.length]! ^= mask;
        assert.notEqual(verdict(damaged), "ok");
      },
    ),
    { numRuns: 500 },
  );
});

test("false content under a true checksum: a code, no throw, no allocation by promise", async () => {
  const { CHUNK_DATA, chunkChecksum } = await import("../../src/store/snapshot-format.ts");
  const chunks = someChunks();
  const data = chunks.findIndex((chunk) => chunk.readUInt32LE(0) === CHUNK_DATA);
  const before = process.memoryUsage().arrayBuffers;
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.nat({ max: chunks.length - 1 }),
      fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (i, changes, onlyHead) => {
        const forged = chunks.map((chunk) => Buffer.from(chunk));
        const chunk = forged[i]!;
        for (const [at, byte] of changes)
          chunk[20 + ((at % (onlyHead ? 24 : chunk.length - 20)) % (chunk.length - 20))] = byte;
        chunk.writeUInt32LE(chunkChecksum(chunk), 16);
        seen.add(verdict(forged));
      },
    ),
    { numRuns: 1500 },
  );
  for (const error of ["length", "record", "limit", "version"])
    assert.ok(seen.has(error), `${error} of ${[...seen]}`);
  const promised = Buffer.from(chunks[data]!);
  promised.writeUInt32LE(0x1fff_ffff, 20 + 8);
  promised.writeUInt32LE(chunkChecksum(promised), 16);
  assert.equal(verdict([...chunks.slice(0, data), promised]), "length");
  assert.ok(process.memoryUsage().arrayBuffers - before < 512 * 1024 * 1024);
});
