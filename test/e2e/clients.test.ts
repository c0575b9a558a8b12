// Three real processes, seen by the clients people use: what is set on one is read on all, at once.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect as connectTo } from "node:net";
import { promisify } from "node:util";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, test } from "vitest";
import { connect, installed, ProcessCluster, STEADY } from "./processes.ts";

const run = promisify(execFile);
const hasCli = installed("redis-cli");
let cluster: ProcessCluster;

beforeAll(async () => {
  cluster = await ProcessCluster.start(3, STEADY);
});
afterAll(async () => {
  await cluster?.stop();
});

describe("SET on one node is readable on all", () => {
  test("ioredis", async () => {
    for (const writer of cluster.nodes) {
      const client = connect(writer.port);
      await client.set("ioredis", writer.name);
      for (const reader of cluster.nodes) {
        const other = connect(reader.port);
        assert.equal(await other.get("ioredis"), writer.name);
        other.disconnect();
      }
      client.disconnect();
    }
  });

  test("node-redis, RESP2 and RESP3", async () => {
    for (const protocol of [2, 3] as const) {
      for (const writer of cluster.nodes) {
        const client = createClient({ url: `redis://127.0.0.1:${writer.port}`, RESP: protocol });
        await client.connect();
        await client.set("node-redis", writer.name);
        for (const reader of cluster.nodes) {
          const other = createClient({ url: `redis://127.0.0.1:${reader.port}`, RESP: protocol });
          await other.connect();
          assert.equal(await other.get("node-redis"), writer.name);
          other.destroy();
        }
        client.destroy();
      }
    }
  });

  test.skipIf(!hasCli)(`redis-cli${hasCli ? "" : " (skipped: redis-tools is not installed)"}`, async () => {
    for (const writer of cluster.nodes) {
      const set = await run("redis-cli", ["-p", String(writer.port), "SET", "cli", writer.name]);
      assert.equal(set.stdout, "OK\n");
      for (const reader of cluster.nodes) {
        const got = await run("redis-cli", ["-p", String(reader.port), "GET", "cli"]);
        assert.equal(got.stdout, `${writer.name}\n`);
      }
    }
  });
});

test("replies keep the order of the commands through a follower, whatever they are", async () => {
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  const client = connect(follower.port);
  const results = await client
    .pipeline()
    .set("order", "1")
    .get("order")
    .ping()
    .incr("order")
    .call("NOSUCH", "x")
    .get("order")
    .select(1)
    .get("order")
    .exec();
  const values = results?.map(([error, value]) => error?.message ?? value);
  assert.deepEqual(values, [
    "OK",
    "1",
    "PONG",
    2,
    "ERR unknown command 'NOSUCH', with args beginning with: 'x' ",
    "2",
    "OK",
    null,
  ]);
  client.disconnect();
});

test("a large pipeline through a follower gives every reply", async () => {
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  const client = connect(follower.port);
  const pipeline = client.pipeline();
  for (let i = 0; i < 20_000; i++) pipeline.incr("large");
  const results = await pipeline.exec();
  assert.deepEqual(
    results?.map(([, value]) => value),
    Array.from({ length: 20_000 }, (_, i) => i + 1),
  );
  client.disconnect();
});

test("clients that close their side behind what they have sent get every answer", async () => {
  for (const { name, port } of cluster.nodes) {
    const replies = await answersTo(port, `INCR half:${name}\r\n`.repeat(2000));
    assert.equal(replies, Array.from({ length: 2000 }, (_, i) => `:${i + 1}\r\n`).join(""));
    assert.equal(await answersTo(port, `BLPOP none 0\r\nECHO ${name}\r\n`), `*-1\r\n$2\r\n${name}\r\n`);
  }
});

/** Everything that comes back before the connection ends. */
function answersTo(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(port, "127.0.0.1");
    let replies = "";
    socket.on("data", (chunk: Buffer) => {
      replies += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(replies));
    socket.end(text);
  });
}
