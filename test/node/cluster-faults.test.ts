// Cluster mode while leaders die, hand over, stop and are cut off: clients that follow MOVED count in keys of their own. A
// number is given once; MOVED, CLUSTERDOWN and TRYAGAIN mean that nothing was counted; in quiet, one hop leads to the
// leader. Everything comes from a seed.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, type Host, World } from "./world.ts";

const SEEDS = 8;
const FLAGS = { "cluster-enabled": "yes" } as const;
const NAMES = ["n1", "n2", "n3"] as const;
const TICKS = 1500;
const NOT_COUNTED = /^-(MOVED|CLUSTERDOWN|TRYAGAIN) /;

class Counter {
  readonly key: string;
  /** Numbers that were answered, in order. */
  readonly counted: number[] = [];
  /** Increments of which nobody knows what became. */
  unknown = 0;
  redirects = 0;
  /** MOVED after MOVED, without anything between. */
  hops = 0;
  readonly #world: World;
  readonly #random: Xoshiro;
  #client: Client | undefined;
  /** Names of the commands that are not answered. */
  #sent: string[] = [];
  /** Where MOVED says to go. */
  #target = "";
  #received = "";

  constructor(key: string, world: World, random: Xoshiro) {
    this.key = key;
    this.#world = world;
    this.#random = random;
  }

  get isWaiting(): boolean {
    return this.#sent.length > 0;
  }

  /** Takes what has come, and sends the next few when all is answered. */
  step(mayRead: boolean): void {
    this.take();
    if (this.isWaiting) return;
    this.#client ??= this.#random.below(4) === 0 ? undefined : this.#connect(this.#anyHost());
    if (this.#client === undefined) return;
    const count = 1 + this.#random.below(4);
    const commands = Array.from({ length: count }, () => ["INCR", this.key]);
    // A reader's command among them: on a follower it is passed on, and the others are sent away around it.
    if (mayRead && this.#random.below(3) === 0) commands.splice(this.#random.below(count), 0, ["DBSIZE"]);
    this.#sent = commands.map(([name]) => name ?? "");
    this.#client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command))));
  }

  take(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#received += client.take();
    for (let end = this.#received.indexOf("\r\n"); end >= 0; end = this.#received.indexOf("\r\n")) {
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 2);
      this.#answered(line);
    }
    if (this.#client === client && this.#isGone(client)) this.#lost();
  }

  #isGone(client: Client): boolean {
    return client.isClosed || client.host.stopped;
  }

  #answered(line: string): void {
    const name = this.#sent.shift();
    assert.ok(name !== undefined, `${line} answers nothing`);
    if (/^:\d+$/.test(line)) {
      if (name === "INCR") this.counted.push(Number(line.slice(1)));
    } else if (line.startsWith("-UNCERTAIN ")) {
      assert.equal(name, "INCR");
      this.unknown++;
    } else assert.match(line, NOT_COUNTED);
    const moved = /^-MOVED \d+ 127\.0\.0\.1:600(\d)$/.exec(line);
    if (moved !== null) this.#target = `n${moved[1]}`;
    if (this.isWaiting) return;
    if (this.#target !== "") {
      this.redirects++;
      this.hops++;
      this.#leave();
      const host = this.#world.hosts.get(this.#target);
      if (host !== undefined && !host.stopped) this.#client = this.#connect(host);
      this.#target = "";
    } else {
      this.hops = 0;
      if (NOT_COUNTED.test(line)) this.#leave();
    }
  }

  #lost(): void {
    this.unknown += this.#sent.filter((name) => name === "INCR").length;
    this.#sent = [];
    this.#target = "";
    this.#leave();
  }

  #leave(): void {
    this.#client?.destroy();
    this.#client = undefined;
    this.#received = "";
  }

  /** Somebody else from now on. */
  connectTo(host: Host): void {
    this.#leave();
    this.hops = 0;
    this.#client = this.#connect(host);
  }

  #connect(host: Host | undefined): Client | undefined {
    return host?.connect();
  }

  #anyHost(): Host | undefined {
    const hosts = [...this.#world.hosts.values()].filter((host) => !host.stopped);
    return hosts[this.#random.below(hosts.length)];
  }
}

/** Everybody is there and means to stay, and is a voter by the leader's word: one may go. */
function isWhole(world: World): boolean {
  const voters = world.leader()?.node.replica.raft?.confState.voters ?? [];
  const hosts = [...world.hosts.values()];
  return (
    voters.length === 3 &&
    hosts.length === 3 &&
    hosts.every(
      ({ identity, stopped, node }) =>
        !stopped && !node.shutdownControl.underWay && voters.includes(identity.incarnation),
    )
  );
}

/** The process of a node that was told to stop has ended: its connections are gone. */
function buryStopped(world: World): void {
  for (const host of [...world.hosts.values()]) if (host.stopped) world.kill(host.name);
}

/** What was lost in a cut is lost with its connection: inside one that lives, TCP loses nothing. */
function heal(world: World): void {
  for (const host of world.hosts.values()) {
    for (const link of [...host.links]) {
      const other = link.peer?.owner.name;
      if (world.cut.has(`${host.name}>${other}`) || world.cut.has(`${other}>${host.name}`)) link.reset();
    }
  }
  world.cut.clear();
}

/** One thing goes wrong, or right again. At most one node is missing at a time. */
function upset(world: World, random: Xoshiro): void {
  const missing = NAMES.filter((name) => !world.hosts.has(name));
  const hosts = [...world.hosts.values()];
  const all = isWhole(world);
  const leader = world.leader();
  const victim = random.below(2) === 0 && leader !== undefined ? leader : hosts[random.below(hosts.length)];
  const kind = random.below(6);
  if (kind === 0 && missing[0] !== undefined) {
    heal(world);
    world.startNode(missing[0], NAMES, FLAGS);
  } else if (kind === 1 && all && victim !== undefined) world.kill(victim.name);
  else if (kind === 2 && all && victim !== undefined) victim.node.shutdown();
  else if (kind === 3 && all && leader !== undefined) {
    const heir = hosts.find((host) => host !== leader);
    if (heir !== undefined) leader.connect().send("RAFT.TRANSFER", heir.name);
  } else if (kind === 4 && all && victim !== undefined) {
    for (const other of NAMES) {
      if (random.below(2) === 0) world.cut.add(`${victim.name}>${other}`);
      if (random.below(2) === 0) world.cut.add(`${other}>${victim.name}`);
    }
  } else if (kind === 5) heal(world);
}

const totals = { counted: 0, redirects: 0, unknown: 0 };

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}`, () => {
    const random = new Xoshiro(seed);
    const world = new World(seed);
    world.start(3, FLAGS);
    const counters = ["a", "b", "c"].map((key) => new Counter(key, world, random));
    for (let tick = 0; tick < TICKS; tick++) {
      if (random.below(40) === 0) upset(world, random);
      world.step();
      buryStopped(world);
      for (const counter of counters) counter.step(true);
      world.settle();
    }
    // Quiet: everybody is back, and everything is answered.
    heal(world);
    // Whoever was told to stop last may still be about to.
    const isWell = (): boolean => {
      buryStopped(world);
      for (const name of NAMES) if (!world.hosts.has(name)) world.startNode(name, NAMES, FLAGS);
      return isWhole(world) && [...world.hosts.values()].every(({ node }) => node.replica.mode !== 0);
    };
    world.until("all are well", isWell, 5000);
    world.until("all answers", () => {
      for (const counter of counters) counter.take();
      return counters.every((counter) => !counter.isWaiting);
    });
    for (let i = 0; i < 100; i++) world.step();
    for (const counter of counters) {
      for (const host of world.hosts.values()) {
        counter.connectTo(host);
        const { length } = counter.counted;
        world.until("a number", () => {
          counter.step(false);
          world.settle();
          counter.take();
          assert.ok(counter.hops <= 1, "sent on by the node that it was sent to");
          return counter.counted.length > length;
        });
      }
      world.until("the rest", () => {
        counter.take();
        return !counter.isWaiting;
      });
      const { counted, unknown, key } = counter;
      counted.forEach((number, i) => {
        assert.ok(i === 0 || number > counted[i - 1]!, `${key}: ${number} after ${counted[i - 1]}`);
        assert.ok(
          number >= i + 1 && number <= i + 1 + unknown,
          `${key}: ${number} is answer ${i + 1}, ${unknown} unknown`,
        );
      });
      assert.ok(counted.length > 100, `${key}: only ${counted.length} counted`);
      totals.counted += counted.length;
      totals.redirects += counter.redirects;
      totals.unknown += unknown;
    }
  });
}

test("the seeds together have seen what they are about", () => {
  console.log(`cluster mode with faults: ${JSON.stringify(totals)}`);
  assert.ok(totals.redirects > 100 && totals.unknown > 0, JSON.stringify(totals));
});
