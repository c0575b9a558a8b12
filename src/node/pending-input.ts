// Bytes of a client that are not parsed yet: half a command, or what waits while the session is held.
// Memory follows what was really received (doubling), never what the client announces.

const NOTHING = Buffer.alloc(0);
const CAPACITY_MIN = 1024;

export class PendingInput {
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  /** So many bytes at the front were put back. */
  returned = 0;
  /** The front, as it was put back since the last settle(). */
  #pieces: { readonly place: number; readonly length: number }[] = [];

  get length(): number {
    return this.end - this.start;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  append(source: Buffer, from: number, to: number): void {
    const added = to - from;
    if (this.end + added > this.bytes.length) this.#makeRoom(added);
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
    this.start = 0;
    this.end = this.bytes.length;
    this.returned += source.length;
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
    this.start = 0;
    this.end = 0;
    this.returned = 0;
    this.settle();
  }

  #makeRoom(added: number): void {
    const length = this.length;
    // Moving to the front is enough when that frees at least half, so every byte moves a bounded number of times.
    if (length + added <= this.bytes.length && this.start >= this.bytes.length / 2) {
      this.bytes.copy(this.bytes, 0, this.start, this.end);
    } else {
      const grown = Buffer.allocUnsafeSlow(Math.max(CAPACITY_MIN, length + added, 2 * length));
      this.bytes.copy(grown, 0, this.start, this.end);
      this.bytes = grown;
    }
    this.start = 0;
    this.end = length;
  }
}
