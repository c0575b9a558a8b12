// Keys whose time is over where nothing removes them by itself: with DEBUG SET-ACTIVE-EXPIRE 0 they go when commands meet
// them, in CLIENT PAUSE on the leader they stay, and nothing is evicted.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

function steps(world: World, count: number): void {
  for (let i = 0; i < count; i++) world.step();
}

function exchange(client: Client, ...commands: readonly string[]): string {
  client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));
  steps(client.host.world, 20);
  return client.take();
}

function assertEqualStates(world: World): void {
  steps(world, 30);
  const digests = hostsOf(world).map((host) => host.node.replica.machine.store.digest());
  assert.equal(new Set(digests).size, 1);
}

/** Commands that meet `k`, and what they answer when it is dead. */
const meetings: readonly (readonly [commands: string, want: string | RegExp])[] = [
  ["GET k", "$-1\r\n"],
  ["EXISTS k", ":0\r\n"],
  ["TTL k", ":-2\r\n"],
  ["TYPE k", "+none\r\n"],
  ["MGET x k", "*2\r\n$-1\r\n$-1\r\n"],
  ["OBJECT ENCODING k", "$-1\r\n"],
  ["SCAN 0", "*2\r\n$1\r\n0\r\n*0\r\n"],
  ["RANDOMKEY", "$-1\r\n"],
  ["SUNION x k", "*0\r\n"],
  ["LPOP k", "$-1\r\n"],
  ["GETEX k", "$-1\r\n"],
  ["EXPIRE k 100", ":0\r\n"],
  ["BLPOP k 0.01", "*-1\r\n"],
  ["RENAMENX k x", "-ERR no such key\r\n"],
  ["MULTI|GET k|PING|EXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$-1\r\n+PONG\r\n"],
  ["SELECT 1|GET k|SELECT 0|GET k", "+OK\r\n$-1\r\n+OK\r\n$-1\r\n"],
];

test("DEBUG SET-ACTIVE-EXPIRE on a follower holds for the cluster, through a change of leader, and in MULTI", () => {
  const world = started(3, { "enable-debug-command": "yes" });
  const host = followerOf(world);
  const client = host.connect();
  const size = (): string => {
    const answer = exchange(client, "SET k v PX 20");
    steps(world, 30);
    return answer + exchange(client, "DBSIZE");
  };
  assert.equal(exchange(client, "DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
  assert.equal(size(), "+OK\r\n:1\r\n");
  world.kill(world.leader()!.name);
  world.until("another leader", () => world.leader() !== undefined);
  assert.equal(size(), "+OK\r\n:1\r\n");
  const answers = exchange(client, "MULTI", "SET x y", "DEBUG SET-ACTIVE-EXPIRE 1", "EXEC");
  assert.equal(answers, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n");
  steps(world, 30);
  assert.equal(exchange(client, "DBSIZE"), ":1\r\n");
  assert.match(exchange(client, "CONFIG GET debug*"), /^\*0\r\n$/);
  for (const it of hostsOf(world)) assert.equal(it.node.replica.expiry.isActive, true);
  assertEqualStates(world);
});

test("DEBUG SET-ACTIVE-EXPIRE goes with snapshots, and is not for who may not use DEBUG", () => {
  const world = started(1, { "enable-debug-command": "yes" });
  const client = world.leader()!.connect();
  assert.equal(exchange(client, "DEBUG SET-ACTIVE-EXPIRE 0", "DEBUG RELOAD"), "+OK\r\n+OK\r\n");
  assert.equal(world.leader()!.node.replica.expiry.isActive, false);
  const strict = started(3);
  const answer = followerOf(strict).connect().call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  assert.match(answer, /^-ERR DEBUG command not allowed\./);
  for (const it of hostsOf(strict)) assert.equal(it.node.replica.expiry.isActive, true);
});

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    for (const [commands, want] of meetings) {
      test(`with DEBUG SET-ACTIVE-EXPIRE 0, ${commands} removes what it finds dead`, () => {
        const world = started(nodes, { "enable-debug-command": "yes", "notify-keyspace-events": "Ex" });
        const host = hostIn(world);
        assert.equal(host.connect().call("DEBUG", "SET-ACTIVE-EXPIRE", "0"), "+OK\r\n");
        const [client, events] = [host.connect(), host.connect()];
        exchange(events, "SUBSCRIBE __keyevent@0__:expired");
        assert.equal(exchange(client, "SET k v PX 50", "SET other v"), "+OK\r\n+OK\r\n");
        steps(world, 20);
        assert.equal(exchange(client, "DBSIZE", "KEYS *", "DBSIZE"), ":2\r\n*1\r\n$5\r\nother\r\n:2\r\n");
        assert.equal(exchange(client, "DEL other"), ":1\r\n");
        assert.equal(events.take(), "");
        // In one write, behind a write: the access counts at its place.
        assert.equal(exchange(client, ...commands.split("|"), "DBSIZE"), `${want}:0\r\n`);
        assert.match(events.take(), /^\*3\r\n\$7\r\nmessage\r\n.*\r\n\$1\r\nk\r\n$/s);
        assert.match(world.leader()!.connect().call("INFO", "stats"), /expired_keys:1\r/);
        assertEqualStates(world);
      });
    }

    test("a key that is written again in front of the read stays", () => {
      const world = started(nodes, { "enable-debug-command": "yes" });
      world.leader()!.connect().call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
      const client = hostIn(world).connect();
      exchange(client, "SET k v PX 50");
      steps(world, 20);
      assert.equal(exchange(client, "SET k w", "GET k", "DBSIZE"), "+OK\r\n$1\r\nw\r\n:1\r\n");
      assertEqualStates(world);
    });
  });
}

test("in CLIENT PAUSE on the leader keys stay, dead as they are, until the pause ends", () => {
  for (const nodes of [1, 3]) {
    const world = started(nodes);
    const host = world.leader()!;
    const [client, other, held] = [host.connect(), host.connect(), host.connect()];
    exchange(client, "SET k v PX 1000", "SET l v PX 1000");
    exchange(other, "CLIENT PAUSE 20000 WRITE");
    held.send("SET", "x", "1");
    steps(world, 150);
    assert.equal(exchange(client, "GET k", "DBSIZE", "EXISTS l"), "$-1\r\n:2\r\n:0\r\n");
    assert.match(exchange(client, `CLIENT LIST ID ${held.id}`), / flags=b .* cmd=set /);
    assert.match(exchange(client, "INFO clients"), /blocked_clients:1\r/);
    assert.equal(exchange(client, `CLIENT UNBLOCK ${held.id}`), ":0\r\n");
    exchange(other, "CLIENT UNPAUSE");
    assert.match(held.take(), /\+OK\r\n$/);
    steps(world, 20);
    assert.equal(exchange(client, "DBSIZE"), ":1\r\n");
    assert.match(exchange(client, "INFO clients"), /blocked_clients:0\r/);
    assertEqualStates(world);
  }
});

test("a pause on a follower holds its own clients; keys go all the same", () => {
  const world = started(3);
  const host = followerOf(world);
  const [client, other] = [host.connect(), world.leader()!.connect()];
  exchange(other, "SET k v PX 100");
  exchange(client, "CLIENT PAUSE 2000 WRITE");
  client.send("SET", "x", "1");
  steps(world, 50);
  assert.equal(client.take(), "");
  assert.equal(exchange(other, "DBSIZE"), ":0\r\n");
});

test("in CLIENT PAUSE on the leader nothing is evicted, and others are not refused", () => {
  const world = started(3, { "maxmemory-policy": "allkeys-lru" });
  const leader = world.leader()!;
  const [client, other] = [leader.connect(), leader.connect()];
  for (let i = 0; i < 100; i++) client.send("SET", `k${i}`, "x".repeat(1000));
  steps(world, 20);
  client.take();
  exchange(other, "CLIENT PAUSE 2000 WRITE");
  assert.equal(exchange(client, "CONFIG SET maxmemory 10000"), "+OK\r\n");
  steps(world, 50);
  assert.equal(exchange(client, "DBSIZE"), ":100\r\n");
  exchange(other, "CLIENT UNPAUSE");
  steps(world, 50);
  assert.match(exchange(client, "DBSIZE"), /^:[1-9]\r\n$/);
  assertEqualStates(world);
});
