// Nodes that work are not nodes that are dead: commands that take longer than an election timeout, on the leader, on
// followers and on all at once, depose nobody and leave no client without an answer. Longer than busy-limit, they do.

import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { connect, type NodeProcess, ProcessCluster } from "./processes.ts";

const MEMBERS = 200_000;
const MEMBERS_PER_COMMAND = 2000;
const BIG_BYTES = 128 << 20;
/** Of the tests that must hold on a machine with much else to do: so many times what is set by default. */
const PATIENT = ["--busy-limit", "30000"];
const FLAGS = ["--enable-debug-command", "local"];

let cluster: ProcessCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
});

async function termOf(node: NodeProcess): Promise<string> {
  return until("the node says its term", async () => (await node.info("raft"))?.get("raft_term"));
}

test("slow commands through the leader and through a follower: each is answered, and the term stays", {
  timeout: 240_000,
}, async () => {
  cluster = await ProcessCluster.start(3, PATIENT);
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader)!;
  const term = await termOf(leader);
  for (const node of [leader, follower]) {
    const client = connect(node.port);
    client.options.commandTimeout = 120_000;
    for (let from = 0; from < MEMBERS; from += MEMBERS_PER_COMMAND) {
      const pairs = Array.from({ length: MEMBERS_PER_COMMAND }, (_, i) => [from + i, `m${from + i}`]);
      await client.zadd("z", ...pairs.flat());
    }
    assert.equal(await client.zunionstore("union", 2, "z", "z"), MEMBERS);
    assert.equal(await client.setrange("big", BIG_BYTES - 1, "x"), BIG_BYTES);
    assert.equal(await client.bitop("NOT", "not", "big"), BIG_BYTES);
    assert.equal(await client.copy("big", "copy", "REPLACE"), 1);
    assert.equal(await client.del("z", "union", "big", "not", "copy"), 5);
    client.disconnect();
  }
  assert.equal(await cluster.leader(), leader);
  for (const node of cluster.nodes) assert.equal(await termOf(node), term);
});

test("an event loop that stands still for two seconds costs nobody a place: a leader's, then both followers'", {
  timeout: 60_000,
}, async () => {
  cluster = await ProcessCluster.start(3, [...FLAGS, ...PATIENT]);
  const leader = await cluster.leader();
  const followers = cluster.nodes.filter((node) => node !== leader);
  const term = await termOf(leader);
  const writer = connect(followers[0]!.port);
  const sleepers = [[leader], followers];
  for (const nodes of sleepers) {
    const clients = nodes.map((node) => connect(node.port));
    const asleep = clients.map((client) => client.call("DEBUG", "SLEEP", "2"));
    assert.equal(await writer.set("k", "v"), "OK");
    for (const reply of asleep) assert.equal(await reply, "OK");
    for (const client of clients) client.disconnect();
    assert.equal(await termOf(leader), term);
    assert.equal(await cluster.leader(), leader);
  }
  writer.disconnect();
});

test("a leader whose event loop stands still for longer than busy-limit is replaced meanwhile, and follows then", {
  timeout: 60_000,
}, async () => {
  cluster = await ProcessCluster.start(3, [...FLAGS, "--busy-limit", "1500"]);
  const leader = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== leader);
  const term = Number(await termOf(leader));
  const client = connect(leader.port);
  client.options.commandTimeout = 30_000;
  const asleep = client.call("DEBUG", "SLEEP", "8");
  let isAsleep = true;
  const awake = asleep.then(() => {
    isAsleep = false;
  });
  await until("another leader", async () => {
    for (const node of others) if ((await node.info("raft"))?.get("raft_role") === "leader") return true;
    return undefined;
  });
  assert.ok(isAsleep, "it was replaced while it slept");
  assert.ok(Number(await termOf(others[0]!)) > term);
  await awake;
  await until("it follows", async () => (await leader.info("raft"))?.get("raft_role") === "follower");
  client.disconnect();
});
