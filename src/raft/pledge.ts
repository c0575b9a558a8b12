// The follower's half of the lease: with each acknowledgement it pledges to vote for nobody else for a while.
// The pledge belongs to the node, not to its role or term: nothing but time ends it.
import type { MemberId, Message } from "./types.ts";

export class VotePledge {
  readonly #durationMs: number;
  #untilMs = 0;
  #leader: MemberId = 0;
  /** Of the leader that holds the pledge, and its clock in the last message that was acknowledged. */
  #term = 0;
  #stampMs = 0;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** A restarted node does not know what it has pledged: it waits out one full duration, for everybody. */
  giveBlindly(nowMs: number): void {
    this.#untilMs = nowMs + this.#durationMs;
    this.#leader = 0;
    this.#term = Number.MAX_SAFE_INTEGER;
  }

  /** False if no lease is configured here: then nothing may be echoed. */
  give(nowMs: number, leader: MemberId, term: number, stampMs: number): boolean {
    if (this.#durationMs === 0) return false;
    const untilMs = nowMs + this.#durationMs;
    if (untilMs > this.#untilMs) this.#untilMs = untilMs;
    // A message that was overtaken by a later one must not make the pledge look older than it is.
    if (leader === this.#leader && term === this.#term && stampMs < this.#stampMs) return true;
    this.#leader = leader;
    this.#term = term;
    this.#stampMs = stampMs;
    return true;
  }

  running(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  /**
   * Whether granting this vote or pre-vote would break the pledge.
   * @param isOrdered the leader has told the candidate to campaign (transfer.ts)
   */
  forbids(request: Message, isOrdered: boolean, nowMs: number): boolean {
    if (!this.running(nowMs) || request.from === this.#leader) return false;
    return !(isOrdered && this.#releasedBy(request.term - 1, request.stampMs));
  }

  /** Whether this node may campaign when its leader says so ("timeoutNow"). */
  allowsTransfer(order: Message, nowMs: number): boolean {
    return !this.running(nowMs) || this.#releasedBy(order.term, order.stampMs);
  }

  /**
   * The leader of `term` gave up its lease at `stampMs` on its clock. That releases pledges given to it up to then,
   * and those to leaders before it: being elected, it outlived their leases. Not a pledge for a later stamp: that
   * leader has taken its transfer back, and this order comes late.
   */
  #releasedBy(term: number, stampMs: number): boolean {
    return this.#term < term || (this.#term === term && this.#stampMs <= stampMs);
  }
}
