// Where a listpack's entries begin, by number: for who asks for several of them in no order. Memory that is used again.

import { LISTPACK_HEADER_BYTES, nextEntry } from "./listpack.ts";

/** Memory for more is not kept. */
const KEPT_ENTRIES_MAX = 1 << 16;

export class ListpackPositions {
  #positions = new Uint32Array(256);
  #count = -1;

  /** What is known is of another listpack. */
  forget(): void {
    this.#count = -1;
    if (this.#positions.length > KEPT_ENTRIES_MAX) this.#positions = new Uint32Array(256);
  }

  /** Where every `stride`-th entry of bytes[start, end) begins: number `index` of these. Linear once after forget(). */
  at(bytes: Buffer, start: number, end: number, stride: number, index: number): number {
    if (this.#count < 0) this.#walk(bytes, start, end, stride);
    return this.#positions[index]!;
  }

  #walk(bytes: Buffer, start: number, end: number, stride: number): void {
    let count = 0;
    for (let at = start + LISTPACK_HEADER_BYTES; at < end - 1; ) {
      if (count === this.#positions.length) {
        const grown = new Uint32Array(2 * count);
        grown.set(this.#positions);
        this.#positions = grown;
      }
      this.#positions[count++] = at;
      for (let i = 0; i < stride && at < end - 1; i++) at = nextEntry(bytes, at);
    }
    this.#count = count;
  }
}
