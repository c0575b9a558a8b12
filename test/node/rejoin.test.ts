// Members that forget: a killed node that comes back empty is let in again as somebody new, without an operator.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { type Host, World } from "./world.ts";

const NAMES = ["n1", "n2", "n3"];

function three(): World {
  const world = new World();
  world.start(3);
  world.until("a leader", () => world.leader() !== undefined);
  return world;
}

function voters(world: World): number {
  return world.leader()?.node.replica.raft?.confState.voters.length ?? 0;
}

function restart(world: World, name: string): Host {
  world.kill(name);
  world.until("a leader without it", () => world.leader() !== undefined);
  world.startNode(name, NAMES, {});
  const host = world.host(name);
  // A rolling restart goes on when a node is ready: never before it has its vote, and what it was has lost its own.
  const isDone = (): boolean => {
    const confState = world.leader()?.node.replica.raft?.confState;
    return (
      confState?.voters.includes(host.identity.incarnation) === true && confState.votersOutgoing.length === 0
    );
  };
  world.watch = () => assert(isDone() || host.node.readinessProblem !== "", `${name} is ready too soon`);
  world.until(`${name} is a voter again`, isDone);
  world.until(`${name} is ready`, () => host.node.readinessProblem === "");
  world.watch = undefined;
  return host;
}

test("a node killed and started empty gets the state and its vote back; its old self is removed", () => {
  const world = three();
  const client = world.leader()!.connect();
  for (let i = 0; i < 50; i++) assert.equal(client.call("SET", `k${i}`, `v${i}`), "+OK\r\n");
  const name = NAMES.find((candidate) => world.leader()!.name !== candidate)!;
  const before = world.host(name).identity.incarnation;
  const back = restart(world, name);
  assert.notEqual(back.identity.incarnation, before);
  assert.equal(voters(world), 3);
  assert.equal(back.connect().call("GET", "k7"), "$2\r\nv7\r\n");
  for (let i = 0; i < 20; i++) world.step();
  for (const host of world.hosts.values()) {
    assert.equal(host.node.replica.machine.store.digest(), back.node.replica.machine.store.digest());
    expect(host.node.cluster.membership.list().map((member) => member.name)).toEqual(NAMES);
    expect(host.node.cluster.membership.incarnations).not.toContain(before);
  }
});

test("a node that comes back elsewhere and knows one follower only: told who leads, it is let in there", () => {
  const world = three();
  const [lost = "", follower = ""] = NAMES.filter((name) => name !== world.leader()!.name);
  assert.equal(world.leader()!.connect().call("SET", "k", "v"), "+OK\r\n");
  world.kill(lost);
  world.ports.set(lost, 17_000);
  world.startNode(lost, [lost, follower], {});
  const back = world.host(lost);
  world.until("it is ready", () => back.node.readinessProblem === "");
  assert.equal(voters(world), 3);
  assert.equal(world.leader()!.node.cluster.membership.addressOf(lost), "127.0.0.1:17000");
  assert.equal(back.connect().call("GET", "k"), "$1\r\nv\r\n");
});

test("what a later release says of a member is kept by those that do not know it, in tables, snapshots and over leaders", () => {
  const world = three();
  const unknownFields = [Uint8Array.of(0x7a, 2, 1, 2)];
  const later = NAMES.find((name) => name !== world.leader()!.name)!;
  world.kill(later);
  world.startNode(later, NAMES, {});
  // Before it has said anything to anybody.
  Object.assign(world.host(later).node.cluster.membership.self, { unknownFields });
  world.until("it is ready", () => world.host(later).node.readinessProblem === "");
  const { incarnation } = world.host(later).identity;
  const isKept = (): void => {
    for (const { node } of world.hosts.values())
      expect(node.cluster.membership.member(incarnation)?.unknownFields).toEqual(unknownFields);
  };
  isKept();
  // Each of the others gets it by a snapshot, from one that did not know what it was.
  for (const name of NAMES) if (name !== later) restart(world, name);
  isKept();
});

test("all are lost: those that come back found another cluster, which is empty, and each says so in one line", () => {
  const world = three();
  const founded = (): unknown[] =>
    NAMES.flatMap((name) => world.host(name).warnings.filter(({ text }) => /^founded: /.test(String(text))));
  const lines = (clusterId: string): unknown[] =>
    NAMES.map(() => ({
      cluster: clusterId,
      members: "n1,n2,n3",
      text: expect.stringMatching(
        /new, empty cluster.*all of them were fresh. A first start looks like this.*is lost$/,
      ),
    }));
  const before = world.leader()!.identity.clusterId;
  // A first start looks the same.
  expect(founded()).toEqual(lines(before));
  assert.equal(world.leader()!.connect().call("SET", "k", "lost with all of them"), "+OK\r\n");
  for (const name of NAMES) world.kill(name);
  for (const name of NAMES) world.startNode(name, NAMES, {});
  world.until("a leader", () => world.leader() !== undefined);
  const { clusterId } = world.leader()!.identity;
  assert.notEqual(clusterId, before);
  expect(founded()).toEqual(lines(clusterId));
  world.until("all are ready", () => NAMES.every((name) => world.host(name).node.readinessProblem === ""));
  for (const name of NAMES) assert.equal(world.host(name).connect().call("GET", "k"), "$-1\r\n");
  // Who comes back to a cluster that lives founds nothing.
  const back = restart(world, NAMES[1]!);
  assert.deepEqual(back.warnings, []);
});

test("every node restarted in turn, leaders too, several times: no acknowledged write is lost", () => {
  const world = three();
  let written = 0;
  for (let round = 0; round < 3; round++) {
    for (const name of NAMES) {
      const other = [...world.hosts.values()].find((host) => host.name !== name)!;
      const client = other.connect();
      for (let i = 0; i < 10; i++) assert.equal(client.call("SET", `k${written}`, `${written++}`), "+OK\r\n");
      restart(world, name);
      assert.equal(voters(world), 3);
    }
  }
  for (const host of world.hosts.values()) {
    const client = host.connect();
    for (let i = 0; i < written; i++)
      assert.equal(client.call("GET", `k${i}`), `$${`${i}`.length}\r\n${i}\r\n`);
  }
});

test("a member that lags behind follows a leader that joined after the end of its log (simulator, seed 41648)", () => {
  const world = new World();
  world.start(5);
  world.until("a leader", () => world.leader() !== undefined);
  const names = ["n1", "n2", "n3", "n4", "n5"];
  const [late = "", gone = ""] = names.filter((name) => world.leader()!.name !== name);
  for (const name of names) world.cut.add(`${name}>${late}`);
  world.kill(gone);
  world.startNode(gone, names, {});
  const back = world.host(gone).node.replica;
  world.until(
    "the one that came back votes",
    () => back.raft?.confState.voters.includes(back.raft.id) === true,
  );
  world.until("it leads", () => {
    if (back.raft?.role !== "leader") world.leader()?.node.replica.raft?.transferLeader(back.raft!.id);
    return back.mode === 1;
  });
  world.cut.clear();
  const client = world.host(late).connect();
  assert.equal(client.call("SET", "k", "v"), "+OK\r\n");
  const { raft } = world.host(late).node.replica;
  world.until(
    "the late one follows it",
    () => raft?.leader === back.raft?.id && raft?.commit === back.raft?.commit,
  );
});

test("it also answers one that it met as a stranger, and whose name it has never heard (simulator, seed 119)", () => {
  const world = three();
  const first = world.leader()!;
  const late = [...world.hosts.values()].find((host) => host !== first)!;
  for (const name of NAMES) world.cut.add(`${name}>${late.name}`);
  assert.equal(first.connect().call("RAFT.MEMBER", "ADD", "n4", "127.0.0.1:16004"), "+OK\r\n");
  world.startNode("n4", [...NAMES, "n4"], {});
  const added = world.host("n4").node.replica;
  world.until("the new one votes", () => added.raft?.confState.voters.includes(added.raft.id) === true);
  world.until("it leads", () => {
    if (added.raft?.role !== "leader") world.leader()?.node.replica.raft?.transferLeader(added.raft!.id);
    return added.mode === 1;
  });
  const { replica } = late.node;
  world.until(
    "the late one follows it",
    () => replica.mode === 2 && replica.raft?.commit === added.raft?.commit,
  );
  assert.equal(late.connect().call("SET", "k", "v"), "+OK\r\n");
});

test("a second process under the name of a node that lives is not let in", () => {
  const world = three();
  const impostor = "n2";
  const original = world.host(impostor);
  world.hosts.delete(impostor);
  world.startNode(impostor, NAMES, {});
  const copy = world.host(impostor);
  world.hosts.set("original", original);
  for (let i = 0; i < 200; i++) world.step();
  assert.equal(copy.node.replica.raft, undefined);
  expect(original.node.cluster.membership.incarnations).toContain(original.identity.incarnation);
});
