// Campaigning and voting. Terms have been dealt with before (step.ts); what a leader does comes after (leader.ts).

import { assert } from "../base/assert.ts";
import { holdBack, hurryDue, leaderHeard } from "./failover.ts";
import { hex, MESSAGE_NAME, makeMessage } from "./message.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replicate.ts";
import { isOrdered } from "./transfer.ts";
import type { Entry, Message } from "./types.ts";

/** preVote: only asks. election: raises the term. transfer: the leader ordered it, `stampMs` releases pledges. */
export type CampaignKind = "preVote" | "election" | "transfer";

/** Small pages: the unapplied part of the log can be large, and mostly has no change in it. */
const SCAN_PAGE_BYTES = 1 << 20;

export function tickElection(r: Raft): void {
  r.electionElapsed++;
  if (!r.promotable() || r.pledge.running(r.nowMs)) return;
  if (r.electionElapsed < r.randomizedElectionTicks && !hurryDue(r)) return;
  r.electionElapsed = 0;
  startElection(r);
}

export function startElection(r: Raft): void {
  // A candidate votes for itself, and that vote is pledged away.
  if (r.role !== "leader" && r.pledge.running(r.nowMs)) {
    r.info?.(`${hex(r.id)} cannot campaign at term ${r.term} while its pledge to the leader runs`);
    return;
  }
  hup(r, r.config.preVote ? "preVote" : "election", 0);
}

export function hup(r: Raft, kind: CampaignKind, stampMs: number): void {
  if (r.role === "leader") {
    r.debug?.(`${hex(r.id)} ignoring MsgHup because already leader`);
    return;
  }
  if (!r.promotable()) {
    r.warn?.(`${hex(r.id)} is unpromotable and can not campaign`);
    return;
  }
  if (hasUnappliedConfChange(r)) {
    r.warn?.(
      `${hex(r.id)} cannot campaign at term ${r.term} since there are still pending configuration changes to apply`,
    );
    return;
  }
  r.electionsStarted++;
  r.info?.(`${hex(r.id)} is starting a new election at term ${r.term}`);
  campaign(r, kind, stampMs);
}

/** Committed and not applied: this node would count votes by a configuration that is over. */
function hasUnappliedConfChange(r: Raft): boolean {
  let at = r.log.applied + 1;
  while (at <= r.log.committed) {
    const page: readonly Entry[] | undefined = r.log.slice(at, r.log.committed + 1, SCAN_PAGE_BYTES);
    assert(page !== undefined && page.length > 0, `unapplied entries from ${at} are compacted`);
    for (const entry of page) if (entry.type !== "normal") return true;
    at += page.length;
  }
  return false;
}

function campaign(r: Raft, kind: CampaignKind, stampMs: number): void {
  const asking = kind === "preVote";
  if (asking) r.becomePreCandidate();
  else r.becomeCandidate();
  const type = asking ? "preVote" : "vote";
  // A pre-vote is for the term that would follow; the own term is not raised before it is won.
  const term = asking ? r.term + 1 : r.term;
  const lastIndex = r.log.lastIndex();
  const lastTerm = r.log.lastTerm();
  for (const { id } of r.tracker.voters) {
    if (id === r.id) {
      // The own vote counts when it is stored, like any other.
      r.messagesAfterAppend.push(makeMessage(asking ? "preVoteResponse" : "voteResponse", id, id, term));
      continue;
    }
    r.info?.(
      `${hex(r.id)} [${r.logPosition()}] sent ${MESSAGE_NAME[type]} request to ${hex(id)} at term ${r.term}`,
    );
    const m = makeMessage(type, r.id, id, term);
    m.index = lastIndex;
    m.logTerm = lastTerm;
    m.transfer = kind === "transfer";
    m.stampMs = stampMs;
    r.messages.push(m);
  }
}

/** Answers a request of the own term, or a pre-vote for a later one. */
export function handleVoteRequest(r: Raft, m: Message): void {
  const canVote =
    r.vote === m.from || (r.vote === 0 && r.leader === 0) || (m.type === "preVote" && m.term > r.term);
  const granted =
    canVote && r.log.isUpToDate(m.index, m.logTerm) && !r.pledge.forbids(m, isOrdered(r, m), r.nowMs);
  r.info?.(
    granted
      ? `${hex(r.id)} [${r.logPosition()}, vote: ${hex(r.vote)}] cast ${MESSAGE_NAME[m.type]} for ${hex(m.from)} ` +
          `[logterm: ${m.logTerm}, index: ${m.index}] at term ${r.term}`
      : rejectionText(r, m),
  );
  if (!granted) {
    refuseVote(r, m);
    return;
  }
  // The request's term: for a pre-vote the asker ignores answers of an earlier one.
  r.messagesAfterAppend.push(makeMessage(responseType(m), r.id, m.from, m.term));
  if (m.type !== "vote") return;
  r.electionElapsed = 0;
  r.vote = m.from;
  holdBack(r);
}

export function refuseVote(r: Raft, m: Message): void {
  const answer = makeMessage(responseType(m), r.id, m.from, r.term);
  answer.reject = true;
  r.messagesAfterAppend.push(answer);
}

function responseType(m: Message): "voteResponse" | "preVoteResponse" {
  return m.type === "vote" ? "voteResponse" : "preVoteResponse";
}

export function rejectionText(r: Raft, m: Message): string {
  return (
    `${hex(r.id)} [${r.logPosition()}, vote: ${hex(r.vote)}] rejected ${MESSAGE_NAME[m.type]} from ${hex(m.from)} ` +
    `[logterm: ${m.logTerm}, index: ${m.index}] at term ${r.term}`
  );
}

/** Candidate or pre-candidate: a vote came back. */
export function handleVoteResponse(r: Raft, m: Message): void {
  const name = MESSAGE_NAME[m.type];
  r.info?.(
    `${hex(r.id)} received ${name}${m.reject ? " rejection" : ""} from ${hex(m.from)} at term ${r.term}`,
  );
  r.tracker.recordVote(m.from, !m.reject);
  const voter = r.tracker.get(m.from);
  if (voter !== undefined) voter.heardMs = r.nowMs;
  const { granted, rejected, result } = r.tracker.countVotes();
  r.info?.(`${hex(r.id)} has received ${granted} ${name} votes and ${rejected} vote rejections`);
  if (result === "lost") {
    r.becomeFollower(r.term, 0);
  } else if (result === "won" && r.role === "preCandidate") {
    campaign(r, "election", 0);
  } else if (result === "won") {
    r.becomeLeader();
    leaderHeard(r);
    broadcastAppend(r);
  }
}

/** The leader hands over: campaign at once, without asking first. */
export function handleTimeoutNow(r: Raft, m: Message): void {
  r.info?.(
    `${hex(r.id)} [term ${r.term}] received MsgTimeoutNow from ${hex(m.from)} and starts an election to get leadership.`,
  );
  if (!r.pledge.allowsTransfer(m, r.nowMs)) return;
  hup(r, "transfer", m.stampMs);
}
