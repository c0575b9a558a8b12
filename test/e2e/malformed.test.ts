// Malformed input of every kind: the sender gets Redis's words and loses its connection, nobody else notices.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as dial } from "node:net";
import { afterAll, beforeAll, test } from "vitest";
import { connect, type NodeProcess, ProcessCluster } from "./processes.ts";

let cluster: ProcessCluster;
let node: NodeProcess;
let locked: ProcessCluster;

beforeAll(async () => {
  cluster = await ProcessCluster.start(1);
  locked = await ProcessCluster.start(1);
  node = await cluster.leader();
});
afterAll(async () => {
  await cluster?.stop();
  await locked?.stop();
});

/** Sends bytes and returns everything that comes back until the server closes. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = dial(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = once(socket, "close");
  socket.write(bytes);
  await closed;
  return received;
}

const cases = [
  { name: "bulk length that is no number", wire: "*1\r\n$x\r\n", reply: "invalid bulk length" },
  { name: "negative bulk length", wire: "*1\r\n$-5\r\n", reply: "invalid bulk length" },
  { name: "bulk longer than proto-max-bulk-len", wire: "*1\r\n$536870913\r\n", reply: "invalid bulk length" },
  { name: "too many arguments", wire: "*1048577\r\n", reply: "invalid multibulk length" },
  { name: "argument count that is no number", wire: "*x\r\n", reply: "invalid multibulk length" },
  { name: "no dollar", wire: "*1\r\nPING\r\n", reply: "expected '$', got 'P'" },
  { name: "count line without an end", wire: `*${"1".repeat(70_000)}`, reply: "too big mbulk count string" },
  {
    name: "bulk line without an end",
    wire: `*1\r\n$${"1".repeat(70_000)}`,
    reply: "too big bulk count string",
  },
  { name: "inline without an end", wire: "x".repeat(70_000), reply: "too big inline request" },
  { name: "unbalanced quotes", wire: 'SET "a b\r\n', reply: "unbalanced quotes in request" },
];

for (const { name, wire, reply } of cases) {
  test(`${name}: answered, closed, and others are served`, async () => {
    const bystander = connect(node.port);
    await bystander.set("bystander", name);
    assert.equal(await exchange(node.port, wire), `-ERR Protocol error: ${reply}\r\n`);
    assert.equal(await bystander.get("bystander"), name);
    bystander.disconnect();
  });
}

test("commands before the malformed one are answered first", async () => {
  const wire = "SET early 1\r\nGET early\r\n*1\r\n$x\r\n";
  assert.equal(
    await exchange(node.port, wire),
    "+OK\r\n$1\r\n1\r\n-ERR Protocol error: invalid bulk length\r\n",
  );
});

test("a client that has not authenticated gets small limits", async () => {
  const owner = connect(locked.nodes[0]?.port ?? 0);
  await owner.config("SET", "requirepass", "secret");
  const { port } = locked.nodes[0] as NodeProcess;
  assert.equal(await exchange(port, "*11\r\n"), "-ERR Protocol error: unauthenticated multibulk length\r\n");
  assert.equal(
    await exchange(port, "*1\r\n$16385\r\n"),
    "-ERR Protocol error: unauthenticated bulk length\r\n",
  );
  owner.disconnect();
});

test("random bytes never take the node down", async () => {
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  for (let round = 0; round < 50; round++) {
    const bytes = Buffer.from(Array.from({ length: 1 + (next() % 2000) }, () => next() & 0xff));
    const socket = dial(node.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "connect");
    socket.end(bytes);
    await once(socket, "close");
  }
  const client = connect(node.port);
  assert.equal(await client.ping(), "PONG");
  client.disconnect();
  assert.ok(node.isRunning);
});
