// What the core needs of the stable log. The core only reads; whoever handles a Ready writes.
import type { ConfState, Entry, HardState, SnapshotMeta } from "./types.ts";

export interface InitialState {
  readonly hardState: HardState;
  readonly confState: ConfState;
}

/** compacted: below the log's first index. unavailable: above its last. */
export type StorageError = "compacted" | "unavailable";
export type CompactError = StorageError;
export type SnapshotError = "snapshotOutOfDate";

/** What term() answers instead of a term. */
export const TERM_COMPACTED = -1;
export const TERM_UNAVAILABLE = -2;

export const ERROR_TEXT = {
  compacted: "requested index is unavailable due to compaction",
  unavailable: "requested entry at index is unavailable",
  snapshotOutOfDate: "requested index is older than the existing snapshot",
} as const satisfies Record<StorageError | SnapshotError, string>;

export interface Storage {
  initialState(): InitialState;
  /** Entries low..high-1, cut to maxBytes (by entryBytes()) but at least one. It may return fewer than asked for. */
  entries(low: number, high: number, maxBytes: number): readonly Entry[] | StorageError;
  /** The term of an entry in firstIndex()-1 .. lastIndex(), else TERM_COMPACTED or TERM_UNAVAILABLE. */
  term(index: number): number;
  firstIndex(): number;
  lastIndex(): number;
  /** The newest snapshot that can be sent; undefined = temporarily unavailable. */
  snapshot(): SnapshotMeta | undefined;
}
