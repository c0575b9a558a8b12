// Clients for Redis Cluster on three nodes in cluster mode, beyond what test/e2e/cluster-mode has: pipelines that the
// client makes by slot, shard channels, waiting, streams, and sessions of a web server over such a client.

import assert from "node:assert/strict";
import { RedisStore } from "connect-redis";
import type { SessionData } from "express-session";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterEach, describe, test } from "vitest";
import { until } from "../until.ts";
import { CLUSTER_MODE, stage, urlOf } from "./stage.ts";

const nodes = stage(CLUSTER_MODE);
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe("ioredis Cluster", () => {
  interface Options {
    readonly enableAutoPipelining?: boolean;
    readonly shardedSubscribers?: boolean;
  }

  function open(options: Options = {}): Cluster {
    const made = new Cluster(
      nodes.cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      options,
    );
    made.on("error", () => {});
    closers.push(() => made.disconnect());
    return made;
  }

  test("automatic pipelines, pipelines and transactions of one slot", async () => {
    const redis = open({ enableAutoPipelining: true });
    await Promise.all(Array.from({ length: 500 }, (_, i) => redis.set(`auto:${i}`, i)));
    const found = await Promise.all(Array.from({ length: 500 }, (_, i) => redis.get(`auto:${i}`)));
    assert.deepEqual(
      found,
      Array.from({ length: 500 }, (_, i) => String(i)),
    );
    const plain = open();
    assert.deepEqual(await plain.pipeline().set("{t}a", 1).incr("{t}a").get("{t}a").exec(), [
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    assert.deepEqual(await plain.multi().rpush("{t}l", "x", "y").lrange("{t}l", 0, -1).exec(), [
      [null, 2],
      [null, ["x", "y"]],
    ]);
    await assert.rejects(plain.mset("a", 1, "b", 2), /CROSSSLOT|same slot/i);
  });

  test("shard channels, waiting and streams", async () => {
    const redis = open();
    const heard: string[] = [];
    const subscriber = open({ shardedSubscribers: true });
    subscriber.on("smessage", (_channel: string, text: string) => heard.push(text));
    await subscriber.ssubscribe("news");
    for (let i = 0; i < 10; i++) await redis.spublish("news", String(i));
    await until("all messages", () => heard.length === 10 || undefined);
    assert.deepEqual(
      heard,
      Array.from({ length: 10 }, (_, i) => String(i)),
    );

    const worker = open();
    const job = worker.blpop("jobs", 10);
    await redis.rpush("jobs", "x");
    assert.deepEqual(await job, ["jobs", "x"]);
    await redis.xgroup("CREATE", "orders", "shop", "0", "MKSTREAM");
    const id = await redis.xadd("orders", "*", "n", "1");
    const read = await worker.xreadgroup("GROUP", "shop", "one", "BLOCK", 5000, "STREAMS", "orders", ">");
    assert.deepEqual(read, [["orders", [[id, ["n", "1"]]]]]);
    assert.equal(await worker.xack("orders", "shop", id ?? ""), 1);
  });
});

describe("node-redis createCluster", () => {
  async function open() {
    const made = createCluster({
      useReplicas: true,
      rootNodes: nodes.cluster.nodes.map((node) => ({ url: urlOf(node) })),
    });
    made.on("error", () => {});
    await made.connect();
    closers.push(() => made.close());
    return made;
  }

  test("what is asked at once, transactions, shard channels, waiting", async () => {
    const redis = await open();
    assert.equal(redis.masters.length, 1);
    assert.equal(redis.replicas.length, 2);
    await Promise.all(Array.from({ length: 300 }, (_, i) => redis.set(`n:${i}`, i)));
    const found = await Promise.all(Array.from({ length: 300 }, (_, i) => redis.get(`n:${i}`)));
    assert.deepEqual(
      found,
      Array.from({ length: 300 }, (_, i) => String(i)),
    );
    assert.deepEqual(await redis.multi().set("{t}n", 1).incr("{t}n").exec(), ["OK", 2]);
    const heard: string[] = [];
    await redis.sSubscribe("news", (text) => heard.push(text));
    for (let i = 0; i < 10; i++) await redis.sPublish("news", String(i));
    await until("all messages", () => heard.length === 10 || undefined);
    await redis.sUnsubscribe("news");
    const worker = await open();
    const job = worker.blPop("jobs", 10);
    await redis.rPush("jobs", "x");
    assert.deepEqual({ ...(await job) }, { key: "jobs", element: "x" });
  });

  test("sessions of connect-redis over it", async () => {
    const store = new RedisStore({ client: await open(), prefix: "web:" });
    const data: SessionData = { cookie: { originalMaxAge: 60_000 } };
    for (let i = 0; i < 20; i++) await store.set(`s${i}`, data);
    assert.deepEqual(await store.get("s7"), JSON.parse(JSON.stringify(data)));
    assert.equal(await store.length(), 20);
    await store.destroy("s7");
    assert.equal(await store.get("s7"), null);
    assert.equal((await store.ids()).length, 19);
  });
});
