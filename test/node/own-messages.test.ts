// A client of RESP3 that publishes to itself: the message is pushed behind the reply of the command that published it, also
// when that command is EXEC, on every node.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

const push = (...parts: readonly string[]): string =>
  `>${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
const message = (text: string): string => push("message", "c", text);

function exchange(client: Client, ...commands: readonly string[]): string {
  client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));
  for (let i = 0; i < 20; i++) client.host.world.step();
  return client.take();
}

/** The client's own channel, its shard channel and the events of a key. */
function subscriber(host: Host): Client {
  const client = host.connect();
  exchange(client, "HELLO 3", "CONFIG SET notify-keyspace-events KEA");
  exchange(client, "SUBSCRIBE c __keyspace@0__:k", "SSUBSCRIBE s");
  return client;
}

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    const queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n";
    for (const [name, commands, want] of [
      ["PUBLISH and PING", ["PUBLISH c x", "PING"], `${queued}*2\r\n:1\r\n+PONG\r\n${message("x")}`],
      [
        "PUBLISH alone",
        ["PUBLISH c x", "PUBLISH c y"],
        `${queued}*2\r\n:1\r\n:1\r\n${message("x")}${message("y")}`,
      ],
      ["SPUBLISH", ["SPUBLISH s x", "PING"], `${queued}*2\r\n:1\r\n+PONG\r\n${push("smessage", "s", "x")}`],
      [
        "an event",
        ["SET k v", "PING"],
        `${queued}*2\r\n+OK\r\n+PONG\r\n${push("message", "__keyspace@0__:k", "set")}`,
      ],
    ] as const) {
      test(`${name} in a transaction`, () => {
        const world = started(nodes);
        const client = subscriber(hostIn(world));
        exchange(client, "MULTI", ...commands, "EXEC"); // the key is there, and makes no event of its own
        assert.equal(exchange(client, "MULTI", ...commands, "EXEC"), want);
      });
    }

    test("outside a transaction", () => {
      const world = started(nodes);
      const client = subscriber(hostIn(world));
      assert.equal(exchange(client, "PUBLISH c x"), `:1\r\n${message("x")}`);
    });

    test("messages of others come while a transaction is on its way, in their order", () => {
      const world = started(nodes);
      const client = subscriber(hostIn(world));
      const other = world.leader()!.connect();
      const own = ["MULTI", "PUBLISH c own", "PING", "EXEC"];
      client.sendRaw(Buffer.concat(own.map((command) => encodeCommand(command.split(" ")))));
      other.sendRaw(Buffer.concat(["one", "two"].map((text) => encodeCommand(["PUBLISH", "c", text]))));
      for (let i = 0; i < 20; i++) world.step();
      const got = client.take();
      const places = ["*2\r\n:1\r\n+PONG\r\n", "own", "one", "two"].map((text) => got.indexOf(text));
      const [reply, ownPlace, one, two] = places;
      assert.ok(Math.min(...places) > 0 && reply! < ownPlace! && one! < two!, got);
    });

    test("UNSUBSCRIBE behind the transaction: the message comes between", () => {
      const world = started(nodes);
      const client = subscriber(hostIn(world));
      const got = exchange(client, "MULTI", "PUBLISH c x", "PING", "EXEC", "UNSUBSCRIBE c");
      assert.ok(
        got.startsWith(`${queued}*2\r\n:1\r\n+PONG\r\n${message("x")}>3\r\n$11\r\nunsubscribe\r\n`),
        got,
      );
    });
  });
}

test("a client that always has commands under way gets its messages", () => {
  const world = started(3);
  const host = followerOf(world);
  const client = subscriber(host);
  const other = hostsOf(world)[0]!.connect();
  let got = "";
  for (let round = 0; round < 30; round++) {
    client.send("SET", "busy", String(round));
    if (round === 10) other.send("PUBLISH", "c", "hello");
    host.world.step();
    got += client.take();
  }
  const place = got.indexOf(message("hello"));
  assert.ok(place > 0 && got.slice(place).includes("+OK\r\n"), got);
});
