// What an operator does to a cluster of simulated nodes: members added, removed and promoted, leadership handed over.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { type Host, World } from "./world.ts";

const OK = "+OK\r\n";
const addressOf = (name: string): string => `127.0.0.1:${16000 + Number(name.slice(1))}`;

function cluster(count: number): World {
  const world = new World();
  if (count === 1) world.startNode("n1", ["n1"], {});
  else world.start(count);
  world.until("a leader that all know", () => all(world, (host) => host.node.replica.mode !== 0));
  return world;
}

const all = (world: World, condition: (host: Host) => boolean): boolean =>
  [...world.hosts.values()].every(condition);

function leader(world: World): Host {
  world.until("a leader", () => world.leader() !== undefined);
  return world.leader()!;
}

const follower = (world: World): Host => {
  const leads = leader(world);
  return [...world.hosts.values()].find((host) => host !== leads)!;
};

const voterNames = (host: Host): string[] => {
  const { confState } = host.node.replica.raft!;
  return host.node.operator
    .members()
    .filter(({ incarnation }) => confState.voters.includes(Number(incarnation)))
    .map(({ name }) => name);
};

/** Added by a command on `at`, started with one existing member to ask, and a voter at the end. */
function grow(world: World, name: string, at: Host, known: string): Host {
  assert.equal(at.connect().call("RAFT.MEMBER", "ADD", name, addressOf(name)), OK);
  world.startNode(name, [known, name], {});
  const host = world.host(name);
  world.until(`all know that ${name} votes`, () =>
    all(world, ({ node }) => {
      const { raft } = node.replica;
      return raft?.confState.voters.includes(host.identity.incarnation) === true && !raft.changeUnderWay;
    }),
  );
  return host;
}

describe("growing and shrinking", () => {
  test("three to five through any node, each newcomer knowing one member; all end up with one table and one state", () => {
    const world = cluster(3);
    const client = follower(world).connect();
    for (let i = 0; i < 30; i++) assert.equal(client.call("SET", `k${i}`, `${i}`), OK);
    grow(world, "n4", follower(world), "n2");
    grow(world, "n5", leader(world), "n4");
    for (let i = 0; i < 30; i++) world.step();
    const digest = leader(world).node.replica.machine.store.digest();
    for (const host of world.hosts.values()) {
      expect(voterNames(host)).toEqual(["n1", "n2", "n3", "n4", "n5"]);
      expect(host.node.cluster.membership.names()).toEqual(leader(world).node.cluster.membership.names());
      assert.equal(host.node.replica.machine.store.digest(), digest);
      for (const other of world.hosts.values())
        assert.ok(other === host || host.node.cluster.links.isUp(other.identity.incarnation));
    }
    assert.equal(world.host("n5").connect().call("GET", "k7"), "$1\r\n7\r\n");
  });

  test("a cluster of one with a member line grows to three, and survives the loss of the first", () => {
    const world = cluster(1);
    assert.equal(world.host("n1").connect().call("SET", "k", "v"), OK);
    grow(world, "n2", world.host("n1"), "n1");
    grow(world, "n3", world.host("n2"), "n1");
    world.kill("n1");
    assert.equal(leader(world).connect().call("GET", "k"), "$1\r\nv\r\n");
  });

  test("an added member that forgets comes back, though no other has it in its settings", () => {
    const world = cluster(3);
    grow(world, "n4", leader(world), "n1");
    world.kill("n4");
    world.until("a leader", () => world.leader() !== undefined);
    world.startNode("n4", ["n1", "n4"], {});
    const id = world.host("n4").identity.incarnation;
    world.until("n4 votes again", () => {
      const raft = world.leader()?.node.replica.raft;
      return raft?.confState.voters.includes(id) === true && !raft.changeUnderWay;
    });
    expect(voterNames(leader(world))).toEqual(["n1", "n2", "n3", "n4"]);
  });

  test("who is not a member is told how to become one, and comes in once added", () => {
    const world = cluster(3);
    world.startNode("n4", ["n1", "n4"], {});
    const client = world.host("n4").connect();
    const told =
      /^-CLUSTERDOWN this node was not let into the cluster: n4 is not a member.*RAFT.MEMBER ADD n4 127.0.0.1:16004/;
    world.until("it is refused", () => world.host("n4").node.cluster.problem !== undefined);
    assert.match(client.call("GET", "k"), told);
    assert.equal(follower(world).connect().call("RAFT.MEMBER", "ADD", "n4", addressOf("n4")), OK);
    world.until("n4 follows", () => world.host("n4").node.replica.mode === 2);
    assert.equal(client.call("GET", "k"), "$-1\r\n");
  });

  test("a removed follower serves nobody, says so, and is not let in again", () => {
    const world = cluster(3);
    const [goes] = [follower(world)];
    const { name } = goes;
    assert.equal(leader(world).connect().call("RAFT.MEMBER", "REMOVE", name), OK);
    expect(voterNames(leader(world))).not.toContain(name);
    world.until("it knows", () => goes.node.cluster.problem !== undefined);
    assert.match(goes.connect().call("SET", "k", "v"), /^-CLUSTERDOWN this node was removed/);
    for (let i = 0; i < 200; i++) world.step();
    assert.equal(leader(world).connect().call("SET", "k", "v"), OK);
    world.kill(name);
    world.startNode(name, ["n1", "n2", "n3"], {});
    world.until("it is refused", () => world.host(name).node.cluster.problem !== undefined);
    expect(leader(world).node.cluster.membership.named(name)).toEqual([]);
  });

  test("a removed member that was cut off learns of it when it is back", () => {
    const world = cluster(3);
    const goes = follower(world);
    for (const other of world.hosts.values()) {
      if (other === goes) continue;
      world.cut.add(`${goes.name}>${other.name}`).add(`${other.name}>${goes.name}`);
      for (const link of [...goes.links]) link.drop("reset");
      for (const link of [...other.links]) if (link.peer?.owner === goes) link.drop("reset");
    }
    assert.equal(leader(world).connect().call("RAFT.MEMBER", "REMOVE", goes.name), OK);
    world.cut.clear();
    world.until("it knows", () => goes.node.cluster.problem !== undefined);
    assert.match(goes.connect().call("GET", "k"), /^-CLUSTERDOWN this node was removed/);
  });

  test.each(["its own client", "a client of a follower"])(
    "the leader is removed by %s: it hands over first",
    (who) => {
      const world = cluster(3);
      const leads = leader(world);
      const asked = who === "its own client" ? leads : follower(world);
      assert.equal(asked.connect().call("RAFT.MEMBER", "REMOVE", leads.name), OK);
      const next = leader(world);
      assert.notEqual(next, leads);
      expect(voterNames(next)).toHaveLength(2);
      assert.equal(next.connect().call("SET", "k", "v"), OK);
      assert.match(leads.connect().call("GET", "k"), /^-CLUSTERDOWN this node was removed/);
    },
  );

  test("down to one, and the last one stays", () => {
    const world = cluster(3);
    for (const name of ["n2", "n3"]) {
      if (leader(world).name === name) {
        assert.equal(leader(world).connect().call("RAFT.TRANSFER", "n1"), OK);
      }
      assert.equal(world.host("n1").connect().call("RAFT.MEMBER", "REMOVE", name), OK);
    }
    const client = world.host("n1").connect();
    assert.match(client.call("RAFT.MEMBER", "REMOVE", "n1"), /^-ERR n1 is the last voter/);
    assert.equal(client.call("SET", "k", "v"), OK);
  });

  test("a removed node votes while others do not know it is removed: four voters, and the leader that knew is lost", () => {
    const world = cluster(4);
    const lost = leader(world);
    const [removed, ...left] = [...world.hosts.values()].filter((host) => host !== lost);
    assert.ok(removed !== undefined);
    // What the leader has applied, those who are left never hear.
    const { cluster: parts } = lost.node;
    const changed = parts.configurationChanged.bind(parts);
    parts.configurationChanged = (...change) => {
      for (const host of left) world.cut.add(`${lost.name}>${host.name}`);
      changed(...change);
    };
    lost.connect().send("RAFT.MEMBER", "REMOVE", removed.name);
    world.until("it is removed", () => removed.node.cluster.isRemoved);
    for (const host of left) assert.ok(voterNames(host).includes(removed.name));
    world.kill(lost.name);
    // Nobody asks it before it has let go of its links.
    for (const host of left) world.cut.add(`${host.name}>${removed.name}`);
    world.until("it dials nobody", () => removed.dialling.size === 0);
    for (const host of left) assert.ok(voterNames(host).includes(removed.name));
    world.cut.clear();
    world.until("one of the others leads", () => left.some(({ node }) => node.replica.mode === 1));
    world.until("all know", () => left.every((host) => !voterNames(host).includes(removed.name)));
  });
});

describe("refusals say what to do", () => {
  const cases: readonly (readonly [command: string, text: RegExp])[] = [
    ["MEMBER ADD n4 nowhere", /^-ERR the address of a member's peer port is like/],
    ["MEMBER ADD n4! 127.0.0.1:16004", /^-ERR a member's name must be/],
    ["MEMBER ADD n4 10.0.0.4:16004", /^-ERR a member on another machine needs a cluster-secret/],
    ["MEMBER ADD n4 127.0.0.1:16002", /^-ERR 127.0.0.1:16002 is the address of n2/],
    ["MEMBER ADD n2 127.0.0.1:16009", /^-ERR n2 is a member already, at 127.0.0.1:16002/],
    ["MEMBER ADD n2 127.0.0.1:16002", /^\+OK/],
    ["MEMBER REMOVE n9", /^-ERR no member is called n9: there are n1, n2, n3/],
    ["MEMBER PROMOTE n2", /^-ERR n2 is a voter already/],
    ["TRANSFER n9", /^-ERR no member is called n9/],
    ["MEMBER", /^-ERR wrong number of arguments for 'raft.member' command/],
    ["MEMBER NOPE", /^-ERR unknown subcommand 'NOPE'. Try RAFT.MEMBER HELP/],
    ["RECOVER NOW", /^-ERR syntax error/],
    ["RECOVER FORCE", /^-ERR n[123] leads this cluster: there is nothing to recover/],
  ];
  const world = cluster(3);
  for (const [command, text] of cases) {
    const [first = "", ...rest] = command.split(" ");
    test(command, () => {
      for (const host of [leader(world), follower(world)]) {
        assert.match(host.connect().call(`RAFT.${first}`, ...rest), text);
      }
    });
  }
  test("a voter without which the others are no majority is not removed", () => {
    const small = cluster(3);
    const [dead, other] = [...small.hosts.keys()].filter((name) => small.host(name) !== leader(small));
    small.kill(dead!);
    assert.match(
      leader(small).connect().call("RAFT.MEMBER", "REMOVE", other!),
      /^-ERR without n\d there would be 2 voters of which 1 can be reached/,
    );
  });
  test("a node without a member line cannot grow", () => {
    const alone = new World();
    alone.startNode("n1", [], {});
    assert.match(
      leader(alone).connect().call("RAFT.MEMBER", "ADD", "n2", addressOf("n2")),
      /^-ERR this node was started without a member line/,
    );
  });
});

test("leadership goes where the operator says, asked at any node", () => {
  const world = cluster(3);
  for (const name of ["n2", "n3", "n1", "n1"]) {
    const asked = world.host("n2");
    assert.equal(asked.connect().call("RAFT.TRANSFER", name), OK);
    assert.equal(leader(world).name, name);
    assert.equal(asked.connect().call("SET", "k", name), OK);
  }
});
