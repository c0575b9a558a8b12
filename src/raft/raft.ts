// The state of one member and its role changes. The rules live in the files beside it (election, leader, follower,
// replicate, reads, membership, ...), each a few functions over this record. Only RaftCore is public.
import { assert } from "../base/assert.ts";
import type { Prng } from "../base/prng.ts";
import { checkConfig, type RaftConfig } from "./config.ts";
import { normalizeConfig } from "./config-change.ts";
import { describeConfig } from "./describe.ts";
import { NO_LIMIT } from "./entry-size.ts";
import { RaftLog } from "./log.ts";
import { hex, makeMessage } from "./message.ts";
import { VotePledge } from "./pledge.ts";
import { ReadQueue, type ReadRequest } from "./read-queue.ts";
import type { Storage } from "./storage.ts";
import { Tracker } from "./tracker.ts";
import {
  type ConfChange,
  type Entry,
  type EntryType,
  type HardState,
  type MemberId,
  type Message,
  NO_MEMBER,
  type ReadState,
  type Role,
  type TraceLevel,
} from "./types.ts";
import type { Note } from "./unstable.ts";

const LEVELS: readonly TraceLevel[] = ["debug", "info", "warn", "error"];

export class Raft {
  readonly config: RaftConfig;
  readonly id: MemberId;
  readonly strict: boolean;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly prng: Prng;
  // Undefined when nobody listens: `r.info?.(...)` then does not even build the text.
  readonly debug: Note | undefined;
  readonly info: Note | undefined;
  readonly warn: Note | undefined;
  readonly error: Note | undefined;

  term = 0;
  vote: MemberId = NO_MEMBER;
  leader: MemberId = NO_MEMBER;
  role: Role = "follower";
  /** Monotonic; only leases, pledges and the bound of pulses look at it. */
  nowMs = 0;

  electionTicks: number;
  /** Ticks since the leader was heard, a vote granted, or (leader) since the last quorum check. */
  electionElapsed = 0;
  heartbeatTicks: number;
  heartbeatElapsed = 0;
  randomizedElectionTicks = 0;

  /** Index of the last snapshot taken over: the configuration has every change up to there. */
  restoredIndex = 0;

  // Leader only.
  transferee: MemberId = NO_MEMBER;
  /** No configuration change may be proposed before this index is applied. */
  pendingConfIndex = 0;
  uncommittedBytes = 0;
  committedInTerm = false;
  readonly reads = new ReadQueue();
  /** Reads that came before the first commit of the term. */
  postponedReads: ReadRequest[] = [];
  /** batchAppends: there may be something to send when the next Ready is taken. */
  appendsDue = false;
  /** batchAppends: members that only lack the commit index are told with the next Ready; once a tick. */
  commitDue = false;
  /** Stamps up to here do not count for the lease: a transfer was ordered and taken back. */
  leaseFloorMs = 0;
  leaseEndMs = 0;
  leaseStale = true;

  // Follower only.
  readonly pledge: VotePledge;
  pledgeBlindly: boolean;
  /** When the leader's last message came. */
  leaderHeardMs = Number.NEGATIVE_INFINITY;
  /** When a follower last restarted its election timeout for a sign of its leader: a message, or a pulse. */
  leaderSignMs = Number.NEGATIVE_INFINITY;
  /** The connection to this leader broke; see failover.ts. */
  lostLeader: MemberId = NO_MEMBER;
  hurryTicks = 0;
  hurryAttempts = 0;
  /** Contexts of reads sent to the leader and not answered. */
  forwardedReads: Uint8Array[] = [];

  /** Since it was made, for people to look at. */
  electionsStarted = 0;

  // Output, collected by ready.ts.
  messages: Message[] = [];
  /** Votes and acknowledgements: only true once the entries and the hard state before them are stored. */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];
  droppedReads: Uint8Array[] = [];
  droppedProposals: Entry[] = [];

  constructor(config: RaftConfig, storage: Storage) {
    checkConfig(config);
    const { trace, traceLevel = "debug" } = config;
    const note = (level: TraceLevel): Note | undefined => {
      if (trace === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(traceLevel)) return undefined;
      return (text) => trace(level, text);
    };
    this.debug = note("debug");
    this.info = note("info");
    this.warn = note("warn");
    this.error = note("error");
    this.config = config;
    this.id = config.id;
    this.strict = config.strict ?? true;
    this.prng = config.prng;
    this.electionTicks = config.electionTicks;
    this.heartbeatTicks = config.heartbeatTicks;
    this.pledge = new VotePledge(config.leaseDurationMs);
    const applyingBytesMax = config.maxCommittedBytesPerReady || config.maxSizePerMessage || NO_LIMIT;
    this.log = new RaftLog(storage, applyingBytesMax, this.info);
    this.tracker = new Tracker(config.maxInflightMessages, config.maxInflightBytes);

    const { hardState, confState } = storage.initialState();
    this.tracker.adopt(normalizeConfig(confState), this.log.lastIndex());
    this.info?.(`${hex(this.id)} switched to configuration ${describeConfig(this.tracker.config)}`);
    if (hardState.term !== 0 || hardState.vote !== 0 || hardState.commit !== 0) this.#load(hardState);
    this.pledgeBlindly = hardState.term > 0 && config.leaseDurationMs > 0;
    if (config.applied > 0) this.log.appliedTo(config.applied, 0);
    this.becomeFollower(this.term, NO_MEMBER);
    this.info?.(
      `newRaft ${hex(this.id)} [peers: [${this.tracker.voters.map((peer) => hex(peer.id)).join(",")}], ` +
        `term: ${this.term}, commit: ${this.log.committed}, applied: ${this.log.applied}, ` +
        `lastindex: ${this.log.lastIndex()}, lastterm: ${this.log.lastTerm()}]`,
    );
  }

  #load(stored: HardState): void {
    const last = this.log.lastIndex();
    if (stored.commit < this.log.committed || stored.commit > last) {
      assert(
        false,
        `${hex(this.id)} state.commit ${stored.commit} is out of range [${this.log.committed}, ${last}]`,
      );
    }
    this.log.committed = stored.commit;
    this.term = stored.term;
    this.vote = stored.vote;
  }

  isLearner(): boolean {
    return this.tracker.config.learners.includes(this.id);
  }

  /** May become leader: a voter (of either half) with no snapshot on its way into storage. */
  promotable(): boolean {
    const own = this.tracker.get(this.id);
    return own !== undefined && !own.isLearner && !this.log.hasPendingSnapshot();
  }

  /** Leader: an entry of its own term is committed, so its commit index is the cluster's. */
  hasCommittedInTerm(): boolean {
    if (!this.committedInTerm) this.committedInTerm = this.log.termOrZero(this.log.committed) === this.term;
    return this.committedInTerm;
  }

  /** "[logterm: T, index: I, vote: V]" and the like begin with this. */
  logPosition(): string {
    return `logterm: ${this.log.lastTerm()}, index: ${this.log.lastIndex()}`;
  }

  drawElectionTimeout(): void {
    this.randomizedElectionTicks = this.electionTicks + this.prng.below(this.electionTicks);
  }

  becomeFollower(term: number, leader: MemberId): void {
    this.#reset(term);
    this.leader = leader;
    this.role = "follower";
    this.info?.(`${hex(this.id)} became follower at term ${this.term}`);
  }

  becomeCandidate(): void {
    assert(this.role !== "leader", "invalid transition [leader -> candidate]");
    this.#reset(this.term + 1);
    this.vote = this.id;
    this.role = "candidate";
    this.info?.(`${hex(this.id)} became candidate at term ${this.term}`);
  }

  /** Asks whether it would win, before it raises any term: term, vote and timers stay. */
  becomePreCandidate(): void {
    assert(this.role !== "leader", "invalid transition [leader -> pre-candidate]");
    this.tracker.clearVotes();
    this.dropForwardedReads();
    this.leader = NO_MEMBER;
    this.role = "preCandidate";
    this.info?.(`${hex(this.id)} became pre-candidate at term ${this.term}`);
  }

  becomeLeader(): void {
    assert(this.role === "candidate", `invalid transition [${this.role} -> leader]`);
    this.#reset(this.term);
    this.leader = this.id;
    this.role = "leader";
    this.lostLeader = NO_MEMBER;
    this.hurryAttempts = 0;
    const own = this.tracker.must(this.id);
    own.becomeReplicate();
    own.recentActive = true;
    own.stampMs = Number.POSITIVE_INFINITY;
    // There may be a change among the entries taken over; waiting for all of them is cheaper than looking.
    this.pendingConfIndex = this.log.lastIndex();
    this.appendOwn("normal", EMPTY_PAYLOAD, undefined);
    this.acknowledgeOwn();
    this.info?.(`${hex(this.id)} became leader at term ${this.term}`);
  }

  #reset(term: number): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = NO_MEMBER;
    }
    this.leader = NO_MEMBER;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.drawElectionTimeout();
    this.transferee = NO_MEMBER;
    this.tracker.clearVotes();
    const last = this.log.lastIndex();
    for (const peer of this.tracker.peers) {
      peer.forget(last + 1);
      if (peer.id === this.id) peer.match = last;
    }
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.committedInTerm = false;
    this.appendsDue = false;
    this.leaseFloorMs = 0;
    this.leaseStale = true;
    this.#dropReads();
  }

  #dropReads(): void {
    for (const read of this.reads.clear()) this.#dropRead(read);
    this.dropForwardedReads();
    if (!this.strict || this.postponedReads.length === 0) return;
    for (const read of this.postponedReads) this.#dropRead(read);
    this.postponedReads = [];
  }

  /** Others find out by themselves: their forwarded reads are dropped when the leader changes. */
  #dropRead(read: ReadRequest): void {
    if (read.from === NO_MEMBER || read.from === this.id) this.droppedReads.push(read.context);
  }

  dropForwardedReads(): void {
    if (this.forwardedReads.length === 0) return;
    for (const context of this.forwardedReads) this.droppedReads.push(context);
    this.forwardedReads = [];
  }

  /** Adds one entry of the own term to the log. acknowledgeOwn() must follow. */
  appendOwn(type: EntryType, data: Uint8Array, confChange: ConfChange | undefined): void {
    this.log.push({ term: this.term, index: this.log.lastIndex() + 1, type, data, confChange });
  }

  /** The leader's own acknowledgement: counts once its log is stored, like everybody else's. */
  acknowledgeOwn(): void {
    const m = makeMessage("appendResponse", this.id, this.id, this.term);
    m.index = this.log.lastIndex();
    // As in UnstableLog.push(): there is seldom more than one.
    if (this.messagesAfterAppend.length === 0) this.messagesAfterAppend = [m];
    else this.messagesAfterAppend.push(m);
  }
}

const EMPTY_PAYLOAD = new Uint8Array(0);
