// Commands that wait, with the client people use, on three processes: clients of all nodes are served in one order, and a queue goes
// on over the death of the leader without an element lost or given twice.

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { connect, ProcessCluster, STEADY } from "./processes.ts";

let cluster: ProcessCluster | undefined;
const open: Redis[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) client.disconnect();
  await cluster?.stop();
});

/** A client whose commands may take as long as they like. */
function patient(port: number): Redis {
  const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  open.push(client);
  return client;
}

test("ioredis: clients of three nodes wait in one queue", async () => {
  cluster = await ProcessCluster.start(3, STEADY);
  const { nodes } = cluster;
  const observer = connect(nodes[0]!.port);
  open.push(observer);
  const blockedAt = async (port: number): Promise<number> => {
    const asking = connect(port);
    const info = await asking.info("clients");
    asking.disconnect();
    return Number(/blocked_clients:(\d+)/.exec(info)![1]);
  };
  const waiting: Promise<[string, string] | null>[] = [];
  for (const [i, node] of [...nodes, ...nodes].entries()) {
    const client = patient(node.port);
    waiting.push(client.blpop("queue", 0));
    await until("it blocks", async () => (await blockedAt(node.port)) === Math.floor(i / 3) + 1);
    // Its place in the log: before this write of the same node.
    const writer = connect(node.port);
    await writer.del("nothing");
    writer.disconnect();
  }
  assert.equal(await observer.rpush("queue", ...["a", "b", "c", "d", "e", "f", "g"]), 7);
  assert.deepEqual(
    await Promise.all(waiting),
    ["a", "b", "c", "d", "e", "f"].map((element) => ["queue", element]),
  );
  assert.deepEqual(await observer.lrange("queue", 0, -1), ["g"]);
  assert.equal(await patient(nodes[1]!.port).blpop("nothing", 0.05), null);
  const moving = patient(nodes[2]!.port).blmove("source", "target", "LEFT", "RIGHT", 0);
  await until("it blocks", async () => (await blockedAt(nodes[2]!.port)) === 1);
  await observer.rpush("source", "x");
  assert.equal(await moving, "x");
  assert.deepEqual(await observer.lrange("target", 0, -1), ["x"]);
});

test("ioredis: a queue goes on while the leader dies", async () => {
  cluster = await ProcessCluster.start(3, STEADY);
  const leader = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== leader);
  const taken: string[] = [];
  let unsure = 0;
  let isOver = false;
  const workers = [...others, ...others].map(async (node) => {
    const client = patient(node.port);
    while (!isOver) {
      try {
        const item = await client.blpop("queue", 1);
        if (item !== null) taken.push(item[1]);
      } catch (error) {
        assert.match(String(error), /UNCERTAIN|TRYAGAIN|CLUSTERDOWN|Connection is closed/);
        if (String(error).includes("UNCERTAIN")) unsure++;
      }
    }
  });
  const pushed: string[] = [];
  const maybe: string[] = [];
  const producer = connect(others[0]!.port);
  open.push(producer);
  for (let i = 0; i < 600; i++) {
    if (i === 200) await leader.stop();
    const element = `element ${i}`;
    try {
      await producer.rpush("queue", element);
      pushed.push(element);
    } catch (error) {
      assert.match(String(error), /UNCERTAIN|TRYAGAIN|CLUSTERDOWN/);
      maybe.push(element);
    }
  }
  await until("the queue is empty", async () => (await producer.llen("queue")) === 0);
  const isDone = (): boolean => pushed.filter((element) => !taken.includes(element)).length <= unsure;
  await until("everything has been taken", isDone);
  isOver = true;
  await Promise.all(workers);
  assert.equal(new Set(taken).size, taken.length, "an element was given twice");
  const known = new Set([...pushed, ...maybe]);
  assert.ok(taken.every((element) => known.has(element)));
  const lost = pushed.filter((element) => !taken.includes(element));
  assert.ok(lost.length <= unsure, `lost: ${lost.join(", ")}; ${unsure} uncertain`);
  assert.ok(pushed.length > 500, `only ${pushed.length} pushed`);
});
