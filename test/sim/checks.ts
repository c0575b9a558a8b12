// What must hold in every state of the whole system, seen by somebody who sees all of it at once. The cheap part runs
// after every step of a process, the costly part at intervals. Names of properties are those of the Raft paper.

import { crc32c } from "../../src/base/crc32c.ts";
import { ACTIVE_EXPIRE } from "../../src/config/cluster-values.ts";
import type { ConfState, RaftCore } from "../../src/raft/index.ts";
import { Raft } from "../../src/raft/raft.ts";
import type { SimProcess } from "./process.ts";

const DIGEST_EVERY = 8;

/** The state behind each core by its identity: cores show little of it, and src/ has nothing for tests. */
const rafts = new Map<number, Raft>();
const becomeFollower = Raft.prototype.becomeFollower;
Raft.prototype.becomeFollower = function (this: Raft, ...args: Parameters<typeof becomeFollower>): void {
  rafts.set(this.id, this); // the constructor calls it
  becomeFollower.apply(this, args);
};

/** Of a core that lives in this run. */
export const raftOf = (core: RaftCore): Raft => rafts.get(core.id)!;

export class Violation extends Error {
  override readonly name = "Violation";
  readonly property: string;

  constructor(property: string, text: string) {
    super(`${property}: ${text}`);
    this.property = property;
  }
}

function demand(condition: boolean, property: string, text: () => string): void {
  if (!condition) throw new Violation(property, text());
}

interface Applied {
  readonly term: number;
  readonly checksum: number;
  readonly by: string;
}

/** What is known of one member. */
interface Seen {
  readonly process: SimProcess;
  core: RaftCore;
  raft: Raft;
  clusterId: string;
  /** Its configuration after its last step. */
  confState: ConfState;
  term: number;
  vote: number;
  commit: number;
  appliedIndex: number;
  wasLeader: boolean;
  /** Up to here the logs were committed and the same as this other member's when they were last compared. */
  readonly comparedTo: Map<Seen, number>;
}

/** A cluster that was started over from a survivor. */
export interface Recovery {
  readonly atMs: number;
  /** Up to here the survivor's log is what had been committed. */
  readonly keptIndex: number;
  /** Committed entries that it did not have. */
  readonly lostEntries: number;
  /** Before that nothing was committed that is lost; Infinity when nothing is. */
  readonly safeUntilMs: number;
}

export class Checks {
  /** Members by process; those that never joined a cluster are not here. */
  readonly #seen = new Map<SimProcess, Seen>();
  readonly #votes = new Map<string, number>();
  readonly #leaders = new Map<number, string>();
  readonly #applied = new Map<number, Applied>();
  readonly #digests = new Map<number, { readonly digest: string; readonly by: string }>();
  #committed = 1;
  /** The highest term in which an entry was committed. */
  #committedIn = 0;
  /** When the committed index first passed a height; both rise. */
  readonly #committedAt: { readonly index: number; readonly ms: number }[] = [];
  /** The cluster that lives; others were given up when it was recovered from a survivor. */
  #clusterId = "";
  readonly #givenUp = new Set<string>();
  readonly recoveries: Recovery[] = [];
  readonly #haveLed = new Set<string>();
  readonly #nowMs: () => number;
  readonly #joined: (process: SimProcess) => void;
  readonly #elected: (process: SimProcess) => void;
  digestsCompared = 0;
  /** Somebody's memory was spoiled on purpose. */
  statesMayDiffer = false;
  leadersElected = 0;
  snapshotsRestored = 0;

  /**
   * @param nowMs   true time
   * @param joined  told of every process that becomes a member
   * @param elected told of every new leader
   */
  constructor(
    nowMs: () => number,
    joined: (process: SimProcess) => void,
    elected: (process: SimProcess) => void,
  ) {
    this.#nowMs = nowMs;
    this.#joined = joined;
    this.#elected = elected;
  }

  /** All that ever were in the cluster that lives. */
  get members(): SimProcess[] {
    return [...this.#fellows()].map(({ process }) => process);
  }

  *#fellows(): Iterable<Seen> {
    for (const seen of this.#seen.values()) if (seen.clusterId === this.#clusterId) yield seen;
  }

  /** The entries that some member knows to be committed. */
  get committedIndex(): number {
    return this.#committed;
  }

  /** Any process of that machine. */
  hasLed(machine: string): boolean {
    return this.#haveLed.has(machine);
  }

  termOf(process: SimProcess): number {
    return this.#seen.get(process)?.core.term ?? 0;
  }

  /** After every step of `process`. */
  stepped(process: SimProcess): void {
    const seen = this.#seen.get(process) ?? this.#watch(process);
    if (seen === undefined) return;
    const { raft: current } = process.node.replica;
    if (current === undefined) return;
    if (current !== seen.core) {
      // It knew nothing yet, or was told to start over, and begins anew as somebody else.
      seen.core = current;
      seen.raft = rafts.get(current.id)!;
      Object.assign(seen, { term: 0, vote: 0, commit: current.commit, wasLeader: false });
      this.#enter(seen);
    }
    const { core, raft } = seen;
    demand(core.fault === undefined, "no fault", () => `${process.label}: ${core.fault}`);
    this.#checkLeases();
    if (seen.clusterId !== this.#clusterId) {
      demand(
        core.role !== "leader" || seen.wasLeader,
        "no split brain",
        () => `${process.label} was elected in a cluster that was given up`,
      );
      return;
    }
    if (core.term !== seen.term || core.vote !== seen.vote) this.#checkVote(seen);
    if (core.commit !== seen.commit) this.#checkCommit(seen);
    const isLeader = core.role === "leader";
    if (isLeader && !(seen.wasLeader && seen.term === core.term)) this.#checkElection(seen);
    seen.wasLeader = isLeader;
    seen.term = core.term;
    seen.vote = core.vote;
    seen.confState = core.confState;
    demand(raft === rafts.get(core.id), "one incarnation, one process", () => process.label);
  }

  #watch(process: SimProcess): Seen | undefined {
    const { replica } = process.node;
    const core = replica.raft;
    if (core === undefined) return undefined;
    const raft = rafts.get(core.id)!;
    const { commit } = core;
    const { appliedIndex } = replica.machine;
    const seen: Seen = {
      process,
      core,
      raft,
      clusterId: "",
      confState: core.confState,
      term: 0,
      vote: 0,
      commit,
      appliedIndex,
      wasLeader: false,
      comparedTo: new Map(),
    };
    this.#seen.set(process, seen);
    this.#enter(seen);
    this.#tapMachine(seen);
    this.#tapRecovery(seen);
    this.#joined(process);
    return seen;
  }

  /** In whichever cluster it belongs to now; there is only one that lives. */
  #enter(seen: Seen): void {
    const { process } = seen;
    const { clusterId } = process.node.cluster.membership;
    if (this.#clusterId === "") this.#clusterId = clusterId;
    demand(
      clusterId === this.#clusterId || this.#givenUp.has(clusterId),
      "one cluster",
      () => `${process.label} is in ${clusterId}, the others in ${this.#clusterId}`,
    );
    seen.clusterId = clusterId;
  }

  /** RAFT.RECOVER FORCE: what its log has counts as agreed; what it has not is lost, and declared so. */
  #tapRecovery(seen: Seen): void {
    const { process } = seen;
    const { cluster, replica } = process.node;
    const { recover } = cluster;
    const { startOver } = replica;
    replica.startOver = (id) => {
      this.#giveUpFrom(seen);
      return startOver.call(replica, id);
    };
    cluster.recover = () => {
      recover.call(cluster);
      this.#givenUp.add(this.#clusterId);
      this.#clusterId = cluster.membership.clusterId;
    };
  }

  /** Forgets what is known of entries that the survivor has not. */
  #giveUpFrom({ process, core, raft }: Seen): void {
    let kept = process.node.replica.machine.appliedIndex;
    while (kept < core.lastIndex) {
      const known = this.#applied.get(kept + 1);
      if (known === undefined || known.term !== raft.log.term(kept + 1)) break;
      kept++;
    }
    this.recoveries.push({
      atMs: this.#nowMs(),
      keptIndex: kept,
      lostEntries: Math.max(0, this.#committed - kept),
      safeUntilMs: this.#committedAt.find(({ index }) => index > kept)?.ms ?? Number.POSITIVE_INFINITY,
    });
    for (const known of [this.#applied, this.#digests]) {
      for (const index of known.keys()) if (index > kept) known.delete(index);
    }
    this.#committed = core.lastIndex;
    this.#committedIn = core.term;
    this.#leaders.clear();
  }

  /** Sees every entry as it is applied. */
  #tapMachine(seen: Seen): void {
    const { machine } = seen.process.node.replica;
    const skip = machine.skip;
    const beginEntry = machine.beginEntry;
    const endEntry = machine.endEntry;
    const replace = machine.replace;
    let payloadChecksum = 0;
    machine.skip = (index, term) => {
      this.#checkApplied(seen, index, term, payloadChecksum);
      skip.call(machine, index, term);
    };
    machine.beginEntry = (payload, index, term) => {
      payloadChecksum = crc32c(payload, 0, payload.length);
      const header = beginEntry.call(machine, payload, index, term);
      payloadChecksum = 0;
      return header;
    };
    machine.endEntry = () => {
      endEntry.call(machine);
      if (machine.appliedIndex % DIGEST_EVERY === 0) this.#checkDigest(seen);
    };
    machine.replace = (...args) => {
      replace.apply(machine, args);
      this.snapshotsRestored++;
      seen.appliedIndex = machine.appliedIndex;
      this.#checkDigest(seen);
    };
  }

  #checkApplied(seen: Seen, index: number, term: number, checksum: number): void {
    if (seen.clusterId !== this.#clusterId) return;
    const by = seen.process.label;
    demand(
      index === seen.appliedIndex + 1,
      "applied in order",
      () => `${by}: ${index} after ${seen.appliedIndex}`,
    );
    seen.appliedIndex = index;
    const known = this.#applied.get(index);
    if (known === undefined) {
      this.#applied.set(index, { term, checksum, by });
      return;
    }
    demand(
      known.term === term && known.checksum === checksum,
      "state machine safety",
      () =>
        `entry ${index} is term ${known.term} (${known.checksum}) at ${known.by}, term ${term} (${checksum}) at ${by}`,
    );
  }

  #checkDigest({ process, clusterId }: Seen): void {
    if (clusterId !== this.#clusterId || this.statesMayDiffer) return;
    const { machine } = process.node.replica;
    const { settings } = machine.sessions;
    const followed = new Map(process.node.configuration.clusterValues());
    followed.set(ACTIVE_EXPIRE, process.node.replica.expiry.isActive ? "1" : "0");
    for (const [name, value] of settings.values())
      demand(
        // rot.ts switches that off by hand.
        followed.get(name) === value || name === "replica-digests",
        "nodes go by the settings in force",
        () =>
          `${process.label}: ${name} is ${value} at ${machine.appliedIndex}, and ${followed.get(name)} here`,
      );
    const sessions = Buffer.from(machine.sessions.encode()).toString("hex");
    const digest = `${machine.store.digest()} ${sessions} at ${machine.timeMs}`;
    const known = this.#digests.get(machine.appliedIndex);
    if (known === undefined) {
      this.#digests.set(machine.appliedIndex, { digest, by: process.label });
      return;
    }
    this.digestsCompared++;
    demand(
      known.digest === digest,
      "equal states",
      () => `at ${machine.appliedIndex}: ${known.by} ${known.digest}, ${process.label} ${digest}`,
    );
  }

  #checkVote({ process, core, term }: Seen): void {
    demand(core.term >= term, "terms never move back", () => `${process.label}: ${term} -> ${core.term}`);
    if (core.vote === 0) return;
    const key = `${core.id} ${core.term}`;
    const before = this.#votes.get(key);
    this.#votes.set(key, core.vote);
    demand(
      before === undefined || before === core.vote,
      "one vote a term",
      () => `${process.label} voted for ${before} and ${core.vote} in term ${core.term}`,
    );
  }

  #checkCommit(seen: Seen): void {
    const { process, core } = seen;
    const before = seen.commit;
    demand(
      core.commit >= before,
      "commit never moves back",
      () => `${process.label}: ${before} -> ${core.commit}`,
    );
    seen.commit = core.commit;
    if (core.commit <= this.#committed) return;
    this.#committed = core.commit;
    this.#committedAt.push({ index: core.commit, ms: this.#nowMs() });
    this.#committedIn = Math.max(this.#committedIn, core.term);
    // G1: a majority holds it. The dead held what they acknowledged. In this step the configuration may have changed.
    const term = seen.raft.log.term(core.commit);
    const holders = new Set<number>();
    for (const { core: other, raft } of this.#fellows()) {
      if (raft.log.term(core.commit) === term || raft.log.firstIndex() > core.commit) holders.add(other.id);
    }
    demand(
      isMajority(holders, core.confState) || isMajority(holders, seen.confState),
      "what is committed is held by a majority",
      () =>
        `${process.label} committed ${core.commit} of term ${term}, held by ${[...holders].join(", ")} of ` +
        `${core.confState.voters.join(", ")}`,
    );
  }

  #checkCompleteness({ process: { label: by }, core, raft }: Seen): void {
    for (let index = Math.max(raft.log.firstIndex(), 2); index <= this.#committed; index++) {
      const known = this.#applied.get(index);
      if (known === undefined) break;
      demand(
        raft.log.term(index) === known.term,
        "leader completeness",
        () =>
          `${by} leads term ${core.term}; entry ${index}: term ${raft.log.term(index)}, committed ${known.term}`,
      );
    }
    demand(
      core.lastIndex >= this.#committed,
      "leader completeness",
      () =>
        `${by} leads term ${core.term} with a log up to ${core.lastIndex}, committed is ${this.#committed}`,
    );
  }

  #checkElection(seen: Seen): void {
    const { process, core } = seen;
    const by = process.label;
    this.leadersElected++;
    this.#haveLed.add(process.machine);
    this.#elected(process);
    const other = this.#leaders.get(core.term);
    demand(
      other === undefined || other === by,
      "election safety",
      () => `term ${core.term}: ${other} and ${by}`,
    );
    this.#leaders.set(core.term, by);
    // A candidate that was paused may win an old term when a later one has committed: it need not have that (seed 165).
    if (core.term >= this.#committedIn) this.#checkCompleteness(seen);
    for (const old of this.#seen.values()) {
      demand(
        old === seen || !old.process.isAlive || old.core.term >= core.term || !hasLease(old),
        "lease disjointness",
        () =>
          `${by} leads term ${core.term} while ${old.process.label} holds the lease of term ${old.core.term}`,
      );
    }
  }

  #checkLeases(): void {
    let holder: Seen | undefined;
    for (const seen of this.#seen.values()) {
      if (seen.core.role !== "leader" || !seen.process.isAlive || !hasLease(seen)) continue;
      const first = holder;
      demand(
        first === undefined,
        "lease disjointness",
        () =>
          `${first?.process.label} (term ${first?.core.term}) and ${seen.process.label} (term ${seen.core.term})`,
      );
      holder = seen;
    }
  }

  /**
   * Log matching: two logs with the same term at an index hold the same entries up to it. Costly.
   * @param whole  also what was committed at both when they were last compared
   */
  compareLogs(whole: boolean): void {
    const members = [...this.#fellows()];
    for (const [i, a] of members.entries()) {
      for (const b of members.slice(i + 1)) {
        compareTwo(a, b, whole ? 0 : (a.comparedTo.get(b) ?? 0));
        a.comparedTo.set(b, Math.min(a.core.commit, b.core.commit));
      }
    }
  }

  /** All of them hold the same state; `undefined`, or what differs. */
  difference(processes: readonly SimProcess[]): string | undefined {
    const states = processes.map(({ label, node }) => {
      const { machine } = node.replica;
      return { label, text: `${machine.appliedIndex} ${machine.store.digest()}` };
    });
    const first = states[0];
    const other = states.find(({ text }) => text !== first?.text);
    return other === undefined ? undefined : `${first?.label}: ${first?.text}, ${other.label}: ${other.text}`;
  }
}

/** Of both halves, while the configuration is a joint one. */
function isMajority(ids: ReadonlySet<number>, { voters, votersOutgoing }: ConfState): boolean {
  return [voters, votersOutgoing].every(
    (half) => half.length === 0 || half.filter((id) => ids.has(id)).length > half.length / 2,
  );
}

/** One entry in each append. The core reads its configuration whenever it sends. */
export function limitAppends(process: SimProcess): void {
  const core = process.node.replica.raft;
  if (core !== undefined) Object.assign(raftOf(core).config, { maxSizePerMessage: 1 });
}

/** Would this member answer a read from memory now, by its own clock? Also while it is stopped: it may wake up. */
function hasLease({ process, core, raft }: Seen): boolean {
  const known = raft.nowMs;
  raft.nowMs = Math.max(known, process.monotonicMs());
  // Asked through the core: that is what the node asks.
  const isValid = core.leaseValid();
  raft.nowMs = known;
  return isValid;
}

function compareTwo(a: Seen, b: Seen, comparedTo: number): void {
  const first = Math.max(a.raft.log.firstIndex(), b.raft.log.firstIndex(), comparedTo);
  let isSame = false;
  for (let index = Math.min(a.core.lastIndex, b.core.lastIndex); index >= first; index--) {
    const termA = a.raft.log.term(index);
    const where = (): string => `entry ${index} of ${a.process.label} and ${b.process.label}`;
    if (termA !== b.raft.log.term(index)) {
      demand(!isSame, "log matching", () => `${where()}: terms ${termA} and ${b.raft.log.term(index)}`);
      continue;
    }
    isSame = true;
    const dataA =
      a.raft.log.slice(index, index + 1, Number.POSITIVE_INFINITY)?.[0]?.data ?? new Uint8Array(0);
    const dataB =
      b.raft.log.slice(index, index + 1, Number.POSITIVE_INFINITY)?.[0]?.data ?? new Uint8Array(0);
    demand(Buffer.compare(dataA, dataB) === 0, "log matching", () => `${where()} differ in term ${termA}`);
  }
}
