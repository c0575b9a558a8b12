// Linearizable reads: the leader proves that it still leads (a round of heartbeats, or the lease) and answers with
// its commit index; followers ask the leader. The read itself happens outside, once that index is applied.
import { leaseValid } from "./lease.ts";
import { hex, makeMessage } from "./message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import type { ReadRequest } from "./read-queue.ts";
import { broadcastHeartbeat } from "./replicate.ts";
import { type MemberId, type Message, NO_MEMBER } from "./types.ts";

/** Beyond this the oldest forwarded read counts as lost: its answer, or the question, did not arrive. */
const FORWARDED_READS_MAX = 4096;

/** A read of this node (`from` 0) or one that a member forwarded. */
export function requestRead(r: Raft, from: MemberId, context: Uint8Array): void {
  if (r.role === "leader") leaderRead(r, { from, context });
  else if (r.role === "follower") followerRead(r, from, context);
  else dropRead(r, from, context);
}

function dropRead(r: Raft, from: MemberId, context: Uint8Array): void {
  if (from === NO_MEMBER || from === r.id) r.droppedReads.push(context);
}

function followerRead(r: Raft, from: MemberId, context: Uint8Array): void {
  if (r.leader === NO_MEMBER) {
    r.info?.(`${hex(r.id)} no leader at term ${r.term}; dropping index reading msg`);
    dropRead(r, from, context);
    return;
  }
  const own = from === NO_MEMBER || from === r.id;
  const m = makeMessage("readIndex", own ? r.id : from, r.leader, 0);
  m.context = context;
  r.messages.push(m);
  if (!own) return;
  r.forwardedReads.push(context);
  if (r.forwardedReads.length <= FORWARDED_READS_MAX) return;
  const oldest = r.forwardedReads.shift();
  if (oldest !== undefined) r.droppedReads.push(oldest);
}

function leaderRead(r: Raft, request: ReadRequest): void {
  if (r.strict && !r.tracker.isVoter(r.id)) {
    // Removed: the members left may have elected somebody else, without a word to this node.
    dropRead(r, request.from, request.context);
  } else if (!r.strict && r.tracker.isSingleton()) {
    answerRead(r, request, r.log.committed);
  } else if (!r.hasCommittedInTerm()) {
    // The commit index of the leader before may be higher than what this one knows.
    r.postponedReads.push(request);
  } else {
    startRead(r, request);
  }
}

function startRead(r: Raft, request: ReadRequest): void {
  const alone = r.tracker.isSingleton();
  if (alone || (r.config.readOnly === "leaseBased" && (r.config.leaseDurationMs === 0 || leaseValid(r)))) {
    answerRead(r, request, r.log.committed);
    return;
  }
  r.reads.add(request, r.log.committed);
  const own = r.tracker.get(r.id);
  if (own !== undefined) own.readPosition = r.reads.position();
  broadcastHeartbeat(r);
}

/** The commit index advanced in this term: what waited for the first time can go on. */
export function releasePostponedReads(r: Raft): void {
  if (r.postponedReads.length === 0 || !r.hasCommittedInTerm()) return;
  const released = r.postponedReads;
  r.postponedReads = [];
  for (const request of released) startRead(r, request);
}

/** A member has answered a heartbeat that carried `position`. */
export function noteReadAcknowledged(r: Raft, peer: Progress, position: number): void {
  if (position === 0) return;
  if (position > peer.readPosition) peer.readPosition = position;
  for (const read of r.reads.confirm(r.tracker.confirmedReadPosition())) answerRead(r, read, read.index);
}

function answerRead(r: Raft, request: ReadRequest, index: number): void {
  if (request.from === NO_MEMBER || request.from === r.id) {
    r.readStates.push({ index, context: request.context });
    return;
  }
  const m = makeMessage("readIndexResponse", r.id, request.from, r.term);
  m.index = index;
  m.context = request.context;
  r.messages.push(m);
}

/** Follower: the leader answered. */
export function handleReadResponse(r: Raft, m: Message): void {
  const at = r.forwardedReads.findIndex((context) => sameBytes(context, m.context));
  if (at >= 0) r.forwardedReads.splice(at, 1);
  r.readStates.push({ index: m.index, context: m.context });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
