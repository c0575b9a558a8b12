// A leader killed under load, ten times: writes go on, and every acknowledged one is there. How fast they go on
// is printed here and judged in bench/ (no timed assertions in tests).
// A follower stopped for longer than the log keeps: it catches up by snapshot while writes go on.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "vitest";
import { APPENDS_IN_FLIGHT_MAX } from "../../src/base/limits.ts";
import { startChild } from "../children.ts";
import { until } from "../until.ts";
import { connect, installed, ProcessCluster, STEADY } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const KILLS = 10;

const hasBenchmark = installed("redis-benchmark");

for (let round = 1; round <= KILLS; round++)
  test.skipIf(!hasBenchmark)(
    `the leader killed under a redis-benchmark load, ${round} of ${KILLS}${hasBenchmark ? "" : " (skipped: redis-tools is not installed)"}`,
    killedUnderLoad,
  );

async function killedUnderLoad(): Promise<void> {
  const cluster = await ProcessCluster.start(3);
  try {
    const leader = await cluster.leader();
    const survivor = cluster.nodes.find((node) => node !== leader) ?? leader;
    const words = `-p ${leader.port} -c 20 -P 4 -n 100000000 -r 10000 -t set -q`.split(" ");
    const load = startChild("redis-benchmark", words, { stdio: "ignore" });
    const loadGone = once(load, "exit");
    const writer = new Writer(survivor.port);
    await until("some writes under load", () => writer.acknowledged.length > 200);
    writer.gapMsMax = 0;
    await leader.stop("SIGKILL");
    const before = writer.acknowledged.length;
    await until("writes again", () => writer.acknowledged.length > before + 50);
    console.log(`writes again after ${writer.gapMsMax.toFixed(0)} ms`);
    load.kill("SIGKILL");
    await loadGone;
    await writer.stop();
    for (const node of cluster.nodes) if (node.isRunning) await verifyAcknowledged(node.port, writer);
  } finally {
    await cluster.stop();
  }
}

test("a follower stopped for longer than the log keeps catches up by snapshot while writes go on", async () => {
  const flags = [...STEADY, "--log-max-bytes", "1mb", "--log-tail-bytes", "64kb", "--log-tail-entries", "50"];
  const cluster = await ProcessCluster.start(3, flags);
  try {
    const leader = await cluster.leader();
    const behind = cluster.nodes.find((node) => node !== leader) ?? leader;
    behind.child.kill("SIGSTOP");
    const client = connect(leader.port);
    const value = "x".repeat(10_000);
    const indexOf = async (field: string, port = leader): Promise<number> =>
      Number((await port.info("raft"))?.get(field));
    const stoppedAt = await indexOf("raft_applied_index");
    // What is under way to it (a window of messages) reaches it from the socket; the log must be past that too.
    let n = 0;
    await until("the log has moved on past what it keeps", async () => {
      for (let i = 0; i < 50; i++) await client.set(`filled:${n++}`, value);
      return (await indexOf("raft_first_index")) > stoppedAt + 2 * APPENDS_IN_FLIGHT_MAX ? true : undefined;
    });
    const writer = new Writer(leader.port);
    behind.child.kill("SIGCONT");
    await until("the follower has caught up", async () => {
      const target = await indexOf("raft_applied_index");
      return (await indexOf("raft_applied_index", behind)) >= target - 50 ? true : undefined;
    });
    const during = writer.acknowledged.length;
    await until("writes go on", () => (writer.acknowledged.length > during ? true : undefined));
    await writer.stop();
    assert.match(behind.output, /snapshot received/);
    await verifyAcknowledged(behind.port, writer);
    client.disconnect();
  } finally {
    await cluster.stop();
  }
});
