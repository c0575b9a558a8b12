// One member in a transcript: a core over its storage, a state machine that keeps a history of snapshots, and the
// queues of the two storage workers (FORMAT.md section 2).
import { Xoshiro } from "../../../src/base/prng.ts";
import {
  type ConfState,
  EMPTY_CONFIG,
  type Entry,
  type HardState,
  MemoryStorage,
  type Message,
  type RaftConfig,
  RaftCore,
  type SnapshotMeta,
  type Trace,
} from "../../../src/raft/index.ts";

/** Seeded, except that the next draw can be set: how a file chooses an election timeout. */
export class SettablePrng extends Xoshiro {
  next: number | undefined;

  override below(limit: number): number {
    const forced = this.next;
    this.next = undefined;
    return forced ?? super.below(limit);
  }
}

/** Offers the state machine's last snapshot, whatever is in the log. */
export class HistoryStorage extends MemoryStorage {
  readonly history: SnapshotMeta[];

  constructor(initial: SnapshotMeta) {
    super();
    this.history = [initial];
    if (initial.index > 0) this.applySnapshot(initial);
  }

  override snapshot(): SnapshotMeta | undefined {
    return this.history[this.history.length - 1];
  }

  /** What came last: applied entries, or a snapshot from a leader (which history does not record). */
  newestState(): SnapshotMeta {
    const stored = super.snapshot();
    const last = this.history[this.history.length - 1]!;
    return stored !== undefined && stored.index > last.index ? stored : last;
  }
}

export type NodeOptions = Omit<RaftConfig, "id" | "prng" | "applied" | "trace" | "electionTicks">;

export const ELECTION_TICKS = 3;

export class TranscriptNode {
  readonly id: number;
  readonly storage: HistoryStorage;
  readonly prng: SettablePrng;
  readonly asyncWrites: boolean;
  readonly #options: NodeOptions;
  readonly #trace: Trace;
  core: RaftCore;
  appendWork: Message[] = [];
  applyWork: Message[] = [];

  constructor(id: number, initial: SnapshotMeta, options: NodeOptions, trace: Trace) {
    this.id = id;
    this.storage = new HistoryStorage(initial);
    this.prng = new SettablePrng(id);
    this.#options = options;
    this.#trace = trace;
    this.asyncWrites = options.asyncStorageWrites ?? false;
    this.core = this.#build(initial.index);
  }

  #build(applied: number): RaftCore {
    const { id, prng } = this;
    const trace = this.#trace;
    const config: RaftConfig = { ...this.#options, id, prng, applied, trace, electionTicks: ELECTION_TICKS };
    return new RaftCore(config, this.storage);
  }

  restart(): void {
    this.appendWork = [];
    this.applyWork = [];
    const state = this.storage.newestState();
    this.storage.setConfState(state.confState);
    this.core = this.#build(state.index);
  }

  setElectionTimeout(ticks: number): void {
    this.prng.next = ticks - ELECTION_TICKS;
    this.core.setElectionTicks(ELECTION_TICKS);
  }

  /** Returns an error text, if any. */
  persist(
    hardState: HardState | undefined,
    entries: readonly Entry[],
    snapshot: SnapshotMeta | undefined,
  ): string {
    if (hardState !== undefined) this.storage.setHardState(hardState);
    if (snapshot === undefined) this.storage.append(entries);
    else if (entries.length > 0) return "can't apply snapshot and entries at the same time";
    else this.storage.applySnapshot(snapshot);
    return "";
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      let confState: ConfState =
        this.storage.history[this.storage.history.length - 1]?.confState ?? EMPTY_CONFIG;
      if (entry.confChange !== undefined)
        confState = this.core.applyConfChange(entry.confChange, entry.index);
      this.storage.history.push({ index: entry.index, term: entry.term, confState });
    }
  }
}
