// Finds records by key and lists them in hash order, in a table that grows and shrinks a few slots at a time.
// Refs in and out; the arena is only asked for key bytes. Never moves or frees a record.

import { assert } from "../base/assert.ts";
import type { Arena } from "./arena.ts";
import { CAPACITY_MIN, HashTable } from "./hash-table.ts";
import { compareKey } from "./record.ts";

/**
 * What one write does for a resize: it moves 8 entries, or looks at 32 slots if most of them are empty. So a table
 * three quarters full is moved long before the new one is full, and one a tenth full before it is a twentieth full.
 */
export const MIGRATE_ENTRIES = 8;
export const MIGRATE_SLOTS = 32;
const HASHES = 0x1_0000_0000;
/** What all empty indexes share until their first key; nothing is ever put into it. */
const EMPTY_TABLE = new HashTable(CAPACITY_MIN);

/**
 * While it is resized, the index has two tables. The new one is filled in hash order, so a boundary says which
 * one owns a hash, and every search looks at one table:
 *
 *   hash      0 ............. boundary ............. 2^32
 *             [ in #table    ]        [ in #older    ]
 *
 * Slots of the older table below the cursor keep their hashes: searches that start there run over them.
 */
export class HashIndex {
  count = 0;
  /** Position of the last search: where the key is, or where it would go. Void after any change. */
  at = 0;
  /** Old slots visited by resizing so far, to test that each write does a bounded number. */
  migratedSlots = 0;
  /** Of the walk: the entry it stands on, hash 0 at the end. */
  walkHash = 0;
  walkRef = 0;
  /** Slots looked at by walks so far; callers bound their steps by it. */
  walkedSlots = 0;

  readonly #arena: Arena;
  #table = EMPTY_TABLE;
  #older: HashTable | undefined = undefined;
  /** Position in #older of the next slot to move. */
  #cursor = 0;
  #boundary = HASHES;
  #walkTable: HashTable = this.#table;
  #walkAt = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  get capacity(): number {
    return this.#table.capacity;
  }

  get resizing(): boolean {
    return this.#older !== undefined;
  }

  /** Bytes of the tables. */
  get reservedBytes(): number {
    return this.#table.slots.byteLength + (this.#older?.slots.byteLength ?? 0);
  }

  /** The table that owns a hash (int32: a u32 above 2^31 would be boxed as an argument). */
  #owner(hash: number): HashTable {
    const older = this.#older;
    return older !== undefined && hash >>> 0 >= this.#boundary ? older : this.#table;
  }

  /** The ref of the key bytes[start, end), or 0. `hash` is an int32. Sets `at`; a hit leaves the arena located. */
  search(hash: number, bytes: Buffer, start: number, end: number): number {
    const wanted = hash >>> 0;
    const table = this.#owner(hash);
    const slots = table.slots;
    let at = table.lowerBound(hash);
    while (slots[at] === wanted) {
      const ref = slots[at + 1]!;
      const order = compareKey(this.#arena, ref, bytes, start, end);
      if (order === 0) {
        this.at = at;
        return ref;
      }
      if (order > 0) break;
      at += 2;
    }
    this.at = at;
    return 0;
  }

  /** Sets `at` to the entry of a record known to be here. */
  searchRef(hash: number, ref: number): void {
    const wanted = hash >>> 0;
    const table = this.#owner(hash);
    const slots = table.slots;
    let at = table.lowerBound(hash);
    while (slots[at] === wanted && slots[at + 1] !== ref) at += 2;
    assert(slots[at] === wanted, `record ${ref} with hash ${wanted} is not in the index of ${this.count}`);
    this.at = at;
  }

  /** Does a few slots of a resize under way. To be called by every write, before it searches. */
  step(): void {
    if (this.#older !== undefined) this.#migrate();
  }

  /** The record found by the last search moved to `ref`. */
  replace(hash: number, ref: number): void {
    this.#owner(hash).slots[this.at + 1] = ref;
  }

  /** Adds the key that the last search did not find. */
  insert(hash: number, ref: number): void {
    if (this.#table === EMPTY_TABLE) this.#table = new HashTable(CAPACITY_MIN);
    if (!this.#owner(hash).insertAt(this.at, hash, ref)) this.#rebuild(hash, ref);
    this.count++;
    if (this.#older === undefined && this.count * 4 > this.#table.capacity * 3) {
      this.#resize(this.#table.capacity * 2);
    }
  }

  /** Removes the entry found by the last search. */
  remove(hash: number): void {
    this.#owner(hash).removeAt(this.at);
    this.count--;
    const capacity = this.#table.capacity;
    if (this.#older === undefined && capacity > CAPACITY_MIN && this.count * 10 < capacity) {
      this.#resize(capacity / 2);
    }
  }

  #resize(capacity: number): void {
    this.#older = this.#table;
    this.#table = new HashTable(capacity);
    this.#cursor = 0;
    this.#boundary = 0;
  }

  #migrate(): void {
    const older = this.#older!;
    const slots = older.slots;
    const table = this.#table;
    const limit = Math.min(this.#cursor + 2 * MIGRATE_SLOTS, slots.length);
    let at = this.#cursor;
    let hash = slots[at]!;
    let entries = 0;
    let hashBefore = 0;
    // Entries of one hash are not parted: the boundary could not say which table owns them.
    while ((at < limit && entries < MIGRATE_ENTRIES) || (hash !== 0 && hash === hashBefore)) {
      if (hash !== 0) {
        if (!table.append(hash, slots[at + 1]!)) {
          this.#setCursor(at);
          this.#rebuild(0, 0);
          return;
        }
        hashBefore = hash;
        entries++;
      }
      at += 2;
      hash = at < slots.length ? slots[at]! : 0;
    }
    this.migratedSlots += (at - this.#cursor) >>> 1;
    this.#setCursor(at);
    if (at >= slots.length) this.#older = undefined;
  }

  /**
   * The boundary is the least hash whose search in the older table cannot meet a hole below the cursor: the cursor's
   * own lowest hash, or the hash that stands there if it was displaced (then all slots from its home on are full).
   */
  #setCursor(at: number): void {
    const older = this.#older!;
    const lowest = (at >>> 1) * 2 ** older.shift;
    const hash = older.slots[at] ?? 0;
    this.#cursor = at;
    this.#boundary = hash !== 0 && hash < lowest ? hash : Math.min(lowest, HASHES);
  }

  /**
   * A pad overflowed, which random hashes practically never do: everything is moved at once to a table with a longer
   * pad. `hash`, `ref`: an entry to add at the position of the last search; hash 0 for none.
   */
  #rebuild(hash: number, ref: number): void {
    const intoOlder = hash !== 0 && this.#owner(hash) === this.#older;
    for (let pad = this.#table.pad * 4; ; pad *= 4) {
      const table = new HashTable(this.#table.capacity, pad);
      const parts: [HashTable, number, boolean][] = [[this.#table, 0, hash !== 0 && !intoOlder]];
      if (this.#older !== undefined) parts.push([this.#older, this.#cursor, intoOlder]);
      if (!parts.every(([from, start, adds]) => this.#appendAll(table, from, start, adds, hash, ref)))
        continue;
      this.#table = table;
      this.#older = undefined;
      return;
    }
  }

  #appendAll(
    to: HashTable,
    from: HashTable,
    start: number,
    adds: boolean,
    hash: number,
    ref: number,
  ): boolean {
    const slots = from.slots;
    for (let at = start; at < slots.length; at += 2) {
      if (adds && at === this.at && !to.append(hash, ref)) return false;
      if (slots[at] !== 0 && !to.append(slots[at]!, slots[at + 1]!)) return false;
    }
    return true;
  }

  /** Starts a walk at the first entry with this hash (0 to 2^32) or a greater one. Changes end the walk. */
  walkFrom(hash: number): void {
    if (hash >= HASHES) {
      this.walkHash = 0;
      return;
    }
    const table = this.#owner(hash);
    this.#walkTable = table;
    this.#walkAt = table.lowerBound(hash);
    this.#settle();
  }

  /** Goes on to the next entry. */
  walkNext(): void {
    this.#walkAt += 2;
    this.#settle();
  }

  #settle(): void {
    let slots = this.#walkTable.slots;
    let at = this.#walkAt;
    const older = this.#older;
    const goesOn = older !== undefined && this.#walkTable !== older;
    // The new table is filled up to the boundary; what was displaced over it follows without a gap.
    const stop = goesOn && this.#boundary < HASHES ? this.#walkTable.home(this.#boundary) : slots.length;
    const from = at;
    while (at < stop && slots[at] === 0) at += 2;
    this.walkedSlots += ((at - from) >>> 1) + 1;
    if (goesOn && (at >= slots.length || slots[at] === 0)) {
      this.#walkTable = older;
      slots = older.slots;
      at = this.#boundary < HASHES ? older.lowerBound(this.#boundary) : slots.length;
      const olderFrom = at;
      while (at < slots.length && slots[at] === 0) at += 2;
      this.walkedSlots += (at - olderFrom) >>> 1;
    }
    this.#walkAt = at;
    this.walkHash = at < slots.length ? slots[at]! : 0;
    this.walkRef = this.walkHash === 0 ? 0 : slots[at + 1]!;
  }
}
