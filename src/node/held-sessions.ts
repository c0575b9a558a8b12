// Sessions that cannot go on with their next command; each is asked again at the end of every turn.

import type { Session } from "./session.ts";

type Held = Pick<Session, "retry">;

export class HeldSessions {
  #held: Held[] = [];
  readonly #members = new Set<Held>();

  get count(): number {
    return this.#held.length;
  }

  add(session: Held): void {
    if (this.#members.has(session)) return;
    this.#members.add(session);
    this.#held.push(session);
  }

  /**
   * In the order in which they were held; a session may hold again at once, and is then asked after those that could not go on:
   * what a turn has room for goes round.
   */
  retry(nowMs: number): void {
    if (this.#held.length === 0) return;
    const asking = this.#held;
    this.#held = [];
    this.#members.clear();
    const refused: Held[] = [];
    for (const session of asking) {
      if (session.retry(nowMs) || this.#members.has(session)) continue;
      this.#members.add(session);
      refused.push(session);
    }
    if (refused.length > 0) this.#held = this.#held.length > 0 ? refused.concat(this.#held) : refused;
  }
}
