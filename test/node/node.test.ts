// Whole nodes on simulated ports: what clients see of one node and of three, with leaders that die.

import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Host, World } from "./world.ts";

const pipeline = (...commands: string[][]): Buffer =>
  Buffer.concat(commands.map((parts) => encodeCommand(parts)));

function one(): World {
  const world = new World();
  world.start(1);
  world.until("a leader", () => world.leader() !== undefined);
  return world;
}

function three(flags: Readonly<Record<string, string>> = {}, seed = 1): World {
  const world = new World(seed);
  world.start(3, flags);
  world.until("a leader", () => world.leader() !== undefined);
  world.step();
  return world;
}

test("one node: a write, a read, and a pipeline whose reads see their own place", () => {
  const client = one().leader()!.connect();
  assert.equal(client.call("SET", "a", "1"), "+OK\r\n");
  assert.equal(client.call("GET", "a"), "$1\r\n1\r\n");
  client.sendRaw(
    pipeline(["SET", "a", "1"], ["GET", "a"], ["SET", "a", "2"], ["GET", "a"], ["PING"], ["GET", "a"]),
  );
  assert.equal(client.reply(), "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n+PONG\r\n$1\r\n2\r\n");
});

test("replies that the client takes at once never stop the reading, whenever the node looks at its clients", () => {
  const world = one();
  const clients = [world.leader()!.connect(), world.leader()!.connect()];
  const large = pipeline(["SET", "large", "x".repeat(600_000)], ["GET", "large"], ["GET", "large"]);
  // In turns of all ticks of two seconds: the node looks once a second, before it writes what the turn has answered.
  for (const end = world.nowMs + 2000; world.nowMs < end; ) {
    for (const client of clients) client.sendRaw(large);
    world.step();
    for (const client of clients) {
      assert.ok(client.isReading, `at ${world.nowMs} ms`);
      client.take();
    }
  }
});

test("databases are kept apart in one entry", () => {
  const client = one().leader()!.connect();
  client.sendRaw(
    pipeline(
      ["SET", "k", "zero"],
      ["SELECT", "1"],
      ["SET", "k", "one"],
      ["GET", "k"],
      ["SELECT", "0"],
      ["GET", "k"],
    ),
  );
  assert.equal(client.reply(), "+OK\r\n+OK\r\n+OK\r\n$3\r\none\r\n+OK\r\n$4\r\nzero\r\n");
});

test("three nodes: a write anywhere is read everywhere at once, and all states are equal", () => {
  const world = three();
  for (const [i, host] of [...world.hosts.values()].entries()) {
    assert.equal(host.connect().call("SET", "k", `v${i}`), "+OK\r\n");
    for (const other of world.hosts.values())
      assert.equal(other.connect().call("GET", "k"), `$2\r\nv${i}\r\n`);
  }
  for (let i = 0; i < 20; i++) world.step();
  const digests = new Set([...world.hosts.values()].map((host) => host.node.replica.machine.store.digest()));
  assert.equal(digests.size, 1);
});

test("the leader dies: another takes over and nothing acknowledged is lost", () => {
  const world = three();
  const dead = world.leader()!;
  const survivor = [...world.hosts.values()].find((host) => host !== dead)!;
  const client = survivor.connect();
  for (let i = 0; i < 100; i++) assert.equal(client.call("SET", `k${i}`, `v${i}`), "+OK\r\n");
  const before = world.nowMs;
  world.kill(dead.name);
  assert.equal(client.call("SET", "after", "1"), "+OK\r\n");
  assert.ok(world.nowMs - before < 1000, `took ${world.nowMs - before} ms`);
  for (let i = 0; i < 100; i++) assert.equal(client.call("GET", `k${i}`), `$${`v${i}`.length}\r\nv${i}\r\n`);
});

test("a leader that is cut off answers UNCERTAIN, never that nothing happened, and the others go on", () => {
  const world = three();
  const old = world.leader()!;
  const client = old.connect();
  for (const host of world.hosts.values()) {
    if (host === old) continue;
    world.cut.add(`${old.name}>${host.name}`);
    world.cut.add(`${host.name}>${old.name}`);
  }
  client.send("SET", "k", "lost?");
  assert.match(client.reply(), /^-UNCERTAIN /);
  world.until("a new leader", () => {
    const leader = world.leader();
    return leader !== undefined && leader !== old;
  });
  assert.equal(world.leader()!.connect().call("SET", "k", "new"), "+OK\r\n");
  assert.match(old.connect().call("GET", "k"), /^-CLUSTERDOWN /);
});

test("a follower that fell behind the log catches up by snapshot while writes go on", () => {
  const world = three({ "log-max-bytes": "1mb", "log-tail-bytes": "64kb", "log-tail-entries": "10" });
  const leader = world.leader()!;
  const behind = [...world.hosts.values()].find((host) => host !== leader)!;
  for (const host of world.hosts.values()) {
    world.cut.add(`${behind.name}>${host.name}`);
    world.cut.add(`${host.name}>${behind.name}`);
  }
  const client = leader.connect();
  const value = "x".repeat(10_000);
  for (let i = 0; i < 500; i++) assert.equal(client.call("SET", `k${i}`, value), "+OK\r\n");
  assert.ok(leader.node.replica.storage!.firstIndex() > behind.node.replica.machine.appliedIndex);
  world.cut.clear();
  let n = 0;
  world.until("the follower has caught up", () => {
    assert.equal(client.call("SET", "more", `${n++}`), "+OK\r\n");
    return behind.node.replica.machine.appliedIndex >= leader.node.replica.machine.appliedIndex - 3;
  });
  for (let i = 0; i < 20; i++) world.step();
  const digest = leader.node.replica.machine.store.digest();
  assert.equal(behind.node.replica.machine.store.digest(), digest);
});

test("a leader that failed to hand over goes on with the follower that a snapshot was on its way to", () => {
  const world = three({
    ...{ "log-max-bytes": "1mb", "log-tail-bytes": "0", "log-tail-entries": "0" },
    "snapshot-max-bytes-per-second": "1mb",
  });
  const leader = world.leader()!;
  const [behind, heir] = [...world.hosts.values()].filter((host) => host !== leader) as [Host, Host];
  for (const other of world.hosts.values()) {
    world.cut.add(`${other.name}>${behind.name}`);
    world.cut.add(`${behind.name}>${other.name}`);
  }
  const writer = leader.connect();
  for (let i = 0; i < 60; i++) writer.call("SET", `k${i}`, "x".repeat(100_000));
  world.cut.clear();
  world.until("a snapshot is on its way", () => leader.node.cluster.snapshots.sendingTo !== 0);
  // The heir does not hear of it, so the leader gives up handing over and goes on.
  world.cut.add(`${leader.name}>${heir.name}`);
  leader.connect().send("RAFT.TRANSFER", heir.name);
  world.until("handing over", () => leader.node.replica.raft?.transferring === true);
  world.until("given up", () => leader.node.replica.raft?.transferring === false);
  world.cut.clear();
  world.until("it has everything", () => {
    const [a, b] = [leader, behind].map((host) => host.node.replica.machine.appliedIndex);
    return a === b;
  });
});

test("keys expire by cluster time, on every replica, without traffic", () => {
  const world = three();
  const client = world.leader()!.connect();
  assert.equal(client.call("SET", "k", "v", "PX", "200"), "+OK\r\n");
  assert.equal(client.call("GET", "k"), "$1\r\nv\r\n");
  for (let i = 0; i < 15; i++) world.step();
  assert.match(client.call("PTTL", "k"), /^:[1-9]/);
  for (let i = 0; i < 15; i++) world.step();
  assert.equal(client.call("GET", "k"), "$-1\r\n");
  for (let i = 0; i < 10; i++) world.step();
  for (const host of world.hosts.values())
    assert.equal(host.node.replica.machine.store.databases[0]!.size, 0);
});

test("a leader told to stop hands over: no command on the other nodes' connections fails", () => {
  const world = three();
  const leader = world.leader()!;
  const others = [...world.hosts.values()].filter((host) => host !== leader);
  const clients = others.map((host) => host.connect());
  let n = 0;
  const round = (): void => {
    for (const client of clients) assert.equal(client.call("INCR", "n"), `:${++n}\r\n`);
  };
  round();
  leader.node.shutdown();
  for (let i = 0; i < 50; i++) round();
  world.until("it has stopped", () => leader.stopped);
});

test("a client that asks for far more than it reads is served in pieces", () => {
  const world = one();
  const client = world.leader()!.connect();
  assert.equal(client.call("SET", "big", "x".repeat(300_000)), "+OK\r\n");
  const before = world.nowMs;
  client.pendingBytes = 1; // the kernel takes nothing more
  client.sendRaw(pipeline(...Array.from({ length: 100 }, () => ["GET", "big"])));
  for (let i = 0; i < 10; i++) world.step();
  const session = client.host.node.server.clients.list()[0]!;
  assert.ok(session.outputBufferBytes < 2_000_000, `${session.outputBufferBytes} bytes wait`);
  client.pendingBytes = 0;
  client.handler.writable();
  let received = "";
  world.until("all replies", () => {
    received += client.take();
    return received.length === 100 * (300_000 + 11);
  });
  assert.ok(world.nowMs > before);
});
