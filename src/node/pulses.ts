// Signs of life while event loops are busy (docs/adr/0020): what others' threads say goes to the core, and what ours may
// say is left with the outside world after each turn. Decides nothing: what a pulse is worth is the core's to say.

import type { PeerLinks } from "./peer-links.ts";
import type { LinkDown, PeerIdentity, Ports, Pulse } from "./ports.ts";
import type { Replica } from "./replica.ts";

export class Pulses {
  readonly #ports: Ports;
  readonly #replica: Replica;
  readonly #links: PeerLinks;
  readonly #heartbeatMs: number;
  /** So long the event loop may go without a turn, beyond a tick, since the last turn that had ticks. */
  restMs = 0;
  #turnMs = Number.POSITIVE_INFINITY;
  /** Since the start, for INFO. */
  receivedCount = 0;

  constructor(ports: Ports, replica: Replica, links: PeerLinks, heartbeatMs: number) {
    this.#ports = ports;
    this.#replica = replica;
    this.#links = links;
    this.#heartbeatMs = heartbeatMs;
  }

  heard({ incarnation }: PeerIdentity, { term, leader }: Pulse): void {
    const { raft } = this.#replica;
    this.receivedCount++;
    // Raft's messages come on the link that the member dialled. Without it, a pulse says that half of the member is lost.
    if (raft === undefined || this.#links.linkFrom(incarnation) === undefined) return;
    raft.setNow(this.#ports.clock.monotonicMs());
    raft.pulse(incarnation, term, leader);
  }

  /** Losing one of a member's two connections is losing both. */
  lost({ incarnation, name }: PeerIdentity, how: LinkDown): void {
    this.#ports.log.debug({ peer: name, how }, "the connection for a peer's pulses is gone");
    if (how === "reset" || how === "closed") this.#replica.raft?.reportConnectionLost(incarnation);
  }

  /** Before the turn's ticks. After a stall the others wait for a sign of life, and the ticks of the stall never come. */
  turnBegins(nowMs: number): void {
    const { raft } = this.#replica;
    const isLate = nowMs - this.#turnMs > this.#heartbeatMs + this.restMs;
    this.#turnMs = nowMs;
    if (!isLate || raft === undefined) return;
    raft.setNow(nowMs);
    raft.catchUp();
  }

  turnEnded(): void {
    const { raft } = this.#replica;
    this.#ports.pulse.alive(raft?.term ?? 0, raft?.leader ?? 0);
  }
}
