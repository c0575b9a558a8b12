// Does this node still belong to a cluster that can decide anything? Two ways to say no for certain: it has been
// removed, or so many voters are known to have forgotten everything that no majority can exist any more (DESIGN
// section 8). A voter that is merely out of reach may come back and is never counted. Facts in, one text out.

import { MEMBERS_MAX } from "../base/limits.ts";
import { NODE_NAME } from "../config/special-kinds.ts";
import type { ConfState } from "../raft/index.ts";
import type { JoinReply } from "../wire/cluster-messages.ts";
import type { Membership } from "./membership.ts";

/** For how long another survivor's word of a lost majority counts. It is asked again much sooner. */
const TOLD_MS = 1000;

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
  return without(confState, membership, isGone);
}

/** Names of the voters that are not there, if the others are no majority; else none. */
export function unreachable(
  confState: ConfState,
  membership: Membership,
  isThere: (voter: number) => boolean,
): string[] {
  return without(confState, membership, (voter) => !isThere(voter));
}

function without(confState: ConfState, membership: Membership, isGone: (voter: number) => boolean): string[] {
  const names = new Set<string>();
  for (const half of [confState.voters, confState.votersOutgoing]) {
    const gone = half.filter(isGone);
    if (half.length === 0 || half.length - gone.length > half.length / 2) continue;
    for (const voter of gone) names.add(membership.member(voter)?.name ?? "");
  }
  return [...names].sort();
}

/**
 * What a node knows of a lost majority: by itself, or because another survivor says so. A node whose log ends before the last
 * change of the members may see a majority where there is none: its own idea of who votes is out of date.
 */
export class LostMajority {
  #own: readonly string[] = [];
  #told: readonly string[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;

  see(confState: ConfState, membership: Membership, acquaintances: readonly Acquaintance[]): void {
    this.#own = lostMajority(confState, membership, acquaintances);
  }

  /** The voters that have lost their memory; none while there may be a majority. */
  names(nowMs: number): readonly string[] {
    if (this.#own.length > 0) return this.#own;
    return nowMs - this.#toldMs < TOLD_MS ? this.#told : [];
  }

  /** For a voter that asks why there is no leader; undefined when this node has not seen it itself. */
  tell(membership: Membership): JoinReply | undefined {
    if (this.#own.length === 0) return undefined;
    const refused = { accepted: false, text: "", leader: 0, removed: false };
    return { ...refused, table: membership.table(), lost: this.#own };
  }

  /** Another survivor's word counts when it knows of a later change of the members. */
  told({ lost, table }: JoinReply, membership: Membership, nowMs: number): void {
    const { clusterId, index } = membership.table();
    if (table?.clusterId !== clusterId || table.index <= index) return;
    if (lost.length > MEMBERS_MAX || !lost.every((name) => NODE_NAME.test(name))) return;
    this.#told = lost;
    this.#toldMs = nowMs;
  }
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

export const removedReply = (name: string): JoinReply => ({
  accepted: false,
  text: `${name} is not a member any more`,
  leader: 0,
  table: undefined,
  removed: true,
  lost: [],
});

export const notLetIn = (reason: string): string =>
  `CLUSTERDOWN this node was not let into the cluster: ${reason}`;
