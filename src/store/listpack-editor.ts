// A listpack that changes: where it lies now in, elements appended, inserted, replaced and removed, the new one out, in memory that
// is used again. What was loaded is never written to; it must stay where it is until the last change.

import { LISTPACK_BYTES_LEAST, LISTPACK_HEADER_BYTES, listpackCount, nextEntry } from "./listpack.ts";
import { ListpackBuilder } from "./listpack-builder.ts";

const NO_BYTES = Buffer.alloc(0);

export class ListpackEditor {
  /** The listpack as it is now, for listpack.ts to read: entries of bytes[start, end), whose last byte is the end mark. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  count = 0;
  #target = new ListpackBuilder();
  #other = new ListpackBuilder();
  /** Is it in #target already? */
  #isOwn = false;

  /** Begins with bytes[start, end), a whole listpack. */
  load(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.count = listpackCount(bytes, start, end);
    this.#isOwn = false;
  }

  /** Begins with nothing. */
  empty(): void {
    this.#target.begin();
    this.#isOwn = true;
    this.#publish();
  }

  get byteLength(): number {
    return this.end - this.start;
  }

  append(bytes: Buffer, start: number, end: number): void {
    if (!this.#isOwn) {
      const { bytes: source, start: from, end: to, count } = this;
      this.#target.begin().entries(source, from + LISTPACK_HEADER_BYTES, to - 1, count);
      this.#isOwn = true;
    }
    this.#target.text(bytes, start, end);
    this.#publish();
  }

  /** Puts two elements before the one at `at`, or at the end mark. */
  insertPair(
    at: number,
    first: Buffer,
    firstStart: number,
    firstEnd: number,
    second: Buffer,
    secondStart: number,
    secondEnd: number,
  ): void {
    this.#swap(at)
      .text(first, firstStart, firstEnd)
      .text(second, secondStart, secondEnd)
      .entries(this.bytes, at, this.end - 1, this.count);
    this.#publish();
  }

  /** Puts another element in the place of the one at `at`. */
  replace(at: number, bytes: Buffer, start: number, end: number): void {
    const after = nextEntry(this.bytes, at);
    this.#swap(at)
      .text(bytes, start, end)
      .entries(this.bytes, after, this.end - 1, this.count - 1);
    this.#publish();
  }

  /** Removes `count` elements from the one at `at` on. */
  remove(at: number, count: number): void {
    let after = at;
    for (let i = 0; i < count; i++) after = nextEntry(this.bytes, after);
    this.#swap(at).entries(this.bytes, after, this.end - 1, this.count - count);
    this.#publish();
  }

  /** Writes header and end mark: bytes[start, end) is a listpack now. Not if nothing was changed. */
  finish(): void {
    this.#target.finish();
    this.bytes = this.#target.bytes;
    this.end = this.#target.length;
  }

  /** The other builder, with what is before `at`. */
  #swap(at: number): ListpackBuilder {
    const target = this.#other;
    this.#other = this.#target;
    this.#target = target;
    this.#isOwn = true;
    return target.begin().entries(this.bytes, this.start + LISTPACK_HEADER_BYTES, at, 0);
  }

  #publish(): void {
    const { bytes, length, count } = this.#target;
    this.bytes = bytes;
    this.start = 0;
    this.end = length + LISTPACK_BYTES_LEAST - LISTPACK_HEADER_BYTES;
    this.count = count;
  }
}
