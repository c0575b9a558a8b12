// What must hold in every state of the whole system, seen by somebody who sees all of it at once. The cheap part runs
// after every step of a process, the costly part at intervals. Names of properties are those of the Raft paper.

import { crc32c } from "../../src/base/crc32c.ts";
import type { RaftCore } from "../../src/raft/index.ts";
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
  term: number;
  vote: number;
  commit: number;
  appliedIndex: number;
  wasLeader: boolean;
  /** Up to here the logs were committed and the same as this other member's when they were last compared. */
  readonly comparedTo: Map<Seen, number>;
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
  readonly #joined: (process: SimProcess) => void;
  readonly #elected: (process: SimProcess) => void;
  digestsCompared = 0;
  leadersElected = 0;
  snapshotsRestored = 0;

  /**
   * @param joined  told of every process that becomes a member
   * @param elected told of every new leader
   */
  constructor(joined: (process: SimProcess) => void, elected: (process: SimProcess) => void) {
    this.#joined = joined;
    this.#elected = elected;
  }

  get members(): SimProcess[] {
    return [...this.#seen.keys()];
  }

  /** The entries that some member knows to be committed. */
  get committedIndex(): number {
    return this.#committed;
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
      // It knew nothing yet, and starts anew as somebody else.
      seen.core = current;
      seen.raft = rafts.get(current.id)!;
      Object.assign(seen, { term: 0, vote: 0, commit: current.commit, wasLeader: false });
    }
    const { core, raft } = seen;
    demand(core.fault === undefined, "no fault", () => `${process.label}: ${core.fault}`);
    if (core.term !== seen.term || core.vote !== seen.vote) this.#checkVote(seen);
    if (core.commit !== seen.commit) this.#checkCommit(seen);
    const isLeader = core.role === "leader";
    if (isLeader && !(seen.wasLeader && seen.term === core.term)) this.#checkElection(seen);
    seen.wasLeader = isLeader;
    seen.term = core.term;
    seen.vote = core.vote;
    this.#checkLeases();
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
      term: 0,
      vote: 0,
      commit,
      appliedIndex,
      wasLeader: false,
      comparedTo: new Map(),
    };
    this.#seen.set(process, seen);
    this.#tapMachine(seen);
    this.#joined(process);
    return seen;
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
      if (machine.appliedIndex % DIGEST_EVERY === 0) this.#checkDigest(seen.process);
    };
    machine.replace = (...args) => {
      replace.apply(machine, args);
      this.snapshotsRestored++;
      seen.appliedIndex = machine.appliedIndex;
      this.#checkDigest(seen.process);
    };
  }

  #checkApplied(seen: Seen, index: number, term: number, checksum: number): void {
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

  #checkDigest(process: SimProcess): void {
    const { machine } = process.node.replica;
    const digest = `${machine.store.digest()} at ${machine.timeMs}`;
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
    this.#committedIn = Math.max(this.#committedIn, core.term);
    // G1: a majority holds it. The dead held what they acknowledged.
    const term = seen.raft.log.term(core.commit);
    let holders = 0;
    for (const { raft } of this.#seen.values()) {
      if (raft.log.term(core.commit) === term || raft.log.firstIndex() > core.commit) holders++;
    }
    const { voters } = core.confState;
    demand(
      holders > voters.length / 2,
      "what is committed is held by a majority",
      () =>
        `${process.label} committed ${core.commit} of term ${term}, held by ${holders} of ${voters.length}`,
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
    const members = [...this.#seen.values()];
    for (const [i, a] of members.entries()) {
      for (const b of members.slice(i + 1)) {
        compareTwo(a, b, whole ? 0 : (a.comparedTo.get(b) ?? 0));
        a.comparedTo.set(b, Math.min(a.core.commit, b.core.commit));
      }
    }
  }

  /** All living members hold the same state; `undefined`, or what differs. */
  difference(): string | undefined {
    const states = [...this.#seen.values()]
      .filter(({ process }) => process.isAlive)
      .map(({ process }) => {
        const { machine } = process.node.replica;
        return { label: process.label, text: `${machine.appliedIndex} ${machine.store.digest()}` };
      });
    const first = states[0];
    const other = states.find(({ text }) => text !== first?.text);
    return other === undefined ? undefined : `${first?.label}: ${first?.text}, ${other.label}: ${other.text}`;
  }
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
