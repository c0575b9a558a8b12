// How long no client was served: the longest time between two commands that were carried out, of all clients together; and
// the longest of those that fell into each kind of fault, or right behind it.

export class Availability {
  longestMs = 0;
  readonly longestMsOf = new Map<string, number>();
  readonly #active: string[] = [];
  /** Since the last success. */
  readonly #ended = new Set<string>();
  #lastMs = 0;

  start(): void {
    this.#lastMs = performance.now();
    this.#ended.clear();
  }

  began(kind: string): void {
    this.#active.push(kind);
  }

  over(kind: string): void {
    this.#active.splice(this.#active.indexOf(kind), 1);
    this.#ended.add(kind);
  }

  /** A command was carried out, or the counting ends. */
  succeeded(): void {
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
}
