// What a peer that follows the protocol cannot have sent, whatever the network did and however late it comes. A message
// and this member's state in, the reason or nothing out; it changes nothing. What is let through here meets no
// assertion further in (docs/adr/0024).

import { INDEX_MAX, TERM_JUMP_MAX, TERM_MAX } from "../base/limits.ts";
import { isFromLeader, wellFormed } from "./message.ts";
import type { Raft } from "./raft.ts";
import { type ConfState, type Message, NO_MEMBER, type SnapshotMeta } from "./types.ts";

export function implausible(r: Raft, m: Message): string | undefined {
  if (!wellFormed(m)) return "a number is out of range, or the entries do not follow each other";
  return termProblem(r, m) ?? leaderProblem(r, m) ?? contentProblem(r, m);
}

/**
 * Raft cannot disprove a term. But one that is adopted cannot be taken back either, and when no higher one is left there
 * are no elections any more. So a term may only be so far above the own one, except for who knows nothing yet.
 */
function termProblem(r: Raft, m: Message): string | undefined {
  if (m.term > TERM_MAX) return `term ${m.term} leaves too few behind it`;
  const isNew = r.term === 0 && r.log.lastIndex() === 0;
  if (m.term - r.term > TERM_JUMP_MAX && !isNew) {
    return `term ${m.term} is too far above term ${r.term} to have come about by elections`;
  }
  return undefined;
}

function leaderProblem(r: Raft, m: Message): string | undefined {
  if (m.term !== r.term || r.leader === NO_MEMBER || r.leader === m.from) return undefined;
  return isFromLeader(m) ? `term ${m.term} has another leader` : undefined;
}

function contentProblem(r: Raft, m: Message): string | undefined {
  if (m.index + m.entries.length > INDEX_MAX) return `index ${m.index} leaves too few behind it`;
  switch (m.type) {
    case "heartbeat":
      // The leader names what this member has acknowledged to it.
      return m.term >= r.term && m.commit > r.log.lastIndex()
        ? `commit ${m.commit} is behind the end of this log, ${r.log.lastIndex()}`
        : undefined;
    case "appendResponse":
    case "heartbeatResponse":
      return m.term === r.term && r.role === "leader" ? answerProblem(r, m) : undefined;
    case "snapshot":
      return m.snapshot === undefined ? "a snapshot without one" : snapshotProblem(m.snapshot, m.term);
    default:
      return undefined;
  }
}

function answerProblem(r: Raft, m: Message): string | undefined {
  const last = r.log.lastIndex();
  if (m.index > last) return `it acknowledges entry ${m.index} of ${last}`;
  const asked = r.reads.lastPosition;
  if (m.readPosition > asked) return `it confirms read ${m.readPosition} of ${asked}`;
  return undefined;
}

function snapshotProblem({ index, term, confState }: SnapshotMeta, messageTerm: number): string | undefined {
  if (index > INDEX_MAX) return `index ${index} leaves too few behind it`;
  if (term > messageTerm) return `a snapshot of term ${term} cannot be sent in term ${messageTerm}`;
  return confStateProblem(confState);
}

/** Every member once in each half, somebody to vote, and nobody who learns while it votes. */
export function confStateProblem(confState: ConfState): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext } = confState;
  const lists = [voters, votersOutgoing, learners, learnersNext];
  if (lists.some((ids) => new Set(ids).size !== ids.length || ids.some((id) => !(id > 0)))) {
    return "a member is in a list twice, or has no number";
  }
  if (voters.length === 0) return "nobody may vote";
  if (learners.some((id) => voters.includes(id) || votersOutgoing.includes(id))) return "a learner votes";
  if (learnersNext.some((id) => !votersOutgoing.includes(id))) return "a later learner does not vote yet";
  return undefined;
}
