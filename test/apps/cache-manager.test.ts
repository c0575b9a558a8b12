// cache-manager with @keyv/redis: three services share what one of them has worked out, in one tier and in two.

import assert from "node:assert/strict";
import KeyvRedis from "@keyv/redis";
import { createCache } from "cache-manager";
import { Keyv } from "keyv";
import { test } from "vitest";
import { until } from "../until.ts";
import { stage, urlOf } from "./stage.ts";

const nodes = stage();

const shared = (url: string): Keyv =>
  new Keyv({ store: new KeyvRedis(url, { throwOnErrors: true }), namespace: "cache", useKeyPrefix: false });

test("what one service has worked out, the others find", async () => {
  const stores = nodes.cluster.nodes.map((node) => shared(urlOf(node)));
  const caches = stores.map((store) => createCache({ stores: [store] }));
  let worked = 0;
  const work = async (): Promise<{ answer: number }> => {
    worked++;
    return { answer: 42 };
  };
  for (const cache of caches) assert.deepEqual(await cache.wrap("answer", work, 60_000), { answer: 42 });
  assert.equal(worked, 1);
  // Many at once in one service are one piece of work.
  await Promise.all(Array.from({ length: 20 }, () => caches[1]!.wrap("other", work)));
  assert.equal(worked, 2);

  await caches[0]!.mset<unknown>([
    { key: "x", value: 1 },
    { key: "y", value: [2] },
  ]);
  assert.deepEqual(await caches[2]!.mget<unknown>(["x", "y", "z"]), [1, [2], undefined]);
  await caches[2]!.mdel(["x"]);
  assert.equal(await caches[1]!.get("x"), undefined);
  await caches[1]!.set("brief", "b", 60);
  await until("it has expired", async () =>
    (await caches[0]!.get("brief")) === undefined ? true : undefined,
  );
  await caches[0]!.clear();
  assert.equal(await caches[2]!.get("y"), undefined);
  for (const cache of caches) await cache.disconnect();
});

test("a tier of each service's own memory before the shared one", async () => {
  const open = (node: number) =>
    createCache({ stores: [new Keyv(), shared(urlOf(nodes.cluster.nodes[node]!))] });
  const [one, two] = [open(0), open(1)];
  await one.set("k", "v");
  assert.equal(await two.get("k"), "v");
  await two.del("k");
  const third = open(2);
  assert.equal(await third.get("k"), undefined);
  for (const cache of [one, two, third]) await cache.disconnect();
});
