// Where the bytes of this node's own log entries live: slabs filled one entry after the other, used again once
// the log has dropped everything in them. New memory costs a page fault every 4 KiB, which a busy leader would
// pay for every byte it logs: recycling takes a fifth off the CPU time of a pipelined SET. An entry longer than a slab has
// memory of its own, which is never used again: others may refer to it for as long as they like.

import { assert } from "../base/assert.ts";
import { SHARED_BYTES_LEAST } from "../base/limits.ts";

const SLAB_BYTES = 1 << 20;
/** Slabs kept for later; what a burst needed beyond that goes back to the system. */
const FREE_SLABS_MAX = 64;
/** What a long entry's memory has room for beside it: keys to evict. */
const ROOM_BYTES = 64 * 1024;

assert(SHARED_BYTES_LEAST > SLAB_BYTES, "what frames refer to is not written over");

interface FullSlab {
  readonly bytes: Buffer;
  /** Index of the last entry in it. */
  readonly lastIndex: number;
}

export class EntryMemory {
  /** The slab that entries go to now, and where the next one starts. */
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  position = 0;
  /** Index of the last entry in `slab`; 0 while it holds none. */
  #lastIndex = 0;
  readonly #free: Buffer[] = [];
  #full: FullSlab[] = [];
  /** The fewest slabs that were free since the last trim(): those were not needed. */
  #idle = 0;

  /** A slab with room for an entry of `bytes` that outgrew the current one, or memory for it alone. */
  fresh(bytes: number): Buffer {
    if (2 * bytes <= SLAB_BYTES) {
      const slab = this.#free.pop();
      this.#idle = Math.min(this.#idle, this.#free.length);
      return slab ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    }
    return Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes) + ROOM_BYTES);
  }

  /** The bytes up to `position` of `slab` are entry `index`; 0: they are no entry after all. */
  take(slab: Buffer, position: number, index: number): void {
    if (slab.length !== SLAB_BYTES) return;
    if (slab !== this.slab) {
      if (this.#lastIndex !== 0) this.#full.push({ bytes: this.slab, lastIndex: this.#lastIndex });
      else this.#release(this.slab);
      this.slab = slab;
      this.#lastIndex = 0;
    }
    // Aligned, so that copies of whole entries stay on word boundaries.
    this.position = (position + 7) & ~7;
    if (index !== 0) this.#lastIndex = index;
  }

  /**
   * The log has dropped all entries before `firstIndex`, and nobody else refers to their bytes: to be called at
   * the start of a turn, when the messages of the turns before have been made into frames.
   */
  recycle(firstIndex: number): void {
    let done = 0;
    for (const { bytes, lastIndex } of this.#full) {
      if (lastIndex >= firstIndex) break;
      this.#release(bytes);
      done++;
    }
    if (done > 0) this.#full = this.#full.slice(done);
  }

  /** Drops half of the free slabs that were not needed since it was asked last; how many bytes that is. */
  trim(): number {
    const count = Math.ceil(this.#idle / 2);
    this.#free.splice(0, count);
    this.#idle = this.#free.length;
    return count * SLAB_BYTES;
  }

  #release(slab: Buffer): void {
    if (this.#free.length < FREE_SLABS_MAX) this.#free.push(slab);
  }
}
