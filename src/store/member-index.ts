// Which entry has a hash: open addressing over entry numbers, for MemberTable. It grows and shrinks a few slots at a
// time, so no command pays for all of them at once (Redis rehashes its dictionaries step by step for the same reason).
//
//   slot:   | high bits of the hash | n + 1 |     n = entry number; 0 = empty; as many low bits as the mask has
//   old:    the table before the last change of size; what was moved out of it, or removed, is a TOMBSTONE
//
// Linear probing from hash & mask. A table is never more than three quarters full, so n + 1 fits below the mask, and
// no slot in use looks like a TOMBSTONE. The bits of the hash spare a look at most entries that are other ones.

const SLOTS_LEAST = 16;
/** All bits: a number this large would fill the table. */
const TOMBSTONE = -1;
/** Old slots moved by one change. Growing needs at least 3 to be done before the next time. */
const MOVES_PER_CHANGE = 16;

export class MemberIndex {
  slots = new Int32Array(SLOTS_LEAST);
  mask = SLOTS_LEAST - 1;
  old: Int32Array | undefined = undefined;
  oldMask = 0;
  #moved = 0;
  #count = 0;

  get reservedBytes(): number {
    return this.slots.byteLength + (this.old?.byteLength ?? 0);
  }

  /** @param hashes by entry number, the new entry's included */
  insert(hash: number, entry: number, hashes: Int32Array): void {
    this.#count++;
    if (this.#count * 4 > this.slots.length * 3) this.#resize(2 * this.slots.length, hashes);
    this.#put(hash, entry);
    if (this.old !== undefined) this.#move(hashes, MOVES_PER_CHANGE);
  }

  /** The entry is there. */
  remove(hash: number, entry: number, hashes: Int32Array): void {
    this.#count--;
    const { slots, mask } = this;
    let slot = slotOf(slots, mask, hash, entry);
    if (slot < 0) {
      const { old } = this;
      if (old !== undefined) old[slotOf(old, this.oldMask, hash, entry)] = TOMBSTONE;
    } else {
      // What follows in the run closes the gap, unless it would come before its first slot.
      for (let next = (slot + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
        const home = hashes[(slots[next]! & mask) - 1]! & mask;
        if (((next - home) & mask) < ((next - slot) & mask)) continue;
        slots[slot] = slots[next]!;
        slot = next;
      }
      slots[slot] = 0;
    }
    if (this.old !== undefined) this.#move(hashes, MOVES_PER_CHANGE);
    else if (this.slots.length > SLOTS_LEAST && this.#count * 8 < this.slots.length) {
      this.#resize(this.slots.length >>> 1, hashes);
    }
  }

  /** The entry that was number `from` is number `to` now. */
  renumber(hash: number, from: number, to: number): void {
    const { slots, mask, old, oldMask } = this;
    const slot = slotOf(slots, mask, hash, from);
    if (slot >= 0) slots[slot] = (hash & ~mask) | (to + 1);
    else if (old !== undefined) old[slotOf(old, oldMask, hash, from)] = (hash & ~oldMask) | (to + 1);
  }

  clone(): MemberIndex {
    const copy = new MemberIndex();
    copy.slots = this.slots.slice();
    copy.mask = this.mask;
    copy.old = this.old?.slice();
    copy.oldMask = this.oldMask;
    copy.#moved = this.#moved;
    copy.#count = this.#count;
    return copy;
  }

  #put(hash: number, entry: number): void {
    const { slots, mask } = this;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (hash & ~mask) | (entry + 1);
  }

  #resize(length: number, hashes: Int32Array): void {
    if (this.old !== undefined) this.#move(hashes, this.old.length);
    this.old = this.slots;
    this.oldMask = this.mask;
    this.#moved = 0;
    this.slots = new Int32Array(length);
    this.mask = length - 1;
  }

  #move(hashes: Int32Array, count: number): void {
    const { old, oldMask } = this;
    if (old === undefined) return;
    const end = Math.min(old.length, this.#moved + count);
    for (let slot = this.#moved; slot < end; slot++) {
      const stored = old[slot]!;
      if (stored === 0 || stored === TOMBSTONE) continue;
      old[slot] = TOMBSTONE;
      const entry = (stored & oldMask) - 1;
      this.#put(hashes[entry]!, entry);
    }
    this.#moved = end;
    if (end === old.length) this.old = undefined;
  }
}

/** Where the entry is; -1: not in this table. */
function slotOf(slots: Int32Array, mask: number, hash: number, entry: number): number {
  const wanted = (hash & ~mask) | (entry + 1);
  for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    if (slots[slot] === wanted) return slot;
  }
  return -1;
}
