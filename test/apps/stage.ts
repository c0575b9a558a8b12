// What the stories of applications share: three nodes as processes, and clients that go through a node each.

import { afterAll, beforeAll } from "vitest";
import { type NodeProcess, ProcessCluster, STEADY } from "../e2e/processes.ts";

/** Starts three nodes for the tests of a file, and stops them after it. */
export function stage(flags: readonly string[] = []): { cluster: ProcessCluster } {
  const held: { cluster?: ProcessCluster } = {};
  beforeAll(async () => {
    held.cluster = await ProcessCluster.start(3, [...STEADY, ...flags]);
  });
  afterAll(async () => {
    await held.cluster?.stop();
  });
  return {
    get cluster() {
      if (held.cluster === undefined) throw new Error("the nodes run within tests only");
      return held.cluster;
    },
  };
}

export const CLUSTER_MODE = ["--cluster-enabled", "yes"] as const;

export const urlOf = ({ port }: NodeProcess): string => `redis://127.0.0.1:${port}`;

/** A node that does not lead. */
export async function followerOf(cluster: ProcessCluster): Promise<NodeProcess> {
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader && node.isRunning);
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}
