// Streams against a plain list of entries and maps of what is pending: every change, with snapshots taken in between that
// must keep what was, and restored replicas that go on alike.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import type { SnapshotReader } from "../../src/store/snapshot-reader.ts";
import { Store } from "../../src/store/store.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "../../src/store/thresholds.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { fc } from "../property.ts";

const THRESHOLDS: readonly Thresholds[] = [
  DEFAULT_THRESHOLDS,
  { ...DEFAULT_THRESHOLDS, streamNodeEntriesMax: 3 },
  { ...DEFAULT_THRESHOLDS, streamNodeBytesMax: 200, streamNodeEntriesMax: 0 },
];
const NAMES = ["alice", "bob", "", "al"];
const GROUPS = ["g", "h"];

interface Pending {
  consumer: string;
  count: number;
}

interface Group {
  lastMs: number;
  readonly consumers: Set<string>;
  readonly pending: Map<number, Pending>;
}

/** Ids are n-0. */
class Model {
  lastMs = 0;
  entries: { ms: number; words: string[] }[] = [];
  readonly groups = new Map<string, Group>();
}

const words = (text: string): string[] =>
  [...text.matchAll(/\$(-?\d+)\r\n/g)].reduce<string[]>((found, match) => {
    if (match[1] === "-1") return found;
    const start = match.index + match[0].length;
    found.push(text.slice(start, start + Number(match[1])));
    return found;
  }, []);

class Pair {
  executor: MemoryExecutor;
  readonly model = new Model();
  readonly random: Xoshiro;
  readonly #thresholds: Thresholds;

  constructor(seed: number, thresholds: Thresholds) {
    this.random = new Xoshiro(seed);
    this.#thresholds = thresholds;
    this.executor = this.#on(new Store({ databases: 1, hashSeed: [1, 2] }));
  }

  #on(store: Store): MemoryExecutor {
    return new MemoryExecutor({ store, thresholds: this.#thresholds });
  }

  /** Goes on with what a snapshot of it makes. */
  restore(): void {
    const { store } = this.executor;
    const chunks = rest(store.beginSnapshot());
    const loaded = load(chunks);
    assert.equal(loaded.digest(), store.digest());
    assert.equal(loaded.logicalBytes, store.logicalBytes);
    this.executor = this.#on(loaded);
  }

  run(...command: string[]): string {
    return this.executor.runOne(command).toString("latin1");
  }

  someMs(): string {
    const { entries, lastMs } = this.model;
    const any = entries[this.random.below(entries.length + 1)]?.ms;
    return String(any ?? this.random.below(lastMs + 2));
  }

  change(): void {
    const { model, random } = this;
    const how = random.below(12);
    if (how < 4) return this.add(1 + random.below(30));
    if (how === 4) return this.delete();
    if (how === 5) return this.trim();
    const name = GROUPS[random.below(GROUPS.length)]!;
    const group = model.groups.get(name);
    if (group === undefined) return this.createGroup(name);
    const consumer = NAMES[random.below(NAMES.length)]!;
    if (how < 9) return this.read(name, group, consumer);
    if (how === 9) return this.acknowledge(name, group);
    if (how === 10) return this.claim(name, group, consumer);
    if (random.below(4) === 0) {
      assert.equal(this.run("XGROUP", "DESTROY", "s", name), ":1\r\n");
      model.groups.delete(name);
      return;
    }
    const had = [...group.pending].filter(([, pending]) => pending.consumer === consumer);
    assert.equal(this.run("XGROUP", "DELCONSUMER", "s", name, consumer), `:${had.length}\r\n`);
    for (const [ms] of had) group.pending.delete(ms);
    group.consumers.delete(consumer);
  }

  add(count: number): void {
    const { model, random } = this;
    for (let i = 0; i < count; i++) {
      const ms = model.lastMs + 1 + random.below(3);
      const pairs = random.below(4) === 0 ? ["x", "1", "y", "22"] : ["f", "v".repeat(random.below(60))];
      assert.equal(this.run("XADD", "s", `${ms}-0`, ...pairs), `$${String(ms).length + 2}\r\n${ms}-0\r\n`);
      model.lastMs = ms;
      model.entries.push({ ms, words: [`${ms}-0`, ...pairs] });
    }
  }

  delete(): void {
    const { model } = this;
    const ids = Array.from({ length: 1 + this.random.below(4) }, () => this.someMs());
    const gone = new Set(ids.map(Number));
    const kept = model.entries.filter(({ ms }) => !gone.has(ms));
    const reply = this.run("XDEL", "s", ...ids);
    assert.equal(reply, `:${model.entries.length - kept.length}\r\n`);
    model.entries = kept;
  }

  trim(): void {
    const { model, random } = this;
    const byLength = random.below(2) === 0;
    const threshold = byLength ? String(random.below(model.entries.length + 2)) : this.someMs();
    const isApproximate = random.below(2) === 0;
    const removed = Number(
      this.run("XTRIM", "s", byLength ? "MAXLEN" : "MINID", isApproximate ? "~" : "=", threshold).slice(1),
    );
    const before = model.entries.filter(({ ms }) => ms < Number(threshold)).length;
    const most = byLength ? Math.max(0, model.entries.length - Number(threshold)) : before;
    if (isApproximate) assert.ok(removed <= most, `${removed} of ${most}`);
    else assert.equal(removed, most);
    model.entries = model.entries.slice(removed);
  }

  createGroup(name: string): void {
    const from = this.random.below(2) === 0 ? "0" : "$";
    assert.equal(this.run("XGROUP", "CREATE", "s", name, from, "MKSTREAM"), "+OK\r\n");
    const lastMs = from === "0" ? 0 : this.model.lastMs;
    this.model.groups.set(name, { lastMs, consumers: new Set(), pending: new Map() });
  }

  read(name: string, group: Group, consumer: string): void {
    const { model, random } = this;
    const limit = 1 + random.below(40);
    const isHistory = random.below(4) === 0;
    const reply = this.run(
      ...[
        "XREADGROUP",
        "GROUP",
        name,
        consumer,
        "COUNT",
        String(limit),
        "STREAMS",
        "s",
        isHistory ? "0" : ">",
      ],
    );
    group.consumers.add(consumer);
    if (isHistory) {
      const own = [...group.pending].filter(([, pending]) => pending.consumer === consumer);
      own.sort(([a], [b]) => a - b);
      const shown = own.slice(0, limit);
      const want = shown.flatMap(([ms, pending]) => {
        const entry = model.entries.find((each) => each.ms === ms);
        if (entry !== undefined) pending.count++;
        return entry?.words ?? [`${ms}-0`];
      });
      return assert.deepEqual(words(reply).slice(1), want);
    }
    const fresh = model.entries.filter(({ ms }) => ms > group.lastMs).slice(0, limit);
    assert.deepEqual(
      words(reply).slice(1),
      fresh.flatMap((entry) => entry.words),
    );
    for (const { ms } of fresh) group.pending.set(ms, { consumer, count: 1 });
    group.lastMs = fresh.at(-1)?.ms ?? group.lastMs;
  }

  acknowledge(name: string, group: Group): void {
    const all = [...group.pending.keys()].sort((a, b) => a - b);
    const first = this.random.below(all.length + 1);
    const some = all.slice(first, first + 1 + this.random.below(20));
    const ids = [...some.map(String), this.someMs()];
    const gone = new Set(ids.map(Number).filter((ms) => group.pending.has(ms)));
    assert.equal(this.run("XACK", "s", name, ...ids), `:${gone.size}\r\n`);
    for (const ms of gone) group.pending.delete(ms);
  }

  claim(name: string, group: Group, consumer: string): void {
    const { model, random } = this;
    group.consumers.add(consumer);
    const limit = 1 + random.below(20);
    const from = this.someMs();
    const reply = this.run("XAUTOCLAIM", "s", name, consumer, "0", from, "COUNT", String(limit), "JUSTID");
    const all = [...group.pending.keys()].filter((ms) => ms >= Number(from)).sort((a, b) => a - b);
    const looked = all.slice(0, limit);
    const alive = looked.filter((ms) => model.entries.some((each) => each.ms === ms));
    const gone = looked.filter((ms) => !alive.includes(ms));
    const id = (ms: number): string => `${ms}-0`;
    assert.deepEqual(words(reply), [`${all[limit] ?? 0}-0`, ...alive.map(id), ...gone.map(id)]);
    for (const ms of gone) group.pending.delete(ms);
    for (const ms of alive) group.pending.get(ms)!.consumer = consumer;
  }

  check(): void {
    const { model, executor } = this;
    const all = model.entries.flatMap((entry) => entry.words);
    assert.deepEqual(words(this.run("XRANGE", "s", "-", "+")), all);
    assert.equal(this.run("XLEN", "s"), `:${model.entries.length}\r\n`);
    const backwards = [...model.entries].reverse().flatMap((entry) => entry.words);
    assert.deepEqual(words(this.run("XREVRANGE", "s", "+", "-")), backwards);
    const from = Number(this.someMs());
    const part = model.entries.filter(({ ms }) => ms >= from && ms <= from + 9);
    assert.deepEqual(
      words(this.run("XRANGE", "s", `${from}`, `${from + 9}`)),
      part.flatMap((entry) => entry.words),
    );
    for (const [name, group] of model.groups) {
      const pending = [...group.pending].sort(([a], [b]) => a - b);
      const want = pending.map(([ms, { consumer, count }]) => `${ms}-0 ${consumer} ${count}`);
      const reply = this.run("XPENDING", "s", name, "-", "+", "1000000");
      const counts = [...reply.matchAll(/:\d+\r\n:(\d+)\r\n/g)].map((match) => match[1]!);
      const ids = words(reply);
      assert.deepEqual(
        counts.map((count, i) => `${ids[2 * i]} ${ids[2 * i + 1]} ${count}`),
        want,
      );
      for (const consumer of NAMES) {
        const own = pending.filter(([, each]) => each.consumer === consumer).map(([ms]) => `${ms}-0`);
        const listed = words(this.run("XPENDING", "s", name, "-", "+", "1000000", consumer));
        assert.deepEqual(
          listed.filter((_, i) => i % 2 === 0),
          own,
        );
      }
    }
    const keys = executor.store.databases[0]!;
    const handle = keys.find(Buffer.from("s"), 0, 1);
    assert.equal(keys.logicalBytes, handle === 0 ? 0 : keys.memoryOf(handle));
  }
}

function rest(reader: SnapshotReader): Buffer[] {
  const chunks: Buffer[] = [];
  for (let chunk = reader.next(65_536); chunk !== undefined; chunk = reader.next(65_536)) chunks.push(chunk);
  return chunks;
}

function load(chunks: readonly Buffer[]): Store {
  const loader = new SnapshotLoader();
  for (const chunk of chunks) assert.equal(loader.accept(chunk), undefined);
  const loaded = loader.finish();
  assert.ok(loaded.ok);
  return loaded.store;
}

test("random changes do what they do to a model; snapshots keep what was, and what they make goes on alike", () => {
  let snapshots = 0;
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 2 }), (seed, forms) => {
      const pair = new Pair(seed, THRESHOLDS[forms]!);
      pair.add(3);
      let reader: SnapshotReader | undefined;
      let kept = "";
      for (let i = 0; i < 60; i++) {
        const how = pair.random.below(10);
        if (how === 0 && reader === undefined) {
          kept = pair.executor.store.digest();
          reader = pair.executor.store.beginSnapshot();
        } else if (how === 1 && reader !== undefined) {
          assert.equal(load(rest(reader)).digest(), kept);
          reader = undefined;
          snapshots++;
        } else if (how === 2 && reader === undefined) pair.restore();
        pair.change();
        pair.check();
      }
    }),
    { numRuns: 25 },
  );
  assert.ok(snapshots > 20, `${snapshots} snapshots`);
});

test("a copy and its source go different ways", () => {
  const pair = new Pair(1, THRESHOLDS[1]!);
  pair.add(40);
  pair.createGroup("g");
  pair.read("g", pair.model.groups.get("g")!, "alice");
  assert.equal(pair.run("COPY", "s", "t"), ":1\r\n");
  const view = (): string => pair.run("XINFO", "STREAM", "t", "FULL", "COUNT", "0");
  const before = view();
  for (let i = 0; i < 40; i++) pair.change();
  assert.equal(view(), before);
  pair.run("XGROUP", "DESTROY", "t", "g");
  pair.run("XTRIM", "t", "MAXLEN", "0");
  assert.equal(pair.run("DEL", "t"), ":1\r\n");
  pair.check();
});

test("many pending entries are many pieces, and a snapshot makes a write copy but some of them", () => {
  const executor = new MemoryExecutor();
  const run = (...command: string[]): string => executor.runOne(command).toString("latin1");
  run("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
  for (let i = 1; i <= 100_000; i++) run("XADD", "s", `${i}`, "f", "v");
  run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
  const keys = executor.store.databases[0]!;
  const collection = keys.collectionOf(keys.find(Buffer.from("s"), 0, 1));
  assert.ok(collection.beginPieces() > 1700);
  const digest = executor.store.digest();
  const reader = executor.store.beginSnapshot();
  reader.next(65_536);
  const before = process.memoryUsage().arrayBuffers;
  run("XACK", "s", "g", "5", "50000");
  run("XDEL", "s", "70000");
  const copied = process.memoryUsage().arrayBuffers - before;
  assert.ok(copied < 200_000, `${copied} bytes copied`);
  const second = executor.store.digest();
  assert.notEqual(second, digest);
  reader.abort();
});
