// Bytes of a client that are not parsed yet: half a command, or what waits while the session is held.
// Memory follows what was really received (doubling): what the client announces only ends the doubling early, or gets its
// room when an eighth of it has come.

import { assert } from "../base/assert.ts";

const NOTHING = Buffer.alloc(0);
const CAPACITY_MIN = 1024;
/** A command of which this part has been received gets the room that it announced. */
const NEAR_FACTOR = 8;
/** Room in front of and behind long input, for whoever makes an entry of the log of it where it is (turn-batch.ts). */
const LONG_BYTES = 64 * 1024;
const ROOM_BEFORE = 64;
const ROOM_BEHIND = 1024;

export class PendingInput {
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  /** So many bytes at the front were put back. */
  returned = 0;
  /** The front, as it was put back since the last settle(). */
  #pieces: { readonly place: number; readonly length: number }[] = [];
  /** Somebody else refers to parts of `bytes`. */
  #isShared = false;

  get length(): number {
    return this.end - this.start;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** @param wanted from `start` on, so many bytes make a whole command; 0: not known */
  append(source: Buffer, from: number, to: number, wanted = 0): void {
    const added = to - from;
    if (this.end + added > this.bytes.length) this.#makeRoom(added, wanted);
    source.copy(this.bytes, this.end, from, to);
    this.end += added;
  }

  /**
   * Puts back what had been taken: in front of the rest, and among what was put back before in the order of `place`,
   * because what went out earlier may come back later.
   */
  putBack(source: Buffer, place: number): void {
    const pieces = this.#pieces;
    let at = this.start;
    let i = 0;
    while (i < pieces.length && pieces[i]!.place <= place) at += pieces[i++]!.length;
    pieces.splice(i, 0, { place, length: source.length });
    this.bytes = Buffer.concat([
      this.bytes.subarray(this.start, at),
      source,
      this.bytes.subarray(at, this.end),
    ]);
    this.#isShared = false;
    this.start = 0;
    this.end = this.bytes.length;
    this.returned += source.length;
  }

  /** bytes[from, end), which stay as they are from here on, wherever else they go. */
  share(from: number): Buffer {
    this.#isShared = true;
    return this.bytes.subarray(from, this.end);
  }

  /**
   * Gives away bytes[0, to), of which those from `start` on are about to be consumed. Returns the memory, with the room behind them if
   * nothing is in it; undefined if somebody else refers to it already.
   */
  lend(to: number): Buffer | undefined {
    if (this.#isShared) return undefined;
    this.#isShared = true;
    return to === this.end ? this.bytes : this.bytes.subarray(0, to);
  }

  /** While it is empty: source[from, to) is its content, without a copy. Nobody changes it any more. */
  adopt(source: Buffer, from: number, to: number): void {
    assert(this.length === 0, "an input that is not empty adopts nothing");
    this.bytes = source.subarray(0, to);
    this.start = from;
    this.end = to;
    this.#isShared = true;
  }

  /** It goes on from here: what is put back from now on comes first. */
  settle(): void {
    if (this.#pieces.length > 0) this.#pieces = [];
  }

  /** The first `count` bytes are done with. */
  consume(count: number): void {
    this.start += count;
    this.returned = Math.max(0, this.returned - count);
    if (this.start === this.end) this.clear();
  }

  take(): Buffer {
    const taken = this.bytes.subarray(this.start, this.end);
    this.clear();
    return taken;
  }

  clear(): void {
    this.bytes = NOTHING;
    this.#isShared = false;
    this.start = 0;
    this.end = 0;
    this.returned = 0;
    this.settle();
  }

  #makeRoom(added: number, wanted: number): void {
    const { length } = this;
    const needed = length + added;
    // Moving to the front is enough when that frees at least half, so every byte moves a bounded number of times.
    if (!this.#isShared && needed <= this.bytes.length && this.start >= this.bytes.length / 2) {
      this.bytes.copy(this.bytes, 0, this.start, this.end);
    } else {
      const isNear = wanted >= needed && wanted <= NEAR_FACTOR * needed;
      const capacity = isNear ? wanted : Math.max(CAPACITY_MIN, needed, 2 * length);
      const before = capacity >= LONG_BYTES ? ROOM_BEFORE : 0;
      const grown = Buffer.allocUnsafeSlow(before > 0 ? before + capacity + ROOM_BEHIND : capacity);
      this.bytes.copy(grown, before, this.start, this.end);
      this.bytes = grown;
      this.#isShared = false;
      this.start = before;
      this.end = before + length;
      return;
    }
    this.start = 0;
    this.end = length;
  }
}
