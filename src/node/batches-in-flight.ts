// The batches of this leader that are in the log and not yet applied, oldest first, and what they hold together. A queue
// of bookkeeping: it decides nothing.

import { fail } from "../base/assert.ts";
import { ENTRY_OVERHEAD_BYTES } from "./node-storage.ts";
import type { TurnBatch } from "./turn-batch.ts";

/** So many taken places at the front are let go of together; an empty queue keeps no more. */
const TAKEN_PLACES_MAX = 1024;

export class BatchesInFlight {
  /** Payload bytes of all of them. */
  payloadBytes = 0;
  /** Payload bytes of all that ever were in flight, with what an entry costs beside them. */
  writtenBytes = 0;
  /** What all of them can add at most, in logical bytes. */
  growthBytes = 0;
  /** Places [first, end) are taken. They are used again: an array that is emptied and filled again grows anew each turn. */
  #batches: (TurnBatch | undefined)[] = [];
  #first = 0;
  #end = 0;

  get count(): number {
    return this.#end - this.#first;
  }

  /** The oldest, if there is one. */
  get oldest(): TurnBatch | undefined {
    return this.#batches[this.#first];
  }

  /** The `index`th, from the oldest on. */
  at(index: number): TurnBatch {
    return this.#batches[this.#first + index] ?? fail(`batch ${index} of ${this.count} in flight`);
  }

  push(batch: TurnBatch): void {
    this.payloadBytes += batch.payload.length;
    this.writtenBytes += batch.payload.length + ENTRY_OVERHEAD_BYTES;
    this.growthBytes += batch.growthBytes;
    this.#batches[this.#end++] = batch;
  }

  /** Takes the oldest out: it has been applied, or never will be. */
  shift(): void {
    const batch = this.at(0);
    this.payloadBytes -= batch.payload.length;
    this.growthBytes -= batch.growthBytes;
    this.#batches[this.#first++] = undefined;
    if (this.#first === this.#end) {
      if (this.#batches.length > TAKEN_PLACES_MAX) this.#batches = [];
    } else if (this.#first === TAKEN_PLACES_MAX) {
      this.#batches = this.#batches.slice(this.#first, this.#end);
    } else {
      return;
    }
    this.#end -= this.#first;
    this.#first = 0;
  }
}
