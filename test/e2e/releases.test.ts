// An upgrade over a change of the peer protocol: nodes of two releases in one cluster, under load, until all are of the later one.
// One that is too far apart, at the first turn, is refused, says so, and does no harm.

import { test } from "vitest";
import { until } from "../until.ts";
import { ProcessCluster } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const speaking = (least: number, most: number): string[] => [
  "--import",
  new URL(`./another-release.mjs?least=${least}&most=${most}`, import.meta.url).href,
];
const TOO_FAR =
  /versions 3 to 4 of the peer protocol, this node (version 1|versions 1 to 2): upgrade through a release that speaks both/;

test("two releases side by side, and one that is too far apart", async () => {
  const cluster = await ProcessCluster.start(3);
  const writers: Writer[] = [];
  try {
    for (const node of [...cluster.nodes]) {
      const beside = cluster.nodes.filter((other) => other !== node);
      const around = beside.map(({ port }) => new Writer(port, `${node.name}>${port}:`));
      writers.push(...around);
      const go = (): Promise<true> => {
        const before = around.map(({ acknowledged }) => acknowledged.length);
        return until("all write", () =>
          around.every(({ acknowledged }, i) => acknowledged.length > before[i]! + 20) ? true : undefined,
        );
      };
      await go();
      await node.stop("SIGTERM");
      let gone = node;
      if (writers.length === around.length) {
        gone = cluster.restart(gone, speaking(3, 4));
        // Those that it dials say so, and it says so to those that dial it.
        await until("it is refused", () => (TOO_FAR.test(gone.output) ? true : undefined));
        await until("they are refused", () =>
          beside.every(({ output }) => /it speaks versions 3 to 4/.test(output)) ? true : undefined,
        );
        await go();
        await gone.stop("SIGTERM");
      }
      await cluster.votes(cluster.restart(gone, speaking(1, 2)));
      await go();
      for (const writer of around) await writer.stop();
    }
    for (const node of cluster.nodes)
      for (const writer of writers) await verifyAcknowledged(node.port, writer);
  } finally {
    for (const writer of writers) await writer.stop();
    await cluster.stop();
  }
});
