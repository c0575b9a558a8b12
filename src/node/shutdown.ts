// Leaving: leadership is handed over first, then what is under way is answered, then the node is gone.

import type { SeshatNode } from "./node.ts";
import { MODE_FORWARD, MODE_NONE } from "./replica.ts";

/** In cluster mode, how long a node that has handed over still tells clients where to go: those that ask learn it here. */
const SENDING_AWAY_MS = 100;

export class Shutdown {
  readonly #node: SeshatNode;
  #deadlineMs = 0;
  #handed = false;
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
    this.#handed = replica.transferAway();
    ports.log.info({ handed: this.#handed }, "shutting down");
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
    if ((handingOver || unanswered > 0 || this.#isSendingAway(nowMs)) && nowMs < this.#deadlineMs) return;
    this.#done = true;
    ports.lifecycle.stopped();
  }

  /** Commands that wait for the next leader go to it, or in cluster mode their clients do, before this node is gone. */
  #isSendingAway(nowMs: number): boolean {
    const { replica, settings, isLeaderless } = this.#node;
    if (!this.#handed) return false;
    if (replica.mode === MODE_NONE) return !isLeaderless;
    return (
      settings.clusterEnabled &&
      replica.mode === MODE_FORWARD &&
      nowMs - replica.modeSinceMs < SENDING_AWAY_MS
    );
  }
}
