// A member's pulse: its event loop is busy, and its process lives, in this term and with this leader (docs/adr/0020).
// A pulse puts off an election or a quorum check, up to a bound. It renews no pledge and no lease, and mends no connection.
import type { Raft } from "./raft.ts";
import { type MemberId, NO_MEMBER } from "./types.ts";

/** `term` and `leader` are what the sender knew after its last turn. */
export function pulseHeard(r: Raft, from: MemberId, term: number, leader: MemberId): void {
  if (term !== r.term || leader === NO_MEMBER || leader !== r.leader) return;
  if (r.role === "leader") {
    const peer = r.tracker.get(from);
    if (peer !== undefined && r.tracker.isVoter(from) && isRecent(r, peer.heardMs)) peer.recentActive = true;
  } else if (r.role === "follower" && from === leader && r.lostLeader !== from) {
    if (!isRecent(r, r.leaderHeardMs)) return;
    r.electionElapsed = 0;
    r.leaderSignMs = r.nowMs;
  }
}

/** The bound: however often the member says that it is busy, it must have said something else not long ago. */
function isRecent(r: Raft, heardMs: number): boolean {
  return r.nowMs - heardMs < (r.config.busyLimitMs ?? 0);
}
