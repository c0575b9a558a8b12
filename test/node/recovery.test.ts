// A majority that has forgotten: the survivors say so and serve nobody, and one of them can be told to start over.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { lostMajority } from "../../src/node/standing.ts";
import { type Host, World } from "./world.ts";

const OK = "+OK\r\n";
const LOST = /^-CLUSTERDOWN a majority of the members has lost its memory \((.*) came back empty\)/;

function cluster(count: number): { world: World; names: string[] } {
  const world = new World();
  world.start(count);
  const names = [...world.hosts.keys()];
  world.until("all know a leader", () =>
    [...world.hosts.values()].every(({ node }) => node.replica.mode !== 0),
  );
  const client = [...world.hosts.values()][0]!.connect();
  for (let i = 0; i < 40; i++) assert.equal(client.call("SET", `k${i}`, `${i}`), OK);
  for (let i = 0; i < 20; i++) world.step();
  return { world, names };
}

function forget(world: World, names: readonly string[], victims: readonly string[]): void {
  for (const name of victims) world.kill(name);
  for (const name of victims) world.startNode(name, names, {});
}

function survivors(world: World): Host[] {
  return [...world.hosts.values()].filter(({ node }) => !node.cluster.membership.fresh);
}

const isVoterOf = (world: World, host: Host): boolean => {
  const raft = world.leader()?.node.replica.raft;
  return raft?.confState.voters.includes(host.identity.incarnation) === true && !raft.changeUnderWay;
};

test("two of three forget: the third serves nobody, says why, and recovers by command with all its data", () => {
  const { world, names } = cluster(3);
  forget(world, names, ["n1", "n3"]);
  const [left] = survivors(world);
  assert.ok(left !== undefined);
  world.until("it knows", () => left.node.cluster.problem !== undefined);
  const client = left.connect();
  assert.equal(LOST.exec(client.call("GET", "k1"))?.[1], "n1, n3");
  assert.match(client.call("INFO", "raft"), /raft_problem:CLUSTERDOWN a majority/);
  assert.match(client.call("RAFT.STATUS"), /CLUSTERDOWN a majority/);
  for (const host of world.hosts.values()) {
    if (host !== left) assert.match(host.connect().call("GET", "k1"), /^-CLUSTERDOWN this node/);
  }
  const before = left.node.cluster.membership.clusterId;
  assert.match(client.call("RAFT.RECOVER"), /would start a new cluster.*Nothing was done/s);
  assert.equal(left.node.cluster.membership.clusterId, before);

  assert.equal(client.call("RAFT.RECOVER", "FORCE"), OK);
  assert.notEqual(left.node.cluster.membership.clusterId, before);
  world.until("the others are voters again", () =>
    [...world.hosts.values()].every((host) => isVoterOf(world, host)),
  );
  for (const host of world.hosts.values()) {
    const reader = host.connect();
    for (let i = 0; i < 40; i++) assert.equal(reader.call("GET", `k${i}`), `$${`${i}`.length}\r\n${i}\r\n`);
    assert.equal(reader.call("SET", host.name, "again"), OK);
    expect(host.node.cluster.membership.names().map(({ name }) => name)).toEqual(names);
  }
});

test("three of five forget: one survivor recovers, the other does not mix in until it is started anew", () => {
  const { world, names } = cluster(5);
  forget(world, names, ["n1", "n3", "n5"]);
  const [one, other] = survivors(world);
  assert.ok(one !== undefined && other !== undefined);
  world.until("both know", () => survivors(world).every(({ node }) => node.cluster.problem !== undefined));
  assert.equal(one.connect().call("RAFT.RECOVER", "FORCE"), OK);
  world.until("the fresh ones are in", () =>
    [...world.hosts.values()].every((host) => host === other || isVoterOf(world, host)),
  );
  assert.match(
    other.connect().call("SET", "k", "v"),
    /^-CLUSTERDOWN this node's cluster is gone: n1, n3, n5 came back empty and belong to another one/,
  );
  expect(one.node.cluster.membership.named(other.name)).toEqual([]);
  assert.equal(one.connect().call("GET", "k3"), "$1\r\n3\r\n");
  forget(world, names, [other.name]);
  world.until("it is in", () => isVoterOf(world, world.host(other.name)));
});

test("a survivor that had not heard of the last change of members is told that a majority is lost", () => {
  const { world, names } = cluster(3);
  const leads = world.leader()!;
  const [lagging, victim] = names.filter((name) => name !== leads.name);
  assert.ok(lagging !== undefined && victim !== undefined);
  for (const name of [leads.name, victim]) world.cut.add(`${lagging}>${name}`).add(`${name}>${lagging}`);
  assert.equal(leads.connect().call("RAFT.MEMBER", "ADD", "n4", world.addressOf("n4")), OK);
  world.startNode("n4", [...names, "n4"], {});
  world.until("n4 votes", () => isVoterOf(world, world.host("n4")));

  forget(world, [...names, "n4"], [victim, "n4"]);
  world.until("nobody leads", () => leads.node.replica.raft?.leader === 0);
  world.cut.clear();
  const told = world.host(lagging);
  world.until("both know", () =>
    [leads, told].every(({ node }) => LOST.exec(`-${node.cluster.problem}`)?.[1] === `${victim}, n4`),
  );
  assert.equal(LOST.exec(told.connect().call("GET", "k1"))?.[1], `${victim}, n4`);
  assert.equal(told.node.replica.raft?.confState.voters.length, 3, "it knows by word of the other alone");
  // The word counts no longer than somebody gives it.
  world.kill(leads.name);
  world.until("it is on its own again", () => told.node.cluster.problem === undefined);
});

test("what a survivor has and nobody else acknowledged counts as agreed after a recovery", () => {
  const { world, names } = cluster(3);
  const leads = world.leader()!;
  for (const host of world.hosts.values()) {
    if (host !== leads) world.cut.add(`${leads.name}>${host.name}`).add(`${host.name}>${leads.name}`);
  }
  const client = leads.connect();
  client.send("SET", "late", "1");
  world.settle();
  forget(
    world,
    names,
    names.filter((name) => name !== leads.name),
  );
  world.cut.clear();
  world.until("it knows", () => leads.node.cluster.problem !== undefined);
  assert.match(client.reply(), /^-UNCERTAIN/);
  assert.equal(client.call("RAFT.RECOVER", "FORCE"), OK);
  assert.equal(leads.connect().call("GET", "late"), "$1\r\n1\r\n");
});

test("a recovery decides what was in flight, and each client gets its own answer", () => {
  const { world, names } = cluster(3);
  const leads = world.leader()!;
  for (const host of world.hosts.values()) {
    if (host !== leads) world.cut.add(`${leads.name}>${host.name}`).add(`${host.name}>${leads.name}`);
  }
  const client = leads.connect();
  client.send("SET", "late", "1");
  world.settle();
  const desk = leads.connect();
  world.until("it does not lead any more", () => leads.node.replica.raft?.leader === 0);
  forget(
    world,
    names,
    names.filter((name) => name !== leads.name),
  );
  assert.equal(desk.call("RAFT.RECOVER", "FORCE"), OK);
  assert.equal(client.reply(), OK);
  assert.equal(client.call("GET", "late"), "$1\r\n1\r\n");
});

test("members that are only gone are not lost: they may come back", () => {
  const { world, names } = cluster(3);
  for (const name of ["n1", "n2"]) world.kill(name);
  const left = world.host("n3");
  for (let i = 0; i < 1000; i++) world.step();
  assert.equal(left.node.cluster.problem, undefined);
  const why = "CLUSTERDOWN no leader is known: a majority of the members cannot be reached (n1, n2)";
  assert.equal(left.connect().call("GET", "k1"), `-${why}\r\n`);
  // Its operator reads the same, where a node says what is the matter with it.
  assert.ok(left.connect().call("INFO", "raft").includes(`\r\nraft_problem:${why}\r\n`));
  assert.ok(left.connect().call("RAFT.STATUS").includes(why));
  // One of them back and empty makes no majority lost: the other two could still meet.
  world.startNode("n1", names, {});
  for (let i = 0; i < 1000; i++) world.step();
  assert.equal(left.node.cluster.problem, undefined);
});

test("a node that has no data has nothing to recover", () => {
  const world = new World();
  world.startNode("n2", ["n1", "n2", "n3"], {});
  const client = world.host("n2").connect();
  assert.match(client.call("RAFT.RECOVER"), /no data/);
  assert.match(client.call("RAFT.RECOVER", "FORCE"), /^-ERR this node has no data/);
});

test("who is gone for ever", () => {
  const { world } = cluster(3);
  const { membership } = world.host("n1").node.cluster;
  const id = (name: string): number => world.host(name).identity.incarnation;
  const all = {
    voters: ["n1", "n2", "n3"].map(id),
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const fresh = (name: string) => ({ name, incarnation: 1e6 + id(name), clusterId: "" });
  const same = (name: string) => ({ name, incarnation: id(name), clusterId: membership.clusterId });
  const cases = [
    { what: "nobody answers", known: [], lost: [] },
    { what: "one of three forgot", known: [fresh("n2")], lost: [] },
    { what: "two of three forgot", known: [fresh("n2"), fresh("n3")], lost: ["n2", "n3"] },
    { what: "the old one is there too", known: [fresh("n2"), fresh("n3"), same("n3")], lost: [] },
    {
      what: "one of them was let in: the cluster lives",
      known: [{ ...fresh("n2"), clusterId: membership.clusterId }, fresh("n3")],
      lost: [],
    },
  ];
  for (const { what, known, lost } of cases) expect(lostMajority(all, membership, known), what).toEqual(lost);
});
