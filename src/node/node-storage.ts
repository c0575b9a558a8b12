// The log of this node: MemoryStorage, its size in bytes, and snapshots that are made only when asked for:
// the state at the applied index can be sent at any time, so "the newest snapshot" is always now.

import type { Settings } from "../config/table.ts";
import type { Entry, SnapshotMeta } from "../raft/index.ts";
import { MemoryStorage } from "../raft/index.ts";

/** What an entry costs beside its payload. */
const ENTRY_OVERHEAD_BYTES = 64;
type LogSettings = Pick<Settings, "logBytesMax" | "logTailBytes" | "logTailEntries">;

const sizeOf = (entry: Entry): number => entry.data.length + ENTRY_OVERHEAD_BYTES;

export class NodeStorage extends MemoryStorage {
  bytes = 0;
  /** Only one snapshot is sent at a time, and the log behind it must stay until its receiver has it. */
  snapshotIndexInUse = 0;
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
    if (first.index <= this.lastIndex()) this.bytes -= this.#bytesFrom(first.index);
    super.append(entries);
    for (const entry of entries) this.bytes += sizeOf(entry);
  }

  override applySnapshot(snapshot: SnapshotMeta): ReturnType<MemoryStorage["applySnapshot"]> {
    const problem = super.applySnapshot(snapshot);
    if (problem === undefined) this.bytes = 0;
    return problem;
  }

  override snapshot(): SnapshotMeta | undefined {
    if (this.snapshotIndexInUse !== 0) return undefined;
    const index = this.#appliedIndex();
    if (super.snapshot()?.index !== index) this.createSnapshot(index, this.initialState().confState);
    return super.snapshot();
  }

  /** The log's budget: a lone member keeps nothing, others a tail for those that are behind. False: it is not used up. */
  keepBudget(appliedIndex: number, settings: LogSettings, isAlone: boolean): boolean {
    if (this.bytes <= (isAlone ? 0 : settings.logBytesMax)) return false;
    if (isAlone) this.compactTo(appliedIndex, 0, 0);
    else this.compactTo(appliedIndex, settings.logTailBytes, settings.logTailEntries);
    return true;
  }

  /** Drops applied entries, keeping a tail of at most so many bytes and entries. */
  compactTo(appliedIndex: number, tailBytes: number, tailEntries: number): void {
    const limit =
      this.snapshotIndexInUse === 0 ? appliedIndex : Math.min(appliedIndex, this.snapshotIndexInUse);
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

  #sizeAt(index: number): number {
    const entry = this.entry(index);
    return entry === undefined ? 0 : sizeOf(entry);
  }

  #bytesFrom(index: number): number {
    let bytes = 0;
    for (let at = Math.max(index, this.firstIndex()); at <= this.lastIndex(); at++) bytes += this.#sizeAt(at);
    return bytes;
  }
}
