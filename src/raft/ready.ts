// Collects what the core wants done into one Ready, and takes the acknowledgement back.
//
// Sync: everything of a Ready is done when advance() is called. The core's messages to itself (its own vote, its own
// acknowledgement) count then and not earlier. Async: the same things travel as messages to two storage workers.
import { assert } from "../base/assert.ts";
import { entryBytesOf } from "./entry-size.ts";
import { lastOf, makeMessage, NO_ENTRIES, NO_MESSAGES } from "./message.ts";
import type { Raft } from "./raft.ts";
import { flushAppends } from "./replicate.ts";
import { stepMessage, storageAppended, storageApplied } from "./step.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Entry,
  type HardState,
  type MemberId,
  type Message,
  type ReadState,
  type Ready,
  type Role,
  type SnapshotMeta,
} from "./types.ts";

const NO_READ_STATES: readonly ReadState[] = Object.freeze([]);
const NO_CONTEXTS: readonly Uint8Array[] = Object.freeze([]);

export class ReadyQueue {
  readonly #raft: Raft;
  readonly #threaded: boolean;
  // As of the last Ready.
  #leader: MemberId;
  #role: Role;
  #term: number;
  #vote: MemberId;
  #commit: number;
  // Sync: what advance() acknowledges.
  #outstanding = false;
  #toSelf: Message[] = [];
  #appendedTerm = 0;
  #appendedIndex = 0;
  #appendedLogTerm = 0;
  #snapshot: SnapshotMeta | undefined;
  #applied: readonly Entry[] = NO_ENTRIES;

  constructor(raft: Raft) {
    this.#raft = raft;
    this.#threaded = raft.config.asyncStorageWrites ?? false;
    this.#leader = raft.leader;
    this.#role = raft.role;
    this.#term = raft.term;
    this.#vote = raft.vote;
    this.#commit = raft.log.committed;
  }

  has(): boolean {
    const r = this.#raft;
    return (
      r.messages.length > 0 ||
      r.messagesAfterAppend.length > 0 ||
      r.appendsDue ||
      r.log.unstable.hasNextEntries() ||
      r.log.hasNextCommitted(!this.#threaded) ||
      r.readStates.length > 0 ||
      this.#softStateChanged() ||
      this.#hardStateChanged() ||
      r.log.unstable.nextSnapshot() !== undefined ||
      r.droppedReads.length > 0 ||
      r.droppedProposals.length > 0
    );
  }

  #softStateChanged(): boolean {
    return this.#leader !== this.#raft.leader || this.#role !== this.#raft.role;
  }

  #hardStateChanged(): boolean {
    const r = this.#raft;
    return this.#term !== r.term || this.#vote !== r.vote || this.#commit !== r.log.committed;
  }

  take(): Ready {
    const r = this.#raft;
    if (r.appendsDue) flushAppends(r);
    const { unstable } = r.log;
    const entries = unstable.hasNextEntries() ? unstable.nextEntries() : NO_ENTRIES;
    const mustSync = entries.length > 0 || this.#term !== r.term || this.#vote !== r.vote;
    const snapshot = unstable.nextSnapshot();
    const committedEntries = r.log.nextCommitted(!this.#threaded);
    const softState = this.#softStateChanged() ? { leader: r.leader, role: r.role } : undefined;
    const hardState = this.#hardStateChanged()
      ? { term: r.term, vote: r.vote, commit: r.log.committed }
      : undefined;
    const messages = this.#threaded
      ? this.#asyncMessages(entries, hardState, snapshot, committedEntries)
      : this.#syncMessages(snapshot, committedEntries);
    const ready: Ready = {
      softState,
      hardState,
      readStates: r.readStates.length > 0 ? r.readStates : NO_READ_STATES,
      entries,
      snapshot,
      committedEntries,
      messages,
      mustSync,
      droppedReads: r.droppedReads.length > 0 ? r.droppedReads : NO_CONTEXTS,
      droppedProposals: r.droppedProposals.length > 0 ? r.droppedProposals : NO_ENTRIES,
      fault: undefined,
    };
    this.#accept(committedEntries);
    return ready;
  }

  /** The Ready is out: what it carries is not offered again. */
  #accept(committedEntries: readonly Entry[]): void {
    const r = this.#raft;
    this.#leader = r.leader;
    this.#role = r.role;
    this.#term = r.term;
    this.#vote = r.vote;
    this.#commit = r.log.committed;
    if (r.messages.length > 0) r.messages = [];
    if (r.messagesAfterAppend.length > 0) r.messagesAfterAppend = [];
    if (r.readStates.length > 0) r.readStates = [];
    if (r.droppedReads.length > 0) r.droppedReads = [];
    if (r.droppedProposals.length > 0) r.droppedProposals = [];
    r.log.unstable.acceptInProgress();
    if (committedEntries.length > 0) {
      r.log.acceptApplying(lastOf(committedEntries).index, entryBytesOf(committedEntries), !this.#threaded);
    }
  }

  #syncMessages(snapshot: SnapshotMeta | undefined, committed: readonly Entry[]): readonly Message[] {
    const r = this.#raft;
    assert(!this.#outstanding, "two Readys without advance() between them");
    this.#outstanding = true;
    // Storing this Ready makes everything unstable stable; even without entries of its own it says so, because an
    // acknowledgement of an earlier term was not believed.
    const unstable = r.log.unstable.entries.length > 0;
    this.#appendedTerm = r.term;
    this.#appendedIndex = unstable ? r.log.lastIndex() : 0;
    this.#appendedLogTerm = unstable ? r.log.lastTerm() : 0;
    this.#snapshot = snapshot;
    this.#applied = committed;
    const messages = r.messages;
    const after = r.messagesAfterAppend;
    // The leader's own acknowledgement alone, most of the time: the list is taken over, as #accept() makes a new one.
    if (after.length === 1 && after[0]?.to === r.id) this.#toSelf = after;
    else for (const m of after) (m.to === r.id ? this.#toSelf : messages).push(m);
    return messages.length > 0 ? messages : NO_MESSAGES;
  }

  advance(): void {
    if (!this.#outstanding) return;
    const r = this.#raft;
    this.#outstanding = false;
    const toSelf = this.#toSelf;
    if (toSelf.length > 0) this.#toSelf = [];
    for (let i = 0; i < toSelf.length; i++) stepMessage(r, toSelf[i] as Message);
    if (this.#appendedIndex > 0 || this.#snapshot !== undefined) {
      storageAppended(r, this.#appendedTerm, this.#appendedLogTerm, this.#appendedIndex, this.#snapshot);
      this.#snapshot = undefined;
    }
    const applied = this.#applied;
    if (applied.length > 0) {
      this.#applied = NO_ENTRIES;
      storageApplied(r, applied);
    }
  }

  #asyncMessages(
    entries: readonly Entry[],
    hardState: HardState | undefined,
    snapshot: SnapshotMeta | undefined,
    committed: readonly Entry[],
  ): readonly Message[] {
    const r = this.#raft;
    const messages = r.messages;
    const work = entries.length > 0 || hardState !== undefined || snapshot !== undefined;
    if (work || r.messagesAfterAppend.length > 0)
      messages.push(this.#storageAppend(entries, hardState, snapshot));
    if (committed.length > 0) {
      const done = makeMessage("storageApplyResponse", APPLY_THREAD, r.id, 0);
      done.entries = committed;
      const m = makeMessage("storageApply", r.id, APPLY_THREAD, 0);
      m.entries = committed;
      m.responses = [done];
      messages.push(m);
    }
    return messages.length > 0 ? messages : NO_MESSAGES;
  }

  #storageAppend(
    entries: readonly Entry[],
    hardState: HardState | undefined,
    snapshot: SnapshotMeta | undefined,
  ): Message {
    const r = this.#raft;
    const m = makeMessage("storageAppend", r.id, APPEND_THREAD, hardState?.term ?? 0);
    m.vote = hardState?.vote ?? 0;
    m.commit = hardState?.commit ?? 0;
    m.entries = entries;
    m.snapshot = snapshot;
    const responses = r.messagesAfterAppend.slice();
    const unstable = r.log.unstable.entries.length > 0;
    if (unstable || snapshot !== undefined) {
      // Behind the own acknowledgements: those are cheaper while the entries are still at hand.
      const done = makeMessage("storageAppendResponse", APPEND_THREAD, r.id, r.term);
      done.index = unstable ? r.log.lastIndex() : 0;
      done.logTerm = unstable ? r.log.lastTerm() : 0;
      done.snapshot = snapshot;
      responses.push(done);
    }
    m.responses = responses;
    return m;
  }
}
