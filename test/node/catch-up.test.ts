// Members that come back while clients write (docs/adr/0022): one snapshot is enough, because the leader keeps the log that its
// receiver needs and slows writers before that is too much; nodes' own commands never wait for it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { CatchUp, keptLogBytesMax } from "../../src/node/catch-up.ts";
import { Inflights } from "../../src/raft/inflights.ts";
import { Progress } from "../../src/raft/progress.ts";
import { type Client, followerOf, type Host, started, type World } from "./world.ts";

const NAMES = ["n1", "n2", "n3"];
const STATE_BYTES = 2 << 20;
const VALUE_BYTES = 16 << 10;
const LOG_BYTES_MAX = 1 << 20;
const FLAGS = {
  "log-max-bytes": String(LOG_BYTES_MAX),
  "log-tail-bytes": "65536",
  "snapshot-chunk-bytes": "65536",
  "snapshot-max-bytes-per-second": "2mb",
};

/** Each sends its next SET as soon as the one before it is answered, one a tick at most. */
class Writers {
  acknowledged = 0;
  readonly #clients: { readonly client: Client; busy: boolean }[];
  #key = 0;

  constructor(hosts: readonly Host[]) {
    this.#clients = hosts.map((host) => ({ client: host.connect(), busy: false }));
  }

  step(world: World): void {
    for (const writer of this.#clients) {
      const reply = writer.client.take();
      if (reply !== "") {
        assert.equal(reply, "+OK\r\n");
        this.acknowledged++;
        writer.busy = false;
      }
      if (writer.busy) continue;
      writer.client.send("SET", `key:${this.#key++ % (STATE_BYTES / VALUE_BYTES)}`, "w".repeat(VALUE_BYTES));
      writer.busy = true;
    }
    world.step();
  }

  until(world: World, what: string, condition: () => boolean): void {
    for (let tick = 0; tick < 6000; tick++) {
      if (condition()) return;
      this.step(world);
    }
    throw new Error(`not reached: ${what}`);
  }
}

function filled(flags: Readonly<Record<string, string>> = FLAGS): World {
  const world = started(3, flags);
  const client = world.leader()!.connect();
  for (let i = 0; i < STATE_BYTES / VALUE_BYTES; i++)
    assert.equal(client.call("SET", `key:${i}`, "v".repeat(VALUE_BYTES)), "+OK\r\n");
  return world;
}

const slowedMs = (host: Host): number => host.node.replica.log.catchUp.slowedMs;
const isSlowing = (host: Host): boolean => host.node.replica.log.catchUp.isSlowing;
const many = (host: Host, count: number): Host[] => new Array<Host>(count).fill(host);

function watchLog(world: World, leader: Host): void {
  world.watch = () => {
    const { storage } = leader.node.replica;
    // The limit is looked at between turns.
    assert.ok(storage!.bytes <= keptLogBytesMax({ logBytesMax: LOG_BYTES_MAX }) + LOG_BYTES_MAX / 2);
  };
}

for (const through of ["the leader", "a follower"]) {
  test(`a member comes back by one snapshot while clients of ${through} write faster than it is sent`, () => {
    const world = filled();
    const leader = world.leader()!;
    const name = followerOf(world).name;
    const third = NAMES.find((other) => other !== name && other !== leader.name)!;
    // 20 MB/s, ten times as much as the snapshot's cap lets over.
    const writers = new Writers(many(through === "the leader" ? leader : world.host(third), 12));
    for (let i = 0; i < 50; i++) writers.step(world);
    world.kill(name);
    watchLog(world, leader);
    for (let i = 0; i < 10; i++) writers.step(world);
    const before = writers.acknowledged;
    world.startNode(name, NAMES, FLAGS);
    const back = world.host(name);
    writers.until(world, "it is ready", () => back.node.readinessProblem === "");
    assert.equal(leader.node.cluster.snapshots.sentCount, 1);
    assert.ok(slowedMs(leader) > 0, "clients were slowed");
    assert.ok(writers.acknowledged > before + 100, `${writers.acknowledged - before} writes meanwhile`);
    // And no more when it is there.
    const slowed = slowedMs(leader);
    for (let i = 0; i < 100; i++) writers.step(world);
    assert.equal(slowedMs(leader), slowed);
    assert.equal(world.leader(), leader);
    world.until("all have applied the same", () => {
      const indexes = [...world.hosts.values()].map(({ node }) => node.replica.machine.appliedIndex);
      return indexes.every((index) => index === indexes[0]);
    });
    assert.equal(back.node.replica.machine.store.digest(), leader.node.replica.machine.store.digest());
  });
}

test("a receiver whose answers come late finds the log behind its snapshot", () => {
  const world = filled();
  const leader = world.leader()!;
  const { snapshots } = leader.node.cluster;
  const { name } = followerOf(world);
  const writers = new Writers(many(leader, 12));
  world.kill(name);
  world.startNode(name, NAMES, FLAGS);
  writers.until(world, "the snapshot is on its way", () => snapshots.sendingTo !== 0);
  world.cut.add(`${name}>${leader.name}`);
  writers.until(world, "it is delivered", () => snapshots.sentCount === 1);
  assert.ok(leader.node.replica.storage!.bytes > LOG_BYTES_MAX);
  for (let i = 0; i < 50; i++) writers.step(world);
  world.cut.clear();
  writers.until(world, "it is ready", () => world.host(name).node.readinessProblem === "");
  assert.equal(snapshots.sentCount, 1);
});

test("writers that are slower than the snapshot are not slowed, and the log behind it stays", () => {
  const flags = { ...FLAGS, "log-max-bytes": "8mb" };
  const world = filled(flags);
  const leader = world.leader()!;
  const { name } = followerOf(world);
  const writers = new Writers(many(leader, 2));
  world.kill(name);
  world.startNode(name, NAMES, flags);
  writers.until(world, "it is ready", () => world.host(name).node.readinessProblem === "");
  assert.equal(leader.node.cluster.snapshots.sentCount, 1);
  assert.equal(slowedMs(leader), 0);
});

test("while clients are slowed, what nodes send themselves and changes of the members do not wait; nobody does for a stalled receiver", () => {
  const world = filled();
  const leader = world.leader()!;
  const { name } = followerOf(world);
  const third = world.host(NAMES.find((other) => other !== name && other !== leader.name)!);
  const waiting = [leader, third].map((host) => ({ host, client: host.connect() }));
  for (const { client } of waiting) client.send("BLPOP", "nothing", "0");
  world.kill(name);
  const writers = new Writers(many(leader, 12));
  world.startNode(name, NAMES, FLAGS);
  writers.until(world, "clients are slowed", () => isSlowing(leader));
  // From now on the receiver gets nothing more.
  assert.equal(leader.connect().call("CONFIG", "SET", "snapshot-max-bytes-per-second", "1"), "+OK\r\n");
  writers.until(world, "clients are slowed", () => isSlowing(leader));
  world.settle();
  const since = world.nowMs;
  const writer = leader.connect();
  writer.send("SET", "one", "more");
  const digests = leader.node.server.statistics.digestsCompared;
  for (const { host, client } of waiting) host.connect().send("CLIENT", "UNBLOCK", String(client.id));
  const change = leader.connect();
  change.send("RAFT.MEMBER", "ADD", "n4", "127.0.0.1:16004");
  const clients = [...waiting.map(({ client }) => client), change];
  const replies = ["", "", ""];
  while (replies.includes("") || leader.node.server.statistics.digestsCompared < digests + 2) {
    assert.ok(isSlowing(leader), `slowed no more, answers: ${replies}`);
    writers.step(world);
    for (const [i, client] of clients.entries()) replies[i] += client.take();
  }
  assert.deepEqual(replies, ["*-1\r\n", "*-1\r\n", "+OK\r\n"]);
  assert.equal(writer.take(), "");
  assert.equal(writer.reply(), "+OK\r\n");
  assert.ok(world.nowMs - since <= 5100, `after ${world.nowMs - since} ms`);
});

test("a member that hears nothing for a while gets what it missed from the log", () => {
  const flags = { ...FLAGS, "snapshot-max-bytes-per-second": "0" };
  const world = filled(flags);
  const leader = world.leader()!;
  const late = followerOf(world);
  const writers = new Writers(many(leader, 8));
  world.cut.add(`${leader.name}>${late.name}`);
  world.cut.add(`${late.name}>${leader.name}`);
  const from = leader.node.replica.machine.appliedIndex;
  writers.until(world, "more is written than the log's budget", () => {
    const { storage } = leader.node.replica;
    return storage!.bytes > 2 * LOG_BYTES_MAX && storage!.firstIndex() <= from + 1;
  });
  world.cut.clear();
  writers.until(world, "it is as far as the leader", () => {
    const behind = leader.node.replica.machine.appliedIndex - late.node.replica.machine.appliedIndex;
    return behind < 20 && leader.node.replica.storage!.bytes < LOG_BYTES_MAX;
  });
  assert.equal(leader.node.cluster.snapshots.sentCount, 0);
});

const MEMBER = 7;
const ENTRY_BYTES = 10_000;

/** A receiver that reads the log behind a snapshot of 1 MB at index 100, and clients that write. */
class Reading {
  readonly catchUp = new CatchUp({ logBytesMax: LOG_BYTES_MAX });
  readonly progress = new Progress(MEMBER, 101, new Inflights(16, 0));
  lastIndex = 100;
  nowMs = 0;
  isReached = true;

  constructor() {
    this.progress.becomeReplicate();
    this.catchUp.begin(MEMBER, 100, 1_000_000, this.written, this.nowMs);
  }

  get written(): number {
    return (this.lastIndex - 100) * ENTRY_BYTES;
  }

  /** Time goes on. */
  update(ms = 10): void {
    this.nowMs += ms;
    this.catchUp.update(
      { lastIndex: this.lastIndex, progressOf: () => this.progress.view() },
      { firstIndex: () => 101, bytesBetween: (after, upTo) => (upTo - after) * ENTRY_BYTES },
      this.written,
      this.nowMs,
      this.isReached,
    );
  }

  /** Clients write that many entries at most, the receiver reads so many. Entries that had to wait come out. */
  step(written: number, read: number): number {
    let held = 0;
    for (let i = 0; i < written; i++) {
      this.update(0);
      if (this.catchUp.isSlowing) held++;
      else this.lastIndex++;
    }
    this.progress.acknowledge(Math.min(this.lastIndex, this.progress.match + read));
    this.update();
    return held;
  }
}

function delivered(behind: number): Reading {
  const reading = new Reading();
  reading.lastIndex += behind;
  reading.progress.acknowledge(100);
  reading.catchUp.delivered(reading.written, reading.nowMs);
  return reading;
}

test("a receiver that reads the log: clients may write half of what it takes, and are free when it has caught up", () => {
  const slow = delivered(1000);
  let held = 0;
  let steps = 0;
  for (; slow.catchUp.member !== 0; steps++) held += slow.step(20, 20);
  assert.ok(held > 0);
  // As fast as it reads they would never have let it catch up.
  assert.ok(steps < 120, `${steps} steps`);
  assert.equal(slow.step(100, 0), 0);

  const quick = delivered(1000);
  held = 0;
  while (quick.catchUp.member !== 0) held += quick.step(10, 20);
  assert.equal(held, 0);
});

test("a receiver that few entries are missing, but large ones, is not there: clients are slowed until little is missing", () => {
  const reading = delivered(200);
  let held = 0;
  while (reading.catchUp.member !== 0) held += reading.step(10, 10);
  assert.ok(held > 0);
  const missing = (reading.lastIndex - reading.progress.match) * ENTRY_BYTES;
  assert.ok(missing <= LOG_BYTES_MAX / 4 + 10 * ENTRY_BYTES, `${missing} bytes`);
});

test("a receiver of a snapshot: the log may grow in step with what is sent, and nobody is slowed for more than a minute", () => {
  const reading = new Reading();
  const { catchUp } = reading;
  for (let part = 0; part <= 10; part++) {
    catchUp.sent((part * 1_000_000) / 10, reading.nowMs);
    assert.ok(reading.step(1000, 0) > 0);
    const allowed = LOG_BYTES_MAX * (1 + (2.5 * part) / 10);
    assert.ok(Math.abs(reading.written - allowed) <= ENTRY_BYTES, `${reading.written} at part ${part}`);
  }
  for (let sent = 1_000_001; catchUp.isSlowing; sent++) {
    catchUp.sent(sent, reading.nowMs);
    reading.update();
  }
  assert.ok(catchUp.slowedMs >= 59_000 && catchUp.slowedMs <= 61_000, `${catchUp.slowedMs} ms`);
  // It is given up, and tried again: that minute was all it gets until it has caught up once.
  catchUp.end();
  catchUp.begin(MEMBER, 100, 1_000_000, 0, reading.nowMs);
  assert.equal(reading.step(1000, 0), 0);
});

test("a receiver without a connection or progress holds up nobody, and after a while no log is kept for it", () => {
  const reading = delivered(1000);
  reading.isReached = false;
  assert.equal(reading.step(300, 0), 0);
  reading.isReached = true;
  assert.ok(reading.step(1, 0) > 0);
  let steps = 0;
  for (; reading.catchUp.isSlowing; steps++) reading.update();
  assert.ok(steps <= 500, `${steps} steps`);
  assert.equal(reading.catchUp.index, 100);
  for (; reading.catchUp.member !== 0; steps++) reading.update();
  assert.ok(steps <= 1001, `${steps} steps`);
});
