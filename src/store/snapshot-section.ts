// One database of a snapshot under way: what was walked, and what changed before the walk came by. It keeps the parts
// of the database as they were at the beginning, so clear() and swap() take nothing from it.

import { type Arena, LARGE_REF, PAGE_GRANULES, PAGE_SHIFT } from "./arena.ts";
import type { CollectionTable } from "./collection.ts";
import type { DeadlineHeap } from "./deadline-heap.ts";
import type { HashIndex } from "./hash-index.ts";
import type { ChangeListener, Keyspace } from "./keyspace.ts";

export const SECTION_END = 0x1_0000_0000;

/** Where old states go: the snapshot reader. */
export interface OldStates {
  /** The record is about to change and was not walked: its state belongs to the snapshot. */
  keep(section: SnapshotSection, ref: number): void;
  /** These value bytes are about to be written to; whoever still has to send them copies them now. */
  protect(bytes: Buffer): void;
}

/**
 *   hash    0 ........... position ........... 2^32
 *           [ was walked ] [ belongs to the snapshot, unless marked ]
 *
 * Marked by its place in the arena is what was sent ahead of the walk or was born after the beginning. The marks are a
 * bitmap beside the arena that goes with the snapshot: records need no epoch of their own, and breaking off costs nothing.
 */
export class SnapshotSection implements ChangeListener {
  /** Index of the database at the beginning. */
  readonly database: number;
  /** Records at the beginning. */
  readonly count: number;
  readonly index: HashIndex;
  readonly arena: Arena;
  readonly deadlines: DeadlineHeap;
  readonly collections: CollectionTable;
  position = 0;
  /** Records sent or kept so far. */
  sent = 0;

  readonly #keys: Keyspace;
  readonly #oldStates: OldStates;
  /** By page of the arena: a bit for each granule. */
  readonly #marks: (Uint32Array | undefined)[] = [];
  readonly #largeMarks = new Set<number>();

  constructor(keys: Keyspace, oldStates: OldStates) {
    this.#keys = keys;
    this.#oldStates = oldStates;
    this.database = keys.database;
    this.count = keys.size;
    this.index = keys.index;
    this.arena = keys.arena;
    this.deadlines = keys.deadlines;
    this.collections = keys.collections;
    keys.listener = this;
  }

  /** The database stops telling of its changes. */
  detach(): void {
    if (this.#keys.listener === this) this.#keys.listener = undefined;
  }

  beforeChange(hash: number, ref: number): void {
    if (hash >>> 0 < this.position || this.isMarked(ref)) return;
    this.mark(ref);
    this.#oldStates.keep(this, ref);
  }

  beforeWrite(ref: number): void {
    if (ref < LARGE_REF) return;
    this.arena.locate(ref);
    this.#oldStates.protect(this.arena.bytes);
  }

  born(hash: number, ref: number): void {
    if (hash >>> 0 >= this.position) this.mark(ref);
  }

  isMarked(ref: number): boolean {
    if (ref >= LARGE_REF) return this.#largeMarks.has(ref);
    const marks = this.#marks[ref >>> PAGE_SHIFT];
    return marks !== undefined && (marks[(ref & (PAGE_GRANULES - 1)) >>> 5]! & (1 << (ref & 31))) !== 0;
  }

  mark(ref: number): void {
    if (ref >= LARGE_REF) {
      this.#largeMarks.add(ref);
      return;
    }
    const page = ref >>> PAGE_SHIFT;
    let marks = this.#marks[page];
    if (marks === undefined) {
      marks = new Uint32Array(PAGE_GRANULES / 32);
      this.#marks[page] = marks;
    }
    marks[(ref & (PAGE_GRANULES - 1)) >>> 5]! |= 1 << (ref & 31);
  }
}
