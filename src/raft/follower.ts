// What a follower does with the leader's messages: take entries, raise the commit index, restore a snapshot.
// Candidates come here too, after they have become followers of the sender.
import { assert } from "../base/assert.ts";
import { normalizeConfig } from "./config-change.ts";
import { leaderHeard } from "./failover.ts";
import { adoptConfig } from "./membership.ts";
import { type Draft, hex, makeMessage } from "./message.ts";
import type { Raft } from "./raft.ts";
import type { Message, SnapshotMeta } from "./types.ts";

/** append, heartbeat or snapshot of the current term. */
export function handleLeaderMessage(r: Raft, m: Message): void {
  r.electionElapsed = 0;
  r.leaderHeardMs = r.nowMs;
  r.leaderSignMs = r.nowMs;
  if (r.leader !== m.from) {
    r.dropForwardedReads();
    r.leader = m.from;
  }
  leaderHeard(r);
  if (m.type === "append") handleAppend(r, m);
  else if (m.type === "heartbeat") handleHeartbeat(r, m);
  else handleSnapshot(r, m);
}

/** An answer of the current term renews the pledge that goes with it. */
function answer(r: Raft, type: "appendResponse" | "heartbeatResponse", m: Message): Draft {
  const response = makeMessage(type, r.id, m.from, r.term);
  if (m.stampMs > 0 && r.pledge.give(r.nowMs, m.from, m.term, m.stampMs)) response.stampMs = m.stampMs;
  return response;
}

function handleAppend(r: Raft, m: Message): void {
  const response = answer(r, "appendResponse", m);
  if (m.index < r.log.committed) {
    // An old message; what is committed matches the leader anyway.
    response.index = r.log.committed;
  } else if (r.log.maybeAppend(m.index, m.logTerm, m.entries, m.commit)) {
    response.index = m.index + m.entries.length;
  } else {
    r.debug?.(
      `${hex(r.id)} [logterm: ${r.log.termOrZero(m.index)}, index: ${m.index}] rejected MsgApp ` +
        `[logterm: ${m.logTerm}, index: ${m.index}] from ${hex(m.from)}`,
    );
    response.index = m.index;
    response.reject = true;
    // Entries of later terms than the leader's cannot match: the hint skips them all.
    response.rejectHint = r.log.findConflictByTerm(Math.min(m.index, r.log.lastIndex()), m.logTerm);
    response.logTerm = r.log.termOrZero(response.rejectHint);
  }
  r.messagesAfterAppend.push(response);
}

function handleHeartbeat(r: Raft, m: Message): void {
  const response = answer(r, "heartbeatResponse", m);
  r.log.commitTo(m.commit);
  response.readPosition = m.readPosition;
  r.messages.push(response);
}

function handleSnapshot(r: Raft, m: Message): void {
  const snapshot = m.snapshot;
  assert(snapshot !== undefined, "a snapshot message carries one");
  const response = answer(r, "appendResponse", m);
  const restored = restore(r, snapshot);
  r.info?.(
    `${hex(r.id)} [commit: ${r.log.committed}] ${restored ? "restored" : "ignored"} snapshot ` +
      `[index: ${snapshot.index}, term: ${snapshot.term}]`,
  );
  response.index = restored ? r.log.lastIndex() : r.log.committed;
  r.messagesAfterAppend.push(response);
}

/** Replaces the log by the snapshot. False if it is of no use here. */
function restore(r: Raft, snapshot: SnapshotMeta): boolean {
  if (snapshot.index <= r.log.committed) return false;
  const { confState } = snapshot;
  // learnersNext are voters of the outgoing half, so these three lists name everybody.
  const named = [confState.voters, confState.learners, confState.votersOutgoing].some((ids) =>
    ids.includes(r.id),
  );
  if (!named) {
    r.warn?.(
      `${hex(r.id)} attempted to restore snapshot but it is not in the ConfState; should never happen`,
    );
    return false;
  }
  if (r.log.matches(snapshot.index, snapshot.term)) {
    r.info?.(
      `${hex(r.id)} [commit: ${r.log.committed}, lastindex: ${r.log.lastIndex()}, lastterm: ${r.log.lastTerm()}] ` +
        `fast-forwarded commit to snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
    );
    r.log.commitTo(snapshot.index);
    return false;
  }
  r.log.restore(snapshot);
  r.restoredIndex = snapshot.index;
  const everybody = new Set(r.tracker.peers.map((peer) => peer.id));
  adoptConfig(r, normalizeConfig(confState), everybody);
  r.info?.(
    `${hex(r.id)} [commit: ${r.log.committed}, lastindex: ${r.log.lastIndex()}, lastterm: ${r.log.lastTerm()}] ` +
      `restored snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
  );
  return true;
}
