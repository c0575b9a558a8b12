// maxmemory on three real processes: ten times as much is written through all of them, each stays at or below it, all end with
// the same keys, and each tells its own subscribers of every key that went.

import assert from "node:assert/strict";
import { test } from "vitest";
import { until } from "../until.ts";
import { connect, type NodeProcess, ProcessCluster, STEADY } from "./processes.ts";

const LIMIT_BYTES = 2 * 1024 * 1024;
const VALUE = "x".repeat(500);
const PIPELINE = 50;
const COMMANDS = (10 * LIMIT_BYTES) / VALUE.length;

/** What the node holds, told by itself: only a leader answers from its own state. */
async function digestOf(cluster: ProcessCluster, node: NodeProcess): Promise<string> {
  const client = connect(node.port);
  await until(`${node.name} leads`, async () => {
    if ((await cluster.leader()) === node) return true;
    await client.call("RAFT.TRANSFER", node.name).catch(() => undefined);
    return undefined;
  });
  const digest = String(await client.call("DEBUG", "DIGEST"));
  client.disconnect();
  return digest;
}

test("ten times maxmemory through three processes: at or below it, and equal in the end", async () => {
  const cluster = await ProcessCluster.start(3, [
    ...STEADY,
    ...["--maxmemory", String(LIMIT_BYTES), "--maxmemory-policy", "allkeys-lru"],
    ...["--notify-keyspace-events", "Ee", "--enable-debug-command", "yes"],
  ]);
  try {
    const { nodes } = cluster;
    const told = new Map<NodeProcess, number>();
    const subscribers = nodes.map((node) => {
      const subscriber = connect(node.port);
      told.set(node, 0);
      subscriber.on("message", () => told.set(node, told.get(node)! + 1));
      return subscriber;
    });
    for (const subscriber of subscribers) await subscriber.subscribe("__keyevent@0__:evicted");
    await Promise.all(
      nodes.map(async (node) => {
        const client = connect(node.port);
        for (let i = 0; i < COMMANDS / nodes.length; i += PIPELINE) {
          const pipeline = client.pipeline();
          for (let j = i; j < i + PIPELINE; j++) pipeline.set(`${node.name}:${j}`, VALUE);
          for (const [error] of (await pipeline.exec())!) assert.equal(error, null);
          const used = /^used_memory:(\d+)/m.exec(await client.info("memory"));
          assert.ok(Number(used![1]) <= LIMIT_BYTES, `${node.name} holds ${used![1]}`);
        }
        client.disconnect();
      }),
    );
    const evicted = await until("all have evicted as many keys", async () => {
      const stats = await Promise.all(nodes.map((node) => node.info("stats")));
      const counts = new Set(stats.map((it) => Number(it?.get("evicted_keys"))));
      return counts.size === 1 ? [...counts][0] : undefined;
    });
    assert.ok(evicted > COMMANDS / 2, `${evicted} keys`);
    await until("all subscribers know", () => nodes.every((node) => told.get(node) === evicted));
    for (const subscriber of subscribers) subscriber.disconnect();
    const digests = new Set<string>();
    for (const node of nodes) digests.add(await digestOf(cluster, node));
    assert.equal(digests.size, 1);
  } finally {
    await cluster.stop();
  }
});
