// A replica whose memory was changed behind its back is found by the others' digests, serves nobody, and has the right
// state again; its place in the cluster and what was acknowledged are not touched by it. Docs: ADR 17.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Host, World } from "./world.ts";

/** World's ticks of 10 ms in the 10 s in which it has to be found. */
const FOUND_TICKS_MAX = 1000;
const KEYS = 200;

function three(flags: Readonly<Record<string, string>> = {}): World {
  const world = new World();
  world.start(3, flags);
  leader(world);
  return world;
}

function leader(world: World): Host {
  world.until("a leader that all know", () => {
    const all = [...world.hosts.values()];
    return world.leader() !== undefined && all.every(({ node }) => node.replica.mode !== 0);
  });
  return world.leader()!;
}

const follower = (world: World): Host => [...world.hosts.values()].find((host) => host !== leader(world))!;

function fill(world: World): void {
  const host = leader(world);
  const client = host.connect();
  for (let i = 0; i < KEYS; i++) assert.equal(client.call("SET", `k${i}`, `v${i}`), "+OK\r\n");
  client.call("SELECT", "3");
  client.call("RPUSH", "list", ...Array.from({ length: 500 }, (_, i) => `element ${i} ${"x".repeat(100)}`));
  client.call("SET", "long", "y".repeat(200_000));
  const index = host.node.replica.machine.appliedIndex;
  const hasAll = ({ node }: Host): boolean => node.replica.machine.appliedIndex >= index;
  world.until("all have it", () => [...world.hosts.values()].every(hasAll));
}

/** Flips one bit of the value that the host has at this key. */
function flip(host: Host, database: number, name: string, at = 0): void {
  const keys = host.node.replica.machine.store.databases[database]!;
  const key = Buffer.from(name);
  assert.notEqual(keys.find(key, 0, key.length), 0, `${name} is there`);
  keys.valueBytes[keys.valueStart + at]! ^= 1;
}

const differed = (host: Host): number => host.node.server.statistics.digestsDiffered;

function allEqual(world: World): boolean {
  const digests = [...world.hosts.values()].map(({ node }) => node.replica.machine.store.digest());
  return new Set(digests).size === 1;
}

function foundAndMended(world: World, victim: Host): void {
  found(world, victim);
  mended(world, victim);
}

function found(world: World, victim: Host, meanwhile = (): void => {}): void {
  const isFound = (): boolean => {
    meanwhile();
    return differed(victim) === 1;
  };
  world.until("it is found", isFound, FOUND_TICKS_MAX);
  assert.equal(victim.node.replica.mode, 0);
  assert.match(victim.node.readinessProblem, /^CLUSTERDOWN the state of this node differs/);
}

function mended(world: World, victim: Host): void {
  world.until("it has a state again", () => !victim.node.replica.repair.isUnderWay, 500);
  world.until("it serves", () => victim.node.readinessProblem === "", 500);
  world.until("all are equal", () => allEqual(world), 500);
  const others = [...world.hosts.values()].filter((host) => host !== victim);
  for (const other of others) assert.equal(differed(other), 0);
}

test("a flipped bit in a follower: found within 10 s and mended, while others write", () => {
  const world = three();
  fill(world);
  const victim = follower(world);
  const { incarnation } = victim.identity;
  flip(victim, 0, "k17");
  const client = leader(world).connect();
  let writes = 0;
  const write = (): void => assert.equal(client.call("INCR", "counter"), `:${++writes}\r\n`);
  found(world, victim, write);
  for (let i = 0; i < 50; i++) {
    write();
    world.step();
  }
  mended(world, victim);
  assert.equal(victim.identity.incarnation, incarnation);
  assert.equal(victim.connect().call("GET", "k17"), "$3\r\nv17\r\n");
  assert.equal(victim.connect().call("GET", "counter"), `$${String(writes).length}\r\n${writes}\r\n`);
});

test("a flipped bit in a part of a long value", () => {
  const world = three();
  fill(world);
  const victim = follower(world);
  flip(victim, 3, "long", 150_000);
  foundAndMended(world, victim);
});

test("a flipped bit in the leader: it hands over, and is mended", () => {
  const world = three();
  fill(world);
  const victim = leader(world);
  flip(victim, 0, "k5");
  foundAndMended(world, victim);
  assert.notEqual(leader(world), victim);
  for (const host of world.hosts.values()) assert.equal(host.connect().call("GET", "k5"), "$2\r\nv5\r\n");
});

test("of two members the follower is taken to be wrong", () => {
  const world = new World();
  world.start(2);
  fill(world);
  const victim = follower(world);
  flip(victim, 0, "k1");
  foundAndMended(world, victim);
});

test("members change while a state is on its way", () => {
  const world = three();
  fill(world);
  const victim = follower(world);
  flip(victim, 0, "k17");
  found(world, victim);
  const name = "n4";
  assert.equal(leader(world).connect().call("RAFT.MEMBER", "ADD", name, "127.0.0.1:16004"), "+OK\r\n");
  world.startNode(name, ["n1", name], {});
  world.until("n4 is a voter", () => {
    const raft = world.leader()?.node.replica.raft;
    return raft?.confState.voters.length === 4 && raft.confState.votersOutgoing.length === 0;
  });
  mended(world, victim);
  world.until("it knows the members", () => victim.node.replica.raft!.confState.voters.length === 4, 100);
});

test("equal replicas are compared, and nobody is blamed; without the setting nothing is compared", () => {
  const world = three();
  fill(world);
  for (let i = 0; i < 1000; i++) world.step();
  const compared = leader(world).node.server.statistics.digestsCompared;
  // An idle leader orders one every two seconds; both others report each.
  assert(compared >= 8, `${compared} digests`);
  for (const host of world.hosts.values()) {
    assert.equal(differed(host), 0);
    assert.deepEqual(host.errors, []);
  }
  const quiet = three({ "replica-digests": "no" });
  fill(quiet);
  const index = leader(quiet).node.replica.machine.appliedIndex;
  for (let i = 0; i < 1000; i++) quiet.step();
  assert.equal(leader(quiet).node.replica.machine.appliedIndex, index);
});

test("the others are lost before it has their state: a recovery goes on with what it has, and all that was held", () => {
  const world = three();
  fill(world);
  const victim = follower(world);
  flip(victim, 0, "k17");
  const client = leader(world).connect();
  let writes = 0;
  const write = (): void => assert.equal(client.call("INCR", "counter"), `:${++writes}\r\n`);
  found(world, victim, write);
  // No state comes any more, but entries do.
  victim.node.snapshotOffered = () => undefined;
  for (let i = 0; i < 20; i++) write();
  const { replica } = victim.node;
  world.until("it holds them", () => replica.raft!.commit > replica.machine.appliedIndex + 10);
  for (const host of [...world.hosts.values()]) if (host !== victim) world.kill(host.name);
  world.until("nobody leads", () => replica.raft!.leader === 0);
  const operator = victim.connect();
  assert.match(operator.call("RAFT.RECOVER"), /ITS STATE DIFFERS/);
  assert.equal(operator.call("RAFT.RECOVER", "FORCE"), "+OK\r\n");
  world.until("it serves", () => victim.node.readinessProblem === "", 500);
  assert.equal(operator.call("GET", "counter"), `$${String(writes).length}\r\n${writes}\r\n`);
  assert.notEqual(operator.call("GET", "k17"), "$3\r\nv17\r\n");
});
