// Three real processes in cluster mode and the clients that understand it: they find out who leads, go there by
// themselves, and find the next leader when that one is killed while they write. Nothing acknowledged is lost.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, test } from "vitest";
import { until } from "../until.ts";
import { connect, installed, type NodeProcess, ProcessCluster, pause, STEADY } from "./processes.ts";

const run = promisify(execFile);
const hasCli = installed("redis-cli");
const FLAGS = [...STEADY, "--cluster-enabled", "yes"];
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

test("a node shows clients the address, port and name that it is told to", async () => {
  const flags = ["--cluster-announce-ip", "fd00::7", "--cluster-announce-port", "7777"];
  const alone = await ProcessCluster.start(1, [
    ...FLAGS,
    ...flags,
    "--cluster-announce-hostname",
    "one.example",
  ]);
  try {
    const client = connect(alone.nodes[0]!.port);
    const shown = async (): Promise<unknown> => ((await client.cluster("SLOTS")) as unknown[][])[0]?.[2];
    const id = await client.cluster("MYID");
    assert.deepEqual(await shown(), ["fd00::7", 7777, id, ["hostname", "one.example"]]);
    await client.config("SET", "cluster-preferred-endpoint-type", "hostname");
    assert.deepEqual(await shown(), ["one.example", 7777, id, ["ip", "fd00::7"]]);
    await client.config("SET", "cluster-preferred-endpoint-type", "unknown-endpoint");
    assert.deepEqual(await shown(), [null, 7777, id, ["ip", "fd00::7", "hostname", "one.example"]]);
    assert.match(String(await client.cluster("NODES")), / fd00::7:7777@\d+,one\.example myself,master - /);
    client.disconnect();
  } finally {
    await alone.stop();
  }
});

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
    // The default is to try a lost node for 5 s before it asks who leads now.
    topologyRefreshOnReconnectionAttemptStrategy: 300,
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

/** Goes on writing until told to stop; what fails is not written again. */
class Writers {
  readonly acknowledged: string[] = [];
  readonly errors = new Set<string>();
  #isOver = false;
  readonly #done: Promise<unknown>;

  constructor(client: ClusterClient, prefix: string) {
    this.#done = Promise.all(Array.from({ length: WRITERS }, (_, i) => this.#run(client, `${prefix}:${i}`)));
  }

  /** Some more, by the same clients. */
  async more(count: number): Promise<void> {
    const { length } = this.acknowledged;
    await until(`${count} writes`, () => this.acknowledged.length > length + count || undefined);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(client: ClusterClient, prefix: string): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const key = `${prefix}:${i}`;
      try {
        await client.set(key, key);
        this.acknowledged.push(key);
      } catch (error) {
        this.errors.add(error instanceof Error ? error.message : String(error));
        await pause(5);
      }
    }
  }
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

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    test(`${name}: the leader is ended by ${signal} while it writes`, async () => {
      const client = await open();
      const leader = await cluster.leader();
      const writers = new Writers(client, `${name}:${signal}`);
      await writers.more(500);
      await leader.stop(signal);
      await writers.more(500);
      await writers.stop();
      const { acknowledged, errors } = writers;
      console.log(
        `${name}, ${signal}: ${acknowledged.length} acknowledged; errors: ${[...errors].join(" | ") || "none"}`,
      );
      await client.close();
      // ioredis sends again what was lost, so its callers notice neither.
      if (name.startsWith("ioredis")) assert.deepEqual([...errors], []);

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
        "the ended node is back",
        async () => (await again.info("raft"))?.get("raft_role") === "follower" || undefined,
      );
    });
  }
}
