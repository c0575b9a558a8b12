// Leadership given to a chosen voter: whom, and whether that is under way. Raft does the transfer (raft/transfer.ts);
// from its beginning to its end this node serves nobody as leader.

import type { RaftCore } from "../raft/index.ts";

export class Handover {
  /** Begun, and not known to be over. */
  isUnderWay = false;
  #successor = 0;

  /** Whom leadership is to be given to at the next turn. */
  plan(successor: number): void {
    this.#successor = successor;
  }

  get isPlanned(): boolean {
    return this.#successor !== 0;
  }

  begin(raft: RaftCore): void {
    const successor = this.#successor;
    this.#successor = 0;
    if (raft.role !== "leader") return;
    this.isUnderWay = true;
    raft.transferLeader(successor);
  }
}

/** A leader's choice: the most advanced voter that can be reached; 0 = none. */
export function bestSuccessor(raft: RaftCore, reaches: (member: number) => boolean): number {
  let best = 0;
  let bestMatch = -1;
  for (const peer of raft.progress()) {
    if (peer.id === raft.id || peer.isLearner || !peer.recentActive) continue;
    if (!reaches(peer.id) || peer.match <= bestMatch) continue;
    best = peer.id;
    bestMatch = peer.match;
  }
  return best;
}
