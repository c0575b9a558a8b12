// What the leader sends to its members: appends, snapshots, heartbeats. Progress decides when; nothing is received here.
import { assert } from "../base/assert.ts";
import { describeProgress } from "./describe.ts";
import { payloadBytesOf } from "./entry-size.ts";
import { hex, makeMessage, NO_ENTRIES } from "./message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { NO_MEMBER } from "./types.ts";

/** The leader's clock, as a request for pledges; 0 while it wants none, so that a transfer can win its votes. */
function leaseStamp(r: Raft): number {
  return r.config.leaseDurationMs === 0 || r.transferee !== NO_MEMBER ? 0 : r.nowMs;
}

/** Sends an append, even an empty one: to probe, or to tell the commit index. */
export function sendAppend(r: Raft, peer: Progress): void {
  maybeSendAppend(r, peer, true);
}

/** Sends the next entries (or a snapshot in their place) unless the flow is paused. True if something was sent. */
export function maybeSendAppend(r: Raft, peer: Progress, evenIfEmpty: boolean): boolean {
  if (peer.paused) return false;
  const previous = peer.next - 1;
  const previousTerm = r.log.term(previous);
  if (previousTerm < 0) return maybeSendSnapshot(r, peer);

  // With a full window only an empty append goes: if all that filled the window was lost, its answer says so.
  const windowOpen = peer.state !== "replicate" || !peer.inflights.full;
  const entries = windowOpen ? r.log.entries(peer.next, r.config.maxSizePerMessage) : NO_ENTRIES;
  if (entries === undefined) return maybeSendSnapshot(r, peer);
  if (entries.length === 0 && !evenIfEmpty) return false;

  const m = makeMessage("append", r.id, peer.id, r.term);
  m.index = previous;
  m.logTerm = previousTerm;
  m.entries = entries;
  m.commit = r.log.committed;
  m.stampMs = leaseStamp(r);
  r.messages.push(m);
  peer.sentEntries(entries.length, entries.length === 0 ? 0 : payloadBytesOf(entries));
  peer.sentCommit = m.commit;
  return true;
}

function maybeSendSnapshot(r: Raft, peer: Progress): boolean {
  if (!peer.recentActive) {
    r.debug?.(`ignore sending snapshot to ${hex(peer.id)} since it is not recently active`);
    return false;
  }
  const snapshot = r.log.snapshot();
  if (snapshot === undefined) {
    r.debug?.(
      `${hex(r.id)} failed to send snapshot to ${hex(peer.id)} because snapshot is temporarily unavailable`,
    );
    return false;
  }
  assert(snapshot.index > 0, "a snapshot that is sent covers at least one entry");
  r.debug?.(
    `${hex(r.id)} [firstindex: ${r.log.firstIndex()}, commit: ${r.log.committed}] sent snapshot` +
      `[index: ${snapshot.index}, term: ${snapshot.term}] to ${hex(peer.id)} [${describeProgress(peer.view())}]`,
  );
  peer.becomeSnapshot(snapshot.index);
  r.debug?.(
    `${hex(r.id)} paused sending replication messages to ${hex(peer.id)} [${describeProgress(peer.view())}]`,
  );
  const m = makeMessage("snapshot", r.id, peer.id, r.term);
  m.snapshot = snapshot;
  m.stampMs = leaseStamp(r);
  r.messages.push(m);
  return true;
}

/** Everybody gets an append, empty or not; with batchAppends, when the next Ready is taken. */
export function broadcastAppend(r: Raft): void {
  if (r.config.batchAppends) {
    r.appendsDue = true;
    return;
  }
  for (const peer of r.tracker.peers) if (peer.id !== r.id) sendAppend(r, peer);
}

/** As many entries as the window takes. */
export function sendEntries(r: Raft, peer: Progress): void {
  if (r.config.batchAppends) {
    r.appendsDue = true;
    return;
  }
  while (maybeSendAppend(r, peer, false)) {
    // each round sends one message; the window or the log ends
  }
}

/**
 * batchAppends: one round for everything that happened since the last Ready. A new commit index travels with the next
 * entries; only where none follow within a tick does it get an append of its own, which would cost as many messages
 * as the entry itself.
 */
export function flushAppends(r: Raft): void {
  const tellCommit = r.commitDue;
  r.appendsDue = false;
  r.commitDue = false;
  if (r.role !== "leader") return;
  const last = r.log.lastIndex();
  for (const peer of r.tracker.peers) {
    if (peer.id === r.id) continue;
    if (peer.next > last) {
      if (tellCommit && peer.canRaiseCommit(r.log.committed)) sendAppend(r, peer);
      continue;
    }
    while (peer.next <= last && maybeSendAppend(r, peer, false)) {
      if (peer.state !== "replicate") break;
    }
  }
}

/** One round: proof of life, the commit index as far as each member can follow, and the reads to confirm. */
export function broadcastHeartbeat(r: Raft): void {
  if (r.strict && !r.tracker.isVoter(r.id)) return;
  const position = r.reads.position();
  for (const peer of r.tracker.peers) {
    if (peer.id === r.id) continue;
    const m = makeMessage("heartbeat", r.id, peer.id, r.term);
    // Not beyond what it is known to have: its log behind that may still be another leader's.
    m.commit = Math.min(peer.match, r.log.committed);
    m.readPosition = position;
    m.stampMs = leaseStamp(r);
    r.messages.push(m);
    peer.sentCommit = m.commit;
  }
}
