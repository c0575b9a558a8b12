// MULTI, EXEC and WATCH on one node and through a follower, on simulated ports: replies, what makes an EXEC fail, and
// what a leader's death does to a client in the middle of it.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { bulk, cases, error, NIL, OK, QUEUED } from "./transaction-cases.ts";
import { type Client, followerOf, type Host, started, type World } from "./world.ts";

const pipeline = (...commands: string[]): Buffer =>
  Buffer.concat(commands.map((command) => encodeCommand(command.split(" "))));

/** Sends all in one piece and waits for exactly these replies. */
function exchange(client: Client, commands: readonly string[], want: string): void {
  client.sendRaw(pipeline(...commands));
  let got = "";
  const { world } = client.host;
  for (let i = 0; i < 200 && got.length < want.length && !client.isClosed; i++) {
    world.settle();
    got += client.take();
    if (got.length < want.length) world.step();
  }
  assert.equal(got + client.take(), want, commands.join(" | "));
}

for (const [nodes, where] of [
  [1, "alone"],
  [3, "through a follower"],
] as const) {
  describe(where, () => {
    for (const { name, run, want } of cases) {
      test(name, () => {
        const world = started(nodes);
        const host = nodes === 1 ? world.leader()! : followerOf(world);
        const client = host.connect();
        if (run[0]!.startsWith("HELLO 3")) {
          assert.match(client.call("HELLO", "3"), /^%7/);
          exchange(client, run.slice(1), `${OK}${OK}${OK}_\r\n${OK}${QUEUED}*1\r\n_\r\n`);
        } else {
          exchange(client, run, want.replace("WAIT", nodes === 1 ? "0" : "1"));
        }
      });
    }
  });
}

const digestOf = (host: Host): string =>
  host.node.replica.machine.store.digest() +
  Buffer.from(host.node.replica.machine.sessions.encode()).toString("hex");

function assertEqualStates(world: World): void {
  for (let i = 0; i < 30; i++) world.step();
  assert.equal(new Set([...world.hosts.values()].map(digestOf)).size, 1);
}

const watchesOf = (host: Host) => host.node.replica.machine.sessions.watches;

test("others' writes, through other nodes, touch watched keys; states stay equal and end empty", () => {
  const world = started(3);
  const [a, b, c] = [...world.hosts.values()].map((host) => host.connect());
  for (const [watcher, writer] of [
    [a!, b!],
    [b!, c!],
    [c!, a!],
  ] as const) {
    exchange(watcher, ["WATCH k", "MULTI", "INCR n"], OK + OK + QUEUED);
    assertEqualStates(world);
    exchange(writer, ["INCR k"], `:${watcher === a ? 1 : watcher === b ? 2 : 3}\r\n`);
    exchange(watcher, ["EXEC"], NIL);
  }
  exchange(a!, ["GET n"], "$-1\r\n");
  exchange(b!, ["WATCH k"], OK);
  b!.destroy();
  exchange(a!, ["WATCH k", "UNWATCH"], OK + OK);
  for (const host of world.hosts.values()) assert.equal(watchesOf(host).isEmpty, false);
  world.until("nothing is left of those who are gone", () =>
    [...world.hosts.values()].every((host) => watchesOf(host).isEmpty),
  );
  assertEqualStates(world);
  for (const host of world.hosts.values()) {
    assert.equal(watchesOf(host).bytes, 0);
    assert.equal(host.node.replica.machine.store.watcher, undefined);
  }
});

test("what changes nothing touches no watched key, however large the value is", () => {
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
  const nothing = [
    ...[
      "LREM l 0 none",
      "LREM l -2 none",
      "LINSERT l BEFORE none x",
      "LPUSHX none x",
      "SREM s none",
      "SADD s 1",
    ],
    ...["SMOVE s t none", "HDEL h none", "HSETNX h 1 x", "ZREM z none", "ZADD z 1 1", "ZADD z XX 1 none"],
    ...[
      "ZADD z NX 5 1",
      "ZREMRANGEBYSCORE z 5000 6000",
      "XDEL x 9-9",
      "XTRIM x MAXLEN 5000",
      "SETRANGE l 0 x",
    ],
  ];
  const world = started(1);
  const host = world.leader()!;
  const [watcher, other] = [host.connect(), host.connect()];
  for (const count of [5, 1500]) {
    other.call("FLUSHALL");
    for (const number of numbers(count)) {
      const element = number.padEnd(10, number === "1" ? " " : "-").trim();
      other.call("RPUSH", "l", element);
      other.call("SADD", "s", element);
      other.call("HSET", "h", element, number);
      other.call("ZADD", "z", number, element);
      other.call("XADD", "x", `${number}-1`, "f", number);
    }
    for (const command of nothing) {
      watcher.call("WATCH", "l", "s", "t", "h", "z", "x");
      other.call(...command.split(" "));
      assert.equal(watcher.call("MULTI"), OK);
      watcher.call("PING");
      assert.equal(watcher.call("EXEC"), "*1\r\n+PONG\r\n", `${command}, ${count} elements`);
    }
    watcher.call("WATCH", "l");
    other.call("LREM", "l", "0", "1");
    watcher.call("MULTI");
    assert.equal(watcher.call("EXEC"), NIL, `LREM of one of ${count}`);
  }
});

test("a key that dies while it is watched is a change, one that was dead is none", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  exchange(client, ["SET a 1 PX 100", "WATCH a", "MULTI", "PING"], OK + OK + OK + QUEUED);
  for (let i = 0; i < 20; i++) world.step();
  exchange(client, ["EXEC"], NIL);
  const leader = world.leader()!;
  leader.node.replica.machine.sessions.settings.activeExpire = false;
  exchange(client, ["SET a 1 PX 100"], OK);
  for (let i = 0; i < 20; i++) world.step();
  assert.equal(leader.node.replica.machine.store.databases[0]!.size, 1);
  exchange(client, ["WATCH a", "MULTI", "PING", "EXEC"], `${OK}${OK}${QUEUED}*1\r\n+PONG\r\n`);
  exchange(client, ["SET a 1 PX 100", "WATCH a", "MULTI", "PING"], OK + OK + OK + QUEUED);
  for (let i = 0; i < 20; i++) world.step();
  exchange(client, ["EXEC"], NIL);
  assertEqualStates(world);
});

test("the leader dies while clients queue and watch: they notice nothing", () => {
  const world = started(3);
  const dead = world.leader()!;
  const [one, two] = [...world.hosts.values()].filter((host) => host !== dead).map((host) => host.connect());
  exchange(one!, ["SET a 1", "WATCH a", "MULTI", "INCR a"], OK + OK + OK + QUEUED);
  exchange(two!, ["WATCH a", "MULTI", "INCR a"], OK + OK + QUEUED);
  world.kill(dead.name);
  exchange(one!, ["INCR a", "EXEC"], `${QUEUED}*2\r\n:2\r\n:3\r\n`);
  exchange(two!, ["EXEC", "GET a"], NIL + bulk("3"));
  assertEqualStates(world);
});

test("a transaction that was not executed is executed by the next leader, with the replies of its own node in it", () => {
  const world = started(3);
  const old = world.leader()!;
  const client = old.connect();
  exchange(client, ["MULTI", "INCR a", "PING", "SELECT 1", "INCR a"], OK + QUEUED.repeat(4));
  for (const host of world.hosts.values()) {
    if (host !== old) world.cut.add(`${old.name}>${host.name}`).add(`${host.name}>${old.name}`);
  }
  client.send("EXEC");
  world.settle();
  world.until("another leader", () =>
    [...world.hosts.values()].some((it) => it !== old && it.node.replica.mode === 1),
  );
  world.cut.clear();
  world.until("a reply", () => {
    const got = client.take();
    if (got === "") return false;
    assert.equal(got, `*4\r\n:1\r\n+PONG\r\n${OK}:1\r\n`);
    return true;
  });
  exchange(client, ["GET a", "SELECT 0", "GET a"], bulk("1") + OK + bulk("1"));
  assertEqualStates(world);
});

test("a WATCH that got lost makes EXEC answer nil", () => {
  const world = started(3);
  const follower = followerOf(world);
  const client = follower.connect();
  exchange(client, ["WATCH a"], OK);
  // As if a second one had gone to a leader that was lost with it.
  const session = follower.node.server.clients.list()[0]!;
  session.transaction!.watches++;
  exchange(client, ["WATCH b", "MULTI", "SET c 1", "EXEC", "GET c"], `${OK}${OK}${QUEUED}${NIL}$-1\r\n`);
  exchange(client, ["MULTI", "SET c 1", "EXEC"], `${OK}${QUEUED}*1\r\n${OK}`);
});

test("watched keys go with snapshots", () => {
  const world = started(3, {
    "enable-debug-command": "yes",
    "log-max-bytes": "1mb",
    "log-tail-bytes": "64kb",
    "log-tail-entries": "10",
  });
  const leader = world.leader()!;
  const behind = followerOf(world);
  const client = leader.connect();
  for (const host of world.hosts.values())
    world.cut.add(`${behind.name}>${host.name}`).add(`${host.name}>${behind.name}`);
  exchange(client, ["SET a 1", "WATCH a"], OK + OK);
  const writer = leader.connect();
  for (let i = 0; i < 500; i++) exchange(writer, [`SET k${i} ${"x".repeat(10_000)}`], OK);
  world.cut.clear();
  world.until("it has caught up by a snapshot", () => {
    exchange(writer, ["INCR more"], `:${++more}\r\n`);
    return (
      behind.node.cluster.snapshots.receivedCount > 0 &&
      behind.node.replica.machine.appliedIndex >= leader.node.replica.machine.appliedIndex - 3
    );
  });
  assertEqualStates(world);
  assert.equal(watchesOf(behind).ownersOf(leader.identity.incarnation).length, 1);
  exchange(behind.connect(), ["SET a 2"], OK);
  for (let i = 0; i < 30; i++) world.step();
  assert.equal(watchesOf(behind).hasKeys, false);
  assertEqualStates(world);
  exchange(client, ["DEBUG RELOAD", "MULTI", "EXEC"], `${OK}${OK}${NIL}`);
});
let more = 0;

test("a snapshot whose watched keys make no sense is refused where it arrives, and the next one is taken", () => {
  const world = started(3, { "log-max-bytes": "1mb", "log-tail-bytes": "64kb", "log-tail-entries": "10" });
  const leader = world.leader()!;
  const behind = followerOf(world);
  for (const host of world.hosts.values())
    world.cut.add(`${behind.name}>${host.name}`).add(`${host.name}>${behind.name}`);
  const client = leader.connect();
  for (let i = 0; i < 500; i++) exchange(client, [`SET k${i} ${"x".repeat(10_000)}`], OK);
  const before = behind.node.replica.machine.appliedIndex;
  const { sessions } = leader.node.replica.machine;
  sessions.encode = () => Buffer.from("garbage");
  world.cut.clear();
  world.until("it refuses", () => behind.errors.length > 0);
  const { text, problem } = behind.errors[0]!;
  assert.equal(text, "snapshot refused");
  assert.match(String(problem), /^metadata malformed: /);
  assert.equal(behind.node.replica.machine.appliedIndex, before, "its state is as it was");
  assert.equal(behind.node.cluster.snapshots.receivedCount, 0);
  Reflect.deleteProperty(sessions, "encode");
  world.until("it has caught up by a snapshot", () => behind.node.cluster.snapshots.receivedCount > 0);
  assertEqualStates(world);
});

test("what a member watched goes with it", () => {
  const world = started(3);
  const gone = followerOf(world);
  exchange(gone.connect(), ["WATCH a"], OK);
  const leader = world.leader()!;
  assert.equal(watchesOf(leader).isEmpty, false);
  const names = [...world.hosts.keys()];
  world.kill(gone.name);
  world.startNode(gone.name, names, {});
  world.until("the old incarnation has left", () => watchesOf(leader).isEmpty);
  assertEqualStates(world);
});

test("limits: keys of one client; what is too much is refused and its EXEC is nil", () => {
  const world = started(1);
  const client = world.leader()!.connect();
  const many = Array.from({ length: 20_000 }, (_, i) => `k${i}`).join(" ");
  exchange(
    client,
    [`WATCH ${many}`, "MULTI", "SET a 1", "EXEC"],
    error("ERR too many watched keys") + OK + QUEUED + NIL,
  );
  exchange(client, ["MULTI", "SET a 1", "EXEC"], `${OK}${QUEUED}*1\r\n${OK}`);
});

test("a client cannot send log forms itself", () => {
  const world = started(1);
  const client = world.leader()!.connect();
  exchange(
    client,
    ["EXEC 1:1:1 0 0 0 x", "UNWATCH 1:1:1", "WATCH 1:1:1 1 k", "MULTI", "EXEC"],
    error("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command") +
      error("ERR wrong number of arguments for 'unwatch' command") +
      OK +
      OK +
      "*0\r\n",
  );
  const { watches } = world.leader()!.node.replica.machine.sessions;
  assert.equal(watches.isEmpty, true);
});

test("CLIENT LIST, INFO and MONITOR show it", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  const monitors = [...world.hosts.values()].map((host) => host.connect());
  for (const monitor of monitors) exchange(monitor, ["MONITOR"], OK);
  exchange(client, ["SET a 1", "WATCH a", "MULTI", "GET a", "PING"], OK + OK + OK + QUEUED.repeat(2));
  const observer = client.host.connect();
  assert.match(observer.call("CLIENT", "LIST"), /flags=x .* multi=2 .* cmd=ping /);
  exchange(observer, ["SET a 2"], OK);
  for (let i = 0; i < 5; i++) world.step();
  assert.match(observer.call("CLIENT", "LIST"), /flags=xd /);
  for (const monitor of monitors) monitor.take();
  exchange(
    client,
    ["EXEC", "MULTI", "INCR b", "ECHO x", "EXEC"],
    `${NIL}${OK}${QUEUED.repeat(2)}*2\r\n:1\r\n${bulk("x")}`,
  );
  const shown = (monitor: Client): string[] =>
    monitor
      .take()
      .split("\r\n")
      .map((line) => line.replace(/^\S+ \[\S+ \S+\] /, ""));
  const own = monitors.find(({ host }) => host === client.host)!;
  const lead = monitors.find(({ host }) => host === world.leader())!;
  assert.deepEqual(shown(own), [
    '"GET" "a"',
    '"PING"',
    '"EXEC"',
    '"MULTI"',
    '"INCR" "b"',
    '"ECHO" "x"',
    '"EXEC"',
    "",
  ]);
  assert.deepEqual(shown(lead), ['"GET" "a"', '"EXEC"', '"INCR" "b"', '"EXEC"', ""]);
});
