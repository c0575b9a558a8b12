// Learners that do not become voters: they may not keep others out, and come in when they can.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { encodePeerFrame } from "../../src/wire/peer-frame.ts";
import { type Host, World } from "./world.ts";

const addressOf = (name: string): string => `127.0.0.1:${16000 + Number(name.slice(1))}`;

function three(): World {
  const world = new World();
  world.start(3);
  world.until("all know a leader", () =>
    [...world.hosts.values()].every(({ node }) => node.replica.mode !== 0),
  );
  return world;
}

const leader = (world: World): Host => {
  world.until("a leader", () => world.leader() !== undefined);
  return world.leader()!;
};

const raftOf = (world: World) => leader(world).node.replica.raft!;

function isolate(world: World, name: string): void {
  for (const other of world.hosts.keys()) {
    if (other !== name) world.cut.add(`${name}>${other}`).add(`${other}>${name}`);
  }
}

/** Added and started; cut off as soon as it is a learner. */
function stuckLearner(world: World, name: string): number {
  assert.equal(leader(world).connect().call("RAFT.MEMBER", "ADD", name, addressOf(name)), "+OK\r\n");
  world.startNode(name, ["n1", name], {});
  const { incarnation } = world.host(name).identity;
  world.until(`${name} is a learner`, () => raftOf(world).confState.learners.includes(incarnation), 500);
  return incarnation;
}

const isVoter = (world: World, name: string): boolean => {
  const raft = world.leader()?.node.replica.raft;
  return (
    raft?.confState.voters.includes(world.host(name).identity.incarnation) === true && !raft.changeUnderWay
  );
};

/** A learner is promoted in the very tick it catches up, so its state is kept from it. */
function withoutSnapshots(world: World, name: string): () => void {
  const host = world.host(name);
  const { offered } = host.node.cluster.snapshots;
  host.node.cluster.snapshots.offered = () => undefined;
  return () => {
    host.node.cluster.snapshots.offered = offered;
  };
}

test("one that is cut off is given up, others join, and it comes in when it is back", () => {
  const world = three();
  assert.equal(leader(world).connect().call("RAFT.MEMBER", "ADD", "n4", addressOf("n4")), "+OK\r\n");
  world.startNode("n4", ["n1", "n4"], {});
  const allow = withoutSnapshots(world, "n4");
  const { incarnation } = world.host("n4").identity;
  world.until("n4 is a learner", () => raftOf(world).confState.learners.includes(incarnation), 500);
  isolate(world, "n4");
  const client = leader(world).connect();
  assert.match(client.call("RAFT.MEMBER", "PROMOTE", "n4"), /^-ERR n4 is (not heard of|\d+ entries behind)/);
  assert.equal(client.call("RAFT.MEMBER", "ADD", "n5", addressOf("n5")), "+OK\r\n");
  world.startNode("n5", ["n1", "n5"], {});
  for (let i = 0; i < 1000; i++) world.step();
  assert.ok(!isVoter(world, "n5"), "one at a time");
  world.until("n5 votes", () => isVoter(world, "n5"), 3000);
  expect(raftOf(world).confState.learners).toEqual([]);
  allow();
  world.cut.clear();
  world.until("n4 votes too", () => isVoter(world, "n4"), 2000);
});

test("one whose process is started again is replaced at once", () => {
  const world = three();
  const before = stuckLearner(world, "n4");
  world.kill("n4");
  world.startNode("n4", ["n1", "n4"], {});
  world.until("n4 votes", () => isVoter(world, "n4"), 500);
  const { voters, learners } = raftOf(world).confState;
  expect([...voters, ...learners]).not.toContain(before);
});

test("one that was let in and hears no more of that cluster begins anew, as somebody else", () => {
  const world = three();
  assert.equal(leader(world).connect().call("RAFT.MEMBER", "ADD", "n4", addressOf("n4")), "+OK\r\n");
  world.startNode("n4", ["n1", "n4"], {});
  const allow = withoutSnapshots(world, "n4");
  const host = world.host("n4");
  const before = host.identity.incarnation;
  world.until("it is let in", () => !host.node.cluster.membership.fresh, 500);
  for (const name of ["n1", "n2", "n3"]) world.kill(name);
  world.until("it is fresh", () => host.node.cluster.membership.fresh, 1000);
  assert.notEqual(host.identity.incarnation, before);
  allow();
  for (const name of ["n1", "n2", "n3"]) world.startNode(name, ["n1", "n2", "n3"], {});
  assert.equal(leader(world).connect().call("RAFT.MEMBER", "ADD", "n4", addressOf("n4")), "+OK\r\n");
  world.until("n4 votes in the new cluster", () => isVoter(world, "n4"), 2000);
});

test("a refusal that comes when it is a voter already, from somebody who had not heard of it, is ignored", () => {
  const world = three();
  const voter = [...world.hosts.values()].find((host) => host !== leader(world))!;
  const link = [...voter.links].find(({ outgoing }) => outgoing)!;
  const refusal = {
    accepted: false,
    text: "not a member",
    leader: 0,
    table: undefined,
    removed: false,
    lost: [],
  };
  voter.node.peerFrame(link, Buffer.from(encodePeerFrame({ joinReplies: [refusal] })));
  assert.equal(voter.node.cluster.problem, undefined);
  assert.equal(leader(world).connect().call("RAFT.TRANSFER", voter.name), "+OK\r\n");
  assert.equal(voter.connect().call("SET", "k", "v"), "+OK\r\n");
});
