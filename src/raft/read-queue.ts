// Reads that wait for a round of heartbeats. Positions count up, so an old acknowledgement cannot confirm a later
// read, even one with the same context.
import type { MemberId } from "./types.ts";

export interface ReadRequest {
  /** Who asked; 0 or the own id: this node. */
  readonly from: MemberId;
  readonly context: Uint8Array;
}

export interface QueuedRead extends ReadRequest {
  /** The commit index when the read was queued. */
  readonly index: number;
}

export class ReadQueue {
  #waiting: QueuedRead[] = [];
  #confirmed = 0;

  add(request: ReadRequest, index: number): void {
    this.#waiting.push({ from: request.from, context: request.context, index });
  }

  /** What a heartbeat sent now will confirm: the position of the youngest waiting read; 0 if there is none. */
  position(): number {
    const waiting = this.#waiting.length;
    return waiting === 0 ? 0 : this.#confirmed + waiting;
  }

  /** The highest that was ever sent since counting began. */
  get lastPosition(): number {
    return this.#confirmed + this.#waiting.length;
  }

  /** Takes out the reads up to `position`, oldest first. */
  confirm(position: number): readonly QueuedRead[] {
    const count = Math.min(position - this.#confirmed, this.#waiting.length);
    if (count <= 0) return [];
    this.#confirmed += count;
    return this.#waiting.splice(0, count);
  }

  /** Forgets everything and starts counting again; the reads that were waiting come back. */
  clear(): readonly QueuedRead[] {
    const lost = this.#waiting;
    if (lost.length > 0) this.#waiting = [];
    this.#confirmed = 0;
    return lost;
  }
}
