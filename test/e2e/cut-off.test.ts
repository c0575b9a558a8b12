// The leader of three processes is cut off from the others, and joined to them again. While it is alone it neither
// takes writes nor answers reads, the others go on, and what it had not agreed on is gone when it comes back.

import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { connect, ProcessCluster, STEADY } from "./processes.ts";

let cluster: ProcessCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
});

const REFUSED = /UNCERTAIN|TRYAGAIN|CLUSTERDOWN/;

test("a leader that is cut off refuses reads and writes; the others elect one, and it follows that one later", async () => {
  cluster = await ProcessCluster.startProxied(3, { flags: STEADY });
  const { proxy } = cluster;
  const old = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== old);
  const alone = connect(old.port);
  const beside = connect(others[0]!.port);
  await beside.set("k", "before");
  assert.equal(await alone.get("k"), "before");

  proxy.setAround(old.name, { held: true });
  // Sent to a leader that does not know yet: it must not be acknowledged, and not be there in the end.
  const lost = alone.set("lost", "1").then(
    () => "acknowledged",
    (error: Error) => error.message,
  );
  await until("the others write", () => beside.set("k", "after").catch(() => undefined));
  assert.equal(await beside.get("k"), "after");
  // No lease can be left by now: another member was elected.
  await assert.rejects(alone.get("k"), REFUSED);
  await assert.rejects(alone.set("k", "alone"), REFUSED);
  assert.match(await lost, REFUSED);

  proxy.setAround(old.name);
  await until("it follows", async () => (await old.info("raft"))?.get("raft_role") === "follower");
  await until("it answers", async () => (await alone.get("k").catch(() => undefined)) === "after");
  assert.equal(await alone.get("lost"), null);
  alone.disconnect();
  beside.disconnect();
});

test("one direction is cut: who hears nobody, or is heard by nobody, does not stop the others", async () => {
  cluster = await ProcessCluster.startProxied(3, { flags: STEADY });
  const { nodes, proxy } = cluster;
  for (const [i, lone] of nodes.entries()) {
    const others = nodes.filter((node) => node !== lone);
    for (const other of others) {
      const [from, to] = i % 2 === 0 ? [lone, other] : [other, lone];
      proxy.set(from.name, to.name, { held: true });
    }
    const client = connect(others[0]!.port);
    const value = `while ${lone.name} is deaf or mute`;
    await until("the others write", () => client.set("k", value).catch(() => undefined));
    assert.equal(await client.get("k"), value);
    proxy.setAround(lone.name);
    const back = connect(lone.port);
    await until("it answers", async () => (await back.get("k").catch(() => undefined)) === value);
    client.disconnect();
    back.disconnect();
  }
});
