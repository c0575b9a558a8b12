// What the leader does with its members' answers: raise match and commit, repair, confirm reads, extend the lease.
import { describeProgress } from "./describe.ts";
import { noteEcho } from "./lease.ts";
import { hex } from "./message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { noteReadAcknowledged, releasePostponedReads } from "./reads.ts";
import { broadcastAppend, broadcastHeartbeat, sendAppend, sendEntries } from "./replicate.ts";
import { abortTransfer, continueTransfer, startTransfer } from "./transfer.ts";
import { type MemberId, type Message, NO_MEMBER } from "./types.ts";

export function tickLeader(r: Raft): void {
  r.heartbeatElapsed++;
  r.electionElapsed++;
  if (r.electionElapsed >= r.electionTicks) {
    r.electionElapsed = 0;
    if (r.config.checkQuorum) checkQuorum(r);
    if (r.role === "leader") abortTransfer(r);
  }
  if (r.role === "leader") checkDeliveries(r);
  if (r.role !== "leader") return;
  tickSnapshots(r);
  if (r.config.batchAppends) noteCommitDue(r);
  if (r.heartbeatElapsed >= r.heartbeatTicks) beat(r);
}

/** Heartbeats to everybody, and the next ones an interval later. */
export function beat(r: Raft): void {
  r.heartbeatElapsed = 0;
  broadcastHeartbeat(r);
}

function noteCommitDue(r: Raft): void {
  for (const peer of r.tracker.peers) {
    if (peer.id === r.id || !peer.canRaiseCommit(r.log.committed)) continue;
    r.commitDue = true;
    r.appendsDue = true;
  }
}

function checkQuorum(r: Raft): void {
  if (!r.tracker.quorumActive()) {
    r.warn?.(`${hex(r.id)} stepped down to follower since quorum is not active`);
    r.becomeFollower(r.term, NO_MEMBER);
  }
  for (const peer of r.tracker.peers) if (peer.id !== r.id) peer.recentActive = false;
}

/**
 * Members that answer heartbeats, and to whom nothing gets through that is to be agreed on: somebody else may have better
 * connections. Counted from the oldest entry that is not committed.
 */
function checkDeliveries(r: Raft): void {
  const last = r.log.lastIndex();
  for (const peer of r.tracker.peers) peer.tick(last);
  const ticksMax = r.config.stallTicks ?? 0;
  const oldest = r.log.committed + 1;
  if (ticksMax === 0 || oldest > last) return;
  if (r.tracker.quorum((peer) => peer.id === r.id || peer.gains(oldest, ticksMax))) return;
  r.warn?.(`${hex(r.id)} stepped down to follower since no quorum takes what is to be agreed on`);
  r.becomeFollower(r.term, NO_MEMBER);
  // Its log is the longest: without a head start for the others it would win again, and no more would get through.
  r.electionElapsed = -2 * r.electionTicks;
}

/** A snapshot that nobody reports on would keep its member silent for ever. */
function tickSnapshots(r: Raft): void {
  const ticksMax = r.config.snapshotTimeoutTicks ?? 0;
  if (ticksMax === 0) return;
  for (const peer of r.tracker.peers) {
    if (peer.state !== "snapshot") continue;
    peer.snapshotTicks++;
    if (peer.snapshotTicks >= ticksMax) snapshotReported(r, peer, false);
  }
}

/** A message to the leader that only makes sense from a member. */
export function handleMemberMessage(r: Raft, m: Message): void {
  const peer = memberOf(r, m.from);
  if (peer === undefined) return;
  peer.heardMs = r.nowMs;
  if (m.type === "appendResponse") {
    peer.recentActive = true;
    if (m.term === r.term) noteEcho(r, peer, m.stampMs);
    if (m.reject) handleReject(r, peer, m);
    else handleAccept(r, peer, m.index);
  } else if (m.type === "heartbeatResponse") {
    if (m.term === r.term) noteEcho(r, peer, m.stampMs);
    handleHeartbeatResponse(r, peer, m);
  } else if (m.type === "transferLeader") {
    startTransfer(r, m.from, peer);
  }
}

export function memberOf(r: Raft, id: MemberId): Progress | undefined {
  const peer = r.tracker.get(id);
  if (peer === undefined) r.debug?.(`${hex(r.id)} no progress available for ${hex(id)}`);
  return peer;
}

function handleReject(r: Raft, peer: Progress, m: Message): void {
  r.debug?.(
    `${hex(r.id)} received MsgAppResp(rejected, hint: (index ${m.rejectHint}, term ${m.logTerm})) ` +
      `from ${hex(m.from)} for index ${m.index}`,
  );
  // A late answer to the probe that showed that a snapshot is needed.
  if (r.strict && peer.state === "snapshot") return;
  // Where the own term is above the hint's, the logs cannot match: skip those entries at once.
  const hint = m.logTerm > 0 ? r.log.findConflictByTerm(m.rejectHint, m.logTerm) : m.rejectHint;
  if (!peer.retreat(m.index, hint)) return;
  r.debug?.(`${hex(r.id)} decreased progress of ${hex(m.from)} to [${describeProgress(peer.view())}]`);
  if (peer.state === "replicate") peer.becomeProbe();
  sendAppend(r, peer);
}

function handleAccept(r: Raft, peer: Progress, index: number): void {
  const news = peer.acknowledge(index);
  // An answer that brings nothing new still ends probing: the logs meet where they were thought to.
  if (!news && !(peer.match === index && peer.state === "probe")) return;
  peer.acknowledgedSinceHeartbeat = true;
  if (peer.state === "probe") {
    peer.becomeReplicate();
  } else if (peer.state === "replicate") {
    peer.inflights.freeUpTo(index);
  } else if (peer.match + 1 >= r.log.firstIndex()) {
    // However it got there: from here on the log is enough.
    r.debug?.(
      `${hex(r.id)} recovered from needing snapshot, resumed sending replication messages to ${hex(peer.id)} ` +
        `[${describeProgress(peer.view())}]`,
    );
    peer.becomeProbe();
    peer.becomeReplicate();
  }

  const own = peer.id === r.id;
  if (r.log.maybeCommit(r.tracker.committedIndex(), r.term)) {
    // Before the appends, which already speak for the new commit index.
    releasePostponedReads(r);
    broadcastAppend(r);
  } else if (!own && peer.canRaiseCommit(r.log.committed)) {
    if (!r.config.batchAppends) sendAppend(r, peer);
  }
  if (own) return;
  sendEntries(r, peer);
  continueTransfer(r, peer);
}

function handleHeartbeatResponse(r: Raft, peer: Progress, m: Message): void {
  peer.recentActive = true;
  peer.heartbeatAnswered(r.electionTicks);
  // With acknowledgements coming in, the flow takes care of itself.
  const flowing = r.config.batchAppends && peer.state === "replicate" && peer.acknowledgedSinceHeartbeat;
  peer.acknowledgedSinceHeartbeat = false;
  if (flowing) {
    if (peer.next <= r.log.lastIndex()) r.appendsDue = true;
  } else if (peer.match < r.log.lastIndex() || peer.state === "probe") {
    // Perhaps empty: it may be that everything in the window was lost.
    sendAppend(r, peer);
  }
  noteReadAcknowledged(r, peer, m.readPosition);
}

/** The fate of a snapshot, as the node that streamed it knows it. */
export function snapshotReported(r: Raft, peer: Progress, ok: boolean): void {
  if (peer.state !== "snapshot") return;
  // Nothing may count from a snapshot that never arrived.
  if (!ok) peer.pendingSnapshot = 0;
  peer.becomeProbe();
  r.debug?.(
    `${hex(r.id)} snapshot ${ok ? "succeeded" : "failed"}, resumed sending replication messages to ${hex(peer.id)} ` +
      `[${describeProgress(peer.view())}]`,
  );
  // Its own answer, or the next heartbeat's, says when to go on.
  peer.flowPaused = true;
}

/** The transport could not deliver to this member. */
export function memberUnreachable(r: Raft, peer: Progress): void {
  if (peer.state === "replicate") peer.becomeProbe();
  r.debug?.(
    `${hex(r.id)} failed to send message to ${hex(peer.id)} because it is unreachable [${describeProgress(peer.view())}]`,
  );
}
