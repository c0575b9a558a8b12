// Figure 8 of the Raft paper (section 5.4.2) as a fault: a leader's entries are overwritten although a majority holds
// them. It watches elections and logs, and cuts directions of the network at the right moments; it does nothing else.
//
//   split    A leads and is cut off; it takes entries that nobody else has
//   rival    B was elected, and is cut off before it can tell anybody: its log has another entry at that index.
//            A is connected with the rest
//   return   A was elected again, and sends what the others do not have
//   revenge  a majority holds A's old entry, and not yet the first one of its new term: A cannot send any more, but
//            hears. B is connected with the rest; its log is the newer one: it is elected, and overwrites the old entry

import { raftOf } from "./checks.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./process.ts";

type Stage = "idle" | "split" | "rival" | "return" | "revenge";

export interface FigureEightWorld {
  readonly network: Network;
  readonly machines: readonly string[];
  /** Those that live and are in the cluster. */
  members(): readonly SimProcess[];
}

const lastIndexOf = (process: SimProcess): number => process.node.replica.raft!.lastIndex;
const logOf = (process: SimProcess): ReturnType<typeof raftOf>["log"] =>
  raftOf(process.node.replica.raft!).log;

export class FigureEight {
  readonly #world: FigureEightWorld;
  #stage: Stage = "idle";
  #first: SimProcess | undefined;
  #rival: SimProcess | undefined;
  /** Where the two logs differ. */
  #index = 0;
  /** The first entry of the term in which A leads again. */
  #ownIndex = 0;
  #heal: (() => void)[] = [];
  /** How often it began. */
  round = 0;

  constructor(world: FigureEightWorld) {
    this.#world = world;
  }

  get isIdle(): boolean {
    return this.#stage === "idle";
  }

  /** For the trace. */
  begin(leader: SimProcess | undefined): string {
    const core = leader?.node.replica.raft;
    if (!this.isIdle) return `in stage ${this.#stage}`;
    if (leader === undefined || core === undefined) return "nobody leads";
    const majority = (core.confState.voters.length >> 1) + 1;
    if (this.#world.members().length <= majority) return "too few";
    this.#first = leader;
    this.#rival = undefined;
    this.round++;
    this.#enter("split", (a, b) => a !== leader.machine && b !== leader.machine);
    return leader.label;
  }

  /** All cuts end. */
  end(): void {
    this.#stage = "idle";
    for (const heal of this.#heal) heal();
    this.#heal = [];
  }

  elected(leader: SimProcess): void {
    const first = this.#first!;
    if (this.#stage === "split") {
      this.#index = lastIndexOf(leader);
      if (leader === first || lastIndexOf(first) < this.#index) return this.end();
      this.#rival = leader;
      this.#enter("rival", (a, b) => this.#isStar(first, leader, a, b));
    } else if (this.#stage === "rival") {
      if (leader !== first || logOf(first).term(this.#index) === logOf(this.#rival!).term(this.#index))
        return this.end();
      this.#ownIndex = lastIndexOf(first);
      this.#stage = "return";
    } else if (this.#stage === "revenge") this.end();
  }

  /** After every step of anybody. */
  stepped(process: SimProcess): void {
    const first = this.#first!;
    if (!first.isAlive || this.#rival?.isAlive === false) return this.end();
    if (this.#stage !== "return" || process === first) return;
    const core = first.node.replica.raft!;
    if (core.role !== "leader") return this.end();
    const majority = (core.confState.voters.length >> 1) + 1;
    if (this.#holdersOf(this.#index) < majority) return;
    if (this.#holdersOf(this.#ownIndex) >= majority) return this.end();
    const rival = this.#rival!;
    this.#enter(
      "revenge",
      (a, b) => (b === first.machine && a !== rival.machine) || this.#isStar(rival, first, a, b),
    );
  }

  #holdersOf(index: number): number {
    const term = logOf(this.#first!).term(index);
    return this.#world.members().filter((member) => logOf(member).term(index) === term).length;
  }

  /** Everybody is connected with `center` only, and `outside` with nobody. */
  #isStar(center: SimProcess, outside: SimProcess, a: string, b: string): boolean {
    return (a === center.machine || b === center.machine) && a !== outside.machine && b !== outside.machine;
  }

  #enter(stage: Stage, isConnected: (from: string, to: string) => boolean): void {
    const { network, machines } = this.#world;
    this.#stage = stage;
    network.trace.line(`figure 8: ${stage}`);
    const before = this.#heal;
    this.#heal = machines.flatMap((a) =>
      machines.filter((b) => a !== b && !isConnected(a, b)).map((b) => network.cut(a, b)),
    );
    // Afterwards, so that what stays cut is never open between.
    for (const heal of before) heal();
  }
}
