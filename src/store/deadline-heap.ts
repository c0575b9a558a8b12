// The deadlines of one database in a total order: (deadline, hash, key bytes). So what is due comes out in the same
// order on every replica, whatever order it came in. Writes each entry's position into its record.

import type { Arena } from "./arena.ts";
import { compareKey } from "./record.ts";
import { HEADER_BYTES, WORD_DEADLINE, WORD_KEY_LENGTH } from "./types.ts";

/** Four children a node: half the levels of a binary heap, and the children's deadlines share a cache line. */
const ARITY_SHIFT = 2;
const ARITY = 1 << ARITY_SHIFT;

/** Entries are kept in segments, so that growing never copies more than one of them. */
const SEGMENT_SHIFT = 14;
const SEGMENT = 1 << SEGMENT_SHIFT;
const SEGMENT_MASK = SEGMENT - 1;
const FIRST_SEGMENT_MIN = 64;

export class DeadlineHeap {
  size = 0;
  readonly #arena: Arena;
  readonly #deadlines: Float64Array[] = [];
  /** Two words an entry: hash (u32), ref. */
  readonly #entries: Uint32Array[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Bytes of the segments. */
  get reservedBytes(): number {
    let sum = 0;
    for (const segment of this.#deadlines) sum += 2 * segment.byteLength;
    return sum;
  }

  deadlineAt(position: number): number {
    return this.#deadlines[position >>> SEGMENT_SHIFT]![position & SEGMENT_MASK]!;
  }

  hashAt(position: number): number {
    return this.#entries[position >>> SEGMENT_SHIFT]![(position & SEGMENT_MASK) << 1]!;
  }

  refAt(position: number): number {
    return this.#entries[position >>> SEGMENT_SHIFT]![((position & SEGMENT_MASK) << 1) + 1]!;
  }

  /** Adds a record that has no deadline yet. */
  push(deadlineMs: number, hash: number, ref: number): void {
    this.#grow();
    const position = this.size;
    this.size++;
    this.#settle(position, deadlineMs, hash >>> 0, ref);
  }

  /** Changes the deadline of the entry at `position`. */
  update(position: number, deadlineMs: number): void {
    this.#settle(position, deadlineMs, this.hashAt(position), this.refAt(position));
  }

  /** The record of the entry at `position` moved to `ref`. */
  replace(position: number, ref: number): void {
    this.#entries[position >>> SEGMENT_SHIFT]![((position & SEGMENT_MASK) << 1) + 1] = ref;
  }

  /** Takes the entry at `position` out. Does not touch its record, which may be gone already. */
  remove(position: number): void {
    const last = this.size - 1;
    this.size = last;
    if (position !== last) {
      this.#settle(position, this.deadlineAt(last), this.hashAt(last), this.refAt(last));
    }
    // One segment beyond the last used one stays as a spare.
    const segments = (last >>> SEGMENT_SHIFT) + 2;
    if (this.#deadlines.length > segments) {
      this.#deadlines.length = segments;
      this.#entries.length = segments;
    }
  }

  #grow(): void {
    const segment = this.size >>> SEGMENT_SHIFT;
    const used = this.size & SEGMENT_MASK;
    const deadlines = this.#deadlines[segment];
    if (deadlines === undefined) {
      const length = segment === 0 ? FIRST_SEGMENT_MIN : SEGMENT;
      this.#deadlines.push(new Float64Array(length));
      this.#entries.push(new Uint32Array(2 * length));
    } else if (used === deadlines.length) {
      const longer = new Float64Array(2 * used);
      longer.set(deadlines);
      this.#deadlines[segment] = longer;
      const entries = new Uint32Array(4 * used);
      entries.set(this.#entries[segment]!);
      this.#entries[segment] = entries;
    }
  }

  /** Puts an entry where the order wants it, starting from the hole at `position`. */
  #settle(position: number, deadlineMs: number, hash: number, ref: number): void {
    let hole = position;
    while (hole > 0) {
      const parent = (hole - 1) >>> ARITY_SHIFT;
      if (!this.#isBefore(deadlineMs, hash, ref, parent)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    if (hole === position) hole = this.#sink(hole, deadlineMs, hash, ref);
    this.#deadlines[hole >>> SEGMENT_SHIFT]![hole & SEGMENT_MASK] = deadlineMs;
    const entries = this.#entries[hole >>> SEGMENT_SHIFT]!;
    entries[(hole & SEGMENT_MASK) << 1] = hash;
    entries[((hole & SEGMENT_MASK) << 1) + 1] = ref;
    this.#note(ref, hole);
  }

  /** Moves lesser children up from the hole on; returns where the hole ends. */
  #sink(from: number, deadlineMs: number, hash: number, ref: number): number {
    let hole = from;
    for (;;) {
      const first = (hole << ARITY_SHIFT) + 1;
      if (first >= this.size) return hole;
      const end = Math.min(first + ARITY, this.size);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (this.#isBefore(this.deadlineAt(child), this.hashAt(child), this.refAt(child), least))
          least = child;
      }
      if (this.#isBefore(deadlineMs, hash, ref, least)) return hole;
      this.#move(least, hole);
      hole = least;
    }
  }

  /** Does (deadline, hash, key of ref) come before the entry at `position`? */
  #isBefore(deadlineMs: number, hash: number, ref: number, position: number): boolean {
    const otherDeadlineMs = this.deadlineAt(position);
    if (deadlineMs !== otherDeadlineMs) return deadlineMs < otherDeadlineMs;
    const otherHash = this.hashAt(position);
    if (hash !== otherHash) return hash < otherHash;
    return this.#keyIsBefore(ref, this.refAt(position));
  }

  #keyIsBefore(ref: number, otherRef: number): boolean {
    const arena = this.#arena;
    arena.locate(otherRef);
    const start = arena.at + HEADER_BYTES;
    const end = start + arena.words[(arena.at >>> 2) + WORD_KEY_LENGTH]!;
    return compareKey(arena, ref, arena.bytes, start, end) < 0;
  }

  #move(from: number, to: number): void {
    const entries = this.#entries[from >>> SEGMENT_SHIFT]!;
    const hash = entries[(from & SEGMENT_MASK) << 1]!;
    const ref = entries[((from & SEGMENT_MASK) << 1) + 1]!;
    this.#deadlines[to >>> SEGMENT_SHIFT]![to & SEGMENT_MASK] = this.deadlineAt(from);
    const target = this.#entries[to >>> SEGMENT_SHIFT]!;
    target[(to & SEGMENT_MASK) << 1] = hash;
    target[((to & SEGMENT_MASK) << 1) + 1] = ref;
    this.#note(ref, to);
  }

  #note(ref: number, position: number): void {
    const arena = this.#arena;
    arena.locate(ref);
    arena.words[(arena.at >>> 2) + WORD_DEADLINE] = position + 1;
  }
}
