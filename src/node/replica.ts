// One replica: the turn. Peers' messages and clients' commands come in between turns; a turn moves time,
// proposes the batch, takes what Raft decided, applies it, and sends replies and messages out. Synchronous
// and deterministic; time, randomness and sockets are ports.
//
//   turn: ticks -> propose -> Ready { store, send, apply, advance } until quiet -> held sessions -> outputs

import type { Args } from "../base/args.ts";
import { asBuffer } from "../base/as-buffer.ts";
import { assert } from "../base/assert.ts";
import { APPENDS_IN_FLIGHT_BYTES_MAX, BATCH_BYTES_FLUSH } from "../base/limits.ts";
import { Xoshiro } from "../base/prng.ts";
import { rows } from "../command/lookup.ts";
import type { DataContext } from "../command/types.ts";
import { contextOf, Machine } from "../machine/machine.ts";
import {
  type ConfChange,
  type ConfState,
  type Entry,
  type Message,
  membersOf,
  RaftCore,
  type Ready,
  type SnapshotMeta,
} from "../raft/index.ts";
import type { Store } from "../store/store.ts";
import { BatchesInFlight } from "./batches-in-flight.ts";
import { ClusterClock } from "./cluster-clock.ts";
import { CommandTimer } from "./command-timer.ts";
import { EntryMemory } from "./entry-memory.ts";
import { Expiry } from "./expiry.ts";
import { bestSuccessor, Handover } from "./handover.ts";
import { KeptLog } from "./kept-log.ts";
import { MemoryLimit } from "./memory-limit.ts";
import { NodeStorage } from "./node-storage.ts";
import { Proposals } from "./proposals.ts";
import { raftConfigOf } from "./raft-config.ts";
import { RefusedLeader } from "./refused-leader.ts";
import type { ReplicaEnvironment } from "./replica-environment.ts";
import type { Session } from "./session.ts";
import { throughSnapshot } from "./snapshot-transfer.ts";
import { StateRepair } from "./state-repair.ts";

/** Nobody can serve: no leader is known, or this one is not ready or is handing over. */
export const MODE_NONE = 0;
export const MODE_LEADER = 1;
export const MODE_FORWARD = 2;

/** Payload bytes in flight at which sessions stop adding writes. */
const IN_FLIGHT_BYTES_MAX = APPENDS_IN_FLIGHT_BYTES_MAX;
/** One Ready after the other: more than this in a turn is a loop that feeds itself. */
const READIES_PER_TURN_MAX = 10_000;

export interface RaftIdentity {
  readonly id: number;
  readonly voters: readonly number[];
}

export class Replica {
  mode = MODE_NONE;
  /** When `mode` last changed, monotonic. */
  modeSinceMs: number;
  /** Who leads, as far as this node knows; 0 = nobody. */
  leader = 0;
  leaderSinceMs = 0;
  monotonicMs = 0;
  wallMs = 0;
  /** May a read be answered from memory at this moment? Set by beginReads() for one chunk of input. */
  readsAllowed = false;
  /** More is in flight than should be. */
  pressure = false;
  readonly expiry: Expiry;
  /** Keys that reads from memory looked up, and those of them that were there (INFO stats). */
  readFinds = 0;
  leaderChanges = 0;
  readHits = 0;
  raft: RaftCore | undefined;
  storage: NodeStorage | undefined;
  readonly machine: Machine;
  readonly proposals: Proposals;
  readonly limit: MemoryLimit;
  readonly log: KeptLog;
  readonly entryMemory = new EntryMemory();
  readonly repair = new StateRepair();
  readonly clock = new ClusterClock();
  readonly timer: CommandTimer;
  readonly readContext: DataContext;
  readonly #environment: ReplicaEnvironment;
  readonly #prng: Xoshiro;
  readonly #inFlight = new BatchesInFlight();
  readonly #handover = new Handover();
  #isBarred = false;
  readonly #refused = new RefusedLeader();

  constructor(environment: ReplicaEnvironment, store: Store) {
    const { ports, output } = environment;
    this.#environment = environment;
    this.#prng = new Xoshiro(ports.entropy.u32());
    store.thresholds = environment.settings;
    this.machine = new Machine(store);
    const localRandom = new Xoshiro(ports.entropy.u32());
    const { settings } = this.machine.sessions;
    this.readContext = { ...contextOf(store, localRandom), progress: this.machine, settings };
    this.timer = new CommandTimer(ports.clock, environment.timerSinks);
    this.log = new KeptLog(environment.settings, this.#inFlight, (member) => environment.reaches(member));
    this.expiry = new Expiry(() => this.machine.sessions.settings, environment);
    this.limit = new MemoryLimit(environment.settings, localRandom, this.#inFlight);
    this.proposals = new Proposals({
      machine: this.machine,
      output,
      memory: this.entryMemory,
      inFlight: this.#inFlight,
      limit: this.limit,
      timer: this.timer,
      readContext: this.readContext,
    });
    this.#now();
    this.modeSinceMs = this.monotonicMs;
  }

  /**
   * Becomes a member: of a cluster that starts with these voters, all with an empty state at index 1, or, without
   * voters, of one that runs and will send its state.
   */
  start(identity: RaftIdentity): void {
    assert(this.raft === undefined, "a replica is started once");
    const storage = new NodeStorage(identity.voters, () => this.machine.appliedIndex);
    this.machine.appliedIndex = storage.lastIndex();
    this.machine.sessions.setMembers(identity.voters);
    this.#run(identity, storage);
  }

  /**
   * Recovery: all that is in the log counts as agreed, and the member `id` goes on alone, in a log that continues
   * this one. Returns its last index.
   */
  startOver(id: number): number {
    const { raft, storage, machine } = this;
    assert(
      raft !== undefined && storage !== undefined,
      "a replica without a log has nothing to start over from",
    );
    this.settle();
    // What was held behind a state that others call wrong is applied to it: there is no better one to come.
    this.repair.end();
    const entries = storage.entries(machine.appliedIndex + 1, storage.lastIndex() + 1);
    assert(typeof entries !== "string", `the log behind ${machine.appliedIndex} is ${String(entries)}`);
    for (const entry of entries) {
      if (entry.confChange === undefined) this.#apply(entry);
      else {
        machine.skip(entry.index, entry.term);
        const { confState } = raft;
        this.#environment.configurationChanged(entry.confChange, confState, confState, entry.index);
      }
    }
    this.proposals.giveUp(Number.POSITIVE_INFINITY);
    const index = machine.appliedIndex;
    const next = new NodeStorage([id], () => machine.appliedIndex, index, storage.term(index));
    next.setHardState({ term: raft.term, vote: 0, commit: index });
    this.#isBarred = false;
    machine.sessions.setMembers([id]);
    this.#run({ id, voters: [id] }, next);
    this.#updateMode();
    return index;
  }

  /** Must what this session writes wait? What clients write also has to for a member that catches up. */
  holds(session: Session): boolean {
    return this.pressure || (this.log.catchUp.isSlowing && !session.isOwn);
  }

  /** Back to before start(): this member has received nothing yet. */
  stop(): void {
    assert(this.raft?.lastIndex === 0, "a replica with a log cannot forget it");
    this.raft = undefined;
    this.storage = undefined;
    this.mode = MODE_NONE;
    this.leader = 0;
    this.#environment.modeChanged();
  }

  #run(identity: RaftIdentity, storage: NodeStorage): void {
    const { settings, ports } = this.#environment;
    const { appliedIndex } = this.machine;
    this.storage = storage;
    this.raft = new RaftCore(
      raftConfigOf(settings, identity.id, appliedIndex, this.#prng, ports.log),
      storage,
    );
    this.raft.setNow(this.monotonicMs);
    if (identity.voters.length === 1) this.raft.campaign();
    ports.scheduler.requestTurn();
  }

  /** Steps a peer's message now; its effects leave with the turn. A text: no member that follows the protocol sends it. */
  step(message: Message): string | undefined {
    const { raft } = this;
    if (raft === undefined) return undefined;
    this.#now();
    raft.setNow(this.monotonicMs);
    const result = raft.step(message);
    if (raft.hasWorkAfter(message)) this.#environment.ports.scheduler.requestTurn();
    return !result.ok && result.reason === "malformed" ? raft.objection(message) : undefined;
  }

  /** Called before the commands of one chunk: may they read from memory, and at what time? */
  beginReads(): void {
    this.#now();
    if (this.mode !== MODE_LEADER) {
      this.readsAllowed = false;
      return;
    }
    const raft = this.raft!;
    raft.setNow(this.monotonicMs);
    this.limit.update(this.machine.store);
    this.readsAllowed = raft.leaseValid();
    if (this.readsAllowed) {
      const { machine } = this;
      const runningMs = this.runningMs();
      machine.store.setTime(machine.timeMs, runningMs);
      this.readContext.nowMs = runningMs;
    }
  }

  /** Looks ahead in a chunk of several commands (KeyWarmer); returns how far. */
  warm(session: Session, buffer: Buffer, from: number, to: number): number {
    if (this.mode !== MODE_LEADER || !session.authenticated) return to;
    const { machine } = this;
    return machine.warmer.warm(buffer, from, to, machine.store.databases[session.database]!);
  }

  /**
   * Answers a read from memory. False when it met a key that the clock has already killed and the log not yet
   * (DESIGN section 5): then nothing is written and the read must go through the log.
   */
  runRead(session: Session, id: number, args: Args): boolean {
    const { store } = this.machine;
    const context = this.readContext;
    context.database = session.database;
    context.keys = store.databases[session.database]!;
    const writer = this.#environment.output.attach(session, session.protocol, session.muted);
    const mark = writer.position;
    store.noTouch = session.noTouch;
    const startUs = this.timer.start(id, session);
    const errorsBefore = writer.errors;
    const findsBefore = store.finds;
    const hitsBefore = store.hits;
    const row = rows[id]!;
    assert(row.route === "read", "only reads run outside the log");
    row.run(context, args, writer);
    store.noTouch = false;
    this.readFinds += store.finds - findsBefore;
    this.readHits += store.hits - hitsBefore;
    if (store.metDying) {
      store.metDying = false;
      writer.position = mark;
      return false;
    }
    if (startUs !== 0) this.timer.stop(id, startUs, args, session);
    if (writer.errors !== errorsBefore) this.timer.failed(id, errorsBefore, session);
    return true;
  }

  /** A batch that is full goes out without waiting for the turn. */
  flushFullBatch(): void {
    if (this.proposals.open.commandBytes < BATCH_BYTES_FLUSH) return;
    this.#propose();
    this.#updatePressure();
  }

  #updatePressure(): void {
    this.log.update(this.raft!, this.storage!, this.monotonicMs);
    this.pressure = this.#inFlight.payloadBytes > IN_FLIGHT_BYTES_MAX || this.limit.isPressing;
  }

  /** Moves time by `ticks`, proposes, and carries out everything Raft has decided. */
  turn(nowMonotonicMs: number, nowWallMs: number, ticks: number): void {
    this.monotonicMs = nowMonotonicMs;
    this.wallMs = nowWallMs;
    const { raft } = this;
    if (raft === undefined) return;
    this.proposals.recycle(this.storage!.firstIndex());
    raft.setNow(nowMonotonicMs);
    raft.pass(ticks, this.#environment.settings.tickMs);
    if (this.#handover.isPlanned) this.#handover.begin(raft);
    this.settle();
    if (ticks > 0) this.proposals.giveUp(nowMonotonicMs);
  }

  /** Proposes the open batch and handles Readys until there is none. */
  settle(): void {
    const raft = this.raft!;
    this.#propose();
    for (let round = 0; raft.hasReady(); round++) {
      assert(round < READIES_PER_TURN_MAX, "more Readys in one turn than a turn can need");
      this.#handle(raft.ready());
      raft.advance();
      this.#updateMode();
    }
    this.#updateMode();
    this.limit.update(this.machine.store);
    this.#updatePressure();
    this.log.compact(raft, this.storage!, this.machine.appliedIndex);
    if (this.mode === MODE_LEADER && this.#hasMoreToRemove()) this.#environment.ports.scheduler.requestTurn();
  }

  get isUnderWay(): boolean {
    return this.proposals.open.count + this.#inFlight.count > 0 || this.#handover.isPlanned;
  }

  /** Gives leadership to the most advanced reachable voter; false when there is nobody to give it to. */
  transferAway(): boolean {
    const successor = this.bestSuccessor();
    if (successor === 0) return false;
    this.#handover.plan(successor);
    this.#handover.begin(this.raft!);
    this.settle();
    return true;
  }

  /** Gives leadership to this voter, beginning with the next turn. */
  transferTo(successor: number): void {
    this.#handover.plan(successor);
    this.#environment.ports.scheduler.requestTurn();
  }

  /** 0 = none, or this node does not lead. */
  bestSuccessor(): number {
    const { raft } = this;
    return raft === undefined ? 0 : bestSuccessor(raft, (member) => this.#environment.reaches(member));
  }

  /** Nobody is served by this node, whatever Raft says. */
  bar(isBarred: boolean): void {
    if (this.#isBarred === isBarred) return;
    this.#isBarred = isBarred;
    if (this.raft !== undefined) this.#updateMode();
  }

  /** DEBUG RELOAD: the state goes through a snapshot and back. An error text, or undefined. */
  reload(): string | undefined {
    const { machine } = this;
    const { snapshotChunkBytes } = this.#environment.settings;
    const loaded = throughSnapshot(machine, snapshotChunkBytes);
    if (!loaded.ok) return `ERR reload failed: ${loaded.error}`;
    machine.replace(loaded.store, loaded.sessions, machine.timeMs, machine.appliedIndex, machine.appliedTerm);
    this.readContext.store = loaded.store;
    return undefined;
  }

  #now(): void {
    const { clock } = this.#environment.ports;
    const nowMs = clock.monotonicMs();
    this.wallMs += nowMs - this.monotonicMs;
    if (this.monotonicMs === 0) this.wallMs = clock.wallMs();
    this.monotonicMs = nowMs;
  }

  #propose(): void {
    const raft = this.raft!;
    const { proposals } = this;
    if (this.mode !== MODE_LEADER) return;
    const runningMs = this.runningMs();
    this.limit.suspend(this.expiry.isPaused);
    // An entry without commands moves time, so that all replicas can reclaim what is due, or evicts.
    const due = this.#isDue();
    const evicts = this.limit.wantsEntry(this.machine.store);
    if (proposals.open.count === 0 && !due && !evicts) return;
    proposals.propose(raft, runningMs, this.#prng.u32(), this.expiry.entryFlags, due);
  }

  /** Cluster time now. */
  runningMs(): number {
    return Math.max(this.machine.timeMs, this.clock.running(this.monotonicMs, this.wallMs));
  }

  /** Keys are due, and there is no traffic that moves the log. */
  #isDue(): boolean {
    const { proposals } = this;
    return (
      proposals.open.count === 0 &&
      this.expiry.removesDue &&
      this.#inFlight.count === 0 &&
      this.machine.store.nextDeadlineMs() <= this.runningMs()
    );
  }

  /** Due keys, or too many: the next slice goes with the next turn, not with the next tick. */
  #hasMoreToRemove(): boolean {
    return this.#isDue() || this.limit.isOver(this.machine.store);
  }

  #handle(ready: Ready): void {
    if (ready.fault !== undefined) this.#environment.fault(ready.fault);
    const storage = this.storage!;
    if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
    if (ready.snapshot !== undefined) this.#restore(ready.snapshot);
    if (ready.entries.length > 0) storage.append(ready.entries);
    const { messages, committedEntries } = ready;
    for (let i = 0; i < messages.length; i++) this.#environment.send(messages[i]!);
    for (let i = 0; i < committedEntries.length; i++) this.#apply(committedEntries[i]!);
    if (this.repair.canFinish) this.#finishRepair();
  }

  #apply(entry: Entry): void {
    const { machine, repair } = this;
    if (entry.type !== "normal" || repair.isUnderWay) {
      if (!repair.isUnderWay) machine.skip(entry.index, entry.term);
      const after = entry.confChange === undefined ? undefined : this.#changeMembers(entry, entry.confChange);
      if (repair.isUnderWay) repair.hold(entry.index, after);
      return;
    }
    const payload = asBuffer(entry.data);
    this.log.applied(payload.length);
    if (!this.proposals.apply(entry.index, entry.term)) {
      machine.apply(payload, entry.index, entry.term);
      if (payload.length > 0) this.clock.follow(machine.timeMs, this.monotonicMs);
    }
    this.#environment.entryApplied();
  }

  #changeMembers(entry: Entry, change: ConfChange): ConfState {
    const before = this.raft!.confState;
    const after = this.raft!.applyConfChange(change, entry.index);
    this.storage!.setConfState(after);
    this.machine.sessions.setMembers(membersOf(after));
    this.#environment.configurationChanged(change, before, after, entry.index);
    return after;
  }

  #restore(meta: SnapshotMeta): void {
    const { store, sessions, timeMs } = this.#environment.takeStaged(meta);
    this.storage!.applySnapshot(meta);
    this.machine.replace(store, sessions, timeMs, meta.index, meta.term);
    this.machine.sessions.setMembers(membersOf(meta.confState));
    this.repair.end();
    this.#stateReplaced();
  }

  /** The state here is not what it should be: nobody is served, and nothing applied, until there is another one. */
  beginRepair(): void {
    this.repair.begin(this.machine.appliedIndex);
    this.proposals.giveUp(Number.POSITIVE_INFINITY);
    this.#updateMode();
  }

  #finishRepair(): void {
    const { meta } = this.repair.finish(this.machine, this.storage!);
    this.#stateReplaced();
    this.#environment.ports.log.warn({ index: meta.index }, "this node has the state of the others again");
  }

  #stateReplaced(): void {
    const { machine } = this;
    this.readContext.store = machine.store;
    this.clock.follow(machine.timeMs, this.monotonicMs);
    this.proposals.giveUp(Number.POSITIVE_INFINITY);
    this.#environment.stateReplaced();
  }

  #updateMode(): void {
    const raft = this.raft!;
    let mode = MODE_NONE;
    if (raft.role === "leader") {
      if (!raft.transferring) this.#handover.isUnderWay = false;
      // Its own first entry is applied, so the state holds everything that earlier leaders committed.
      if (this.machine.appliedTerm === raft.term && !this.#handover.isUnderWay) mode = MODE_LEADER;
    } else {
      this.#handover.isUnderWay = false;
      const isRefusing = this.#refused.isStill(raft.leader, raft.term, this.monotonicMs);
      if (raft.leader !== 0 && !isRefusing && this.#environment.reaches(raft.leader)) mode = MODE_FORWARD;
    }
    if (this.#isBarred || this.repair.isUnderWay) mode = MODE_NONE;
    if (mode === this.mode && raft.leader === this.leader) return;
    const before = this.mode;
    if (mode !== before) this.modeSinceMs = this.monotonicMs;
    if (raft.leader !== this.leader) {
      this.leaderSinceMs = this.monotonicMs;
      if (raft.leader !== 0) this.leaderChanges++;
    }
    this.mode = mode;
    this.leader = raft.leader;
    if (before === MODE_LEADER && mode !== MODE_LEADER) {
      const { electionTimeoutMs } = this.#environment.settings;
      this.proposals.leadershipLost(this.monotonicMs + 4 * electionTimeoutMs);
    }
    if (mode === MODE_LEADER) this.proposals.leadershipWon();
    this.#environment.modeChanged();
  }

  /** The leader we know says that it does not lead. */
  leaderRefused(member: number): void {
    const { tickMs } = this.#environment.settings;
    this.#refused.note(member, this.raft?.term ?? 0, this.monotonicMs + tickMs);
  }

  /** Connections come and go without the core noticing. */
  reachabilityChanged(): void {
    if (this.raft !== undefined) this.#updateMode();
  }
}
