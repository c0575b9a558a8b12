// Random schedules: messages late, twice, reordered, lost; crashes; transfers; changes of members; clocks that differ
// and drift. After every step the safety properties are checked.
//
//   RAFT_SEED=n   the first seed      RAFT_SEEDS=n   how many from there on
import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import {
  type ConfChange,
  type Entry,
  type HardState,
  MemoryStorage,
  type Message,
  type RaftConfig,
  RaftCore,
  type SnapshotMeta,
} from "../../src/raft/index.ts";
import { drawsOf } from "../chance.ts";
import { TEST_MS_MAX } from "../until.ts";
import { config, confState, text } from "./harness/member.ts";

const STEPS = 1500;
const MEMBERS = 5;
/** The clocks run at rates that differ by up to this; the lease's margin must cover it. */
const DRIFT = 0.02;

interface Flight {
  readonly m: Message;
  readonly dueMs: number;
}

const linkOf = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`;

interface SimMember {
  readonly id: number;
  readonly storage: MemoryStorage;
  readonly rate: number;
  readonly offsetMs: number;
  core: RaftCore;
  applied: number;
  /** Async: what the two storage workers still have to do, in order. Lost in a crash. */
  appendWork: Message[];
  applyWork: Message[];
}

class Simulation {
  readonly #prng: Xoshiro;
  readonly #members: SimMember[] = [];
  readonly #options: Partial<RaftConfig>;
  readonly #async: boolean;
  #flights: Flight[] = [];
  #nowMs = 1000;
  #partition = new Set<number>();
  #cuts = new Set<string>();
  #proposals = 0;
  // What must never change.
  readonly #leaderOfTerm = new Map<number, number>();
  readonly #appliedAt = new Map<number, Entry>();
  /** The highest commit index anybody has known when the read with this number was asked for. */
  readonly #readFloors: number[] = [];
  commits = 0;
  leases = 0;
  reads = 0;
  elections = 0;

  constructor(seed: number) {
    this.#prng = new Xoshiro(seed);
    this.#async = this.#prng.below(3) === 0;
    this.#options = {
      asyncStorageWrites: this.#async,
      preVote: this.#prng.below(4) > 0,
      checkQuorum: this.#prng.below(4) > 0,
      batchAppends: this.#prng.below(2) === 0,
      leaseDurationMs: 150,
      leaseDriftMarginMs: 10,
      readOnly: "leaseBased",
      electionTicks: 30,
      heartbeatTicks: 5,
      maxSizePerMessage: 60,
      maxInflightMessages: 4,
      snapshotTimeoutTicks: 50,
    };
    const voters = Array.from({ length: MEMBERS }, (_, at) => at + 1);
    for (const id of voters) {
      const storage = MemoryStorage.bootstrap(confState(voters.slice(0, 3), voters.slice(3)));
      const rate = 1 + (this.#prng.below(1001) / 500 - 1) * DRIFT;
      const offsetMs = this.#prng.below(100_000);
      const core = this.#build(id, storage, 1);
      this.#members.push({ id, storage, rate, offsetMs, core, applied: 1, appendWork: [], applyWork: [] });
    }
  }

  #build(id: number, storage: MemoryStorage, applied: number): RaftCore {
    const prng = new Xoshiro(this.#prng.u32());
    return new RaftCore(config(id, { ...this.#options, prng, applied }), storage);
  }

  #pick(): SimMember {
    return this.#members[this.#prng.below(MEMBERS)]!;
  }

  #setNow(member: SimMember): void {
    member.core.setNow(member.offsetMs + this.#nowMs * member.rate);
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#nowMs += this.#prng.below(8);
      this.#act();
      this.#deliverDue();
      for (const member of this.#members) {
        this.#setNow(member);
        this.#work(member);
        this.#handle(member);
      }
      this.#check();
    }
  }

  #act(): void {
    const dice = this.#prng.below(1000);
    const member = this.#pick();
    this.#setNow(member);
    const { core } = member;
    if (dice < 600) for (const each of this.#members) if (this.#prng.below(3) === 0) each.core.tick();
    if (dice < 120) core.propose(text(`p${this.#proposals++}`));
    else if (dice < 200) this.#read(member);
    else if (dice < 220) core.reportUnreachable(1 + this.#prng.below(MEMBERS));
    else if (dice < 235) core.transferLeader(1 + this.#prng.below(MEMBERS));
    else if (dice < 250) core.reportSnapshot(1 + this.#prng.below(MEMBERS), this.#prng.below(2) === 0);
    else if (dice < 255) for (const each of this.#members) each.core.reportConnectionLost(each.core.leader);
    else if (dice < 275) core.reportConnectionLost(core.leader);
    else if (dice < 280) this.#crash(member);
    else if (dice < 290) this.#partition = new Set(dice % 2 === 0 ? [] : [member.id, this.#pick().id]);
    else if (dice < 310) this.#changeCuts();
    else if (dice < 315) core.proposeConfChange(this.#someChange());
    else if (dice < 335) this.#compact(member);
    else if (dice < 355) core.campaign();
  }

  /** Some links fail while others stay: a leader may reach one voter, and its rival another. */
  #changeCuts(): void {
    this.#cuts = new Set();
    if (this.#prng.below(3) === 0) return;
    const leader = this.#members.find((member) => member.core.role === "leader") ?? this.#pick();
    for (const { id } of this.#members) if (this.#prng.below(2) === 0) this.#cuts.add(linkOf(leader.id, id));
  }

  #read(member: SimMember): void {
    const context = text(String(this.#readFloors.length));
    this.#readFloors.push(Math.max(...this.#members.map((each) => each.core.commit)));
    member.core.readIndex(context);
  }

  #someChange(): ConfChange {
    const ids = [this.#pick().id, this.#pick().id];
    const changes = ids.slice(this.#prng.below(2)).map((id) => {
      const type = (["addVoter", "addLearner", "remove"] as const)[this.#prng.below(3)]!;
      return { type, id };
    });
    const transition = this.#prng.below(2) === 0 ? "auto" : "implicit";
    return { transition, changes: this.#prng.below(10) === 0 ? [] : changes, context: new Uint8Array(0) };
  }

  #compact(member: SimMember): void {
    const { storage, core } = member;
    if (core.applied > storage.firstIndex() + 3) {
      storage.createSnapshot(core.applied, core.confState);
      storage.compact(core.applied - this.#prng.below(3));
    }
  }

  /** Durable storage; everything else is gone. */
  #crash(member: SimMember): void {
    const { storage } = member;
    // The members as of the applied index are what a durable state machine would have kept.
    storage.setConfState(member.core.confState);
    // The apply worker may be ahead of the append worker: what it applied is committed all the same.
    const { hardState } = storage.initialState();
    storage.setHardState({ ...hardState, commit: Math.max(hardState.commit, member.applied) });
    member.appendWork = [];
    member.applyWork = [];
    member.core = this.#build(member.id, storage, member.applied);
    this.#setNow(member);
  }

  #deliverDue(): void {
    const due = this.#flights.filter((flight) => flight.dueMs <= this.#nowMs);
    this.#flights = this.#flights.filter((flight) => flight.dueMs > this.#nowMs);
    for (const { m } of due) {
      if (this.#partition.has(m.from) !== this.#partition.has(m.to)) continue;
      if (this.#cuts.has(linkOf(m.from, m.to))) continue;
      const to = this.#members[m.to - 1]!;
      this.#setNow(to);
      to.core.step(m);
      if (this.#prng.below(2) === 0) this.#handle(to);
    }
  }

  #send(m: Message): void {
    const dice = this.#prng.below(100);
    if (dice < 5) return;
    const slow = m.type === "timeoutNow" || m.type === "heartbeatResponse" ? 3 : 12;
    const delayMs = (): number => this.#prng.below(this.#prng.below(slow) === 0 ? 400 : 12);
    this.#flights.push({ m, dueMs: this.#nowMs + delayMs() });
    if (dice < 10) this.#flights.push({ m, dueMs: this.#nowMs + delayMs() });
  }

  #handle(member: SimMember): void {
    const { core } = member;
    while (core.hasReady()) {
      const ready = core.ready();
      assert.equal(ready.fault, undefined);
      if (!this.#async) {
        this.#persist(member, ready.hardState, ready.snapshot, ready.entries);
        for (const entry of ready.committedEntries) this.#apply(member, entry);
      }
      for (const m of ready.messages) {
        if (m.type === "storageAppend") member.appendWork.push(m);
        else if (m.type === "storageApply") member.applyWork.push(m);
        else this.#send(m);
      }
      for (const state of ready.readStates) {
        this.reads++;
        const floor = this.#readFloors[Number(new TextDecoder().decode(state.context))]!;
        assert.ok(
          state.index >= floor,
          `read at ${state.index}, but ${floor} was committed when it was asked for`,
        );
      }
      if (!this.#async) core.advance();
    }
  }

  #persist(
    member: SimMember,
    hardState: HardState | undefined,
    snapshot: SnapshotMeta | undefined,
    entries: readonly Entry[],
  ): void {
    if (hardState !== undefined) member.storage.setHardState(hardState);
    if (snapshot !== undefined) {
      assert.equal(member.storage.applySnapshot(snapshot), undefined);
      member.applied = snapshot.index;
    }
    member.storage.append(entries);
  }

  /** The storage workers, each at its own pace. */
  #work(member: SimMember): void {
    const append = this.#prng.below(2) === 0 ? member.appendWork.shift() : undefined;
    if (append !== undefined) {
      const { term, vote, commit } = append;
      const hardState = term === 0 && vote === 0 && commit === 0 ? undefined : { term, vote, commit };
      this.#persist(member, hardState, append.snapshot, append.entries);
      this.#respond(member, append);
    }
    const apply = this.#prng.below(2) === 0 ? member.applyWork.shift() : undefined;
    if (apply !== undefined) {
      // A snapshot may have overtaken work that was handed out before it.
      for (const entry of apply.entries) if (entry.index > member.applied) this.#apply(member, entry);
      this.#respond(member, apply);
    }
  }

  #respond(member: SimMember, work: Message): void {
    for (const m of work.responses) {
      if (m.to === member.id) member.core.step(m);
      else this.#send(m);
    }
  }

  #apply(member: SimMember, entry: Entry): void {
    assert.equal(entry.index, member.applied + 1, `member ${member.id} skipped entries`);
    member.applied = entry.index;
    const first = this.#appliedAt.get(entry.index);
    if (first === undefined) {
      this.#appliedAt.set(entry.index, entry);
      this.commits++;
    } else {
      assert.equal(first.term, entry.term, `index ${entry.index} was applied with two terms`);
      assert.deepEqual(first.data, entry.data);
    }
    if (entry.confChange !== undefined) member.core.applyConfChange(entry.confChange, entry.index);
  }

  #check(): void {
    let newest = 0;
    for (const { core } of this.#members) {
      if (core.role !== "leader") continue;
      const known = this.#leaderOfTerm.get(core.term);
      if (known === undefined) this.elections++;
      assert.ok(known === undefined || known === core.id, `two leaders in term ${core.term}`);
      this.#leaderOfTerm.set(core.term, core.id);
      newest = Math.max(newest, core.term);
    }
    for (const { core } of this.#members) {
      if (!core.leaseValid()) continue;
      this.leases++;
      assert.equal(
        core.term,
        newest,
        `${core.id} holds a lease of term ${core.term}, ${newest} has a leader`,
      );
      const committed = Math.max(...this.#members.map((each) => each.core.commit));
      assert.equal(core.commit, committed, "somebody knows of a commit that the lease holder does not");
    }
  }
}

for (const { seed: first, count: seeds, text: drawn } of drawsOf("raft")) {
  test(`random schedules keep what was promised: ${drawn}`, { timeout: TEST_MS_MAX + 500 * seeds }, () => {
    const total = { commits: 0, leases: 0, reads: 0, elections: 0 };
    for (let seed = first; seed < first + seeds; seed++) {
      const simulation = new Simulation(seed);
      try {
        simulation.run();
      } catch (error) {
        throw new Error(`RAFT_SEED=${seed} RAFT_SEEDS=1`, { cause: error });
      }
      total.commits += simulation.commits;
      total.leases += simulation.leases;
      total.reads += simulation.reads;
      total.elections += simulation.elections;
    }
    // A run in which nothing happens proves nothing.
    if (seeds > 1) {
      for (const [name, count] of Object.entries(total)) assert.ok(count > seeds * 2, `${name}: ${count}`);
    }
    console.log(total);
  });
}
