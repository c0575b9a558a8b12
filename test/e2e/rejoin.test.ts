// Every node killed and started empty, in turn, under load: it is let in again by itself and nothing
// acknowledged is lost.

import { test } from "vitest";
import { TEST_MS_MAX, until } from "../until.ts";
import { ProcessCluster } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const ROUNDS = Number(process.env["REJOIN_ROUNDS"] ?? 1);

test("each node in turn: SIGKILL, then started empty, while writes go on", {
  timeout: TEST_MS_MAX * (1 + ROUNDS),
}, async () => {
  const cluster = await ProcessCluster.start(3);
  const writers: Writer[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < cluster.nodes.length; i++) {
        const victim = cluster.nodes[i] ?? cluster.nodes[0];
        const survivor = cluster.nodes.find((node) => node !== victim);
        if (victim === undefined || survivor === undefined) throw new Error("no nodes");
        const writer = new Writer(survivor.port, `r${round}n${i}:`);
        writers.push(writer);
        await until("some writes", () => (writer.acknowledged.length > 100 ? true : undefined));
        await victim.stop("SIGKILL");
        const back = cluster.restart(victim);
        await cluster.votes(back);
        const before = writer.acknowledged.length;
        await until("writes go on", () => (writer.acknowledged.length > before ? true : undefined));
        await writer.stop();
      }
    }
    for (const node of cluster.nodes) {
      for (const writer of writers) await verifyAcknowledged(node.port, writer);
    }
  } finally {
    for (const writer of writers) await writer.stop();
    await cluster.stop();
  }
});
