// Letting a member that forgot back in (DESIGN section 8), and new ones whose name an operator has added. A process
// that was started is a new incarnation that knows nothing: it asks to join, the leader adds it as a learner, it gets
// the state, and one joint change makes it a voter and removes the incarnation it replaces. One at a time; nobody has
// to do anything.
//
//   newcomer ──JoinRequest──> leader: addLearner ──agreed──> JoinReply, snapshot, log
//                                                              ├──caught up──> { addVoter new, remove old }
//                                                              └──not for too long──> { remove new }

import {
  type ConfChange,
  type ConfChangeStep,
  type ConfState,
  membersOf,
  type RaftCore,
} from "../raft/index.ts";
import {
  type ClusterMember,
  decodeTableChange,
  encodeTableChange,
  type JoinReply,
  type JoinRequest,
  type TableChange,
} from "../wire/cluster-messages.ts";
import { isCaughtUp } from "./catch-up.ts";
import type { Membership } from "./membership.ts";
import type { Log, PeerIdentity } from "./ports.ts";

const NO_CHANGE: TableChange = {};
/**
 * How long a learner may show no progress, and how long it may take in all: while there is one, nobody else gets in.
 * A machine that is restarted is back within the first, as a newcomer that waits for this one to be given up; the
 * second is for one that is fed more than it can take.
 */
const LEARNER_STALLED_MS = 30_000;
const LEARNER_TOTAL_MS = 10 * 60_000;

/** The learner that is looked after. */
interface Patience {
  readonly learner: number;
  readonly sinceMs: number;
  match: number;
  progressMs: number;
}

export class Admission {
  readonly #membership: Membership;
  readonly #log: Log;
  #patience: Patience | undefined;

  constructor(membership: Membership, log: Log) {
    this.#membership = membership;
    this.#log = log;
  }

  /** The answer to a newcomer at the other end of a link; undefined: not now, or not by this node. */
  request(
    request: JoinRequest,
    remote: PeerIdentity,
    raft: RaftCore,
    isConnected: (incarnation: number) => boolean,
  ): JoinReply | undefined {
    const { node, voter } = request;
    const membership = this.#membership;
    if (node.incarnation !== remote.incarnation || node.name !== remote.name) return undefined;
    const table = membership.table();
    const accepted = { accepted: true, text: "", leader: raft.leader, table, removed: false, lost: [] };
    const refused = (text: string): JoinReply => ({ ...accepted, accepted: false, text });
    if (raft.role !== "leader") {
      // Of a name that was not added the leader may never hear. Of another it may not know where it is now: told who
      // there is, it dials the leader itself.
      if (voter) return undefined;
      return refused(membership.addressOf(node.name) === undefined ? notAMember(node) : "");
    }
    if (raft.transferring) return undefined;
    if (membership.member(node.incarnation) !== undefined) return voter ? undefined : accepted;
    if (voter) return { ...refused(`${node.name} is not a member any more`), removed: true };
    if (membership.addressOf(node.name) === undefined) return refused(notAMember(node));
    // A second process under a name whose owner lives is somebody's mistake, not a member that forgot.
    if (this.#olderIncarnations(node).some((old) => old === raft.id || isConnected(old))) {
      return refused(`${node.name} is in the cluster and connected`);
    }
    // One at a time; but a learner whose process is gone will not catch up any more.
    const { learners } = raft.confState;
    const gone = this.#olderIncarnations(node).filter((old) => learners.includes(old));
    if (raft.changeUnderWay || learners.length > gone.length) return undefined;
    const steps: ConfChangeStep[] = [
      { type: "addLearner", id: node.incarnation },
      ...gone.map((old): ConfChangeStep => ({ type: "remove", id: old })),
    ];
    // Answered when that is agreed on: before, there may be no majority for it, and never be one.
    this.propose(raft, steps, { joined: node });
    return undefined;
  }

  /** The answer to a newcomer that has become a learner, on the leader. */
  accepted(raft: RaftCore, member: ClusterMember): JoinReply {
    this.#log.info(
      { peer: member.name, incarnation: member.incarnation },
      "a process joins: added as learner",
    );
    const table = this.#membership.table();
    return { accepted: true, text: "", leader: raft.id, table, removed: false, lost: [] };
  }

  /** Proposes a change of the members. False: not now. */
  propose(raft: RaftCore, changes: readonly ConfChangeStep[], table: TableChange): boolean {
    if (raft.changeUnderWay || raft.transferring) return false;
    // A change needs a step; this one concerns nobody.
    const steps: readonly ConfChangeStep[] = changes.length > 0 ? changes : [{ type: "update", id: 0 }];
    return raft.proposeConfChange({ transition: "auto", changes: steps, context: encodeTableChange(table) })
      .ok;
  }

  /** On every replica, when a change of the configuration has been applied. */
  applied(change: ConfChange, confState: ConfState, index: number): void {
    const table = decodeTableChange(change.context);
    this.#membership.apply(table.ok ? table.value : NO_CHANGE, new Set(membersOf(confState)), index);
  }

  /** On the leader, once a tick: learners that have caught up become voters, one that never does goes. */
  tick(raft: RaftCore, nowMs: number, sendingTo: number): void {
    const learner = raft.confState.learners[0];
    if (!raft.hasCommittedInTerm || learner === undefined) {
      this.#patience = undefined;
      return;
    }
    if (raft.transferring || raft.changeUnderWay) return;
    for (const id of raft.confState.learners)
      if (this.lag(raft, id) === 0) return void this.promote(raft, id);
    this.#giveUp(raft, learner, nowMs, sendingTo);
  }

  /** Entries that a learner has to catch up with before it may vote; 0 when it may, undefined when it is not heard. */
  lag(raft: RaftCore, id: number): number | undefined {
    const progress = raft.progressOf(id);
    if (progress === undefined || !progress.recentActive) return undefined;
    const behind = raft.lastIndex - progress.match;
    return isCaughtUp(progress, raft.lastIndex) ? 0 : Math.max(1, behind);
  }

  /** Makes a learner a voter, in place of older incarnations of its name. False: not now. */
  promote(raft: RaftCore, id: number): boolean {
    const member = this.#membership.member(id);
    if (member === undefined) return false;
    const replaced = this.#olderIncarnations(member).filter((old) => raft.confState.voters.includes(old));
    const steps: ConfChangeStep[] = [
      { type: "addVoter", id },
      ...replaced.map((old): ConfChangeStep => ({ type: "remove", id: old })),
    ];
    if (!this.propose(raft, steps, NO_CHANGE)) return false;
    this.#log.info({ peer: member.name, replaced: replaced.length }, "learner becomes a voter");
    return true;
  }

  #giveUp(raft: RaftCore, learner: number, nowMs: number, sendingTo: number): void {
    const match = raft.progressOf(learner)?.match ?? 0;
    let patience = this.#patience;
    if (patience?.learner !== learner) {
      patience = { learner, sinceMs: nowMs, match, progressMs: nowMs };
      this.#patience = patience;
    }
    if (match > patience.match || sendingTo === learner) {
      patience.match = match;
      patience.progressMs = nowMs;
    }
    const isStalled = nowMs - patience.progressMs > LEARNER_STALLED_MS;
    if (!isStalled && nowMs - patience.sinceMs <= LEARNER_TOTAL_MS) return;
    if (!this.propose(raft, [{ type: "remove", id: learner }], NO_CHANGE)) return;
    this.#log.warn(
      {
        peer: this.#membership.member(learner)?.name,
        incarnation: learner,
        match,
        lastIndex: raft.lastIndex,
      },
      isStalled
        ? "a learner made no progress for too long: given up, so that others can join"
        : "a learner did not catch up in all that time: given up, so that others can join",
    );
  }

  #olderIncarnations(member: ClusterMember): number[] {
    return this.#membership
      .named(member.name)
      .map(({ incarnation }) => incarnation)
      .filter((incarnation) => incarnation !== member.incarnation);
  }
}

const notAMember = ({ name, address }: ClusterMember): string =>
  `${name} is not a member of this cluster: add it on one of its nodes with RAFT.MEMBER ADD ${name} ${address}`;
