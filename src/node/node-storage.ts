// The log of this node: MemoryStorage, its size in bytes, and snapshots that are made only when asked for:
// the state at the applied index can be sent at any time, so "the newest snapshot" is always now.

import type { Entry, SnapshotMeta } from "../raft/index.ts";
import { MemoryStorage } from "../raft/index.ts";

/** What an entry costs beside its payload. */
export const ENTRY_OVERHEAD_BYTES = 64;

const sizeOf = (entry: Entry): number => entry.data.length + ENTRY_OVERHEAD_BYTES;

export class NodeStorage extends MemoryStorage {
  bytes = 0;
  /** Only one snapshot is sent at a time. */
  isSnapshotInUse = false;
  readonly #appliedIndex: () => number;

  /**
   * @param voters of a new cluster; none: the log is empty until a snapshot fills it
   * @param index  the place (index, term) that its state stands at
   */
  constructor(voters: readonly number[], appliedIndex: () => number, index = 1, term = 1) {
    super();
    this.#appliedIndex = appliedIndex;
    if (voters.length === 0) return;
    const confState = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    this.applySnapshot({ index, term, confState });
  }

  override append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.lastIndex()) this.bytes -= this.bytesBetween(first.index - 1, this.lastIndex());
    super.append(entries);
    for (const entry of entries) this.bytes += sizeOf(entry);
  }

  override applySnapshot(snapshot: SnapshotMeta): ReturnType<MemoryStorage["applySnapshot"]> {
    const problem = super.applySnapshot(snapshot);
    if (problem === undefined) this.bytes = 0;
    return problem;
  }

  override snapshot(): SnapshotMeta | undefined {
    if (this.isSnapshotInUse) return undefined;
    const index = this.#appliedIndex();
    if (super.snapshot()?.index !== index) this.createSnapshot(index, this.initialState().confState);
    return super.snapshot();
  }

  /** Drops entries up to this index, keeping a tail of at most so many bytes and entries of the whole log. */
  compactTo(limit: number, tailBytes: number, tailEntries: number): void {
    const appliedIndex = this.#appliedIndex();
    let index = this.firstIndex() - 1;
    let bytes = this.bytes;
    while (index < limit && (bytes > tailBytes || appliedIndex - index > tailEntries)) {
      index++;
      bytes -= this.#sizeAt(index);
    }
    if (index < this.firstIndex()) return;
    this.compact(index);
    this.bytes = bytes;
  }

  /** Of the entries behind `after`, up to `upTo`. */
  bytesBetween(after: number, upTo: number): number {
    let bytes = 0;
    for (let index = after + 1; index <= upTo; index++) bytes += this.#sizeAt(index);
    return bytes;
  }

  #sizeAt(index: number): number {
    const entry = this.entry(index);
    return entry === undefined ? 0 : sizeOf(entry);
  }
}
