// ioredis as applications use it, each client through another node: pipelines, automatic pipelines, transactions,
// publish and subscribe, queues that wait, streams with consumer groups.

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { followerOf, stage } from "./stage.ts";

const nodes = stage();
const open: Redis[] = [];

interface Options {
  readonly enableAutoPipelining?: boolean;
}

afterEach(() => {
  for (const client of open.splice(0)) client.disconnect();
});

/** Through node `index`. */
function client(index: number, options: Options = {}): Redis {
  const made = new Redis(nodes.cluster.nodes[index]!.port, "127.0.0.1", options);
  made.on("error", () => {});
  open.push(made);
  return made;
}

const clients = (options: Options = {}): [Redis, Redis, Redis] => [
  client(0, options),
  client(1, options),
  client(2, options),
];

test("a pipeline gives each command its reply, errors in their places", async () => {
  for (const redis of clients()) {
    await redis.set("text", "x");
    const results = await redis
      .pipeline()
      .incr("count")
      .lpush("text", "y")
      .get("text")
      .hset("hash", { a: 1, b: 2 })
      .exec();
    const [count, push, text, hash] = results ?? [];
    assert.equal(count?.[0], null);
    assert.match(push?.[0]?.message ?? "", /^WRONGTYPE/);
    assert.deepEqual([text, hash?.[0]], [[null, "x"], null]);
  }
  assert.equal(await client(0).get("count"), "3");
});

test("automatic pipelines: what is asked at once is asked together", async () => {
  const all = clients({ enableAutoPipelining: true });
  await Promise.all(
    all.flatMap((redis, node) => Array.from({ length: 300 }, (_, i) => redis.set(`auto:${node}:${i}`, i))),
  );
  for (const redis of all) {
    const found = await Promise.all(Array.from({ length: 300 }, (_, i) => redis.get(`auto:${i % 3}:${i}`)));
    assert.deepEqual(
      found,
      Array.from({ length: 300 }, (_, i) => String(i)),
    );
  }
});

test("MULTI is all or nothing; WATCH lets nobody in between, whatever node they come through", async () => {
  const all = clients();
  assert.deepEqual(await all[0].multi().set("a", 1).incr("a").get("a").exec(), [
    [null, "OK"],
    [null, 2],
    [null, "2"],
  ]);
  await all[0].set("balance", 0);
  const deposit = async (redis: Redis): Promise<number> => {
    for (let tries = 1; ; tries++) {
      await redis.watch("balance");
      const balance = Number(await redis.get("balance"));
      if (
        (await redis
          .multi()
          .set("balance", balance + 1)
          .exec()) !== null
      )
        return tries;
    }
  };
  const tries = await Promise.all(
    all.map(async (redis) => {
      let total = 0;
      for (let i = 0; i < 10; i++) total += await deposit(redis);
      return total;
    }),
  );
  assert.equal(await all[1].get("balance"), "30", `in ${tries.join(" + ")} attempts`);
});

test("messages reach subscribers of every node, in order; patterns and shard channels too", async () => {
  const heard: string[][] = [[], [], []];
  const subscribers = clients();
  for (const [i, redis] of subscribers.entries()) {
    redis.on("message", (channel: string, text: string) => heard[i]!.push(`${channel} ${text}`));
    redis.on("pmessage", (pattern: string, channel: string, text: string) =>
      heard[i]!.push(`${pattern} ${channel} ${text}`),
    );
    redis.on("smessage", (channel: string, text: string) => heard[i]!.push(`shard ${channel} ${text}`));
  }
  await subscribers[0].subscribe("news");
  await subscribers[1].psubscribe("n*");
  await subscribers[2].ssubscribe("news");
  const publisher = client(0);
  for (let i = 0; i < 20; i++) await publisher.publish("news", String(i));
  for (let i = 0; i < 20; i++) await publisher.spublish("news", String(i));
  await until("all have heard all", () => heard.every((list) => list.length === 20) || undefined);
  const numbers = Array.from({ length: 20 }, (_, i) => String(i));
  assert.deepEqual(heard, [
    numbers.map((n) => `news ${n}`),
    numbers.map((n) => `n* news ${n}`),
    numbers.map((n) => `shard news ${n}`),
  ]);
});

test("workers at every node wait for jobs: each job goes to one of them, none is lost", async () => {
  const workers = clients();
  const done: string[] = [];
  const work = workers.map(async (redis) => {
    for (;;) {
      const job = await redis.blpop("jobs", 10);
      if (job === null) throw new Error("no job came");
      if (job[1] === "end") return;
      done.push(job[1]);
    }
  });
  const boss = client(1);
  for (let i = 0; i < 100; i++) await boss.rpush("jobs", `job ${i}`);
  await boss.rpush("jobs", "end", "end", "end");
  await Promise.all(work);
  assert.deepEqual([...done].sort(), Array.from({ length: 100 }, (_, i) => `job ${i}`).sort());
  assert.deepEqual(await boss.blmove("none", "other", "LEFT", "RIGHT", 0.05), null);
});

test("a worker that waits does not notice that the leader died", async () => {
  const { cluster } = nodes;
  const follower = cluster.nodes.indexOf(await followerOf(cluster));
  const worker = client(follower);
  const job = worker.brpop("late", 20);
  await until(
    "it waits",
    async () => /blocked_clients:[1-9]/.test(await client(follower).info("clients")) || undefined,
  );
  const leader = await cluster.leader();
  await leader.stop("SIGKILL");
  await cluster.leader();
  await until("a job", () =>
    client(follower)
      .lpush("late", "x")
      .catch(() => undefined),
  );
  assert.deepEqual(await job, ["late", "x"]);
  cluster.restart(leader);
  await until("the killed node serves again", async () => {
    const info = await cluster.nodes.find(({ name }) => name === leader.name)?.info("raft");
    return info?.get("raft_role") === "follower" || undefined;
  });
});

test("a stream with a consumer group, its consumers at three nodes; one of them dies", async () => {
  const consumers = clients();
  const boss = client(2);
  await boss.xgroup("CREATE", "orders", "shop", "$", "MKSTREAM");
  const seen: string[] = [];
  const consume =
    (redis: Redis, name: string, count: number, acknowledges: boolean) => async (): Promise<void> => {
      for (let taken = 0; taken < count; ) {
        const read = await redis.xreadgroup(
          "GROUP",
          "shop",
          name,
          "COUNT",
          5,
          "BLOCK",
          5000,
          "STREAMS",
          "orders",
          ">",
        );
        const entries = (read as [string, [string, string[]][]][] | null)?.[0]?.[1];
        if (entries === undefined) throw new Error(`${name}: nothing came`);
        for (const [id, fields] of entries) {
          if (!acknowledges) continue;
          seen.push(fields[1] ?? "");
          assert.equal(await redis.xack("orders", "shop", id), 1);
        }
        taken += entries.length;
      }
    };
  // The first takes one round and never acknowledges.
  const lost = consume(consumers[0], "lost", 1, false)();
  await until(
    "it waits",
    async () => ((await boss.xinfo("CONSUMERS", "orders", "shop")) as unknown[]).length > 0 || undefined,
  );
  await boss.xadd("orders", "*", "n", "first");
  await lost;
  const rest = [consume(consumers[1], "one", 20, true), consume(consumers[2], "two", 20, true)].map((run) =>
    run(),
  );
  for (let i = 0; i < 60; i++) await boss.xadd("orders", "*", "n", `order ${i}`);
  await Promise.all(rest);
  // What the first took is claimed by another, and what nobody took is read to the end.
  const [, claimed] = (await consumers[1].xautoclaim("orders", "shop", "one", 0, "0", "COUNT", 1)) as [
    string,
    [string, string[]][],
  ];
  assert.deepEqual(claimed[0]?.[1], ["n", "first"]);
  await consumers[1].xack("orders", "shop", claimed[0]?.[0] ?? "");
  while (seen.length < 60) await consume(consumers[1], "one", 1, true)();
  assert.deepEqual([...seen].sort(), Array.from({ length: 60 }, (_, i) => `order ${i}`).sort());
  assert.equal(((await boss.xpending("orders", "shop")) as unknown[])[0], 0);
  assert.equal(await boss.xlen("orders"), 61);
});

test("keys by a stream of scans, values as bytes, a long value", async () => {
  const [a, b] = clients();
  await a.mset(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`scan:${i}`, "x"])));
  const keys = new Set<string>();
  for await (const some of b.scanStream({ match: "scan:*", count: 50 }))
    for (const key of some as string[]) keys.add(key);
  assert.equal(keys.size, 500);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await a.set("bytes", bytes);
  assert.deepEqual(await b.getBuffer("bytes"), bytes);
  const long = "0123456789abcdef".repeat(256 * 1024);
  await b.set("long", long);
  assert.equal(await a.get("long"), long);
});
