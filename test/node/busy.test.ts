// Nodes whose event loops are busy (ADR 20): they keep their places for busy-limit, lose them after that, and while they
// are busy nobody reads what may be stale.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { type Host, hostsOf, started, type World } from "./world.ts";

const TICK_MS = 10;
const BUSY_LIMIT_MS = 5000;
/** An election, after the bound. */
const ELECTION_MS = 1000;
const SHORT_MS = 2000;
const LONG_MS = 4000;

const steps = (world: World, ms: number): void => {
  for (let i = 0; i < ms / TICK_MS; i++) world.step();
};
const termOf = (host: Host): number => host.node.replica.raft!.term;
const others = (world: World, host: Host): Host[] => hostsOf(world).filter((it) => it !== host);

function scene(flags: Readonly<Record<string, string>> = {}) {
  const world = started(3, flags);
  const leader = world.leader()!;
  return { world, leader, followers: others(world, leader), term: termOf(leader) };
}

describe("a busy leader", () => {
  test("keeps its place for less than busy-limit, and what clients of a follower sent is answered", () => {
    const { world, leader, followers, term } = scene();
    const client = followers[0]!.connect();
    leader.isBusy = true;
    client.send("SET", "k", "v");
    steps(world, SHORT_MS);
    leader.endBusy();
    assert.equal(client.reply(), "+OK\r\n");
    assert.equal(world.leader(), leader);
    for (const host of hostsOf(world)) assert.equal(termOf(host), term);
  });

  test("loses it after busy-limit", () => {
    const { world, leader, followers, term } = scene();
    leader.isBusy = true;
    steps(world, BUSY_LIMIT_MS - TICK_MS);
    for (const host of followers) assert.equal(termOf(host), term);
    steps(world, ELECTION_MS);
    const next = followers.find((host) => host.node.replica.mode === 1);
    assert.ok(next !== undefined, "nobody took over");
    leader.endBusy();
    world.until("it follows", () => leader.node.replica.leader === next.node.replica.leader);
  });

  test("busy again and again for less than that, it keeps its place: its heartbeats go out between", () => {
    const { world, leader, followers, term } = scene({ "replica-digests": "no" });
    for (let i = 0; i < 4; i++) {
      leader.isBusy = true;
      steps(world, LONG_MS);
      leader.endBusy();
    }
    assert.equal(world.leader(), leader);
    for (const host of followers) assert.equal(termOf(host), term);
  });

  test("is replaced as ever when it dies: its connections end, or its pulses do", () => {
    const dead = scene();
    dead.leader.isBusy = true;
    steps(dead.world, SHORT_MS);
    dead.world.kill(dead.leader.name);
    steps(dead.world, 300);
    assert.ok(dead.world.leader() !== undefined, "a reset starts an election at once");

    const stopped = scene();
    stopped.leader.isBusy = true;
    steps(stopped.world, SHORT_MS);
    stopped.leader.lastPulse = { term: 0, leader: 0 };
    steps(stopped.world, ELECTION_MS);
    assert.ok(stopped.followers.some((host) => host.node.replica.mode === 1));
  });

  test("is replaced when the connection of its pulses ends, though its link is there", () => {
    const { world, leader, followers } = scene();
    leader.isBusy = true;
    steps(world, SHORT_MS);
    for (const host of followers) host.node.pulseLost(leader.identity, "reset");
    steps(world, 250);
    assert.ok(followers.some((host) => host.node.replica.mode === 1));
  });

  test("is waited for by nobody whose link to it is gone, though its pulses come", () => {
    const { world, leader, followers } = scene();
    leader.isBusy = true;
    for (const host of followers) {
      for (const link of [...host.links]) {
        if (!link.outgoing && link.peer?.owner === leader) link.drop("timeout");
      }
    }
    for (let i = 0; i < ELECTION_MS / TICK_MS; i++) {
      for (const host of followers) host.node.pulse(leader.identity, leader.lastPulse);
      world.step();
    }
    assert.ok(followers.some((host) => host.node.replica.mode === 1));
  });

  test("without busy-limit it is replaced after an election timeout", () => {
    const { world, leader, followers } = scene({ "busy-limit": "0" });
    leader.isBusy = true;
    steps(world, ELECTION_MS);
    assert.ok(followers.some((host) => host.node.replica.mode === 1));
  });
});

describe("busy followers", () => {
  test("keep their leader in place for less than busy-limit; meanwhile it holds no lease and answers no read", () => {
    const { world, leader, followers, term } = scene();
    const client = leader.connect();
    assert.equal(client.call("SET", "k", "v"), "+OK\r\n");
    for (const host of followers) host.isBusy = true;
    steps(world, SHORT_MS);
    assert.equal(leader.node.replica.raft!.leaseValid(), false);
    client.send("GET", "k");
    steps(world, 100);
    assert.equal(client.take(), "");
    for (const host of followers) host.endBusy();
    assert.equal(client.reply(), "$1\r\nv\r\n");
    assert.equal(world.leader(), leader);
    assert.equal(termOf(leader), term);
  });

  test("for longer, they cost it its place", () => {
    const { world, leader, followers } = scene();
    for (const host of followers) host.isBusy = true;
    steps(world, BUSY_LIMIT_MS + ELECTION_MS);
    assert.notEqual(leader.node.replica.raft!.role, "leader");
  });

  test("one of them alone costs nobody anything, however long", () => {
    const { world, leader, followers, term } = scene();
    followers[0]!.isBusy = true;
    steps(world, 2 * BUSY_LIMIT_MS);
    followers[0]!.endBusy();
    steps(world, ELECTION_MS);
    assert.equal(world.leader(), leader);
    assert.equal(termOf(leader), term);
  });
});

test("everybody is busy with the same: nobody loses anything", () => {
  const { world, leader, followers, term } = scene();
  const client = leader.connect();
  for (const host of hostsOf(world)) host.isBusy = true;
  client.send("SET", "k", "v");
  steps(world, SHORT_MS);
  leader.endBusy();
  steps(world, SHORT_MS);
  for (const host of followers) host.endBusy();
  assert.equal(client.reply(), "+OK\r\n");
  for (const host of hostsOf(world)) assert.equal(termOf(host), term);
});
