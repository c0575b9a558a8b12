// Letting a member that forgot back in (DESIGN section 8). A process that was restarted is a new incarnation that
// knows nothing: it asks to join, the leader adds it as a learner, it gets the state, and one joint change makes it
// a voter and removes the incarnation it replaces. One at a time; nobody has to do anything.
//
//   newcomer ──JoinRequest──> leader: addLearner ──log, snapshot──> caught up: { addVoter new, remove old }

import type { ConfChange, ConfState, RaftCore } from "../raft/index.ts";
import {
  type ClusterMember,
  decodeMember,
  encodeMember,
  type JoinReply,
  type JoinRequest,
} from "../wire/cluster-messages.ts";
import type { Membership } from "./membership.ts";
import type { Log, PeerIdentity } from "./ports.ts";

const NO_BYTES = new Uint8Array(0);
/** A learner this close to the end of the log is as good as caught up: the promotion itself waits for the rest. */
const CAUGHT_UP_ENTRIES = 256;

export class Admission {
  readonly #membership: Membership;
  readonly #log: Log;

  constructor(membership: Membership, log: Log) {
    this.#membership = membership;
    this.#log = log;
  }

  /** The leader's answer to a newcomer at the other end of a link; undefined: not now, it will ask again. */
  request(
    request: JoinRequest,
    remote: PeerIdentity,
    raft: RaftCore,
    isConnected: (incarnation: number) => boolean,
  ): JoinReply | undefined {
    const { node } = request;
    const membership = this.#membership;
    if (raft.role !== "leader" || raft.transferring) return undefined;
    if (node.incarnation !== remote.incarnation || node.name !== remote.name) return undefined;
    const accepted = { accepted: true, text: "", leader: raft.id, table: membership.table() };
    if (membership.member(node.incarnation) !== undefined) return accepted;
    if (!membership.configured.some(({ name }) => name === node.name)) {
      return { ...accepted, accepted: false, text: `${node.name} is not one of the configured members` };
    }
    // A second process under a name whose owner lives is somebody's mistake, not a member that forgot.
    if (this.#olderIncarnations(node).some((old) => old === raft.id || isConnected(old))) {
      return { ...accepted, accepted: false, text: `${node.name} is in the cluster and connected` };
    }
    if (isChanging(raft.confState) || raft.confState.learners.length > 0) return undefined;
    const result = raft.proposeConfChange({
      transition: "auto",
      changes: [{ type: "addLearner", id: node.incarnation }],
      context: encodeMember(node),
    });
    if (!result.ok) return undefined;
    this.#log.info(
      { peer: node.name, incarnation: node.incarnation },
      "a member comes back: added as learner",
    );
    return accepted;
  }

  /** On every replica, when a change of the configuration has been applied. */
  applied(change: ConfChange, confState: ConfState): void {
    if (change.context.length > 0) {
      const member = decodeMember(change.context);
      if (member.ok) this.#membership.add(member.value);
    }
    this.#membership.keepOnly(membersOf(confState));
  }

  /** On the leader, once a tick: learners that have caught up take the place of what they were. */
  promote(raft: RaftCore): void {
    const { confState } = raft;
    if (raft.role !== "leader" || raft.transferring || isChanging(confState)) return;
    for (const id of confState.learners) {
      const progress = raft.progressOf(id);
      const member = this.#membership.member(id);
      if (progress === undefined || member === undefined || progress.state !== "replicate") continue;
      if (!progress.recentActive || progress.match + CAUGHT_UP_ENTRIES < raft.lastIndex) continue;
      const replaced = this.#olderIncarnations(member).filter((old) => confState.voters.includes(old));
      const result = raft.proposeConfChange({
        transition: "auto",
        changes: [
          { type: "addVoter", id },
          ...replaced.map((old): { type: "remove"; id: number } => ({ type: "remove", id: old })),
        ],
        context: NO_BYTES,
      });
      if (result.ok)
        this.#log.info({ peer: member.name, replaced: replaced.length }, "learner becomes a voter");
      return;
    }
  }

  #olderIncarnations(member: ClusterMember): number[] {
    return this.#membership
      .list()
      .filter(({ name, incarnation }) => name === member.name && incarnation !== member.incarnation)
      .map(({ incarnation }) => incarnation);
  }
}

const isChanging = (confState: ConfState): boolean => confState.votersOutgoing.length > 0;

const membersOf = (confState: ConfState): Set<number> =>
  new Set([
    ...confState.voters,
    ...confState.votersOutgoing,
    ...confState.learners,
    ...confState.learnersNext,
  ]);
