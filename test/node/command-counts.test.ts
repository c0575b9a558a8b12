// What INFO commandstats and errorstats count, on simulated ports: each command once, whether it ran, failed, was refused, or
// was in a transaction that did not run; on the client's own node, through changes of the leader. The figures are those of
// redis-server 7.0.15 for the same commands.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

/** "calls rejected failed" of each command, and how often each error was answered. */
function countsOf(client: Client): Record<string, string> {
  const counts: Record<string, string> = {};
  const text = client.call("INFO", "commandstats", "errorstats");
  const stats = /cmdstat_([^:]+):calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)/g;
  for (const [, name, ...figures] of text.matchAll(stats)) counts[name!] = figures.join(" ");
  for (const [, code, count] of text.matchAll(/errorstat_([^:]+):count=(\d+)/g)) counts[code!] = count!;
  const { info: _, "config|resetstat": __, ...others } = counts;
  return others;
}

/** An "@" in front: another client of the node sends it. */
const stories: readonly (readonly [
  what: string,
  commands: readonly string[],
  want: Readonly<Record<string, string>>,
])[] = [
  [
    "unknown commands and subcommands, and wrong numbers of arguments",
    ["NOSUCH a", "GET", "CLIENT NOSUCH", "CLIENT", "COMMAND NOSUCH", "CONFIG GET", "XGROUP"],
    { get: "0 1 0", client: "0 1 0", "config|get": "0 1 0", xgroup: "0 1 0", ERR: "7" },
  ],
  [
    "the same inside MULTI",
    ["MULTI", "NOSUCH a", "EXEC", "MULTI", "GET", "EXEC", "MULTI", "CLIENT NOSUCH", "COMMAND NOSUCH", "EXEC"],
    { multi: "3 0 0", exec: "3 0 3", get: "0 1 0", ERR: "4", EXECABORT: "3" },
  ],
  [
    "a transaction in which some commands fail",
    ["SET k v", "MULTI", "INCR k", "LPUSH k a", "SELECT 99", "CONFIG SET maxmemory x", "EXEC"],
    {
      set: "1 0 0",
      multi: "1 0 0",
      exec: "1 0 0",
      incr: "1 0 1",
      lpush: "1 0 1",
      select: "1 0 1",
      "config|set": "1 0 1",
      ERR: "3",
      WRONGTYPE: "1",
    },
  ],
  [
    "a transaction that does not run, because of what it watches",
    [
      "WATCH w",
      "@SET w 1",
      "MULTI",
      "SET a b",
      "PING",
      "CONFIG SET maxmemory 0",
      "SELECT 1",
      "EXEC",
      "GET a",
    ],
    { watch: "1 0 0", set: "1 0 0", multi: "1 0 0", exec: "1 0 0", get: "1 0 0" },
  ],
  [
    "a transaction that is refused for want of memory",
    [
      "SET k v",
      "MULTI",
      "SET a b",
      "SET c d",
      "GET k",
      "PING",
      "@CONFIG SET maxmemory 1",
      "EXEC",
      "@CONFIG SET maxmemory 0",
    ],
    { set: "1 0 0", multi: "1 0 0", "config|set": "2 0 0", exec: "0 1 0", EXECABORT: "1" },
  ],
  [
    "commands that are refused for want of memory, waiting ones too",
    ["SET k v", "@CONFIG SET maxmemory 1", "SET a b", "BLMOVE a b LEFT LEFT 0.1", "GET k"],
    { set: "1 1 0", "config|set": "1 0 0", blmove: "0 1 0", get: "1 0 0", OOM: "2" },
  ],
  [
    "commands that wait",
    ["BLPOP none 0.01", "BLMOVE none x LEFT LEFT 0.01", "BLPOP k x", "SET k v", "BLPOP k 0"],
    { blpop: "3 0 2", blmove: "1 0 0", set: "1 0 0", ERR: "1", WRONGTYPE: "1" },
  ],
];

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    for (const [what, commands, want] of stories) {
      test(what, () => {
        const world = started(nodes);
        const [client, other] = [hostIn(world).connect(), hostIn(world).connect()];
        client.call("CONFIG", "RESETSTAT");
        for (const command of commands) {
          const [sender, text] = command.startsWith("@") ? [other, command.slice(1)] : [client, command];
          sender.call(...text.split(" "));
          for (let i = 0; i < 10; i++) world.step();
        }
        assert.deepEqual(countsOf(other), want);
        for (const host of hostsOf(world)) {
          if (host !== hostIn(world)) assert.deepEqual(countsOf(host.connect()), {}, `of ${host.name}`);
        }
      });
    }
  });
}

/** What is sent to a node is lost from now on, and what it sends. */
function isolate(world: World, host: Host): void {
  for (const other of hostsOf(world)) {
    world.cut.add(`${host.name}>${other.name}`);
    world.cut.add(`${other.name}>${host.name}`);
  }
}

describe("commands that are put back when the leader changes", () => {
  test("and sent to the next one: counted, and shown to MONITOR, once", () => {
    const world = started(3);
    const old = world.leader()!;
    const host = followerOf(world);
    const client = host.connect();
    const monitor = host.connect();
    assert.equal(monitor.call("MONITOR"), "+OK\r\n");
    world.cut.add(`${host.name}>${old.name}`);
    for (const command of ["GET k", "TTL k", "WAIT 0 0"]) client.send(...command.split(" "));
    for (let i = 0; i < 2; i++) world.step();
    world.kill(old.name);
    world.until("another leader", () => world.leader() !== undefined);
    for (let i = 0; i < 50; i++) world.step();
    assert.match(client.take(), /^\$-1\r\n:-2\r\n:\d\r\n$/);
    assert.equal(monitor.take().match(/"GET"/g)?.length, 1);
    const { get, ttl, wait } = countsOf(host.connect());
    assert.deepEqual([get, ttl, wait], ["1 0 0", "1 0 0", "1 0 0"]);
  });

  test("out of the log of an old leader: counted once", () => {
    const world = started(3);
    const old = world.leader()!;
    const client = old.connect();
    isolate(world, old);
    for (const command of ["SET k v", "WATCH k", "MULTI", "INCR n", "EXEC"])
      client.send(...command.split(" "));
    world.until("another leader", () =>
      hostsOf(world).some((it) => it !== old && it.node.replica.mode === 1),
    );
    world.cut.clear();
    world.until("the old one follows", () => old.node.replica.mode === 2);
    for (let i = 0; i < 100; i++) world.step();
    assert.equal(client.take(), "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n");
    const { set, watch, multi, exec, incr } = countsOf(client);
    assert.deepEqual([set, watch, multi, exec, incr], Array(5).fill("1 0 0"));
  });
});
