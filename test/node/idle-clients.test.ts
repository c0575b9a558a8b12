// `timeout`: who is closed after so many seconds without a command, and who never is.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, started, type World } from "./world.ts";

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

/** What a client does before it is silent, in RESP2 and RESP3. */
const exempt: readonly (readonly [name: string, ...commands: string[]])[] = [
  ["a subscriber", "SUBSCRIBE c"],
  ["a subscriber to a pattern", "PSUBSCRIBE c*"],
  ["a subscriber to a shard channel", "SSUBSCRIBE c"],
  ["MONITOR", "MONITOR"],
  ["BLPOP", "BLPOP q 0"],
  ["XREAD", "XREAD BLOCK 0 STREAMS s $"],
  ["WAIT", "SET k v", "WAIT 9 0"],
  ["WAITAOF", "WAITAOF 0 9 0"],
];
const idle: readonly (readonly [name: string, ...commands: string[]])[] = [
  ["nothing"],
  ["a command", "SET k v"],
  ["a transaction", "MULTI", "SET k v"],
  ["a watched key", "WATCH k"],
  ["who listens no more", "SUBSCRIBE c", "UNSUBSCRIBE c"],
];

const send = (client: Client, ...commands: string[]): void =>
  client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));

function seconds(world: World, count: number): void {
  for (let i = 0; i < 100 * count; i++) world.step();
}

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    test("clients that listen or wait stay, the others go", () => {
      const world = started(nodes, { timeout: "2" });
      const host = hostIn(world);
      const begin = (commands: readonly string[], protocol: string): Client => {
        const client = host.connect();
        send(client, `HELLO ${protocol}`, ...commands);
        return client;
      };
      const stay = exempt.flatMap(([name, ...commands]) =>
        ["2", "3"].map((protocol) => [`${name} ${protocol}`, begin(commands, protocol)] as const),
      );
      const go = idle.map(([name, ...commands]) => [name, begin(commands, "2")] as const);
      seconds(world, 1);
      for (const [name, client] of [...stay, ...go]) assert.ok(!client.isClosed, name);
      seconds(world, 4);
      for (const [name, client] of stay) assert.ok(!client.isClosed, name);
      for (const [name, client] of go) assert.ok(client.isClosed, name);
    });

    test("who has waited is idle from the answer on", () => {
      const world = started(nodes, { timeout: "2" });
      const host = hostIn(world);
      const client = host.connect();
      send(client, "BLPOP q 5");
      seconds(world, 6);
      assert.equal(client.take(), "*-1\r\n");
      assert.ok(!client.isClosed);
      seconds(world, 4);
      assert.ok(client.isClosed);
    });

    test("a client whose commands are paused waits", () => {
      const world = started(nodes, { timeout: "2" });
      const host = hostIn(world);
      const [client, other] = [host.connect(), host.connect()];
      send(other, "CLIENT PAUSE 5000 WRITE");
      world.step();
      send(client, "SET k v");
      seconds(world, 6);
      assert.equal(client.take(), "+OK\r\n");
    });
  });
}
