// Faster than the election timeout: when the connection to the leader breaks, its process is probably gone. The
// follower campaigns as soon as its pledge has run out, and as a voter it no longer protects that leader.
// A broken connection proves nothing (a middlebox can forge one), so the pledge is always waited for.
import type { Raft } from "./raft.ts";
import { type MemberId, NO_MEMBER } from "./types.ts";

/** After these the election timeout is left to decide: a majority is probably gone. */
const HURRY_ATTEMPTS_MAX = 5;

export function connectionLost(r: Raft, id: MemberId): void {
  if (id === NO_MEMBER || r.role !== "follower" || r.leader !== id) return;
  r.lostLeader = id;
  r.hurryAttempts = HURRY_ATTEMPTS_MAX;
  r.hurryTicks = 1 + spread(r);
}

/** A message of the current leader: it lives. */
export function leaderHeard(r: Raft): void {
  r.lostLeader = NO_MEMBER;
  r.hurryAttempts = 0;
}

/** Somebody else got this node's vote: give it time to win. */
export function holdBack(r: Raft): void {
  if (r.hurryAttempts > 0) r.hurryTicks = retryTicks(r);
}

/** One tick; true if it is time to campaign. Not called while the pledge runs. */
export function hurryDue(r: Raft): boolean {
  if (r.hurryAttempts === 0) return false;
  r.hurryTicks--;
  if (r.hurryTicks > 0) return false;
  r.hurryAttempts--;
  r.hurryTicks = retryTicks(r);
  return true;
}

/** Random, so that two followers that lose the same leader at once seldom split the vote. */
function spread(r: Raft): number {
  return r.prng.below(1 + Math.ceil(r.electionTicks / 8));
}

function retryTicks(r: Raft): number {
  return 1 + Math.ceil(r.electionTicks / 4) + spread(r);
}

/** Has this node heard its leader, or as the leader a quorum, within an election timeout, and lost no connection to it? */
export function isLeaderAlive(r: Raft): boolean {
  return (
    r.config.checkQuorum &&
    r.leader !== NO_MEMBER &&
    r.leader !== r.lostLeader &&
    r.electionElapsed < r.electionTicks
  );
}
