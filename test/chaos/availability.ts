// How long no client was served: the longest time between two commands that were carried out, of all clients together; and
// the longest of those that fell into each kind of fault, or right behind it.

/** Later than this, a timer of ours was not late by chance: this process itself was stopped, and could not see anybody served. */
const OWN_STALL_MS = 1000;

export class Availability {
  longestMs = 0;
  /** Time for which this process itself did not run; not counted. */
  ownStallMs = 0;
  readonly longestMsOf = new Map<string, number>();
  readonly #active: string[] = [];
  /** Since the last success. */
  readonly #ended = new Set<string>();
  #lastMs = 0;
  #aliveMs = 0;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#lastMs = performance.now();
    this.#aliveMs = this.#lastMs;
    this.#timer = setInterval(() => this.#isAlive(), 50);
  }

  /** The counting ends. */
  stop(): void {
    this.succeeded();
    clearInterval(this.#timer);
  }

  began(kind: string): void {
    this.#active.push(kind);
  }

  over(kind: string): void {
    this.#active.splice(this.#active.indexOf(kind), 1);
    this.#ended.add(kind);
  }

  /** A command was carried out. */
  succeeded(): void {
    this.#isAlive();
    const nowMs = performance.now();
    const gapMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (gapMs > this.longestMs) this.longestMs = gapMs;
    if (gapMs > 5) {
      for (const kind of [...this.#active, ...this.#ended])
        this.longestMsOf.set(kind, Math.max(gapMs, this.longestMsOf.get(kind) ?? 0));
    }
    if (this.#ended.size > 0) this.#ended.clear();
  }

  #isAlive(): void {
    const nowMs = performance.now();
    const stallMs = nowMs - this.#aliveMs;
    this.#aliveMs = nowMs;
    if (stallMs < OWN_STALL_MS) return;
    this.ownStallMs += stallMs;
    this.#lastMs = nowMs;
  }
}
