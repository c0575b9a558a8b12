// Who may try to shake hands on the peer port: so many at once, and so many a second from one address. Members succeed, and
// pay nothing; whoever fails again and again is not even greeted. Addresses and time in, yes or no out.

/** Connections that have not shaken hands yet; one more ends the oldest of them. */
export const STRANGERS_MAX = 64;
/** Failures from one address: so many at once, then so many a second. */
const FAILURES_MAX = 64;
const FAILURES_PER_SECOND = 16;
/** Addresses that are remembered. */
const ADDRESSES_MAX = 1024;

interface Failures {
  count: number;
  atMs: number;
}

export class Strangers {
  readonly #failures = new Map<string, Failures>();

  /** May somebody from there try? */
  isWelcome(address: string, nowMs: number): boolean {
    const failures = this.#failures.get(address);
    return failures === undefined || this.#left(failures, nowMs) < FAILURES_MAX;
  }

  failed(address: string, nowMs: number): void {
    const before = this.#failures.get(address);
    const count = before === undefined ? 1 : this.#left(before, nowMs) + 1;
    if (before === undefined && this.#failures.size >= ADDRESSES_MAX) this.#failures.clear();
    this.#failures.set(address, { count, atMs: nowMs });
  }

  #left({ count, atMs }: Failures, nowMs: number): number {
    return Math.max(0, count - ((nowMs - atMs) / 1000) * FAILURES_PER_SECOND);
  }
}
