// Three real processes in cluster mode and the clients that understand it: they find out who leads, go there by
// themselves, and find the next leader when that one is killed while they write. Nothing acknowledged is lost.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, test } from "vitest";
import { connect, installed, type NodeProcess, ProcessCluster, pause, until } from "./processes.ts";

const run = promisify(execFile);
const hasCli = installed("redis-cli");
const FLAGS = ["--cluster-enabled", "yes"];
const WRITERS = 4;
let cluster: ProcessCluster;

beforeAll(async () => {
  cluster = await ProcessCluster.start(3, FLAGS);
});
afterAll(async () => {
  await cluster?.stop();
});

const follower = async (): Promise<NodeProcess> => {
  const leader = await cluster.leader();
  return cluster.nodes.find((node) => node !== leader && node.isRunning) ?? leader;
};

test.skipIf(!hasCli)(
  `redis-cli -c follows MOVED from any node${hasCli ? "" : " (skipped: redis-tools is not installed)"}`,
  async () => {
    for (const { port, name } of cluster.nodes) {
      const set = await run("redis-cli", ["-c", "-p", String(port), "SET", `cli:${name}`, "x"]);
      assert.equal(set.stdout, "OK\n");
      const got = await run("redis-cli", ["-c", "-p", String(port), "GET", `cli:${name}`]);
      assert.equal(got.stdout, "x\n");
    }
    const { port } = await follower();
    const plain = await run("redis-cli", ["-p", String(port), "GET", "cli:n1"]);
    assert.equal(
      plain.stdout,
      `MOVED 11211 127.0.0.1:${(await cluster.leader()).port}\n\n`.replace(
        "11211",
        plain.stdout.split(" ")[1] ?? "",
      ),
    );
    const check = await run("redis-cli", ["--cluster", "check", `127.0.0.1:${port}`]);
    assert.match(check.stdout, /All nodes agree about slots configuration/);
    assert.match(check.stdout, /All 16384 slots covered/);
  },
);

interface ClusterClient {
  readonly name: string;
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<string | null>;
  /** Several keys with one tag, in one transaction. */
  both(tag: string): Promise<unknown>;
  /** Reads that any node may answer. */
  close(): Promise<void> | void;
}

function ioredisCluster(): ClusterClient {
  const client = new Cluster(
    cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
    { scaleReads: "slave", redisOptions: { connectTimeout: 2000 } },
  );
  client.on("error", () => {});
  return {
    name: "ioredis Cluster",
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    both: (tag) => client.multi().set(`{${tag}}1`, "1").get(`{${tag}}1`).exec(),
    close: () => client.disconnect(),
  };
}

async function nodeRedisCluster(): Promise<ClusterClient> {
  const client = createCluster({
    rootNodes: cluster.nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    useReplicas: true,
  });
  client.on("error", () => {});
  await client.connect();
  return {
    name: "node-redis createCluster",
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    both: (tag) => client.multi().set(`{${tag}}1`, "1").get(`{${tag}}1`).exec(),
    close: () => client.destroy(),
  };
}

for (const [name, open] of [
  ["ioredis Cluster", async () => ioredisCluster()],
  ["node-redis createCluster", nodeRedisCluster],
] as const) {
  test(`${name}: keys of many slots, a transaction, reads of replicas`, async () => {
    const client = await open();
    const keys = Array.from({ length: 200 }, (_, i) => `${name}:${i}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    assert.deepEqual(await Promise.all(keys.map((key) => client.get(key))), keys);
    assert.match(JSON.stringify(await client.both(name)), /OK.*1/);
    await client.close();
  });

  test(`${name}: the leader is killed while it writes`, { timeout: 60_000 }, async () => {
    const client = await open();
    const leader = await cluster.leader();
    const acknowledged: string[] = [];
    const errors = new Set<string>();
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 0; !isOver; i++) {
        const key = `${name}:${leader.name}:${writer}:${i}`;
        try {
          await client.set(key, key);
          acknowledged.push(key);
        } catch (error) {
          errors.add(error instanceof Error ? error.message : String(error));
          await pause(5);
        }
      }
    });
    await until("some writes", () => acknowledged.length > 500 || undefined);
    await leader.stop("SIGKILL");
    const before = acknowledged.length;
    await until("writes again, by the same client", () => acknowledged.length > before + 500 || undefined);
    isOver = true;
    await Promise.all(writers);
    console.log(
      `${name}: ${acknowledged.length} acknowledged; errors: ${[...errors].sort().join(" | ") || "none"}`,
    );
    await client.close();

    const reader = connect((await cluster.leader()).port);
    for (let i = 0; i < acknowledged.length; i += 1000) {
      const keys = acknowledged.slice(i, i + 1000);
      const pipeline = reader.pipeline();
      for (const key of keys) pipeline.get(key);
      const found = await pipeline.exec();
      assert.deepEqual(
        found?.map(([, value]) => value),
        keys,
      );
    }
    reader.disconnect();
    const again = cluster.restart(leader);
    await until(
      "the killed node is back",
      async () => (await again.info("raft"))?.get("raft_role") === "follower" || undefined,
    );
  });
}
