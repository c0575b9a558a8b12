// When a node gives memory back to the system: the rules alone, on figures that a test sets, and whole nodes on simulated ports,
// where leader and followers give back alike, whatever took the keys away.

import assert from "node:assert/strict";
import { test } from "vitest";
import { MemoryReturn } from "../../src/node/memory-return.ts";
import { hostsOf, started } from "./world.ts";

const MIB = 1 << 20;
const TICK_MS = 10;

/** A node's memory as numbers. Nothing is moved or collected: a test counts what was asked for. */
class Figures {
  reservedBytes = 0;
  logicalBytes = 0;
  logBytes = 0;
  /** What the next trim() of entry memory and of buffers drops. */
  trimmableBytes = 0;
  /** Steps of tidying that are left to do. */
  sparseSteps = 0;
  collectionTakesMs = 0;
  nowMs = 0;
  trims = 0;
  readonly collectedAtMs: number[] = [];
  readonly tidied: number[] = [];
  readonly memoryReturn: MemoryReturn;

  constructor() {
    const figures = this;
    this.memoryReturn = new MemoryReturn(
      {
        buffers: { trim: () => 0 },
        clock: { monotonicMs: () => this.nowMs },
        host: {
          collectGarbage: () => {
            this.collectedAtMs.push(this.nowMs);
            this.nowMs += this.collectionTakesMs;
          },
        },
      },
      {
        entryMemory: {
          trim: () => {
            this.trims++;
            const bytes = this.trimmableBytes;
            this.trimmableBytes = 0;
            return bytes;
          },
        },
        machine: {
          store: {
            get reservedBytes() {
              return figures.reservedBytes;
            },
            get logicalBytes() {
              return figures.logicalBytes;
            },
            tidy: (records) => {
              figures.tidied.push(records);
              if (figures.sparseSteps > 0) figures.sparseSteps--;
              return figures.sparseSteps > 0;
            },
          },
        },
        storage: {
          get bytes() {
            return figures.logBytes;
          },
        },
      },
    );
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += TICK_MS) {
      this.memoryReturn.tick(this.nowMs);
    }
  }

  hold(mib: number): void {
    this.reservedBytes = mib * MIB;
    this.logicalBytes = mib * MIB;
  }
}

test("nothing is collected while memory grows, rests, or shrinks by little", () => {
  const node = new Figures();
  for (let mib = 0; mib <= 200; mib += 10) {
    node.hold(mib);
    node.run(200);
  }
  node.run(60_000);
  node.hold(176); // an eighth of 200 is 25
  node.run(60_000);
  assert.deepEqual(node.collectedAtMs, []);
  assert.equal(node.memoryReturn.collections, 0);
});

test("after an eighth was dropped, and 8 MiB at least: one collection, within 100 ms", () => {
  const large = new Figures();
  large.hold(200);
  large.run(1000);
  large.hold(175);
  const droppedMs = large.nowMs;
  large.run(60_000);
  assert.equal(large.collectedAtMs.length, 1);
  assert.ok(large.collectedAtMs[0]! <= droppedMs + 100, `${large.collectedAtMs[0]! - droppedMs} ms`);
  const small = new Figures();
  small.hold(10);
  small.run(1000);
  small.hold(3);
  small.run(10_000);
  assert.deepEqual(small.collectedAtMs, []);
  small.hold(2);
  small.run(10_000);
  assert.equal(small.collectedAtMs.length, 1);
});

test("the log counts, and so does what was trimmed", () => {
  const log = new Figures();
  log.logBytes = 64 * MIB;
  log.run(1000);
  log.logBytes = 1 * MIB;
  log.run(1000);
  assert.equal(log.collectedAtMs.length, 1);
  const trimmed = new Figures();
  trimmed.hold(40);
  trimmed.run(1000);
  // Half a collection's worth each: the second trim makes it one.
  trimmed.trimmableBytes = 5 * MIB;
  trimmed.run(2000);
  assert.deepEqual(trimmed.collectedAtMs, []);
  trimmed.trimmableBytes = 5 * MIB;
  trimmed.run(5000);
  assert.equal(trimmed.collectedAtMs.length, 1);
  assert.ok(trimmed.trims >= 8 && trimmed.trims <= 9, `${trimmed.trims} trims in 8 s`);
});

test("memory that goes on falling is collected once a second, slow collections take a tenth of the time", () => {
  const quick = new Figures();
  quick.hold(1000);
  quick.run(100);
  for (let mib = 1000; mib >= 0; mib -= 10) {
    quick.hold(mib);
    quick.run(50);
  }
  const gapsOf = (atMs: readonly number[]): number[] => atMs.slice(1).map((ms, i) => ms - atMs[i]!);
  assert.ok(quick.collectedAtMs.length >= 3, `${quick.collectedAtMs.length} collections`);
  assert.ok(Math.min(...gapsOf(quick.collectedAtMs)) >= 1000);
  const slow = new Figures();
  slow.collectionTakesMs = 500;
  slow.hold(1000);
  slow.run(100);
  for (let mib = 1000; mib >= 0; mib -= 2) {
    slow.hold(mib);
    slow.run(100);
  }
  assert.ok(slow.collectedAtMs.length >= 3, `${slow.collectedAtMs.length} collections`);
  assert.ok(Math.min(...gapsOf(slow.collectedAtMs)) >= 5000);
});

test("sparse memory is tidied a step each tick until the store has nothing to move", () => {
  const node = new Figures();
  node.hold(100);
  node.run(1000);
  assert.deepEqual(node.tidied, []);
  node.logicalBytes = 70 * MIB;
  node.sparseSteps = 20;
  node.run(TICK_MS * 10);
  assert.ok(node.tidied.length > 0 && node.tidied.length <= 10, `${node.tidied.length} steps`);
  node.run(1000);
  assert.equal(node.sparseSteps, 0);
  assert.ok(node.tidied.every((records) => records === 1000));
});

test("MEMORY PURGE trims and collects at once, and tidies from the next tick on", () => {
  const node = new Figures();
  node.hold(1);
  node.sparseSteps = 3;
  node.memoryReturn.purge();
  assert.equal(node.collectedAtMs.length, 1);
  assert.equal(node.trims, 1);
  assert.deepEqual(node.tidied, []);
  node.run(TICK_MS * 5);
  assert.equal(node.sparseSteps, 0);
  assert.equal(node.tidied.length, 3);
});

test("a node does not rest while records are moved together, and rests when that is done", () => {
  const world = started(1);
  const { node } = world.leader()!;
  const client = world.leader()!.connect();
  const keys = 20_000;
  const values = Array.from({ length: keys }, (_, i) => [`k${i}`, "x".repeat(1000)]);
  for (let i = 0; i < keys; i += 1000) client.call("MSET", ...values.slice(i, i + 1000).flat());
  // The last of ten stays, in every page.
  for (let i = 0; i < keys; i += 1000) {
    client.call("DEL", ...Array.from({ length: 900 }, (_, k) => `k${i + k + Math.floor(k / 9)}`));
  }
  const { store } = node.replica.machine;
  const before = store.reservedBytes;
  let steps = 0;
  for (let i = 0; i < 500; i++) {
    world.step();
    if (!node.memoryReturn.isTidying) continue;
    steps++;
    assert.equal(node.restTicks(), 1);
  }
  assert.ok(steps > 0, "more than a step of tidying");
  assert.ok(store.reservedBytes < before / 2, `${store.reservedBytes} of ${before} bytes`);
  assert.equal(node.memoryReturn.isTidying, false);
  assert.ok(node.restTicks() > 1);
});

const VALUE = "x".repeat(100_000);
const VALUES = 200;

/** Commands that take all keys away, and how long until they are gone. */
const WAYS: Readonly<Record<string, { readonly commands: readonly string[][]; readonly goneMs: number }>> = {
  FLUSHALL: { commands: [["FLUSHALL"]], goneMs: 0 },
  "FLUSHDB in MULTI": { commands: [["MULTI"], ["FLUSHDB"], ["EXEC"]], goneMs: 0 },
  DEL: { commands: [["DEL", ...Array.from({ length: VALUES }, (_, i) => `k${i}`)]], goneMs: 0 },
  expiry: {
    commands: Array.from({ length: VALUES }, (_, i) => ["PEXPIRE", `k${i}`, "500"]),
    goneMs: 1000,
  },
  eviction: {
    commands: [["CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "1mb"]],
    goneMs: 1000,
  },
};

for (const [name, { commands, goneMs }] of Object.entries(WAYS)) {
  for (const count of [1, 3]) {
    test(`${name}: ${count === 1 ? "a node alone" : "leader and followers of three"} collect`, () => {
      const world = started(count);
      const client = hostsOf(world).at(-1)!.connect();
      for (let i = 0; i < VALUES; i++) client.call("SET", `k${i}`, VALUE);
      for (let i = 0; i < 200; i++) world.step();
      const hosts = hostsOf(world);
      const before = hosts.map(({ node }) => node.memoryReturn.collections);
      for (const command of commands) client.call(...command);
      for (let ms = 0; ms < goneMs + 3000; ms += TICK_MS) world.step();
      for (const [i, { node, name: host }] of hosts.entries()) {
        assert.ok(node.replica.machine.store.logicalBytes <= 1.1 * MIB, host);
        assert.ok(node.memoryReturn.collections > before[i]!, `${host} collects`);
        assert.ok(node.memoryReturn.collections <= before[i]! + 5, `${host} collects seldom`);
      }
    });
  }
}

test("a client that dies in the middle of a large command: its part of it is collected", () => {
  const world = started(1);
  const host = world.leader()!;
  const client = host.connect();
  const head = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${32 * MIB}\r\n`;
  client.sendRaw(Buffer.from(head + "x".repeat(16 * MIB)));
  for (let i = 0; i < 20; i++) world.step();
  const { collections } = host.node.memoryReturn;
  client.destroy();
  world.until("garbage is collected", () => host.node.memoryReturn.collections > collections);
});
