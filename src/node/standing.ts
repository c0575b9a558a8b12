// Does this node still belong to a cluster that can decide anything? Two ways to say no for certain: it has been
// removed, or so many voters are known to have forgotten everything that no majority can exist any more (DESIGN
// section 8). A voter that is merely out of reach may come back and is never counted. Facts in, one text out.

import type { ConfState } from "../raft/index.ts";
import type { Membership } from "./membership.ts";

/** Somebody at the other end of a connection, and the cluster it was in when it last said so. */
export interface Acquaintance {
  readonly name: string;
  readonly incarnation: number;
  readonly clusterId: string;
}

/**
 * Names of the voters that have lost their memory, if without them there can be no majority; else none. They have when
 * their name answers as another process, and they themselves do not.
 */
export function lostMajority(
  confState: ConfState,
  membership: Membership,
  acquaintances: readonly Acquaintance[],
): string[] {
  const strangers = acquaintances.filter(({ incarnation }) => membership.member(incarnation) === undefined);
  // It was let in, and we have not heard of that yet: the cluster lives, and will tell us.
  if (strangers.some(({ clusterId }) => clusterId === membership.clusterId)) return [];
  const isGone = (voter: number): boolean => {
    const name = membership.member(voter)?.name;
    return (
      voter !== membership.self.incarnation &&
      !acquaintances.some(({ incarnation }) => incarnation === voter) &&
      acquaintances.some((other) => other.name === name)
    );
  };
  const lost = new Set<string>();
  for (const half of [confState.voters, confState.votersOutgoing]) {
    const gone = half.filter(isGone);
    if (half.length === 0 || half.length - gone.length > half.length / 2) continue;
    for (const voter of gone) lost.add(membership.member(voter)?.name ?? "");
  }
  return [...lost].sort();
}

/** The same, when they belong to another cluster by now: it was started over from somebody else. */
export function lostProblem(
  names: readonly string[],
  membership: Membership,
  acquaintances: readonly Acquaintance[],
): string {
  const left = acquaintances.some(
    ({ name, clusterId }) => names.includes(name) && clusterId !== "" && clusterId !== membership.clusterId,
  );
  return left
    ? `CLUSTERDOWN this node's cluster is gone: ${names.join(", ")} came back empty and belong to another one, ` +
        "which was recovered from another node: start this node anew to join it"
    : `CLUSTERDOWN a majority of the members has lost its memory (${names.join(", ")} came back empty), so nothing ` +
        "can be agreed on any more: run 'seshat recover --force' on one node that still has the data, see " +
        "docs/OPERATIONS.md";
}

export const removedText =
  "CLUSTERDOWN this node was removed from its cluster and serves nobody any more: stop it, or add its name again " +
  "(seshat member add) and start it anew";

export const notLetIn = (reason: string): string =>
  `CLUSTERDOWN this node was not let into the cluster: ${reason}`;
