// A committed change of members takes effect here, when it is applied; and the automatic way out of a joint one.
import { changeConfig, leavesJoint } from "./config-change.ts";
import { describeConfig } from "./describe.ts";
import { hex, NO_BYTES } from "./message.ts";
import { proposeEntry } from "./proposals.ts";
import type { Raft } from "./raft.ts";
import { releasePostponedReads } from "./reads.ts";
import { broadcastAppend, maybeSendAppend, sendEntries } from "./replicate.ts";
import { abortTransfer } from "./transfer.ts";
import { type ConfChange, type ConfState, type MemberId, NO_MEMBER } from "./types.ts";

const LEAVE_JOINT: ConfChange = Object.freeze({ transition: "auto", changes: [], context: NO_BYTES });

export function applyConfChange(r: Raft, change: ConfChange, index: number): ConfState {
  if (index <= r.restoredIndex) return r.tracker.config;
  const result = changeConfig(r.tracker.config, leavesJoint(change) ? LEAVE_JOINT : change);
  if (!result.ok) {
    // No leader proposes such a change. If it is in the log all the same, every member leaves it out alike.
    r.error?.(`${result.error}: change left out at config ${describeConfig(r.tracker.config)}`);
    return r.tracker.config;
  }
  adoptConfig(r, result.config, result.fresh);
  return r.tracker.config;
}

/** The configuration is the given one from here on. */
export function adoptConfig(r: Raft, config: ConfState, fresh: ReadonlySet<MemberId>): void {
  r.tracker.adopt(config, r.log.lastIndex(), fresh);
  r.leaseStale = true;
  r.info?.(`${hex(r.id)} switched to configuration ${describeConfig(config)}`);
  if (r.role !== "leader") return;
  const own = r.tracker.get(r.id);
  if (own === undefined || own.isLearner) {
    if (r.config.stepDownOnRemoval) r.becomeFollower(r.term, NO_MEMBER);
    return;
  }
  if (config.voters.length === 0) return;
  if (r.log.maybeCommit(r.tracker.committedIndex(), r.term)) {
    // Fewer acknowledgements suffice now.
    if (r.strict) releasePostponedReads(r);
    broadcastAppend(r);
  } else {
    // New members need not wait for the next heartbeat or proposal.
    for (const peer of r.tracker.peers) {
      if (peer.id === r.id) continue;
      if (r.config.batchAppends) sendEntries(r, peer);
      else maybeSendAppend(r, peer, false);
    }
  }
  if (r.transferee !== NO_MEMBER && !r.tracker.isVoter(r.transferee)) abortTransfer(r);
}

/** Storage has applied up to `index`. */
export function appliedTo(r: Raft, index: number, bytes: number): void {
  r.log.appliedTo(Math.max(index, r.log.applied), bytes);
  if (!r.tracker.config.autoLeave || r.role !== "leader" || r.log.applied < r.pendingConfIndex) return;
  // Refused while a transfer is under way; then the next applied entry tries again, here or at the new leader.
  const config = r.tracker.config;
  const result = proposeEntry(r, "confChangeV2", NO_BYTES, LEAVE_JOINT);
  if (result.ok)
    r.info?.(`initiating automatic transition out of joint configuration ${describeConfig(config)}`);
  else {
    r.debug?.(
      `not initiating automatic transition out of joint configuration ${describeConfig(config)}: raft proposal dropped`,
    );
  }
}
