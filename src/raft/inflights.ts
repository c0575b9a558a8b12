// The window of appends sent to one follower and not yet acknowledged, bounded by count and by payload bytes.
// A ring that grows up to the count limit; never shrinks.
import { assert } from "../base/assert.ts";

const INITIAL_SLOTS = 16;

export class Inflights {
  readonly #countMax: number;
  /** 0 = no limit. The message that crosses it still goes. */
  readonly #bytesMax: number;
  #start = 0;
  #count = 0;
  #bytes = 0;
  // Parallel rings: the last index of each append, and its payload bytes.
  #indexes: number[] = [];
  #sizes: number[] = [];

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#count === this.#countMax || (this.#bytesMax !== 0 && this.#bytes >= this.#bytesMax);
  }

  add(lastIndex: number, bytes: number): void {
    assert(!this.full, "cannot add into a full window of appends");
    if (this.#count === this.#indexes.length) this.#grow();
    const slot = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[slot] = lastIndex;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every append whose last index is at or below `index`. */
  freeUpTo(index: number): void {
    const slots = this.#indexes.length;
    while (this.#count > 0 && (this.#indexes[this.#start] as number) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = this.#start + 1 === slots ? 0 : this.#start + 1;
      this.#count--;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const old = this.#indexes.length;
    const slots = Math.min(this.#countMax, old === 0 ? INITIAL_SLOTS : old * 2);
    const indexes = new Array<number>(slots).fill(0);
    const sizes = new Array<number>(slots).fill(0);
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#start + i) % old;
      indexes[i] = this.#indexes[slot] as number;
      sizes[i] = this.#sizes[slot] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
