// node-redis as applications use it, each client through another node: automatic pipelines, transactions, publish and
// subscribe, queues that wait, streams with consumer groups. In RESP3, which is what it speaks by default.

import assert from "node:assert/strict";
import { createClient, WatchError } from "redis";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { stage, urlOf } from "./stage.ts";

const nodes = stage();

const make = (index: number) => createClient({ url: urlOf(nodes.cluster.nodes[index]!) });
type Client = ReturnType<typeof make>;
const open: Client[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

/** Through node `index`. */
async function client(index: number): Promise<Client> {
  const made = make(index);
  made.on("error", () => {});
  await made.connect();
  open.push(made);
  return made;
}

const clients = (): Promise<[Client, Client, Client]> => Promise.all([client(0), client(1), client(2)]);

test("what is asked at once goes out together, and comes back in order", async () => {
  const all = await clients();
  const counts = await Promise.all(
    all.flatMap((redis) => Array.from({ length: 200 }, () => redis.incr("count"))),
  );
  assert.deepEqual(
    [...counts].sort((a, b) => a - b),
    Array.from({ length: 600 }, (_, i) => i + 1),
  );
  for (let i = 0; i < 3; i++) {
    const own = counts.slice(200 * i, 200 * (i + 1));
    assert.deepEqual(
      own,
      [...own].sort((a, b) => a - b),
    );
  }
  await all[0].hSet("user", { name: "Ada", born: 1815 });
  assert.deepEqual({ ...(await all[1].hGetAll("user")) }, { name: "Ada", born: "1815" });
  await assert.rejects(all[2].lPush("user", "x"), /WRONGTYPE/);
});

test("transactions, and WATCH against clients of other nodes", async () => {
  const all = await clients();
  assert.deepEqual(await all[1].multi().set("a", "1").incr("a").get("a").exec(), ["OK", 2, "2"]);
  await all[0].set("balance", 0);
  let conflicts = 0;
  const deposit = async (redis: Client): Promise<void> => {
    for (;;) {
      await redis.watch("balance");
      const balance = Number(await redis.get("balance"));
      try {
        await redis
          .multi()
          .set("balance", balance + 1)
          .exec();
        return;
      } catch (error) {
        if (!(error instanceof WatchError)) throw error;
        conflicts++;
      }
    }
  };
  await Promise.all(
    all.map(async (redis) => {
      for (let i = 0; i < 10; i++) await deposit(redis);
    }),
  );
  assert.equal(await all[2].get("balance"), "30", `${conflicts} conflicts`);
});

test("messages to subscribers of every node, while they ask for other things too", async () => {
  const all = await clients();
  const heard: string[][] = [[], [], []];
  await all[0].subscribe("news", (text) => heard[0]!.push(text));
  await all[1].pSubscribe("n?ws", (text) => heard[1]!.push(text));
  await all[2].sSubscribe("news", (text) => heard[2]!.push(text));
  const publisher = await client(1);
  for (let i = 0; i < 20; i++) await publisher.publish("news", String(i));
  for (let i = 0; i < 20; i++) await publisher.sPublish("news", String(i));
  // In RESP3 a subscriber may still ask.
  await Promise.all(all.map((redis, i) => redis.set(`asked:${i}`, "x")));
  await until("all have heard all", () => heard.every((list) => list.length === 20) || undefined);
  for (const list of heard)
    assert.deepEqual(
      list,
      Array.from({ length: 20 }, (_, i) => String(i)),
    );
  await all[0].unsubscribe("news");
  assert.equal(await publisher.publish("news", "x"), 1);
  await all[1].pUnsubscribe();
  await all[2].sUnsubscribe("news");
});

test("workers that wait at every node; a queue that is moved before it is worked on", async () => {
  const workers = await clients();
  const boss = await client(0);
  const done: string[] = [];
  const work = workers.map(async (redis, i) => {
    for (;;) {
      const job = await redis.blMove("jobs", `working:${i}`, "LEFT", "RIGHT", 10);
      if (job === null) throw new Error("no job came");
      await redis.lRem(`working:${i}`, 1, job);
      if (job === "end") return;
      done.push(job);
    }
  });
  for (let i = 0; i < 60; i++) await boss.rPush("jobs", `job ${i}`);
  await boss.rPush("jobs", ["end", "end", "end"]);
  await Promise.all(work);
  assert.equal(new Set(done).size, 60);
  const waiting = workers[1].bzPopMin("ranks", 10);
  await boss.zAdd("ranks", [
    { value: "b", score: 2 },
    { value: "a", score: 1.5 },
  ]);
  assert.deepEqual({ ...(await waiting) }, { key: "ranks", value: "a", score: 1.5 });
  assert.equal(await workers[2].blPop("nothing", 0.05), null);
});

test("a stream read by a group at three nodes, and by one who only listens", async () => {
  const consumers = await clients();
  const boss = await client(1);
  await boss.xGroupCreate("orders", "shop", "$", { MKSTREAM: true });
  const listener = await client(2);
  const heard = listener.xRead({ key: "orders", id: "$" }, { BLOCK: 10_000, COUNT: 1 });
  await until(
    "it waits",
    async () => /blocked_clients:[1-9]/.test(await (await client(2)).info("clients")) || undefined,
  );
  const seen: string[] = [];
  const work = consumers.map(async (redis, i) => {
    for (;;) {
      const read = await redis.xReadGroup(
        "shop",
        `worker ${i}`,
        { key: "orders", id: ">" },
        { COUNT: 4, BLOCK: 10_000 },
      );
      const entries = messagesOf(read);
      for (const { id, message } of entries) {
        await redis.xAck("orders", "shop", id);
        if (message["n"] === "end") return;
        seen.push(message["n"] ?? "");
      }
      if (entries.length === 0) throw new Error("nothing came");
    }
  });
  for (let i = 0; i < 60; i++) await boss.xAdd("orders", "*", { n: `order ${i}` });
  assert.equal(messagesOf(await heard)[0]?.message["n"], "order 0");
  // One end each: who has taken one takes no more.
  while (!(await settled(work))) await boss.xAdd("orders", "*", { n: "end" });
  await Promise.all(work);
  assert.deepEqual([...seen].sort(), Array.from({ length: 60 }, (_, i) => `order ${i}`).sort());
  const groups = await boss.xInfoGroups("orders");
  assert.equal(groups[0]?.name, "shop");
});

interface StreamMessage {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

/** Of the only stream that was read: RESP2 has a list of streams, RESP3 may have a map. */
function messagesOf(read: unknown): readonly StreamMessage[] {
  if (read === null || typeof read !== "object") return [];
  if (!Array.isArray(read)) return Object.values(read)[0] ?? [];
  return (read as { messages: StreamMessage[] }[])[0]?.messages ?? [];
}

async function settled(all: readonly Promise<unknown>[]): Promise<boolean> {
  const pending = Symbol("pending");
  const soon = new Promise((resolve) => setTimeout(() => resolve(pending), 20));
  return (await Promise.race([Promise.all(all), soon])) !== pending;
}

test("keys by scanning, values as they are", async () => {
  const [a, b] = await clients();
  await a.mSet(Array.from({ length: 300 }, (_, i): [string, string] => [`scan:${i}`, "x"]));
  const keys = new Set<string>();
  for await (const some of b.scanIterator({ MATCH: "scan:*", COUNT: 50 }))
    for (const key of some) keys.add(key);
  assert.equal(keys.size, 300);
  await a.set("brief", "x", { expiration: { type: "PX", value: 60 } });
  await until("it has expired", async () => (await b.exists("brief")) === 0 || undefined);
  assert.equal(await b.ping(), "PONG");
});
