// The whole log as one: storage plus the unstable part, with the commit and apply marks. No roles, no messages.
import { assert } from "../base/assert.ts";
import { entryBytesOf, NO_LIMIT, sliceByBytes } from "./entry-size.ts";
import { NO_ENTRIES } from "./message.ts";
import { type Storage, TERM_COMPACTED, TERM_UNAVAILABLE } from "./storage.ts";
import type { Entry, SnapshotMeta } from "./types.ts";
import { type Note, UnstableLog } from "./unstable.ts";

/**
 *   first ........ applied ........ applying ........ committed ........ last
 *                  done            handed out        a majority has it
 *
 * Invariant: applied <= applying <= committed <= last.
 */
export class RaftLog {
  readonly #storage: Storage;
  readonly unstable: UnstableLog;
  readonly #info: Note | undefined;
  committed: number;
  applying: number;
  applied: number;

  /** Limits what is handed out for applying and not yet reported as applied. */
  readonly #applyingBytesMax: number;
  #applyingBytes = 0;
  #applyingPaused = false;

  constructor(storage: Storage, applyingBytesMax: number, info?: Note) {
    this.#storage = storage;
    this.#applyingBytesMax = applyingBytesMax;
    this.#info = info;
    this.unstable = new UnstableLog(storage.lastIndex() + 1, info);
    this.committed = storage.firstIndex() - 1;
    this.applying = this.committed;
    this.applied = this.committed;
  }

  firstIndex(): number {
    const snapshot = this.unstable.snapshot;
    return snapshot === undefined ? this.#storage.firstIndex() : snapshot.index + 1;
  }

  lastIndex(): number {
    const last = this.unstable.lastIndex();
    return last > 0 ? last : this.#storage.lastIndex();
  }

  /** The term at `index`, or TERM_COMPACTED or TERM_UNAVAILABLE. */
  term(index: number): number {
    const term = this.unstable.term(index);
    if (term !== TERM_UNAVAILABLE) return term;
    // The entry before the first one is gone, but its term is known: appends are matched against it.
    if (index + 1 < this.firstIndex()) return TERM_COMPACTED;
    if (index > this.lastIndex()) return TERM_UNAVAILABLE;
    return this.#storage.term(index);
  }

  /** As term(), with 0 for an unknown one. */
  termOrZero(index: number): number {
    const term = this.term(index);
    return Math.max(term, 0);
  }

  lastTerm(): number {
    const term = this.term(this.lastIndex());
    if (term < 0) assert(false, `no term for the last index ${this.lastIndex()}`);
    return term;
  }

  matches(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends in (index, term) is at least as complete as this one. */
  isUpToDate(index: number, term: number): boolean {
    const lastTerm = this.lastTerm();
    return term > lastTerm || (term === lastTerm && index >= this.lastIndex());
  }

  /** Entries from `index` on, within bytesMax but at least one; undefined if they are compacted. */
  entries(index: number, bytesMax: number): readonly Entry[] | undefined {
    const last = this.lastIndex();
    return index > last ? NO_ENTRIES : this.slice(index, last + 1, bytesMax);
  }

  /** Entries low..high-1, cut to bytesMax but at least one; undefined if the first is compacted. */
  slice(low: number, high: number, bytesMax: number): readonly Entry[] | undefined {
    const { offset, entries } = this.unstable;
    if (low < this.firstIndex()) return undefined;
    if (high > this.lastIndex() + 1)
      assert(false, `slice[${low},${high}) passes the end ${this.lastIndex()}`);
    if (low >= high) return NO_ENTRIES;
    if (low >= offset) return sliceByBytes(entries, low - offset, high - offset, bytesMax);

    const cut = Math.min(high, offset);
    const stable = this.#storage.entries(low, cut, bytesMax);
    if (stable === "compacted") return undefined;
    if (stable === "unavailable") assert(false, `entries[${low},${cut}) are missing from storage`);
    // Fewer than asked for: the limit was reached, and nothing may follow a gap.
    if (high <= offset || stable.length < cut - low) return stable;
    if (bytesMax === NO_LIMIT) return stable.concat(entries.slice(0, high - offset));
    const left = bytesMax - entryBytesOf(stable);
    const rest = left <= 0 ? [] : sliceByBytes(entries, 0, high - offset, left);
    // sliceByBytes gives at least one; as a continuation it has to fit.
    if (rest.length === 0 || (rest.length === 1 && entryBytesOf(rest) > left)) return stable;
    return stable.concat(rest);
  }

  /** The leader's own entries, already numbered. */
  push(entry: Entry): void {
    this.unstable.push(entry);
  }

  /** The follower's side of an append: true if (prevIndex, prevTerm) is in the log and the entries are too now. */
  maybeAppend(prevIndex: number, prevTerm: number, entries: readonly Entry[], commit: number): boolean {
    if (!this.matches(prevIndex, prevTerm)) return false;
    const conflict = this.findConflict(entries);
    if (conflict !== 0) {
      if (conflict <= this.committed) {
        assert(false, `entry ${conflict} conflict with committed entry [committed(${this.committed})]`);
      }
      const skip = conflict - prevIndex - 1;
      this.unstable.truncateAndAppend(skip === 0 ? entries : entries.slice(skip));
    }
    this.commitTo(Math.min(commit, prevIndex + entries.length));
    return true;
  }

  /** The index of the first entry that is not in the log as it is here; 0 if all are. */
  findConflict(entries: readonly Entry[]): number {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (this.matches(entry.index, entry.term)) continue;
      if (this.#info !== undefined && entry.index <= this.lastIndex()) {
        const own = this.termOrZero(entry.index);
        this.#info(
          `found conflict at index ${entry.index} [existing term: ${own}, conflicting term: ${entry.term}]`,
        );
      }
      return entry.index;
    }
    return 0;
  }

  /**
   * Where this log may still agree with one that has `term` at `index`: the largest index, not above the given,
   * whose term here is not above `term`, or is unknown. Skips a whole term per question.
   */
  findConflictByTerm(index: number, term: number): number {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (own < 0 || own <= term) return at;
    }
    return 0;
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    if (index > this.lastIndex()) {
      assert(
        false,
        `tocommit(${index}) is out of range [lastIndex(${this.lastIndex()})]. Was the raft log corrupted, truncated, or lost?`,
      );
    }
    this.committed = index;
  }

  /** Commits up to `index` if the entry there is of the leader's own `term`; older ones follow from it. */
  maybeCommit(index: number, term: number): boolean {
    if (index <= this.committed || term === 0 || this.term(index) !== term) return false;
    this.commitTo(index);
    return true;
  }

  restore(snapshot: SnapshotMeta): void {
    this.#info?.(
      `log [committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, ` +
        `unstable.offset=${this.unstable.offset}, unstable.offsetInProgress=${this.unstable.offsetInProgress}, ` +
        `len(unstable.Entries)=${this.unstable.entries.length}] ` +
        `starts to restore snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
    );
    this.committed = snapshot.index;
    this.unstable.restore(snapshot);
  }

  /** A snapshot that has not reached storage: nothing may be applied before it is. */
  hasPendingSnapshot(): boolean {
    return this.unstable.snapshot !== undefined;
  }

  snapshot(): SnapshotMeta | undefined {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  #appliableIndex(allowUnstable: boolean): number {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  hasNextCommitted(allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.hasPendingSnapshot()) return false;
    return this.applying < this.#appliableIndex(allowUnstable);
  }

  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return NO_ENTRIES;
    const low = this.applying + 1;
    const high = this.#appliableIndex(allowUnstable) + 1;
    const entries = this.slice(low, high, this.#applyingBytesMax - this.#applyingBytes);
    assert(entries !== undefined, `unapplied entries [${low},${high}) are compacted`);
    return entries;
  }

  acceptApplying(index: number, bytes: number, allowUnstable: boolean): void {
    this.applying = index;
    this.#applyingBytes += bytes;
    // Also paused when less was handed out than there is: the next entry would have passed the limit.
    this.#applyingPaused =
      this.#applyingBytes >= this.#applyingBytesMax || index < this.#appliableIndex(allowUnstable);
  }

  appliedTo(index: number, bytes: number): void {
    if (index > this.committed || index < this.applied) {
      assert(
        false,
        `applied(${index}) is out of range [prevApplied(${this.applied}), committed(${this.committed})]`,
      );
    }
    this.applied = index;
    if (this.applying < index) this.applying = index;
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax;
  }
}
