// A leader that says it does not lead, or not yet, or is handing over. It is asked again after a tick: at once would be
// asking for ever, as fast as the network is. Facts of one refusal in, "not now" out.

export class RefusedLeader {
  #member = 0;
  #term = 0;
  #untilMs = 0;

  note(member: number, term: number, untilMs: number): void {
    this.#member = member;
    this.#term = term;
    this.#untilMs = untilMs;
  }

  /** Is this the leader that refused, and not long ago? */
  isStill(member: number, term: number, nowMs: number): boolean {
    return member === this.#member && term === this.#term && nowMs < this.#untilMs;
  }
}
