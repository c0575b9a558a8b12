// Leaving: leadership is handed over first, then what is under way is answered, then the node is gone.

import type { SeshatNode } from "./node.ts";

export class Shutdown {
  readonly #node: SeshatNode;
  #deadlineMs = 0;
  #done = false;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  get underWay(): boolean {
    return this.#deadlineMs !== 0;
  }

  begin(): void {
    if (this.underWay) return;
    const { replica, settings, ports } = this.#node;
    this.#deadlineMs = replica.monotonicMs + 1000 * settings.shutdownTimeoutSeconds;
    const handed = replica.transferAway();
    ports.log.info({ handed }, "shutting down");
    this.#node.requestTurn();
  }

  abort(): boolean {
    if (!this.underWay || this.#done) return false;
    this.#deadlineMs = 0;
    return true;
  }

  tick(nowMs: number): void {
    if (!this.underWay || this.#done) return;
    const { replica, server, ports } = this.#node;
    const handingOver = replica.raft?.transferring === true;
    let unanswered = 0;
    for (const session of server.clients.values()) unanswered += session.outstanding;
    if ((handingOver || unanswered > 0) && nowMs < this.#deadlineMs) return;
    this.#done = true;
    ports.lifecycle.stopped();
  }
}
