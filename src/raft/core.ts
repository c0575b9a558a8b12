// The public face of the consensus core: inputs in, one Ready out. A broken invariant halts it with a fault in the
// next Ready; input from peers never throws. No timers, no sockets, no clock, no randomness of its own.
import { assert, InvariantError } from "../base/assert.ts";
import type { RaftConfig } from "./config.ts";
import { startElection, tickElection } from "./election.ts";
import { connectionLost } from "./failover.ts";
import {
  beat,
  handleMemberMessage,
  memberOf,
  memberUnreachable,
  snapshotReported,
  tickLeader,
} from "./leader.ts";
import { leaseValid } from "./lease.ts";
import { applyConfChange } from "./membership.ts";
import { hex, MESSAGE_KIND, makeMessage, NO_BYTES, NO_ENTRIES, NO_MESSAGES } from "./message.ts";
import { implausible } from "./plausible.ts";
import { proposeEntry } from "./proposals.ts";
import { pulseHeard } from "./pulse.ts";
import { Raft } from "./raft.ts";
import { requestRead } from "./reads.ts";
import { ReadyQueue } from "./ready.ts";
import { forwardTransfer, stepMessage } from "./step.ts";
import type { Storage } from "./storage.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfChange,
  type ConfState,
  type MemberId,
  type Message,
  NO_MEMBER,
  type ProgressView,
  type ProposeResult,
  type Ready,
  type Role,
  type SnapshotMeta,
  type StepRefusal,
  type StepResult,
} from "./types.ts";

const OK: StepResult = Object.freeze({ ok: true });
const refusal = (reason: StepRefusal): StepResult => Object.freeze({ ok: false, reason });
const REFUSED = {
  localMessage: refusal("localMessage"),
  peerNotFound: refusal("peerNotFound"),
  proposalDropped: refusal("proposalDropped"),
  malformed: refusal("malformed"),
  halted: refusal("halted"),
} as const satisfies Record<StepRefusal, StepResult>;
const PROPOSE_HALTED: ProposeResult = Object.freeze({ ok: false, reason: "halted" });

export class RaftCore {
  readonly #raft: Raft;
  readonly #ready: ReadyQueue;
  #fault: string | undefined;
  #faultReported = false;

  /** Throws InvariantError for a configuration or storage that cannot work. */
  constructor(config: RaftConfig, storage: Storage) {
    this.#raft = new Raft(config, storage);
    this.#ready = new ReadyQueue(this.#raft);
  }

  /** Ours, not the peer's: nothing more may leave a node whose state is not what it should be. */
  #halt(error: unknown): void {
    if (!(error instanceof InvariantError)) throw error;
    this.#fault ??= `${hex(this.#raft.id)}: ${error.message}`;
    this.#raft.error?.(this.#fault);
  }

  /** For inputs that are rare enough for a closure. */
  #run(input: () => void): void {
    if (this.#fault !== undefined) return;
    try {
      input();
    } catch (error) {
      this.#halt(error);
    }
  }

  // ---- inputs

  /**
   * The node's monotonic clock, > 0. To be called at the start of a turn, after the turn's messages were read from
   * their sockets and before they are stepped: pledges and leases count from here.
   */
  setNow(nowMs: number): void {
    const r = this.#raft;
    if (nowMs > r.nowMs) r.nowMs = nowMs;
    if (r.pledgeBlindly) {
      r.pledgeBlindly = false;
      r.pledge.giveBlindly(r.nowMs);
    }
  }

  tick(): void {
    if (this.#fault !== undefined) return;
    try {
      if (this.#raft.role === "leader") tickLeader(this.#raft);
      else tickElection(this.#raft);
    } catch (error) {
      this.#halt(error);
    }
  }

  /**
   * Ticks that come together, the last of them now. What came in meanwhile was stepped before all of them, so a follower
   * counts only those since it heard of its leader: the older ones are no silence.
   */
  pass(ticks: number, tickMs: number): void {
    const { role, nowMs, leaderSignMs } = this.#raft;
    const silentTicks = role === "follower" ? Math.ceil((nowMs - leaderSignMs) / tickMs) : ticks;
    for (let left = Math.min(ticks, silentTicks); left > 0; left--) this.tick();
  }

  /** A message from a peer, or from a storage worker. */
  step(message: Message): StepResult {
    if (this.#fault !== undefined) return REFUSED.halted;
    const kind = MESSAGE_KIND[message.type];
    const fromWorker = message.from === APPEND_THREAD || message.from === APPLY_THREAD;
    if (kind === "local" && !fromWorker) return REFUSED.localMessage;
    if (kind === "response" && !fromWorker && this.#raft.tracker.get(message.from) === undefined) {
      return REFUSED.peerNotFound;
    }
    if (!fromWorker && this.objection(message) !== undefined) return REFUSED.malformed;
    try {
      return stepMessage(this.#raft, message) ? OK : REFUSED.proposalDropped;
    } catch (error) {
      this.#halt(error);
      return REFUSED.halted;
    }
  }

  /** Why step() calls a peer's message malformed: no member that follows the protocol sends it. */
  objection(message: Message): string | undefined {
    return implausible(this.#raft, message);
  }

  /** Starts an election now (with a pre-vote if so configured). */
  campaign(): void {
    this.#run(() => startElection(this.#raft));
  }

  /** `data` is kept by reference. Index 0 in the result: forwarded to the leader. */
  propose(data: Uint8Array): ProposeResult {
    if (this.#fault !== undefined) return PROPOSE_HALTED;
    try {
      return proposeEntry(this.#raft, "normal", data, undefined);
    } catch (error) {
      this.#halt(error);
      return PROPOSE_HALTED;
    }
  }

  /** `type` only says how the entry is labelled; the change is the same. */
  proposeConfChange(change: ConfChange, type: "confChange" | "confChangeV2" = "confChangeV2"): ProposeResult {
    let result = PROPOSE_HALTED;
    this.#run(() => {
      result = proposeEntry(this.#raft, type, NO_BYTES, change);
    });
    return result;
  }

  /** Answered in some Ready's readStates, or given up in its droppedReads. */
  readIndex(context: Uint8Array): void {
    if (this.#fault !== undefined) return;
    try {
      requestRead(this.#raft, NO_MEMBER, context);
    } catch (error) {
      this.#halt(error);
    }
  }

  /** Hands leadership to `target`; on a follower, asks the leader to. */
  transferLeader(target: MemberId): void {
    this.#run(() => {
      const r = this.#raft;
      const m = makeMessage("transferLeader", target, r.id, 0);
      if (r.role === "leader") handleMemberMessage(r, m);
      else if (r.role === "follower") forwardTransfer(r, m);
    });
  }

  /** A follower that knows better than its leader's last words; refused with lease based reads. */
  forgetLeader(): void {
    this.#run(() => {
      const r = this.#raft;
      if (r.role !== "follower") return;
      if (r.config.readOnly === "leaseBased") {
        r.error?.("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
      } else if (r.leader !== NO_MEMBER) {
        r.info?.(`${hex(r.id)} forgetting leader ${hex(r.leader)} at term ${r.term}`);
        r.dropForwardedReads();
        r.leader = NO_MEMBER;
      }
    });
  }

  /** The transport failed to deliver to `id`. */
  reportUnreachable(id: MemberId): void {
    this.#run(() => {
      if (this.#raft.role !== "leader") return;
      const peer = memberOf(this.#raft, id);
      if (peer !== undefined) memberUnreachable(this.#raft, peer);
    });
  }

  /** The snapshot that a "snapshot" message announced to `id` was taken (ok) or did not get through. */
  reportSnapshot(id: MemberId, ok: boolean): void {
    this.#run(() => {
      if (this.#raft.role !== "leader") return;
      const peer = memberOf(this.#raft, id);
      if (peer !== undefined) snapshotReported(this.#raft, peer, ok);
    });
  }

  /** The transport has brought `id` more bytes of what was sent to it. */
  reportDelivery(id: MemberId): void {
    if (this.#fault !== undefined || this.#raft.role !== "leader") return;
    this.#raft.tracker.get(id)?.delivered();
  }

  /** The connection to `id` was reset or closed. Only matters for the leader's. */
  reportConnectionLost(id: MemberId): void {
    this.#run(() => connectionLost(this.#raft, id));
  }

  /** A member's process says that it lives, with the term and the leader it knows: its event loop may be busy. */
  pulse(from: MemberId, term: number, leader: MemberId): void {
    this.#run(() => pulseHeard(this.#raft, from, term, leader));
  }

  /** The snapshot that was taken from a message and is not restored yet. */
  get restoring(): SnapshotMeta | undefined {
    return this.#raft.log.unstable.snapshot;
  }

  /** So many ticks from now time alone makes this node speak: a heartbeat, or an election. At least 1. */
  get ticksUntilDue(): number {
    const {
      role,
      heartbeatTicks,
      heartbeatElapsed,
      randomizedElectionTicks,
      electionElapsed,
      hurryAttempts,
    } = this.#raft;
    if (role === "leader") return Math.max(1, heartbeatTicks - heartbeatElapsed);
    if (role !== "follower" || hurryAttempts > 0) return 1;
    return Math.max(1, randomizedElectionTicks - electionElapsed);
  }

  /** This node was busy: its heartbeats are late, and go out now. */
  catchUp(): void {
    this.#run(() => {
      if (this.#raft.role === "leader") beat(this.#raft);
    });
  }

  /** How far apart this node's heartbeats are while it leads. Shorter than an election timeout; in force at once. */
  setHeartbeatTicks(ticks: number): void {
    assert(ticks >= 1 && ticks < this.#raft.electionTicks, `heartbeats ${ticks} ticks apart`);
    this.#raft.heartbeatTicks = ticks;
  }

  /** A new election timeout, in force at once: the current one is drawn anew. */
  setElectionTicks(ticks: number): void {
    this.#run(() => {
      this.#raft.electionTicks = ticks;
      this.#raft.drawElectionTimeout();
    });
  }

  /**
   * To be called when the committed configuration change at `index` is applied (or not at all, if the node
   * refuses it). A snapshot that has come in the meantime may contain the change: then nothing happens.
   */
  applyConfChange(change: ConfChange, index: number): ConfState {
    this.#run(() => applyConfChange(this.#raft, change, index));
    return this.#raft.tracker.config;
  }

  // ---- output

  /** Behind step(): is there anything to do now? The answer to a heartbeat mostly leaves nothing. */
  hasWorkAfter(message: Message): boolean {
    return message.type !== "heartbeatResponse" || this.hasReady();
  }

  hasReady(): boolean {
    if (this.#fault !== undefined) return !this.#faultReported;
    return this.#ready.has();
  }

  /** To be handled in full, then advance(). */
  ready(): Ready {
    if (this.#fault === undefined) {
      try {
        return this.#ready.take();
      } catch (error) {
        this.#halt(error);
      }
    }
    this.#faultReported = true;
    return {
      softState: undefined,
      hardState: undefined,
      readStates: [],
      entries: NO_ENTRIES,
      snapshot: undefined,
      committedEntries: NO_ENTRIES,
      messages: NO_MESSAGES,
      mustSync: false,
      droppedReads: [],
      droppedProposals: NO_ENTRIES,
      fault: this.#fault,
    };
  }

  /** The last Ready is persisted, sent and applied. Not used with asyncStorageWrites. */
  advance(): void {
    if (this.#fault !== undefined) return;
    try {
      this.#ready.advance();
    } catch (error) {
      this.#halt(error);
    }
  }

  // ---- accessors

  /** Leader, and by the time given to setNow() nobody else can be: a read may be answered at index `commit`. */
  leaseValid(): boolean {
    return this.#fault === undefined && leaseValid(this.#raft);
  }

  get id(): MemberId {
    return this.#raft.id;
  }
  get role(): Role {
    return this.#raft.role;
  }
  get term(): number {
    return this.#raft.term;
  }
  get vote(): MemberId {
    return this.#raft.vote;
  }
  get leader(): MemberId {
    return this.#raft.leader;
  }
  get commit(): number {
    return this.#raft.log.committed;
  }
  get applied(): number {
    return this.#raft.log.applied;
  }
  get firstIndex(): number {
    return this.#raft.log.firstIndex();
  }
  get lastIndex(): number {
    return this.#raft.log.lastIndex();
  }
  get confState(): ConfState {
    return this.#raft.tracker.config;
  }
  get isLearner(): boolean {
    return this.#raft.isLearner();
  }
  get electionsStarted(): number {
    return this.#raft.electionsStarted;
  }
  /** The target of a transfer under way, or 0. */
  get transferee(): MemberId {
    return this.#raft.transferee;
  }
  /** Payload bytes proposed in this term and not yet applied. */
  get uncommittedBytes(): number {
    return this.#raft.uncommittedBytes;
  }
  /** Leader, and an entry of its own term is committed. */
  get hasCommittedInTerm(): boolean {
    return this.#raft.role === "leader" && this.#raft.hasCommittedInTerm();
  }
  get fault(): string | undefined {
    return this.#fault;
  }

  /** A change of members may be in the log and not applied yet, or is half done: another one would be refused. */
  get changeUnderWay(): boolean {
    const r = this.#raft;
    return r.pendingConfIndex > r.log.applied || r.tracker.config.votersOutgoing.length > 0;
  }

  /** A transfer of leadership is under way: proposals are refused, the lease is given up. */
  get transferring(): boolean {
    return this.#raft.transferee !== NO_MEMBER;
  }

  /** The leader's view of all members, ascending by id; empty on other roles. Copies. */
  progress(): readonly ProgressView[] {
    return this.#raft.role === "leader" ? this.#raft.tracker.peers.map((peer) => peer.view()) : [];
  }

  /** The leader's view of one member. */
  progressOf(id: MemberId): ProgressView | undefined {
    return this.#raft.role === "leader" ? this.#raft.tracker.get(id)?.view() : undefined;
  }
}
