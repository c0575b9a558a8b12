// The leader's half of the lease: how long a majority has pledged to elect nobody else.
//
//   leader     send, stamp s ................ echo received ........ s + duration - margin: lease ends
//   follower            received at p >= s: pledge .................................. p + duration: may vote
//
// Counted from when the acknowledged message was *sent*: that is before the pledge began, whatever the network did.
// Both clocks only need to run at nearly the same speed.
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { NO_MEMBER } from "./types.ts";

/** A member echoed a stamp in an answer of the current term; 0 = none. */
export function noteEcho(r: Raft, peer: Progress, stampMs: number): void {
  if (stampMs <= peer.stampMs || stampMs <= r.leaseFloorMs) return;
  if (stampMs > r.nowMs) return; // never sent
  peer.stampMs = stampMs;
  r.leaseStale = true;
}

/** An ordered transfer was taken back. Pledges made before are void: the order may still be on its way. */
export function restartLease(r: Raft): void {
  r.leaseFloorMs = r.nowMs;
  r.leaseStale = true;
  for (const peer of r.tracker.peers) if (peer.id !== r.id) peer.stampMs = 0;
}

export function leaseValid(r: Raft): boolean {
  const { leaseDurationMs, leaseDriftMarginMs } = r.config;
  if (leaseDurationMs === 0 || r.role !== "leader" || r.transferee !== NO_MEMBER) return false;
  if (!r.hasCommittedInTerm()) return false;
  if (r.leaseStale) {
    const stampMs = r.tracker.quorumStampMs();
    const pledged = stampMs > 0 && r.tracker.isVoter(r.id);
    r.leaseEndMs = pledged ? stampMs + leaseDurationMs - leaseDriftMarginMs : 0;
    r.leaseStale = false;
  }
  return r.nowMs < r.leaseEndMs;
}
