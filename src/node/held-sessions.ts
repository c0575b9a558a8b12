// Sessions that cannot go on with their next command; each is asked again at the end of every turn.

import type { Session } from "./session.ts";

export class HeldSessions {
  #held: Session[] = [];
  readonly #members = new Set<Session>();

  get count(): number {
    return this.#held.length;
  }

  add(session: Session): void {
    if (this.#members.has(session)) return;
    this.#members.add(session);
    this.#held.push(session);
  }

  /** In the order in which they were held; a session may hold again at once. */
  retry(nowMs: number): void {
    if (this.#held.length === 0) return;
    const asking = this.#held;
    this.#held = [];
    this.#members.clear();
    for (const session of asking) if (!session.retry(nowMs)) this.add(session);
  }
}
