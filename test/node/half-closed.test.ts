// Clients that close their side behind what they have sent, on simulated ports: everything that was read is answered, waits
// end at once, and then the connection ends.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

const pipeline = (...commands: readonly string[]): Buffer =>
  Buffer.concat(commands.map((command) => encodeCommand(command.split(" "))));

/** Sends it, closes its side and gives back what comes until the connection ends. */
function lastWords(client: Client, bytes: Buffer, ticksMax = 200): string {
  client.sendRaw(bytes);
  client.endInput();
  client.host.world.until("the end", () => client.isClosed, ticksMax);
  return client.take();
}

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

const cases: readonly (readonly [commands: readonly string[], want: string])[] = [
  [["SET k v"], "+OK\r\n"],
  [["SET k v", "GET k", "PING"], "+OK\r\n$1\r\nv\r\n+PONG\r\n"],
  [
    ["MULTI", "INCR n", "PING", "EXEC", "PING"],
    "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n+PONG\r\n+PONG\r\n",
  ],
  [["MULTI", "INCR lost"], "+OK\r\n+QUEUED\r\n"],
  [["BLPOP none 0", "SET b 2"], "*-1\r\n+OK\r\n"],
  [
    ["BLPOP none 100", "BZPOPMIN none 0", "XREAD BLOCK 0 STREAMS none $", "PING"],
    "*-1\r\n*-1\r\n*-1\r\n+PONG\r\n",
  ],
  [["RPUSH l a", "BLPOP l 0"], ":1\r\n*2\r\n$1\r\nl\r\n$1\r\na\r\n"],
  [["SUBSCRIBE c"], "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"],
  [["CLIENT REPLY OFF", "SET k v"], ""],
  [["CLIENT REPLY SKIP", "SET k v", "PING"], "+PONG\r\n"],
  [["QUIT", "PING"], "+OK\r\n"],
  [["WAITAOF 0 1 0", "PING"], "*2\r\n:0\r\n:0\r\n+PONG\r\n"],
];

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    for (const [commands, want] of cases) {
      test(commands.join(" | "), () => {
        const world = started(nodes);
        const host = hostIn(world);
        assert.equal(lastWords(host.connect(), pipeline(...commands)), want);
        for (const it of hostsOf(world)) {
          assert.equal(it.node.server.clients.count, 0);
          assert.equal(it.node.replica.machine.sessions.blocking.waiters.count, 0);
        }
      });
    }

    test("2,000 pipelined INCRs, and half a command", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const incrs = pipeline(...Array.from({ length: 2000 }, () => "INCR n"));
      const got = lastWords(host.connect(), Buffer.concat([incrs, Buffer.from("*2\r\n$3\r\nGET")]));
      assert.equal(got, Array.from({ length: 2000 }, (_, i) => `:${i + 1}\r\n`).join(""));
    });

    for (const commands of [["WAIT 5 0"], ["SET k v", "WAIT 5 0", "PING"], ["WAIT 5 60000", "WAIT 5 0"]]) {
      test(`what waits for members that are not there: ${commands.join(" | ")}`, () => {
        const world = started(nodes);
        const last = lastWords(hostIn(world).connect(), pipeline(...commands));
        assert.match(last, /^(\+OK\r\n)?(:[0-2]\r\n)+(\+PONG\r\n)?$/);
        assert.equal(last.split("\r\n").length, commands.length + 1);
      });
    }

    test("a client that waits already", () => {
      const world = started(nodes);
      const client = hostIn(world).connect();
      client.sendRaw(pipeline("BLPOP none 0", "SET behind 1"));
      for (let i = 0; i < 20; i++) world.step();
      assert.equal(client.take(), "");
      assert.equal(lastWords(client, Buffer.alloc(0)), "*-1\r\n+OK\r\n");
    });
  });
}

test("nobody leads: the client is told so, and the connection ends", () => {
  const world = started(3);
  const left = followerOf(world);
  for (const it of hostsOf(world)) if (it !== left) world.kill(it.name);
  assert.match(lastWords(left.connect(), pipeline("SET k v"), 2000), /^-(CLUSTERDOWN|UNCERTAIN) /);
});

test("a client that reads nothing goes after a minute", () => {
  const world = started(3);
  const unread = world.leader()!.connect();
  unread.sendRaw(pipeline("PING"));
  unread.pendingBytes = 100_000; // so much that the kernel has not taken
  unread.endInput();
  for (let i = 0; i < 5000; i++) world.step();
  assert.equal(unread.isClosed, false);
  for (let i = 0; i < 2000; i++) world.step();
  assert.equal(unread.isClosed, true);
});
