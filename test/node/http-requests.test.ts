// HTTP requests to the client port: closed at POST and at Host:, nothing of their body runs, and the log counts them.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { type Client, followerOf, type Host, started, type World } from "./world.ts";

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

const requests: readonly (readonly [name: string, text: string])[] = [
  ["POST", "POST / HTTP/1.1\r\nHost: a\r\n\r\nSET hacked yes\r\n"],
  ["post", "post\r\nSET hacked yes\r\n"],
  ["Host:", "GET / HTTP/1.1\r\nhOsT: a\r\n\r\nSET hacked yes\r\n"],
  ["as an array", "*1\r\n$4\r\nPoSt\r\n*3\r\n$3\r\nSET\r\n$6\r\nhacked\r\n$3\r\nyes\r\n"],
  ["behind MULTI", "MULTI\r\nSET hacked yes\r\nPOST\r\nEXEC\r\n"],
  ["behind other commands", "PING\r\nECHO x\r\nPOST\r\nSET hacked yes\r\n"],
];

function send(client: Client, text: string): void {
  client.sendRaw(Buffer.from(text));
  for (let i = 0; i < 20; i++) client.host.world.step();
}

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    for (const [name, text] of requests) {
      test(`${name}: closed without an answer`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const client = host.connect();
        send(client, text);
        assert.ok(client.isClosed);
        assert.equal(client.take(), "");
        assert.equal(host.connect().call("EXISTS", "hacked"), ":0\r\n");
      });
    }
  });
}

test("before the password too, cut anywhere; other requests get errors until Host: comes", () => {
  const world = started(1, { requirepass: "secret" });
  const host = world.leader()!;
  const text = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (let cut = 1; cut < text.length; cut++) {
    const client = host.connect();
    client.sendRaw(Buffer.from(text.slice(0, cut)));
    client.sendRaw(Buffer.from(text.slice(cut)));
    assert.ok(client.isClosed, `cut at ${cut}`);
  }
  const client = host.connect();
  send(client, "PUT / HTTP/1.1\r\nAccept: a\r\n");
  assert.match(client.take(), /^-ERR unknown command 'PUT'.*\r\n-ERR unknown command 'Accept:'/);
  send(client, "Host: a\r\n");
  assert.ok(client.isClosed);
});

test("the log says so at most once a minute, with their number", () => {
  const world = started(1);
  const host = world.leader()!;
  const attacks = () => host.warnings.filter(({ requestsSinceStart }) => requestsSinceStart !== undefined);
  for (let i = 0; i < 5; i++) host.connect().sendRaw(Buffer.from("POST\r\n"));
  assert.deepEqual(
    attacks().map(({ requestsSinceStart }) => requestsSinceStart),
    [1],
  );
  for (let i = 0; i < 6100; i++) world.step();
  host.connect().sendRaw(Buffer.from("POST\r\n"));
  assert.deepEqual(
    attacks().map(({ requestsSinceStart }) => requestsSinceStart),
    [1, 6],
  );
});
