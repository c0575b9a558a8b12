// What the thread does: it keeps a connection to each peer that the event loop names, and speaks on all of them when the
// loop is late for its turn. Runs in the thread; knows nothing of Raft.

import { encodePulse } from "../wire/pulse.ts";
import { connectionBackoffMs } from "./backoff.ts";
import { DiallerHandshake, type PeerTerms } from "./peer-handshake.ts";
import { PeerSocket, type PeerSocketOwner } from "./peer-socket.ts";
import type { PulseMemory } from "./pulse-memory.ts";

/** A peer to which the event loop has a link. */
export interface PulseTarget {
  readonly host: string;
  readonly port: number;
  readonly incarnation: number;
}

export class PulseSender {
  readonly #memory: PulseMemory;
  readonly #intervalMs: number;
  readonly #silentBeatsMax: number;
  readonly #connections = new Map<number, PulseOut>();

  /**
   * @param intervalMs between two pulses, and the lateness that counts as one
   * @param silentBeatsMax beats for which a peer may be silent: it may be busy, and says nothing here then
   */
  constructor(memory: PulseMemory, intervalMs: number, silentBeatsMax: number) {
    this.#memory = memory;
    this.#intervalMs = intervalMs;
    this.#silentBeatsMax = silentBeatsMax;
  }

  /** @param id the link's */
  open(id: number, target: PulseTarget, terms: PeerTerms): void {
    this.close(id);
    this.#connections.set(id, new PulseOut(target, terms));
  }

  close(id: number): void {
    this.#connections.get(id)?.close();
    this.#connections.delete(id);
  }

  /** To be called again and again: is the event loop late? Returns in how many milliseconds to look again. */
  look(): number {
    const { lateMs, term, leader } = this.#memory;
    if (lateMs < this.#intervalMs) return Math.max(this.#intervalMs, this.#intervalMs - lateMs);
    if (leader !== 0 && this.#connections.size > 0) {
      const frame = encodePulse({ term, leader });
      for (const connection of this.#connections.values()) connection.send(frame);
    }
    return this.#intervalMs;
  }

  beat(): void {
    for (const connection of this.#connections.values()) connection.beat(this.#silentBeatsMax);
  }
}

/** One connection, dialled again and again until it is closed. */
class PulseOut implements PeerSocketOwner {
  readonly #target: PulseTarget;
  readonly #terms: PeerTerms;
  #socket: PeerSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(target: PulseTarget, terms: PeerTerms) {
    this.#target = target;
    this.#terms = terms;
    this.#dial();
  }

  send(frame: Buffer): void {
    this.#socket?.send(frame);
  }

  beat(silentBeatsMax: number): void {
    this.#socket?.beat(silentBeatsMax);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy("local", "the link is gone");
  }

  up(): void {
    this.#attempts = 0;
  }

  /** Nothing is said on it in this direction. */
  frame(): void {}

  drained(): void {}

  /** Why is the link's to say: it is dialled with the same handshake. */
  down(): void {
    this.#socket = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#dial(), connectionBackoffMs(this.#attempts++, Math.random()));
  }

  #dial(): void {
    const { host, port, incarnation } = this.#target;
    const handshake = new DiallerHandshake(this.#terms, "pulse", incarnation);
    this.#socket = PeerSocket.dial(this, handshake, host, port);
  }
}
