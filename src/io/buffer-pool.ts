// Free buffers by size class, for replies. Buffers go out and come back; the last one back is the first one out,
// so the one in use is warm in the cache. What is kept free is bounded, what is out is the caller's to bound.

import type { BufferPool } from "../node/ports.ts";

const SMALLEST_BITS = 14; // 16 KiB
const LARGEST_BITS = 22; // 4 MiB; larger ones are made to measure and not kept
const CLASSES = LARGEST_BITS - SMALLEST_BITS + 1;
/** Bytes kept free in each class: 1024 of the smallest, 4 of the largest. */
const FREE_BYTES_MAX = 16 * 1024 * 1024;

export class SizeClassPool implements BufferPool {
  /** free[i]: buffers of 2^(SMALLEST_BITS + i) bytes. */
  readonly #free: Buffer[][] = Array.from({ length: CLASSES }, () => []);
  /** The fewest that were free in each class since the last trim(): those were not needed. */
  readonly #idle = new Int32Array(CLASSES);

  acquire(bytesMin = 0): Buffer {
    const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(Math.max(0, bytesMin - 1)));
    if (bits > LARGEST_BITS) return Buffer.allocUnsafeSlow(bytesMin);
    const sizeClass = bits - SMALLEST_BITS;
    const free = this.#free[sizeClass]!;
    const buffer = free.pop();
    if (free.length < this.#idle[sizeClass]!) this.#idle[sizeClass] = free.length;
    return buffer ?? Buffer.allocUnsafeSlow(1 << bits);
  }

  release(buffer: Buffer): void {
    const bits = 31 - Math.clz32(buffer.length);
    // A view of something larger would keep it alive.
    if (1 << bits !== buffer.length || buffer.buffer.byteLength !== buffer.length) return;
    const free = this.#free[bits - SMALLEST_BITS];
    if (free === undefined || (free.length + 1) * buffer.length > FREE_BYTES_MAX) return;
    free.push(buffer);
  }

  trim(): number {
    let bytes = 0;
    for (const [sizeClass, free] of this.#free.entries()) {
      const count = Math.ceil(this.#idle[sizeClass]! / 2);
      // The bottom of the stack: those at the top are warm.
      free.splice(0, count);
      bytes += count << (sizeClass + SMALLEST_BITS);
      this.#idle[sizeClass] = free.length;
    }
    return bytes;
  }
}
