// One message in: terms first, then to whom it concerns. Whether the sender may send it was checked before (core.ts).

import { describeRole } from "./describe.ts";
import {
  handleTimeoutNow,
  handleVoteRequest,
  handleVoteResponse,
  refuseVote,
  rejectionText,
} from "./election.ts";
import { entryBytesOf, payloadBytesOf } from "./entry-size.ts";
import { isLeaderAlive } from "./failover.ts";
import { handleLeaderMessage } from "./follower.ts";
import { handleMemberMessage } from "./leader.ts";
import { appliedTo } from "./membership.ts";
import { type Draft, hex, isFromLeader, lastOf, MESSAGE_NAME, makeMessage, namesLeader } from "./message.ts";
import { proposeForwarded } from "./proposals.ts";
import type { Raft } from "./raft.ts";
import { handleReadResponse, requestRead } from "./reads.ts";
import { isOrdered } from "./transfer.ts";
import { type Entry, type Message, NO_MEMBER, type SnapshotMeta } from "./types.ts";

/** False if the message was a proposal and was dropped. */
export function stepMessage(r: Raft, m: Message): boolean {
  if (m.type === "storageAppendResponse") {
    storageAppended(r, m.term, m.logTerm, m.index, m.snapshot);
    return true;
  }
  if (m.type === "storageApplyResponse") {
    if (m.entries.length > 0) storageApplied(r, m.entries);
    return true;
  }
  // Term 0: local input, also when it was forwarded.
  if (m.term > r.term) {
    if (!acceptHigherTerm(r, m)) return true;
  } else if (m.term < r.term && m.term !== 0) {
    refuseLowerTerm(r, m);
    return true;
  }
  if (m.type === "vote" || m.type === "preVote") {
    handleVoteRequest(r, m);
    return true;
  }
  if (m.type === "propose") {
    if (proposeForwarded(r, m.from, m.entries)) return true;
    for (const entry of m.entries) r.droppedProposals.push(entry);
    return false;
  }
  if (m.type === "readIndex") requestRead(r, m.from, m.context);
  else if (r.role === "leader") handleMemberMessage(r, m);
  else if (r.role === "follower") stepFollower(r, m);
  else stepCandidate(r, m);
  return true;
}

/** False if the message must leave no trace: somebody wants to take the place of a leader that lives, or is pledged to. */
function acceptHigherTerm(r: Raft, m: Message): boolean {
  if (m.type === "vote" || m.type === "preVote") {
    const isTold = isOrdered(r, m);
    if (isLeaderAlive(r) && !isTold) {
      const ticks = r.electionTicks - r.electionElapsed;
      r.info?.(`${ignoredVoteText(r, m)}: lease is not expired (remaining ticks: ${ticks})`);
      return false;
    }
    if (r.pledge.forbids(m, isTold, r.nowMs)) {
      r.info?.(`${ignoredVoteText(r, m)}: it is pledged to the leader`);
      return false;
    }
  }
  // A member that lags may not know who has joined and was elected since. That election ends the earlier leader's time, so
  // the earlier leader falls silent, and then the stranger is believed (docs/adr/0024).
  if (isFromLeader(m) && r.tracker.get(m.from) === undefined && isLeaderAlive(r)) {
    r.info?.(
      `${hex(r.id)} ignored ${MESSAGE_NAME[m.type]} of term ${m.term} from ${hex(m.from)}, which is no member: its leader lives`,
    );
    return false;
  }
  // Asking for a pre-vote changes nobody's term, and a granted one carries the term that was asked for.
  if (m.type === "preVote" || (m.type === "preVoteResponse" && !m.reject)) return true;
  r.info?.(
    `${hex(r.id)} [term: ${r.term}] received a ${MESSAGE_NAME[m.type]} message with higher term ` +
      `from ${hex(m.from)} [term: ${m.term}]`,
  );
  r.becomeFollower(m.term, namesLeader(m) ? m.from : NO_MEMBER);
  return true;
}

function ignoredVoteText(r: Raft, m: Message): string {
  return (
    `${hex(r.id)} [${r.logPosition()}, vote: ${hex(r.vote)}] ignored ${MESSAGE_NAME[m.type]} from ${hex(m.from)} ` +
    `[logterm: ${m.logTerm}, index: ${m.index}] at term ${r.term}`
  );
}

function refuseLowerTerm(r: Raft, m: Message): void {
  const { checkQuorum, preVote } = r.config;
  if ((checkQuorum || preVote) && (m.type === "heartbeat" || m.type === "append")) {
    // With these two, requests for votes may not reach a stuck leader; this answer tells it the term.
    r.messagesAfterAppend.push(makeMessage("appendResponse", r.id, m.from, r.term));
  } else if (m.type === "preVote") {
    // Dropping it could leave a member with a higher term and one with a better log waiting for each other.
    r.info?.(rejectionText(r, m));
    refuseVote(r, m);
  } else {
    r.info?.(
      `${hex(r.id)} [term: ${r.term}] ignored a ${MESSAGE_NAME[m.type]} message with lower term ` +
        `from ${hex(m.from)} [term: ${m.term}]`,
    );
  }
}

function stepCandidate(r: Raft, m: Message): void {
  if (namesLeader(m)) {
    // Somebody else won this term.
    r.becomeFollower(m.term, m.from);
    handleLeaderMessage(r, m);
  } else if (m.type === (r.role === "preCandidate" ? "preVoteResponse" : "voteResponse")) {
    handleVoteResponse(r, m);
  } else if (m.type === "timeoutNow") {
    r.debug?.(
      `${hex(r.id)} [term ${r.term} state ${describeRole(r.role)}] ignored MsgTimeoutNow from ${hex(m.from)}`,
    );
  }
}

function stepFollower(r: Raft, m: Message): void {
  if (namesLeader(m)) handleLeaderMessage(r, m);
  else if (m.type === "readIndexResponse") handleReadResponse(r, m);
  else if (m.type === "timeoutNow") handleTimeoutNow(r, m);
  else if (m.type === "transferLeader") forwardTransfer(r, m);
}

export function forwardTransfer(r: Raft, m: Message): void {
  if (r.leader === NO_MEMBER) {
    r.info?.(`${hex(r.id)} no leader at term ${r.term}; dropping leader transfer msg`);
    return;
  }
  // `from` stays: it names the target.
  const forwarded: Draft = makeMessage("transferLeader", m.from, r.leader, r.term);
  r.messages.push(forwarded);
}

/**
 * Everything handed out up to some Ready of `term` is stored; (index, logTerm) was the end of the log then, or 0.
 * If the term has changed, a later write may be replacing those entries at this moment: not to be trusted.
 */
export function storageAppended(
  r: Raft,
  term: number,
  logTerm: number,
  index: number,
  snapshot: SnapshotMeta | undefined,
): void {
  if (index !== 0) {
    if (term === r.term) r.log.unstable.stableTo(index, logTerm);
    else {
      r.info?.(
        `${hex(r.id)} [term: ${r.term}] ignored entry appends from a MsgStorageAppendResp message ` +
          `with lower term [term: ${term}]`,
      );
    }
  }
  if (snapshot === undefined) return;
  // A snapshot is committed state: valid in every term.
  r.log.unstable.stableSnapshotTo(snapshot.index);
  appliedTo(r, snapshot.index, 0);
}

export function storageApplied(r: Raft, entries: readonly Entry[]): void {
  appliedTo(r, lastOf(entries).index, entryBytesOf(entries));
  r.uncommittedBytes = Math.max(0, r.uncommittedBytes - payloadBytesOf(entries));
}
