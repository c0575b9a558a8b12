// Handing leadership to a chosen voter: bring it up to date, then tell it to campaign at once.
import { restartLease } from "./lease.ts";
import { hex, makeMessage } from "./message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { sendAppend } from "./replicate.ts";
import { type MemberId, type Message, NO_MEMBER } from "./types.ts";

export function startTransfer(r: Raft, target: MemberId, peer: Progress): void {
  if (peer.isLearner) {
    r.debug?.(`${hex(r.id)} is learner. Ignored transferring leadership`);
    return;
  }
  const previous = r.transferee;
  if (previous === target) {
    r.info?.(
      `${hex(r.id)} [term ${r.term}] transfer leadership to ${hex(target)} is in progress, ` +
        `ignores request to same node ${hex(target)}`,
    );
    return;
  }
  if (previous !== NO_MEMBER) {
    abortTransfer(r);
    r.info?.(`${hex(r.id)} [term ${r.term}] abort previous transferring leadership to ${hex(previous)}`);
  }
  if (target === r.id) {
    r.debug?.(`${hex(r.id)} is already leader. Ignored transferring leadership to self`);
    return;
  }
  r.info?.(`${hex(r.id)} [term ${r.term}] starts to transfer leadership to ${hex(target)}`);
  // From here on the lease is given up, and no message asks for a pledge.
  r.transferee = target;
  // It has one election timeout to succeed.
  r.electionElapsed = 0;
  if (peer.match === r.log.lastIndex()) {
    sendTimeoutNow(r, target);
    r.info?.(
      `${hex(r.id)} sends MsgTimeoutNow to ${hex(target)} immediately as ${hex(target)} already has up-to-date log`,
    );
  } else {
    sendAppend(r, peer);
  }
}

/** A member acknowledged everything there is: if it is the target, it may go ahead. */
export function continueTransfer(r: Raft, peer: Progress): void {
  if (peer.id !== r.transferee || peer.match !== r.log.lastIndex()) return;
  r.info?.(`${hex(r.id)} sent MsgTimeoutNow to ${hex(peer.id)} after received MsgAppResp`);
  sendTimeoutNow(r, peer.id);
}

function sendTimeoutNow(r: Raft, target: MemberId): void {
  const m = makeMessage("timeoutNow", r.id, target, r.term);
  // Pledges for messages sent up to now are released; later ones, after a taken-back transfer, are not.
  m.stampMs = r.nowMs;
  r.messages.push(m);
}

export function abortTransfer(r: Raft): void {
  if (r.transferee === NO_MEMBER) return;
  r.transferee = NO_MEMBER;
  restartLease(r);
}

/**
 * Was this candidate told by the leader to campaign? Then nobody protects that leader. The leader knows whom it has told;
 * the others know at least who may be told. A stranger that says so changes nothing (docs/adr/0024).
 */
export function isOrdered(r: Raft, m: Message): boolean {
  if (!m.transfer) return false;
  return r.role === "leader" ? r.transferee === m.from : r.tracker.isVoter(m.from);
}
