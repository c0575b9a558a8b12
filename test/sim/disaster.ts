// A majority is lost with its memory, and the cluster is started over from a survivor by an operator's command. Either
// in the middle of all other faults, or in quiet: then the survivors must also say what is the matter, and refuse
// everybody, until they are told to go on.

import { isCitizen } from "./census.ts";
import { SimClient } from "./clients.ts";
import { standing } from "./ending.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

/** Leases, and whoever led, are over by then. */
const REACTION_MS = 1000;
const TRY_AGAIN_MS = 150;
const HALT_MS_MAX = 20_000;
const RECOVERY_MS_MAX = 20_000;
/** A learner whose process is gone for good is given up after 30 s (node/admission.ts). */
const CALM_MS_MAX = 30_000 + RECOVERY_MS_MAX;

const LOST = /^-?CLUSTERDOWN a majority of the members has lost its memory \(/;
const GONE = /^-?CLUSTERDOWN this node's cluster is gone: /;

export type DisasterKind = "calm" | "storm";

export class Disaster {
  readonly kind: DisasterKind;
  readonly #simulation: Simulation;
  readonly random: Random;
  readonly #desk: SimClient;
  #survivors: SimProcess[] = [];
  #chosen: SimProcess | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(simulation: Simulation, random: Random, kind: DisasterKind) {
    this.#simulation = simulation;
    this.random = random;
    this.kind = kind;
    this.#desk = new SimClient(
      "recovery",
      simulation.worldOf(random, () => []),
      0,
    );
  }

  get isOver(): boolean {
    return this.#simulation.checks.recoveries.length > 0;
  }

  /** In the storm: at some time, whatever else happens. */
  plan(afterMs: number): void {
    this.#simulation.timeline.after(afterMs, () => {
      if (this.#strike()) this.#simulation.timeline.after(REACTION_MS, () => this.#recoverSomehow());
    });
  }

  /** What the storm began; it may have found nobody to lose. */
  finish(): void {
    if (this.#survivors.length === 0) return;
    this.#simulation.advance(RECOVERY_MS_MAX, "the survivor is recovered", () => this.isOver);
  }

  /** After the faults: lost, said, recovered. */
  beCalm(): void {
    const simulation = this.#simulation;
    simulation.advance(
      CALM_MS_MAX,
      "all are voters before the disaster",
      () => simulation.census.isWhole,
      () => standing(simulation),
    );
    if (simulation.hasFailed || !this.#strike()) return;
    const isSaid = ({ node }: SimProcess): boolean => LOST.test(node.cluster.problem ?? "");
    simulation.advance(
      HALT_MS_MAX,
      "the survivors say that a majority has lost its memory",
      () => this.#survivors.every(isSaid),
      () => this.#survivors.map((it) => `${it.label}: ${it.node.cluster.problem}`).join("; "),
    );
    if (simulation.hasFailed) return;
    this.#demandRefusal(this.#survivors, LOST);
    this.#recoverSomehow();
    simulation.advance(RECOVERY_MS_MAX, "it is recovered", () => this.isOver);
    const others = this.#survivors.filter((it) => it !== this.#chosen && it.isAlive);
    if (simulation.hasFailed || this.random.chance(0.5)) return;
    simulation.advance(HALT_MS_MAX, "other survivors say that their cluster is gone", () =>
      others.every((it) => !it.isAlive || GONE.test(it.node.cluster.problem ?? "")),
    );
  }

  /** A command at each of them gets this error. */
  #demandRefusal(processes: readonly SimProcess[], text: RegExp): void {
    const simulation = this.#simulation;
    let count = 0;
    for (const process of processes) {
      const asker = new SimClient(
        `${process.machine}?`,
        simulation.worldOf(this.random, () => []),
        0,
      );
      asker.connect(process);
      asker.ask({
        command: [this.random.pick(["GET", "INCR"]), "counter0"],
        expected: text,
        answered: () => count++,
      });
    }
    simulation.advance(HALT_MS_MAX, "the survivors refuse", () => count === processes.length);
  }

  /** False when there is nobody to lose, or nobody to go on with. */
  #strike(): boolean {
    const simulation = this.#simulation;
    const random = this.random;
    const raft = simulation.leader?.node.replica.raft;
    const members = simulation.census.members.filter(isCitizen);
    if (raft === undefined || raft.changeUnderWay) return false;
    const count = raft.confState.voters.length;
    // Half of an even number is lost as well as more.
    const keptMax = Math.ceil(count / 2) - (count % 2 === 0 ? 0 : 1);
    const kept = Math.min(members.length - 1, 1 + random.below(Math.max(1, keptMax)));
    if (kept < 1) return false;
    const shuffled = members.map((it) => ({ it, at: random.unit() })).sort((a, b) => a.at - b.at);
    this.#survivors = shuffled.slice(0, kept).map(({ it }) => it);
    simulation.trace.line(`disaster: only ${this.#survivors.map((it) => it.label).join(" ")} survive`);
    for (const process of simulation.living) {
      if (this.#survivors.includes(process)) continue;
      if (random.chance(0.3)) simulation.network.poweredOff.add(process.machine);
      process.kill();
    }
    // Also those that were dead before.
    for (const machine of simulation.machines) this.#restartLater(machine);
    return true;
  }

  #restartLater(machine: string): void {
    this.#simulation.timeline.after(this.random.magnitude(10, 3000), () => {
      if (this.#simulation.processOn(machine) === undefined) this.#simulation.restart(machine);
    });
  }

  /** The operator looks at the logs, chooses once, and tries until it is done. */
  #recoverSomehow(): void {
    const simulation = this.#simulation;
    const random = this.random;
    const desk = this.#desk;
    if (this.isOver) return this.#startOthersAnew();
    simulation.timeline.after(TRY_AGAIN_MS, () => this.#recoverSomehow());
    if (this.#chosen === undefined) {
      const last = (process: SimProcess): number => process.node.replica.raft?.lastIndex ?? 0;
      const longest = [...this.#survivors].sort((a, b) => last(b) - last(a));
      this.#chosen = random.chance(0.7) ? longest[0]! : random.pick(longest);
    }
    const chosen = this.#chosen;
    const { nowMs } = simulation.timeline;
    if (nowMs > this.#deadlineMs) {
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      return desk.hangUp();
    }
    if (desk.unanswered.length > 0 || chosen.node.replica.raft?.leader !== 0) return;
    // Somebody may not have noticed yet that he cannot lead any more.
    if (simulation.living.some(({ node }) => node.replica.raft?.role === "leader")) return;
    if (!desk.isConnected) desk.connect(chosen);
    this.#deadlineMs = nowMs + 3000;
    if (random.chance(0.3)) desk.ask({ command: ["RAFT.RECOVER"], expected: /^\$RAFT\.RECOVER FORCE on / });
    desk.ask({ command: ["RAFT.RECOVER", "FORCE"], expected: /^(\+OK|-ERR \S+ leads this cluster)/ });
  }

  /** Other survivors belong to a cluster that is gone. */
  #startOthersAnew(): void {
    for (const process of this.#survivors) {
      if (process === this.#chosen) continue;
      this.#simulation.timeline.after(this.random.magnitude(200, 5000), () => {
        if (!process.isAlive) return;
        process.kill();
        this.#restartLater(process.machine);
      });
    }
  }
}
