// The newest part of the log: entries, and perhaps a snapshot, that storage does not have yet.
import { assert } from "../base/assert.ts";
import { lastOf } from "./message.ts";
import { TERM_UNAVAILABLE } from "./storage.ts";
import type { Entry, SnapshotMeta } from "./types.ts";

export type Note = (text: string) => void;

/**
 *   storage ....... | offset ..... offsetInProgress ..... last |
 *                   [ being written ][ not handed out yet      ]
 *
 * `offset` may be below the end of storage: the next write then truncates storage first.
 */
export class UnstableLog {
  snapshot: SnapshotMeta | undefined;
  snapshotInProgress = false;
  entries: Entry[] = [];
  offset: number;
  /** Invariant: offset <= offsetInProgress <= offset + entries.length. */
  offsetInProgress: number;
  readonly #info: Note | undefined;

  constructor(offset: number, info: Note | undefined) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.#info = info;
  }

  /** The last index, or 0 if nothing is unstable. */
  lastIndex(): number {
    if (this.entries.length > 0) return this.offset + this.entries.length - 1;
    return this.snapshot === undefined ? 0 : this.snapshot.index;
  }

  /** The term at `index`, or TERM_UNAVAILABLE if it is not in here. */
  term(index: number): number {
    if (index < this.offset) {
      const snapshot = this.snapshot;
      return snapshot !== undefined && snapshot.index === index ? snapshot.term : TERM_UNAVAILABLE;
    }
    const entry = this.entries[index - this.offset];
    return entry === undefined ? TERM_UNAVAILABLE : entry.term;
  }

  hasNextEntries(): boolean {
    return this.entries.length > this.offsetInProgress - this.offset;
  }

  nextEntries(): readonly Entry[] {
    return this.entries.slice(this.offsetInProgress - this.offset);
  }

  nextSnapshot(): SnapshotMeta | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** Everything has been handed out for writing. */
  acceptInProgress(): void {
    if (this.entries.length > 0) this.offsetInProgress = this.offset + this.entries.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
  }

  /** Storage has the entries up to (index, term), unless they have been replaced since. */
  stableTo(index: number, term: number): void {
    const own = this.term(index);
    if (own === TERM_UNAVAILABLE) {
      this.#info?.(`entry at index ${index} missing from unstable log; ignoring`);
      return;
    }
    if (index < this.offset) {
      this.#info?.(`entry at index ${index} matched unstable snapshot; ignoring`);
      return;
    }
    if (own !== term) {
      this.#info?.(
        `entry at (index,term)=(${index},${term}) mismatched with entry at (${index},${own}) in unstable log; ignoring`,
      );
      return;
    }
    const count = index + 1 - this.offset;
    this.entries = count === this.entries.length ? [] : this.entries.slice(count);
    this.offset = index + 1;
    if (this.offsetInProgress < this.offset) this.offsetInProgress = this.offset;
  }

  stableSnapshotTo(index: number): void {
    if (this.snapshot === undefined || this.snapshot.index !== index) return;
    this.snapshot = undefined;
    this.snapshotInProgress = false;
  }

  restore(snapshot: SnapshotMeta): void {
    this.offset = snapshot.index + 1;
    this.offsetInProgress = this.offset;
    this.entries = [];
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** The leader's own case: the entry directly behind the last one. */
  push(entry: Entry): void {
    // A literal has room for one, an empty array that is pushed to for seventeen: most turns of a busy node add one entry.
    if (this.entries.length === 0) this.entries = [entry];
    else this.entries.push(entry);
  }

  /** `entries` take their places; whatever was at and behind them goes. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const first = (entries[0] as Entry).index;
    const end = this.offset + this.entries.length;
    if (first === end) {
      for (let i = 0; i < entries.length; i++) this.entries.push(entries[i] as Entry);
      return;
    }
    if (first <= this.offset) {
      this.#info?.(`replace the unstable entries from index ${first}`);
      this.entries = entries.slice();
      this.offset = first;
      this.offsetInProgress = first;
      return;
    }
    if (first > end) assert(false, `unstable log [${this.offset},${end}) cannot take entries at ${first}`);
    this.#info?.(`truncate the unstable entries before index ${first}`);
    this.entries = [...this.entries.slice(0, first - this.offset), ...entries];
    this.offsetInProgress = Math.min(this.offsetInProgress, first);
    assert(lastOf(this.entries).index === this.lastIndex(), "unstable entries have no gaps");
  }
}
