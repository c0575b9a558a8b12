// The checker is checked: ways to break the program from outside, each a mistake somebody could make, and each to be
// found by the simulator within a stated number of seeds. They replace methods while a run lasts; src/ knows nothing.

import { Blocking } from "../../src/machine/blocking.ts";
import { Machine } from "../../src/machine/machine.ts";
import { MachineSettings } from "../../src/machine/settings.ts";
import { WatchTable } from "../../src/machine/watches.ts";
import { CatchUp } from "../../src/node/catch-up.ts";
import { Cluster } from "../../src/node/cluster.ts";
import { KeptLog } from "../../src/node/kept-log.ts";
import { MemoryLimit } from "../../src/node/memory-limit.ts";
import { NodeStorage } from "../../src/node/node-storage.ts";
import { PubSub } from "../../src/node/publish-subscribe.ts";
import { Replica } from "../../src/node/replica.ts";
import { UpToDate } from "../../src/node/up-to-date.ts";
import { RaftCore } from "../../src/raft/core.ts";
import type { Entry } from "../../src/raft/index.ts";
import { RaftLog } from "../../src/raft/log.ts";
import { VotePledge } from "../../src/raft/pledge.ts";
import { Progress } from "../../src/raft/progress.ts";
import { EvictionReader } from "../../src/wire/eviction-codec.ts";
import { replaced } from "../replaced.ts";
import { raftOf } from "./checks.ts";
import { PLAIN, type SimulationOptions } from "./simulation.ts";

interface Mutation {
  readonly options?: SimulationOptions;
  /** Seeds within which it must be found. */
  readonly seedsMax: number;
  /** Breaks the program; returns what mends it. */
  install(): () => void;
}

const both =
  (...mends: (() => void)[]): (() => void) =>
  () => {
    for (const mend of mends) mend();
  };

/** Logs that a member which is away for a second does not find again. */
const REJOINING: SimulationOptions = {
  ...PLAIN,
  rejoin: true,
  logBytesMax: 4000,
  delayMs: 1,
  faults: ["pause"],
};
const EVICTING: SimulationOptions = { eviction: true, sessions: false, rot: false, disaster: "none" };

export const MUTATIONS = {
  voteTwice: {
    seedsMax: 20,
    // Two candidates of one term overlap when a message takes about as long as their timeouts are apart.
    options: { faults: ["isolate"], faultGapMs: 500, delayMs: 40 },
    install: () =>
      replaced(
        RaftCore.prototype,
        "step",
        (step) =>
          function (this: RaftCore, message) {
            const raft = raftOf(this);
            if (message.type === "vote" && message.term === raft.term) {
              raft.vote = 0;
              raft.leader = 0;
            }
            return step.call(this, message);
          },
      ),
  },
  skipUpToDateCheck: {
    seedsMax: 50,
    install: () => replaced(RaftLog.prototype, "isUpToDate", () => () => true),
  },
  commitOldTerm: {
    seedsMax: 20,
    options: { faults: ["figureEight"], smallAppends: true, faultGapMs: 300 },
    install: () =>
      replaced(
        RaftLog.prototype,
        "maybeCommit",
        () =>
          function (this: RaftLog, index) {
            if (index <= this.committed) return false;
            this.commitTo(index);
            return true;
          },
      ),
  },
  readAfterLease: {
    seedsMax: 50,
    install: () =>
      replaced(
        RaftCore.prototype,
        "leaseValid",
        () =>
          function (this: RaftCore) {
            return this.role === "leader" && this.hasCommittedInTerm;
          },
      ),
  },
  voteInsidePromise: {
    seedsMax: 30,
    options: { faults: ["resetLinks", "cutOneWay"], faultGapMs: 150 },
    install: () =>
      both(
        replaced(VotePledge.prototype, "forbids", () => () => false),
        replaced(VotePledge.prototype, "running", () => () => false),
      ),
  },
  pulseExtendsLease: {
    seedsMax: 30,
    options: { ...PLAIN, busy: true, busyMsMax: 400, faults: ["isolate", "cutOneWay"], faultGapMs: 100 },
    install: () =>
      replaced(
        RaftCore.prototype,
        "pulse",
        (pulse) =>
          function (this: RaftCore, from, term, leader) {
            pulse.call(this, from, term, leader);
            const raft = raftOf(this);
            const peer = raft.tracker.get(from);
            if (this.role !== "leader" || term !== raft.term || peer === undefined) return;
            peer.stampMs = raft.nowMs;
            raft.leaseStale = true;
          },
      ),
  },
  pulseWithoutBound: {
    seedsMax: 10,
    options: { busy: true, disaster: "none" },
    install: () =>
      replaced(
        RaftCore.prototype,
        "pulse",
        (pulse) =>
          function (this: RaftCore, from, term, leader) {
            const raft = raftOf(this);
            raft.leaderHeardMs = raft.nowMs;
            pulse.call(this, from, term, leader);
          },
      ),
  },
  pulseForNothing: {
    seedsMax: 10,
    options: { busy: true, disaster: "none" },
    install: () => replaced(RaftCore.prototype, "pulse", () => () => {}),
  },
  stalledLeaderStays: {
    seedsMax: 10,
    options: { ...PLAIN, pieces: true, delayMs: 1 },
    install: () => replaced(Progress.prototype, "gains", () => () => true),
  },
  logCutBehindSnapshot: {
    seedsMax: 10,
    options: REJOINING,
    // As it was: the log goes back to its tail when the transfer ends, and nobody is slowed.
    install: () => {
      let cutTo = 0;
      return both(
        replaced(
          KeptLog.prototype,
          "compact",
          (compact) =>
            function (this: KeptLog, raft, storage, appliedIndex) {
              cutTo = this.catchUp.member === 0 || this.catchUp.isDelivered ? appliedIndex : 0;
              compact.call(this, raft, storage, appliedIndex);
              cutTo = 0;
            },
        ),
        replaced(
          NodeStorage.prototype,
          "compactTo",
          (compactTo) =>
            function (this: NodeStorage, limit, tailBytes, tailEntries) {
              compactTo.call(this, Math.max(limit, cutTo), tailBytes, tailEntries);
            },
        ),
        replaced(
          Replica.prototype,
          "holds",
          () =>
            function (this: Replica) {
              return this.pressure;
            },
        ),
      );
    },
  },
  slowedForEver: {
    seedsMax: 10,
    options: REJOINING,
    install: () =>
      replaced(
        CatchUp.prototype,
        "update",
        (update) =>
          function (this: CatchUp, raft, storage, writtenBytes, nowMs, isReached) {
            const wasSlowing = this.isSlowing;
            update.call(this, raft, storage, writtenBytes, nowMs, isReached);
            this.isSlowing ||= wasSlowing && this.member !== 0;
          },
      ),
  },
  everybodySlowed: {
    seedsMax: 10,
    options: REJOINING,
    install: () =>
      replaced(
        Replica.prototype,
        "holds",
        () =>
          function (this: Replica) {
            return this.pressure || this.log.catchUp.isSlowing;
          },
      ),
  },
  applyOutOfOrder: {
    seedsMax: 20,
    install: () =>
      replaced(
        RaftCore.prototype,
        "ready",
        (take) =>
          function (this: RaftCore) {
            const ready = take.call(this);
            if (this.role === "leader") return ready;
            return { ...ready, committedEntries: swapped(ready.committedEntries) };
          },
      ),
  },
  ackBeforeStoring: {
    seedsMax: 20,
    install: () => {
      let count = 0;
      return replaced(
        RaftLog.prototype,
        "maybeAppend",
        (append) =>
          function (this: RaftLog, previousIndex, previousTerm, entries, commit) {
            const isLost =
              entries.length > 0 && this.matches(previousIndex, previousTerm) && ++count % 50 === 0;
            return append.call(this, previousIndex, previousTerm, isLost ? [] : entries, commit) || isLost;
          },
      );
    },
  },
  identityReused: {
    seedsMax: 50,
    options: { identityReused: true, faults: ["kill", "restart", "isolate", "partition"] },
    install: () => () => {},
  },
  localClockInExpiry: {
    seedsMax: 20,
    install: () =>
      replaced(
        Machine.prototype,
        "beginEntry",
        (begin) =>
          function (this: Machine, payload, index, term) {
            const header = begin.call(this, payload, index, term);
            this.timeMs += clockErrorOf(this);
            this.store.setTime(this.timeMs, this.timeMs);
            return header;
          },
      ),
  },
  snapshotWithoutTail: {
    seedsMax: 50,
    options: { faults: ["isolate", "partition"] },
    install: () =>
      replaced(
        Cluster.prototype,
        "takeStaged",
        (take) =>
          function (this: Cluster, meta) {
            const state = take.call(this, meta);
            let last: Buffer | undefined;
            const keyspace = state.store.databases[0]!;
            keyspace.scan(0, 1000, (bytes, start, end) => {
              last = Buffer.from(bytes.subarray(start, end));
            });
            if (last !== undefined) keyspace.remove(last, 0, last.length);
            return state;
          },
      ),
  },
  watchesIgnored: {
    seedsMax: 20,
    options: { sessions: true, disaster: "none" },
    install: () => replaced(WatchTable.prototype, "isIntact", () => () => true),
  },
  servedAfterCancel: {
    seedsMax: 20,
    options: { sessions: true, disaster: "none" },
    install: () =>
      replaced(
        Blocking.prototype,
        "cancel",
        () =>
          function (this: Blocking, owner) {
            this.deliveries.cancelled(owner, true);
          },
      ),
  },
  namesTooLittle: {
    seedsMax: 20,
    options: EVICTING,
    install: () =>
      replaced(
        MemoryLimit.prototype,
        "name",
        (name) =>
          function (this: MemoryLimit, store, batch) {
            name.call(this, store, batch);
            if (batch.count > 0) this.section.clear();
          },
      ),
  },
  evictsNotEverywhere: {
    seedsMax: 20,
    options: EVICTING,
    install: () => {
      let count = 0;
      return replaced(
        EvictionReader.prototype,
        "next",
        (next) =>
          function (this: EvictionReader) {
            return ++count % 50 !== 0 && next.call(this);
          },
      );
    },
  },
  refusesTooMuch: {
    seedsMax: 20,
    options: EVICTING,
    install: () =>
      replaced(
        MemoryLimit.prototype,
        "update",
        (update) =>
          function (this: MemoryLimit, store) {
            update.call(this, store);
            this.isRefusing = this.isLimited && store.logicalBytes > 2500;
          },
      ),
  },
  gapsUntold: {
    seedsMax: 20,
    options: { publishing: true, disaster: "none", logBytesMax: 2000, faults: ["isolate", "pause"] },
    install: () => replaced(PubSub.prototype, "messagesLost", () => () => {}),
  },
  leavesAtOnce: {
    seedsMax: 20,
    options: { publishing: true },
    install: () => replaced(UpToDate.prototype, "isUpToDate", () => () => true),
  },
  settingIgnored: {
    seedsMax: 20,
    options: { settings: true },
    // Some replicas miss some changes.
    install: () => {
      let count = 0;
      return replaced(
        MachineSettings.prototype,
        "change",
        (change) =>
          function (this: MachineSettings, values) {
            return ++count % 20 === 0 ? undefined : change.call(this, values);
          },
      );
    },
  },
  subscribersUncounted: {
    seedsMax: 20,
    options: { publishing: true },
    install: () => replaced(PubSub.prototype, "linkOpened", () => () => {}),
  },
} as const satisfies Record<string, Mutation> as Readonly<Record<string, Mutation>>;

export type MutationName = string;

/** Two neighbours change places; their indexes stay, as they would if the order of applying were wrong. */
function swapped(entries: readonly Entry[]): readonly Entry[] {
  const at = entries.findIndex((entry, i) => entry.data.length > 0 && (entries[i + 1]?.data.length ?? 0) > 0);
  if (at < 0) return entries;
  const first = entries[at]!;
  const second = entries[at + 1]!;
  return [
    ...entries.slice(0, at),
    { ...first, data: second.data },
    { ...second, data: first.data },
    ...entries.slice(at + 2),
  ];
}

const clockErrors = new WeakMap<Machine, number>();
let machines = 0;

function clockErrorOf(machine: Machine): number {
  let error = clockErrors.get(machine);
  if (error === undefined) {
    error = machines++ % 3;
    clockErrors.set(machine, error);
  }
  return error;
}

export function withMutation<T>(name: MutationName, run: () => T): T {
  const mend = MUTATIONS[name]!.install();
  try {
    return run();
  } finally {
    mend();
  }
}
