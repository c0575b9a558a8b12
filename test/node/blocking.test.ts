// Blocked clients on simulated ports: who is served, in which order, with what; timeouts, and what becomes of a wait when a
// leader, a node or a client goes.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { cases } from "./blocking-cases.ts";
import { streamCases } from "./blocking-stream-cases.ts";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

function steps(world: World, count: number): void {
  for (let i = 0; i < count; i++) world.step();
}

const blockingOf = (host: Host) => host.node.replica.machine.sessions.blocking;
const waitersAt = (host: Host): number => blockingOf(host).waiters.count;

const digestOf = (host: Host): string =>
  host.node.replica.machine.store.digest() +
  Buffer.from(host.node.replica.machine.sessions.encode()).toString("hex");

function assertEqualStates(world: World): void {
  steps(world, 30);
  assert.equal(new Set(hostsOf(world).map(digestOf)).size, 1);
}

/** Sends it, and lets the world settle: it is registered everywhere when it blocks. */
function block(client: Client, ...command: string[]): void {
  const { world } = client.host;
  client.send(...command);
  steps(world, 12);
  assert.equal(client.take(), "", command.join(" "));
}

const array = (...items: string[]): string =>
  `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join("")}`;
const NIL = "*-1\r\n";

for (const [nodes, where] of [
  [1, "alone"],
  [3, "through any node of three"],
] as const) {
  describe(where, () => {
    for (const { name, run } of [...cases, ...streamCases]) {
      test(name, () => {
        const world = started(nodes);
        const clients = new Map<string, Client>();
        for (const { client: label, send, want } of run) {
          const all = hostsOf(world);
          if (!clients.has(label)) clients.set(label, all[clients.size % all.length]!.connect());
          const client = clients.get(label)!;
          if (send !== "")
            client.sendRaw(Buffer.concat(send.split(" | ").map((it) => encodeCommand(it.split(" ")))));
          steps(world, 12);
          assert.equal(client.take(), want, `${label}: ${send}`);
        }
        for (const [label, client] of clients) assert.equal(client.take(), "", label);
        assertEqualStates(world);
      });
    }
  });
}

test("clients of all nodes are served in the order of their arrival", () => {
  const world = started(3);
  const clients = [0, 1, 2, 1, 0, 2].map((i) => hostsOf(world)[i]!.connect());
  for (const client of clients) block(client, "BLPOP", "k", "0");
  for (const host of hostsOf(world)) assert.equal(waitersAt(host), clients.length);
  const pusher = followerOf(world).connect();
  assert.equal(pusher.call("RPUSH", "k", "a", "b"), ":2\r\n");
  assert.equal(pusher.call("RPUSH", "k", "c", "d", "e", "f", "g"), ":5\r\n");
  steps(world, 12);
  clients.forEach((client, i) => {
    assert.equal(client.take(), array("k", "abcdef"[i]!));
  });
  assert.equal(pusher.call("LRANGE", "k", "0", "-1"), array("g"));
  assertEqualStates(world);
  for (const host of hostsOf(world)) {
    assert.equal(blockingOf(host).waiters.bytes, 0);
    assert.equal(host.node.replica.machine.store.watcher, undefined);
  }
});

test("the leader dies while clients are blocked: they notice nothing", () => {
  const world = started(3);
  const dead = world.leader()!;
  const [one, two] = hostsOf(world).filter((host) => host !== dead);
  const blocked = [one!.connect(), two!.connect()];
  for (const client of blocked) block(client, "BLPOP", "k", "0");
  world.kill(dead.name);
  world.until("another leader", () => world.leader() !== undefined);
  steps(world, 20);
  assert.equal(one!.connect().call("RPUSH", "k", "a", "b"), ":2\r\n");
  steps(world, 20);
  assert.deepEqual(
    blocked.map((client) => client.take()),
    [array("k", "a"), array("k", "b")],
  );
  assertEqualStates(world);
});

test("a try that was lost with its leader is made again", () => {
  const world = started(3);
  const old = world.leader()!;
  const others = hostsOf(world).filter((host) => host !== old);
  const onOld = old.connect();
  const onOther = others[0]!.connect();
  assert.equal(onOther.call("PING"), "+PONG\r\n");
  for (const host of others) world.cut.add(`${old.name}>${host.name}`).add(`${host.name}>${old.name}`);
  onOld.send("BLPOP", "k", "0"); // proposed, never committed
  onOther.send("BLPOP", "k", "0"); // passed on, never received
  world.until("another leader", () => others.some((it) => it.node.replica.mode === 1));
  world.cut.clear();
  steps(world, 300);
  for (const host of hostsOf(world)) assert.equal(waitersAt(host), 2, host.name);
  assert.equal(others[1]!.connect().call("RPUSH", "k", "a", "b", "c"), ":3\r\n");
  steps(world, 20);
  assert.deepEqual([onOld.take(), onOther.take()].sort(), [array("k", "a"), array("k", "b")]);
  assertEqualStates(world);
  for (const client of [onOld, onOther]) assert.equal(client.call("BLPOP", "none", "0.01"), NIL);
});

test("whose time runs out before anybody has looked gets what is there, not nil", () => {
  const world = started(3);
  const old = world.leader()!;
  const others = hostsOf(world).filter((host) => host !== old);
  const client = others[0]!.connect();
  assert.equal(client.call("RPUSH", "k", "a"), ":1\r\n");
  for (const host of others) world.cut.add(`${old.name}>${host.name}`).add(`${host.name}>${old.name}`);
  client.send("BLPOP", "k", "0.05"); // passed on, never received
  client.send("BLPOP", "k", "0.05");
  world.until("another leader", () => others.some((it) => it.node.replica.mode === 1));
  steps(world, 100);
  assert.equal(client.take(), array("k", "a") + NIL);
});

test("what is pushed after a client has gone is not lost", () => {
  const world = started(3);
  const gone = followerOf(world).connect();
  const stays = world.leader()!.connect();
  block(gone, "BLPOP", "k", "0");
  gone.destroy();
  steps(world, 12);
  for (const host of hostsOf(world)) assert.equal(waitersAt(host), 0);
  block(stays, "BLPOP", "k", "0");
  assert.equal(followerOf(world).connect().call("RPUSH", "k", "a"), ":1\r\n");
  steps(world, 12);
  assert.equal(stays.take(), array("k", "a"));
});

test("a timeout and a push in one moment: the log says which came first, and nothing is lost", () => {
  for (const nodes of [1, 3]) {
    let served = 0;
    let late = 0;
    for (let wait = 8; wait < 16; wait++) {
      const world = started(nodes);
      const client = (nodes === 1 ? world.leader()! : followerOf(world)).connect();
      client.send("BLPOP", "k", "0.1");
      steps(world, wait);
      const early = client.take();
      const pusher = world.leader()!.connect();
      pusher.send("RPUSH", "k", "a");
      steps(world, 30);
      const got = early + client.take();
      assert.equal(pusher.take(), ":1\r\n");
      const left = pusher.call("LRANGE", "k", "0", "-1");
      if (got === NIL) late++;
      else served++;
      assert.deepEqual([got, left], got === NIL ? [NIL, array("a")] : [array("k", "a"), "*0\r\n"]);
    }
    assert.ok(served > 0 && late > 0, `${served} served, ${late} too late`);
  }
});

test("a node that dies takes no elements with it; its successor's clients wait like any others", () => {
  const world = started(3);
  const dead = followerOf(world);
  const client = dead.connect();
  block(client, "BLPOP", "k", "0");
  const name = dead.name;
  world.kill(name);
  const leader = world.leader()!;
  world.until("nobody waits", () => waitersAt(leader) === 0);
  assert.equal(leader.connect().call("RPUSH", "k", "a"), ":1\r\n");
  assert.equal(leader.connect().call("LPOP", "k"), "$1\r\na\r\n");
});

test("waiters of a node that was cut off are back when it is, behind the others", () => {
  const world = started(3);
  const leader = world.leader()!;
  const away = followerOf(world);
  const other = hostsOf(world).find((host) => host !== leader && host !== away)!;
  const first = away.connect();
  const second = other.connect();
  block(first, "BLPOP", "k", "0");
  block(second, "BLPOP", "k", "0");
  for (const host of [leader, other])
    world.cut.add(`${away.name}>${host.name}`).add(`${host.name}>${away.name}`);
  world.until("its waiter is gone", () => waitersAt(leader) === 1);
  world.cut.clear();
  world.until("it is back", () => hostsOf(world).every((host) => waitersAt(host) === 2));
  assert.equal(leader.connect().call("RPUSH", "k", "a", "b"), ":2\r\n");
  steps(world, 20);
  assert.deepEqual([first.take(), second.take()], [array("k", "b"), array("k", "a")]);
  assertEqualStates(world);
});

test("blocked clients go with snapshots; what a node has missed by one is uncertain to its clients", () => {
  const world = started(3, {
    "enable-debug-command": "yes",
    "log-max-bytes": "1mb",
    "log-tail-bytes": "64kb",
    "log-tail-entries": "10",
  });
  const leader = world.leader()!;
  const behind = followerOf(world);
  const here = leader.connect();
  const kept = behind.connect();
  const missed = behind.connect();
  block(missed, "BLPOP", "first", "0");
  block(kept, "BLPOP", "second", "0");
  block(here, "BLPOP", "second", "0");
  // Appends get lost, but the leader hears of it: it does not give up its clients.
  world.cut.add(`${leader.name}>${behind.name}`);
  const writer = leader.connect();
  assert.equal(writer.call("RPUSH", "first", "a"), ":1\r\n");
  for (let i = 0; i < 500; i++) assert.equal(writer.call("SET", `k${i}`, "x".repeat(10_000)), "+OK\r\n");
  world.cut.clear();
  world.until("it has caught up by a snapshot", () => behind.node.cluster.snapshots.receivedCount > 0);
  steps(world, 50);
  assert.match(missed.take(), /^-UNCERTAIN /);
  const inState = hostsOf(world).map(waitersAt);
  assert.equal(new Set(inState).size, 1, String(inState));
  assertEqualStates(world);
  assert.equal(writer.call("RPUSH", "second", "a", "b"), ":2\r\n");
  steps(world, 20);
  assert.deepEqual([here.take(), kept.take()].sort(), [array("second", "a"), array("second", "b")]);
  assertEqualStates(world);
});

test("without a majority no wait can end: its outcome is uncertain; a survivor that starts over keeps who waits", () => {
  const world = started(3);
  const left = world.leader()!;
  const names = hostsOf(world).map((host) => host.name);
  const [stays, gives] = [left.connect(), left.connect()];
  block(stays, "BLPOP", "k", "0");
  block(gives, "BLPOP", "k", "0.5");
  for (const name of names) if (name !== left.name) world.kill(name);
  assert.match(gives.reply(), /^-UNCERTAIN /);
  for (const name of names) if (name !== left.name) world.startNode(name, names, {});
  world.until("it knows", () => left.node.cluster.problem !== undefined);
  assert.equal(left.connect().call("RAFT.RECOVER", "FORCE"), "+OK\r\n");
  world.until("all are in", () => hostsOf(world).every(({ node }) => node.replica.mode !== 0));
  world.until("the one who gave up is forgotten", () =>
    hostsOf(world).every((host) => waitersAt(host) === 1),
  );
  assert.equal(followerOf(world).connect().call("RPUSH", "k", "a", "b"), ":2\r\n");
  steps(world, 12);
  assert.equal(stays.take(), array("k", "a"));
  assertEqualStates(world);
});

test("a member that is removed gives up its blocked clients", () => {
  const world = started(3);
  const removed = followerOf(world);
  const client = removed.connect();
  block(client, "BLPOP", "k", "0");
  assert.equal(world.leader()!.connect().call("RAFT.MEMBER", "REMOVE", removed.name), "+OK\r\n");
  assert.match(client.reply(), /^-UNCERTAIN /);
  for (const host of hostsOf(world)) if (host !== removed) assert.equal(waitersAt(host), 0);
});

test("DEBUG RELOAD keeps the order of arrival", () => {
  const world = started(1, { "enable-debug-command": "yes" });
  const host = world.leader()!;
  const clients = [host.connect(), host.connect(), host.connect()];
  for (const client of clients) block(client, "BLPOP", "x", "k", "0");
  clients[1]!.destroy();
  steps(world, 5);
  const other = host.connect();
  assert.equal(other.call("DEBUG", "RELOAD"), "+OK\r\n");
  assert.equal(other.call("RPUSH", "k", "a", "b", "c"), ":3\r\n");
  steps(world, 5);
  assert.deepEqual([clients[0]!.take(), clients[2]!.take()], [array("k", "a"), array("k", "b")]);
});

test("CLIENT LIST and INFO show who is blocked; CLIENT UNBLOCK ends it", () => {
  const world = started(3);
  const host = followerOf(world);
  const client = host.connect();
  const other = host.connect();
  block(client, "BLPOP", "k", "0");
  assert.match(other.call("CLIENT", "LIST", "ID", String(client.id)), / flags=b .* cmd=blpop /);
  assert.match(other.call("INFO", "clients"), /blocked_clients:1\r/);
  assert.match(other.call("INFO", "commandstats"), /cmdstat_blpop:calls=1,/);
  assert.equal(other.call("CLIENT", "UNBLOCK", String(client.id)), ":1\r\n");
  assert.equal(client.reply(), NIL);
  assert.equal(other.call("CLIENT", "UNBLOCK", String(client.id)), ":0\r\n");
  block(client, "BLMOVE", "k", "l", "LEFT", "LEFT", "0");
  assert.equal(other.call("CLIENT", "UNBLOCK", String(client.id), "ERROR"), ":1\r\n");
  assert.equal(client.reply(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  assert.doesNotMatch(other.call("COMMAND", "LIST"), /seshat\./);
  assert.match(other.call("SESHAT.CANCEL", "1:1:1"), /^-ERR unknown command 'SESHAT.CANCEL'/);
});

test("in RESP3 a wait that ends with nothing is null", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  assert.match(client.call("HELLO", "3"), /^%7/);
  assert.equal(client.call("BLPOP", "k", "0.01"), "_\r\n");
});

test("a table that is full refuses, and has room again", () => {
  const world = started(1);
  const host = world.leader()!;
  const client = host.connect();
  const key = "k".repeat(400_000);
  const clients = Array.from({ length: 32 }, () => host.connect());
  for (const it of clients) it.send("BLPOP", key, "0");
  steps(world, 5);
  assert.equal(clients.filter((it) => it.take() === "-ERR too many blocked clients\r\n").length, 1);
  assert.match(client.call("BLPOP", "x".repeat(1 << 20), "1"), /^-ERR the command is longer/);
  for (const it of clients) it.destroy();
  steps(world, 5);
  assert.equal(blockingOf(host).waiters.bytes, 0);
});

for (const nodes of [1, 3]) {
  test(`SLOWLOG, commandstats and latency of ${nodes}: a wait that was served, without the waiting`, () => {
    const world = started(nodes, { "slowlog-log-slower-than": "0" });
    for (const host of hostsOf(world)) {
      const [client, other] = [host.connect(), host.connect()];
      for (const protocol of ["2", "3"]) {
        client.call("HELLO", protocol);
        client.call("CLIENT", "SETNAME", "waits");
        other.call("SLOWLOG", "RESET");
        other.call("CONFIG", "RESETSTAT");
        block(client, "BLPOP", "q", "0");
        steps(world, 300);
        assert.doesNotMatch(other.call("SLOWLOG", "GET"), /blpop/i);
        assert.equal(other.call("RPUSH", "q", "a"), ":1\r\n");
        steps(world, 12);
        assert.equal(client.take(), array("q", "a"));
        assert.match(
          other.call("SLOWLOG", "GET"),
          /:0\r\n\*3\r\n\$5\r\nBLPOP\r\n\$1\r\nq\r\n.*\r\nwaits\r\n/s,
        );
        assert.equal(client.call("BLPOP", "q", "0.05"), protocol === "2" ? NIL : "_\r\n");
        assert.equal(other.call("SLOWLOG", "GET").match(/BLPOP/g)?.length, 1);
        const statistics = other.call("INFO", "commandstats");
        assert.match(statistics, /cmdstat_blpop:calls=2,usec=0,/);
        assert.match(other.call("LATENCY", "HISTOGRAM", "blpop"), /blpop.*histogram_usec/s);
      }
    }
  });
}
