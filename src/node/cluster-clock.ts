// Cluster time (DESIGN section 5): what the leader stamps into entries. It goes on from the last applied
// entry's stamp with this node's monotonic clock and leans towards wall time by at most a twentieth, so a node
// whose wall clock is far off neither kills keys early nor keeps them alive when it becomes leader.

/**
 * Wall clocks come in whole ms, rounded down. With this added, cluster time is never behind the clock of the leader's
 * machine: a client that sets a deadline 10,000 ms from its own now never sees more than these left.
 */
const WALL_STEP_MS = 1;
/** DESIGN's most is a tenth; but at 0.9 of its speed a deadline comes 11 % late, and 10 % is promised. */
const SLEW_MAX = 0.05;
/** An entry's stamp is rounded down, and has been on its way: a new leader makes up for so much at once. */
const ENTRY_LATE_MS_MAX = 5;

export class ClusterClock {
  #timeMs = 0;
  #seenMonotonicMs = 0;
  /** Taken over from an entry, and not read since. */
  #isTakenOver = false;

  /** Takes over the stamp of an entry that another leader made; it counts from now. */
  follow(timeMs: number, monotonicMs: number): void {
    this.#timeMs = timeMs;
    this.#seenMonotonicMs = monotonicMs;
    this.#isTakenOver = true;
  }

  /** Cluster time now, ms since the epoch, whole. The very first reading is wall time, rounded up. */
  running(monotonicMs: number, wallMs: number): number {
    if (this.#timeMs === 0) {
      this.#timeMs = wallMs + WALL_STEP_MS;
      this.#seenMonotonicMs = monotonicMs;
    }
    const elapsed = monotonicMs - this.#seenMonotonicMs;
    if (elapsed > 0) {
      const behind = wallMs + WALL_STEP_MS - (this.#timeMs + elapsed);
      const most = elapsed * SLEW_MAX;
      const catchUp = this.#isTakenOver ? ENTRY_LATE_MS_MAX : 0;
      this.#isTakenOver = false;
      this.#timeMs += elapsed + Math.max(-most, Math.min(most + catchUp, behind));
      this.#seenMonotonicMs = monotonicMs;
    }
    return Math.floor(this.#timeMs);
  }
}
