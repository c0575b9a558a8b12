// @keyv/redis: one namespace, seen through three nodes; another one beside it; and the same through a cluster client.

import assert from "node:assert/strict";
import KeyvRedis, { createCluster, createKeyv, Keyv } from "@keyv/redis";
import { describe, test } from "vitest";
import { until } from "../until.ts";
import { CLUSTER_MODE, stage, urlOf } from "./stage.ts";

describe("through any node", () => {
  const nodes = stage();

  test("values, deadlines, many at once, iteration, clearing", async () => {
    const stores = nodes.cluster.nodes.map((node) =>
      createKeyv(urlOf(node), { namespace: "app", throwOnErrors: true }),
    );
    const others = createKeyv(urlOf(nodes.cluster.nodes[1]!), { namespace: "other" });
    const [a, b, c] = stores as [Keyv, Keyv, Keyv];

    await a.set("user", { name: "Ada", langs: ["en", "fr"] });
    assert.deepEqual(await b.get("user"), { name: "Ada", langs: ["en", "fr"] });
    await b.set("short", "x", 60);
    assert.equal(await a.get("short"), "x");
    await until("it has expired", async () => ((await c.get("short")) === undefined ? true : undefined));

    await c.setMany(Array.from({ length: 50 }, (_, i) => ({ key: `n${i}`, value: i })));
    assert.deepEqual(
      await a.get(Array.from({ length: 50 }, (_, i) => `n${i}`)),
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.equal(await b.has("n7"), true);
    assert.deepEqual(await b.has(["n7", "none"]), [true, false]);
    await b.delete(["n0", "n1"]);
    assert.equal(await c.get("n0"), undefined);

    await others.set("user", "somebody else");
    const seen = new Map<string, unknown>();
    for await (const [key, value] of a.iterator?.({}) ?? []) seen.set(key, value);
    assert.equal(seen.size, 49);
    assert.equal(seen.get("n49"), 49);
    await c.clear();
    assert.equal(await a.get("n49"), undefined);
    assert.equal(await others.get("user"), "somebody else");
    for (const store of [...stores, others]) await store.disconnect();
  });
});

describe("in cluster mode", () => {
  const nodes = stage(CLUSTER_MODE);

  test("the same store over a cluster client", async () => {
    const client = createCluster({ rootNodes: nodes.cluster.nodes.map((node) => ({ url: urlOf(node) })) });
    const store = new Keyv({ store: new KeyvRedis(client, { namespace: "app" }), useKeyPrefix: false });
    await store.set("a", 1);
    await store.setMany(Array.from({ length: 30 }, (_, i) => ({ key: `n${i}`, value: i })));
    assert.deepEqual(await store.get(["a", "n3", "n29", "none"]), [1, 3, 29, undefined]);
    await store.delete("a");
    assert.equal(await store.has("a"), false);
    await store.clear();
    assert.equal(await store.get("n3"), undefined);
    await store.disconnect();
  });
});
