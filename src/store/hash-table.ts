// One table of a fixed size: pairs of u32, hash and ref, sorted by hash. No objects, no pointers, nothing for the
// garbage collector to visit. Growing and looking up by key are the index's business, not the table's.
//
//   slots:  | h0 r0 | h1 r1 |  0  . | h3 r3 | ... | pad |       hash 0 = empty; stored hashes are never 0
//
// Home slot = the hash's top bits. Linear probing keeps the order of hashes (ties: of key bytes), so a search stops
// at the first greater hash, and the order of the whole table is a pure function of the keys and the seed.
// Records that run over the end go to the pad instead of wrapping around, which would break that order.

export const CAPACITY_MIN = 64;
const CAPACITY_MAX = 2 ** 29;
const PAD_MAX = 128;

export class HashTable {
  /** Slot i is slots[2i] (hash) and slots[2i + 1] (ref); positions in this class are even indexes, `at`. */
  readonly slots: Uint32Array;
  readonly capacity: number;
  /** hash >>> shift is the home slot. */
  readonly shift: number;
  readonly pad: number;

  constructor(capacity: number, pad = Math.min(capacity, PAD_MAX)) {
    if (capacity > CAPACITY_MAX) throw new RangeError(`a table of ${capacity} slots`);
    this.capacity = capacity;
    this.pad = pad;
    this.shift = Math.clz32(capacity) + 1;
    this.slots = new Uint32Array(2 * (capacity + pad));
  }

  /** Position of the home slot of a hash (int32 or u32, as everywhere in this class). */
  home(hash: number): number {
    return (hash >>> this.shift) << 1;
  }

  /** Position of the first slot whose hash is `hash` or greater, or that is empty, from the home slot on. */
  lowerBound(hash: number): number {
    const slots = this.slots;
    const wanted = hash >>> 0;
    let at = this.home(hash);
    let stored = slots[at]!;
    while (stored !== 0 && stored < wanted) {
      at += 2;
      stored = slots[at]!;
    }
    return at;
  }

  /** Puts an entry at `at`, moving what is there up to the next empty slot. False: the pad is full, nothing done. */
  insertAt(at: number, hash: number, ref: number): boolean {
    const slots = this.slots;
    let empty = at;
    while (slots[empty] !== 0) empty += 2;
    // The last slot stays empty: it ends every search.
    if (empty >= slots.length - 2) return false;
    while (empty > at) {
      slots[empty] = slots[empty - 2]!;
      slots[empty + 1] = slots[empty - 1]!;
      empty -= 2;
    }
    slots[at] = hash;
    slots[at + 1] = ref;
    return true;
  }

  /** Removes the entry at `at`; the displaced ones behind it move back by one. No tombstones. */
  removeAt(at: number): void {
    const slots = this.slots;
    const shift = this.shift;
    let next = at + 2;
    let stored = slots[next]!;
    while (stored !== 0 && (stored >>> shift) << 1 < next) {
      slots[at] = stored;
      slots[at + 1] = slots[next + 1]!;
      at = next;
      next += 2;
      stored = slots[next]!;
    }
    slots[at] = 0;
  }

  /** Appends an entry whose hash is not less than any in the table. False: the pad is full. */
  append(hash: number, ref: number): boolean {
    const slots = this.slots;
    let at = this.home(hash);
    while (slots[at] !== 0) at += 2;
    if (at >= slots.length - 2) return false;
    slots[at] = hash;
    slots[at + 1] = ref;
    return true;
  }
}
