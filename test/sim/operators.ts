// The operator of a run: members added, promoted and removed, leadership handed over, at any node and at bad moments,
// with the commands that people use. One change after the other; what each answered is part of the history, and
// members' names are checked like any other data. It does nothing that would leave no majority.

import { SimClient } from "./clients.ts";
import type { Faults } from "./faults.ts";
import { NAMES } from "./model.ts";
import { peerAddressOf, type SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const NAMES_MAX = 5;
const NAMES_MIN = 2;
/** Names that there can ever be in a run: n1 to n7. */
const MACHINES_MAX = 7;
const RETIRE_LOOK_MS = 200;

const NOT_NOW = "-(TRYAGAIN|UNCERTAIN|CLUSTERDOWN) ";
const UNKNOWN = "-ERR no member is called ";

export class Operators {
  readonly simulation: Simulation;
  readonly random: Random;
  /** Its connection. */
  readonly desk: SimClient;
  readonly #meanGapMs: number;
  readonly #group: string;
  /** How many changes were answered to be in force. */
  changes = 0;
  #isOver = false;
  #patientUntilMs = 0;
  /** Removals of unknown outcome: they may be done at any later time. */
  readonly #unsure = new Set<string>();

  constructor(simulation: Simulation, random: Random) {
    this.simulation = simulation;
    this.random = random;
    this.#meanGapMs = random.magnitude(100, 2000);
    this.#group = NAMES + simulation.machines.join(",");
    this.desk = new SimClient(
      "op",
      simulation.worldOf(random, () => simulation.living),
      0,
    );
  }

  /** For the last look at the members. */
  get group(): string {
    return this.#group;
  }

  get description(): string {
    return `operator every ${this.#meanGapMs.toFixed(0)} ms`;
  }

  begin(): void {
    this.simulation.timeline.after(-Math.log(1 - this.random.unit()) * this.#meanGapMs, () => {
      if (this.#isOver) return;
      this.#act();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  #act(): void {
    const { desk, random, simulation } = this;
    const { nowMs } = simulation.timeline;
    if (desk.unanswered.length > 0) {
      if (nowMs > this.#patientUntilMs) desk.hangUp();
      return;
    }
    if (!desk.isConnected) return desk.connect();
    // Another node next time.
    if (random.chance(0.15)) return desk.hangUp();
    const count = simulation.census.names.length;
    const actions = [this.#add, this.#remove, this.#transfer, this.#promote, this.#look];
    const weights = [count > 0 && count < NAMES_MAX ? 35 : 0, count > NAMES_MIN ? 25 : 0, 20, 6, 4];
    const text = actions[random.weighted(weights)]!.call(this);
    this.#patientUntilMs = nowMs + random.magnitude(200, 12_000);
    simulation.trace.line(`operator: ${text}`);
  }

  #done(reply: string | undefined): void {
    if (reply === "+OK") this.changes++;
  }

  #add(): string {
    const { random, simulation } = this;
    const { census } = simulation;
    const { names } = census;
    const all = Array.from({ length: MACHINES_MAX }, (_, i) => `n${i + 1}`);
    const name = random.pick(all.filter((machine) => !names.includes(machine)));
    const old = simulation.processOn(name);
    if (old?.node.replica.raft !== undefined) {
      // Its last process was removed, and may still be needed by whoever has not heard of that.
      if (!census.isForgotten(name)) return `${name} is still known`;
      old.kill();
    }
    if (!this.#unsure.has(name)) census.leaving.delete(name);
    const startMs = random.chance(0.5) ? 0 : random.magnitude(10, 3000);
    simulation.timeline.after(startMs, () => {
      if (simulation.processOn(name) === undefined) simulation.restart(name);
    });
    this.desk.ask({
      command: ["RAFT.MEMBER", "ADD", name, peerAddressOf(name)],
      group: this.#group,
      answered: (reply) => this.#done(reply),
    });
    return `adds ${name}`;
  }

  #remove(): string {
    const { random, simulation } = this;
    const { census } = simulation;
    const { names } = census;
    const leader = simulation.leader?.machine;
    const name = leader !== undefined && random.chance(0.4) ? leader : random.pick(names);
    if (!census.isSafe(undefined, name)) return `${name} cannot be removed now`;
    census.leaving.add(name);
    this.desk.ask({
      command: ["RAFT.MEMBER", "REMOVE", name],
      group: this.#group,
      refusals: /^-ERR (without \S+ there would be|\S+ is the last voter)/,
      answered: (reply) => {
        this.#done(reply);
        if (reply === undefined || reply.startsWith("-UNCERTAIN")) this.#unsure.add(name);
        else if (reply === "+OK") this.#retire(name);
        else if (!reply.startsWith(UNKNOWN) && !this.#unsure.has(name)) census.leaving.delete(name);
      },
    });
    return `removes ${name}${name === leader ? ", which leads" : ""}`;
  }

  /** Stops the process that was removed, some time after nobody counts it any more; sometimes nobody stops it. */
  #retire(name: string): void {
    const { random, simulation } = this;
    const process = simulation.processOn(name);
    if (process === undefined || random.chance(0.3)) return;
    simulation.timeline.after(RETIRE_LOOK_MS + random.magnitude(1, 3000), () => {
      if (this.#isOver || !process.isAlive || simulation.census.names.includes(name)) return;
      if (!simulation.census.isForgotten(name)) return this.#retire(name);
      simulation.trace.line(`operator: stops ${process.label}`);
      process.kill();
    });
  }

  #transfer(): string {
    const { random, simulation } = this;
    const { names } = simulation.census;
    if (names.length === 0) return "nobody leads";
    const name = random.pick(names);
    // Towards somebody who does not hear of it, or does not get through: it has to be given up in time.
    if (random.chance(0.3)) this.#isolate(simulation.faults, name);
    this.desk.ask({
      command: ["RAFT.TRANSFER", name],
      expected: new RegExp(`^(\\+OK$|${NOT_NOW}|${UNKNOWN}|-ERR \\S+ cannot lead: )`),
      answered: (reply) => {
        this.#done(reply);
        if (reply === "+OK" && !simulation.checks.hasLed(name))
          simulation.fail("a transfer that is answered was made", `${name} has never led`);
      },
    });
    return `transfers leadership to ${name}`;
  }

  #isolate(faults: Faults, name: string): void {
    faults.isolate(name, this.random.below(3), this.random.magnitude(100, 3000));
  }

  #promote(): string {
    const { random, simulation } = this;
    const leader = simulation.leader?.node;
    const learner = leader?.replica.raft?.confState.learners[0] ?? 0;
    const name = leader?.cluster.membership.member(learner)?.name ?? random.pick(simulation.machines);
    this.desk.ask({
      command: ["RAFT.MEMBER", "PROMOTE", name],
      expected: new RegExp(
        `^(\\+OK$|${NOT_NOW}|${UNKNOWN}|-ERR \\S+ (is a voter already|has not joined yet: |is not heard of: |is \\d+ entries behind: ))`,
      ),
      answered: (reply) => {
        this.#done(reply);
        const isVoter = ({ node }: SimProcess): boolean =>
          node.replica.raft?.confState.voters.some(
            (id) => node.cluster.membership.member(id)?.name === name,
          ) === true;
        if (reply === "+OK" && !simulation.processes.some(isVoter))
          simulation.fail("a promotion that is answered was made", `${name} is a voter nowhere`);
      },
    });
    return `promotes ${name}`;
  }

  /** Reads, at any node; nothing must come of them. */
  #look(): string {
    const command = this.random.pick([["RAFT.STATUS"], ["RAFT.RECOVER"], ["RAFT.MEMBER", "LIST"]]);
    this.desk.ask({ command, expected: new RegExp(`^([*$]|${NOT_NOW})`) });
    return command.join(" ");
  }
}
