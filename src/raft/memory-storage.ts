// The log in memory: hard state, configuration, entries, snapshot metadata. Never forgets by itself: compact() does.
import { assert } from "../base/assert.ts";
import { EMPTY_CONFIG, normalizeConfig } from "./config-change.ts";
import { NO_LIMIT, sliceByBytes } from "./entry-size.ts";
import { lastOf, NO_BYTES } from "./message.ts";
import {
  type CompactError,
  type InitialState,
  type SnapshotError,
  type Storage,
  type StorageError,
  TERM_COMPACTED,
  TERM_UNAVAILABLE,
} from "./storage.ts";
import type { ConfState, Entry, HardState, SnapshotMeta } from "./types.ts";

/** Stands in slots of compacted entries, so that their payloads can be freed before the array is cut. */
const TOMBSTONE: Entry = Object.freeze({ term: 0, index: 0, type: "normal", data: NO_BYTES });
const DEAD_SLOTS_MIN = 1024;

/**
 *   #entries: [ dead . . . dead | first ............ last ]
 *               0      #dead-1    #dead
 *
 * Slot `#dead + k` holds entry `#baseIndex + 1 + k`. Compaction only moves `#dead`; once more than half of the
 * array is dead it is cut, so each entry is moved at most about once.
 */
export class MemoryStorage implements Storage {
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  #confState: ConfState = EMPTY_CONFIG;
  #snapshot: SnapshotMeta | undefined;
  #entries: Entry[] = [];
  #dead = 0;
  /** The last compacted entry: its term is still needed to match appends. */
  #baseIndex = 0;
  #baseTerm = 0;

  /** A log that starts behind a made-up entry (index, term) with the given members. */
  static bootstrap(confState: ConfState, index = 1, term = 1): MemoryStorage {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index, term, confState });
    return storage;
  }

  initialState(): InitialState {
    return { hardState: this.#hardState, confState: this.#confState };
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** The members as of the applied index; only read when a core is built over this storage. */
  setConfState(confState: ConfState): void {
    this.#confState = normalizeConfig(confState);
  }

  firstIndex(): number {
    return this.#baseIndex + 1;
  }

  lastIndex(): number {
    return this.#baseIndex + this.#entries.length - this.#dead;
  }

  term(index: number): number {
    if (index < this.#baseIndex) return TERM_COMPACTED;
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.entry(index)?.term ?? TERM_UNAVAILABLE;
  }

  /** The entry at `index`, or undefined if it is not here. */
  entry(index: number): Entry | undefined {
    return index <= this.#baseIndex ? undefined : this.#entries[index - this.#baseIndex - 1 + this.#dead];
  }

  entries(low: number, high: number, maxBytes: number = NO_LIMIT): readonly Entry[] | StorageError {
    if (low <= this.#baseIndex) return "compacted";
    if (high > this.lastIndex() + 1) return "unavailable";
    const shift = this.#dead - this.#baseIndex - 1;
    return sliceByBytes(this.#entries, low + shift, high + shift, maxBytes);
  }

  snapshot(): SnapshotMeta | undefined {
    return this.#snapshot;
  }

  /** Entries overwrite what is at and after their place; the part that is already compacted is skipped. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    let from = 0;
    if (first.index <= this.#baseIndex) {
      if (lastOf(entries).index <= this.#baseIndex) return;
      from = this.#baseIndex + 1 - first.index;
    }
    const slot = first.index + from - this.#baseIndex - 1 + this.#dead;
    if (slot > this.#entries.length) {
      assert(false, `missing log entry [last: ${this.lastIndex()}, append at: ${first.index}]`);
    }
    if (slot < this.#entries.length) this.#entries.length = slot;
    for (let i = from; i < entries.length; i++) this.#entries.push(entries[i] as Entry);
  }

  /** The log starts over behind the snapshot. */
  applySnapshot(snapshot: SnapshotMeta): SnapshotError | undefined {
    if (this.#snapshot !== undefined && this.#snapshot.index >= snapshot.index) return "snapshotOutOfDate";
    this.#snapshot = { ...snapshot, confState: normalizeConfig(snapshot.confState) };
    this.#confState = this.#snapshot.confState;
    this.#entries = [];
    this.#dead = 0;
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    return undefined;
  }

  /** Notes that the state at `index` can be sent as a snapshot. The log stays as it is. */
  createSnapshot(index: number, confState: ConfState): SnapshotError | undefined {
    if (this.#snapshot !== undefined && index <= this.#snapshot.index) return "snapshotOutOfDate";
    const term = this.term(index);
    if (term < 0) assert(false, `snapshot ${index} is out of bound [last: ${this.lastIndex()}]`);
    this.#snapshot = { index, term, confState: normalizeConfig(confState) };
    return undefined;
  }

  /** Drops the entries up to and including `index`. */
  compact(index: number): CompactError | undefined {
    if (index <= this.#baseIndex) return "compacted";
    if (index > this.lastIndex()) return "unavailable";
    const term = this.term(index);
    const end = this.#dead + index - this.#baseIndex;
    this.#entries.fill(TOMBSTONE, this.#dead, end);
    this.#dead = end;
    this.#baseIndex = index;
    this.#baseTerm = term;
    if (this.#dead >= DEAD_SLOTS_MIN && this.#dead * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#dead);
      this.#dead = 0;
    }
    return undefined;
  }
}
