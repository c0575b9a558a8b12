// Cluster time (DESIGN section 5): what the leader stamps into entries. It goes on from the last applied
// entry's stamp with this node's monotonic clock and leans towards wall time by at most a twentieth, so a node
// whose wall clock is far off neither kills keys early nor keeps them alive when it becomes leader.

/** DESIGN's most is a tenth; but at 0.9 of its speed a deadline comes 11 % late, and 10 % is promised. */
const SLEW_MAX = 0.05;

export class ClusterClock {
  #timeMs = 0;
  #seenMonotonicMs = 0;

  /** Takes over the stamp of an entry that another leader made; it counts from now. */
  follow(timeMs: number, monotonicMs: number): void {
    this.#timeMs = timeMs;
    this.#seenMonotonicMs = monotonicMs;
  }

  /** Cluster time now, ms since the epoch, whole. The very first reading is wall time. */
  running(monotonicMs: number, wallMs: number): number {
    if (this.#timeMs === 0) {
      this.#timeMs = wallMs;
      this.#seenMonotonicMs = monotonicMs;
    }
    const elapsed = monotonicMs - this.#seenMonotonicMs;
    if (elapsed > 0) {
      const behind = wallMs - (this.#timeMs + elapsed);
      const most = elapsed * SLEW_MAX;
      this.#timeMs += elapsed + Math.max(-most, Math.min(most, behind));
      this.#seenMonotonicMs = monotonicMs;
    }
    return Math.floor(this.#timeMs);
  }
}
