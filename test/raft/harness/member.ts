// One member for tests that do not print: a core over a prepared log, and what came out of it.
import { Xoshiro } from "../../../src/base/prng.ts";
import {
  type ConfState,
  EMPTY_CONFIG,
  type Entry,
  type MemberId,
  MemoryStorage,
  type Message,
  type MessageType,
  makeMessage,
  NO_BYTES,
  NO_LIMIT,
  type RaftConfig,
  RaftCore,
  type ReadState,
  type Ready,
} from "../../../src/raft/index.ts";

export interface Setup {
  readonly voters?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** The terms of entries 1, 2, 3, ... */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly vote?: MemberId;
  readonly commit?: number;
  readonly config?: Partial<RaftConfig>;
  /** Instead of a prepared log. */
  readonly storage?: MemoryStorage;
}

export const ELECTION_TICKS = 10;

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

export function entryOf(term: number, index: number, content = ""): Entry {
  return {
    term,
    index,
    type: "normal",
    data: content === "" ? NO_BYTES : text(content),
    confChange: undefined,
  };
}

/** Entries with these terms, the first at `first`. */
export function entriesOf(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, at) => entryOf(term, first + at));
}

export function config(id: MemberId, changes: Partial<RaftConfig> = {}): RaftConfig {
  return {
    id,
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: 1,
    maxSizePerMessage: NO_LIMIT,
    maxInflightMessages: 256,
    maxInflightBytes: 0,
    maxUncommittedBytes: 0,
    maxCommittedBytesPerReady: 0,
    checkQuorum: false,
    preVote: false,
    readOnly: "safe",
    disableProposalForwarding: false,
    disableConfChangeValidation: false,
    stepDownOnRemoval: true,
    prng: new Xoshiro(id),
    applied: 0,
    leaseDurationMs: 0,
    leaseDriftMarginMs: 0,
    batchAppends: false,
    ...changes,
  };
}

export function message(
  type: MessageType,
  from: MemberId,
  to: MemberId,
  term: number,
  fields: Partial<Message> = {},
): Message {
  return { ...makeMessage(type, from, to, term), ...fields };
}

/** The answer of a follower that took the append. */
export function accept(m: Message): Message {
  return message("appendResponse", m.to, m.from, m.term, {
    index: m.index + m.entries.length,
    stampMs: m.stampMs,
  });
}

export class Member {
  readonly id: MemberId;
  readonly storage: MemoryStorage;
  readonly core: RaftCore;
  /** Everything handed out for applying so far. */
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];
  readonly droppedReads: string[] = [];
  /** All entries handed out for storing. */
  readonly stored: Entry[] = [];
  /** Off: committed changes of members are handed out and ignored. */
  appliesChanges = true;

  constructor(id: MemberId, setup: Setup = {}) {
    this.id = id;
    this.storage = setup.storage ?? prepared(setup);
    this.core = new RaftCore(config(id, setup.config), this.storage);
  }

  /** Does what one Ready says; the messages to others come back. */
  handle(): readonly Message[] {
    const ready = this.core.ready();
    if (ready.fault !== undefined) throw new Error(ready.fault);
    this.#persist(ready);
    for (const entry of ready.committedEntries) this.#apply(entry);
    this.reads.push(...ready.readStates);
    for (const context of ready.droppedReads) this.droppedReads.push(new TextDecoder().decode(context));
    this.core.advance();
    return ready.messages;
  }

  #persist(ready: Ready): void {
    if (ready.hardState !== undefined) this.storage.setHardState(ready.hardState);
    if (ready.snapshot !== undefined) this.storage.applySnapshot(ready.snapshot);
    this.storage.append(ready.entries);
    this.stored.push(...ready.entries);
  }

  #apply(entry: Entry): void {
    this.applied.push(entry);
    if (entry.confChange !== undefined && this.appliesChanges) {
      this.storage.setConfState(this.core.applyConfChange(entry.confChange, entry.index));
    }
  }

  /** Until there is nothing left to do. */
  drain(): Message[] {
    const messages: Message[] = [];
    while (this.core.hasReady()) messages.push(...this.handle());
    return messages;
  }

  step(m: Message): Message[] {
    this.core.step(m);
    return this.drain();
  }

  ticks(count: number): Message[] {
    for (let i = 0; i < count; i++) this.core.tick();
    return this.drain();
  }

  /** The terms of all entries, stored or not yet. */
  terms(): number[] {
    const terms: number[] = [];
    for (let index = 1; index <= this.storage.lastIndex(); index++) terms.push(this.storage.term(index));
    return terms;
  }

  /** Payloads of applied entries that have one. */
  appliedTexts(): string[] {
    return this.applied
      .filter((entry) => entry.data.length > 0)
      .map((entry) => new TextDecoder().decode(entry.data));
  }

  /** Campaigns and gets the votes of `voters`; returns what it sends as a new leader. */
  lead(voters: readonly MemberId[]): Message[] {
    this.core.campaign();
    this.drain();
    const sent: Message[] = [];
    for (const voter of voters)
      sent.push(...this.step(message("voteResponse", voter, this.id, this.core.term)));
    return sent;
  }
}

function prepared(setup: Setup): MemoryStorage {
  const storage = new MemoryStorage();
  storage.append(entriesOf(setup.log ?? []));
  storage.setConfState(confState(setup.voters ?? [1, 2, 3], setup.learners));
  const { term = 0, vote = 0, commit = 0 } = setup;
  storage.setHardState({ term, vote, commit });
  return storage;
}

export function confState(voters: readonly MemberId[], learners: readonly MemberId[] = []): ConfState {
  return { ...EMPTY_CONFIG, voters, learners };
}
