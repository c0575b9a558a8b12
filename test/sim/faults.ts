// What goes wrong in a run. The seed decides which kinds of faults the run has at all (some bugs need few kinds, and
// much of each), how often they come and how long they last. At most a minority of the members is lost for ever.

import { FigureEight } from "./figure-eight.ts";
import { Mangling } from "./mangling.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation, SimulationOptions } from "./simulation.ts";

/** Three elections. */
const FIGURE_EIGHT_MS_MAX = 6000;

type Kind = (faults: Faults) => string;

/** Each returns what it did, for the trace. */
const KINDS = {
  cutOneWay: (f) => {
    const [from, to] = f.twoMachines();
    f.endLater(f.simulation.network.cut(from, to), f.random.magnitude(50, 6000));
    return `${from}>${to}`;
  },
  isolate: (f) => {
    const victim = f.victim().machine;
    const direction = f.random.below(3);
    const durationMs = f.random.magnitude(50, 6000);
    f.isolate(victim, direction, durationMs);
    return `${victim} ${["in", "out", "both"][direction]} ${durationMs.toFixed(0)} ms`;
  },
  partition: (f) => {
    const sides = f.simulation.machines.map(() => f.random.below(2));
    const durationMs = f.random.magnitude(100, 5000);
    const { machines, network } = f.simulation;
    for (const [i, a] of machines.entries()) {
      for (const [k, b] of machines.entries()) {
        if (sides[i] !== sides[k]) f.endLater(network.cut(a, b), durationMs);
      }
    }
    return `${sides.join("")} ${durationMs.toFixed(0)} ms`;
  },
  resetLinks: (f) => {
    const victim = f.victim().machine;
    let count = 0;
    for (const pipe of [...f.simulation.network.pipes]) {
      const ends = [pipe.dialler, pipe.acceptor];
      if (!ends.some(({ site }) => site.machine === victim) || f.random.chance(0.5)) continue;
      f.random.pick(ends).breakOff();
      count++;
    }
    return `${count} of ${victim}`;
  },
  slow: (f) => {
    const [from, to] = f.twoMachines();
    const factor = f.random.magnitude(3, 200);
    f.endLater(f.simulation.network.slow(from, to, factor), f.random.magnitude(200, 4000));
    return `${from}>${to} ${factor.toFixed(0)} times`;
  },
  mangle: (f) => {
    const { machine } = f.victim();
    const { mangled } = f.simulation.network;
    const mangling = new Mangling(f.random);
    const durationMs = f.random.magnitude(200, 5000);
    mangled.set(machine, mangling);
    f.endLater(() => mangled.get(machine) === mangling && mangled.delete(machine), durationMs);
    return `what ${machine} receives: ${mangling.description}, ${durationMs.toFixed(0)} ms`;
  },
  pause: (f) => {
    const victim = f.victim();
    const durationMs = f.random.magnitude(20, 4000);
    victim.pause();
    f.endLater(() => victim.resume(), durationMs);
    return `${victim.label} ${durationMs.toFixed(0)} ms`;
  },
  wallJump: (f) => {
    const victim = f.victim();
    const jumpMs = f.random.pick([-30_000, -5000, 5000, 30_000]);
    victim.wallJumpMs += jumpMs;
    return `${victim.label} ${jumpMs} ms`;
  },
  kill: (f) => f.lose((victim) => victim.kill()),
  powerOff: (f) =>
    f.lose((victim) => {
      f.simulation.network.poweredOff.add(victim.machine);
      victim.kill();
    }),
  shutdown: (f) =>
    f.lose((victim) => {
      victim.isStopping = true;
      victim.deliver(() => victim.node.shutdown());
    }),
  restart: (f) => {
    const dead = f.simulation.processes.filter((process) => !process.isAlive);
    const machine = dead
      .map((process) => process.machine)
      .find((it) => f.simulation.processOn(it) === undefined);
    if (machine === undefined) return "nobody is dead";
    f.simulation.restart(machine);
    return machine;
  },
  transfer: (f) => {
    const { leader } = f.simulation;
    leader?.deliver(() => void leader.node.replica.transferAway());
    return leader?.label ?? "nobody leads";
  },
  /** From now on new leaders are cut off soon after their election, at any stage of taking over. */
  haunt: (f) => {
    f.isHaunting = true;
    return "on";
  },
  figureEight: (f) => {
    const { figureEight } = f;
    const text = figureEight.begin(f.simulation.leader);
    const { round } = figureEight;
    f.endLater(() => round === figureEight.round && figureEight.end(), FIGURE_EIGHT_MS_MAX);
    return text;
  },
  dropClients: (f) => {
    const client = f.random.pick(f.simulation.clients);
    client.drop();
    return client.name;
  },
} as const satisfies Record<string, Kind>;

export type FaultName = keyof typeof KINDS;
export const FAULT_NAMES = Object.keys(KINDS) as FaultName[];

export class Faults {
  readonly simulation: Simulation;
  readonly random: Random;
  readonly #enabled: readonly FaultName[];
  readonly #meanGapMs: number;
  /** What ends the faults that last. */
  readonly #ongoing = new Set<() => void>();
  readonly figureEight: FigureEight;
  isHaunting = false;
  #isOver = false;

  constructor(simulation: Simulation, random: Random, options: SimulationOptions) {
    this.simulation = simulation;
    const { network, machines } = simulation;
    this.figureEight = new FigureEight({
      network,
      machines,
      members: () => simulation.living.filter((process) => simulation.isMember(process)),
    });
    this.random = random;
    const drawn = FAULT_NAMES.filter(() => random.chance(0.5));
    this.#enabled = options.faults ?? (drawn.length > 0 ? drawn : FAULT_NAMES);
    this.#meanGapMs = options.faultGapMs ?? random.magnitude(60, 1500);
  }

  get description(): string {
    return `${this.#enabled.join(" ")}, every ${this.#meanGapMs.toFixed(0)} ms`;
  }

  begin(): void {
    this.simulation.timeline.after(-Math.log(1 - this.random.unit()) * this.#meanGapMs, () => {
      if (this.#isOver) return;
      const name = this.random.pick(this.#enabled);
      this.simulation.trace.line(`fault ${name}: ${KINDS[name](this)}`);
      this.begin();
    });
  }

  /** No new ones, and those that last end. What is dead stays dead. */
  end(): void {
    this.#isOver = true;
    for (const over of [...this.#ongoing]) over();
    this.simulation.network.poweredOff.clear();
  }

  /** After every step of a process. */
  stepped(process: SimProcess): void {
    if (!this.figureEight.isIdle) this.figureEight.stepped(process);
  }

  elected(leader: SimProcess): void {
    if (!this.figureEight.isIdle) this.figureEight.elected(leader);
    if (!this.isHaunting || this.#isOver || this.random.chance(0.2)) return;
    this.simulation.timeline.after(this.random.magnitude(0.05, 30), () => {
      if (!this.#isOver) this.isolate(leader.machine, 2, this.random.magnitude(200, 1000));
    });
  }

  /** direction: 0 nothing comes in, 1 nothing goes out, 2 both. */
  isolate(victim: string, direction: number, durationMs: number): void {
    const { machines, network } = this.simulation;
    for (const other of machines) {
      if (other === victim) continue;
      if (direction !== 0) this.endLater(network.cut(victim, other), durationMs);
      if (direction !== 1) this.endLater(network.cut(other, victim), durationMs);
    }
  }

  endLater(end: () => void, afterMs: number): void {
    const over = (): void => {
      if (this.#ongoing.delete(over)) end();
    };
    this.#ongoing.add(over);
    this.simulation.timeline.after(afterMs, over);
  }

  /** The leader more often than anybody else. */
  victim(): SimProcess {
    const { leader, living } = this.simulation;
    return leader !== undefined && this.random.chance(0.5) ? leader : this.random.pick(living);
  }

  twoMachines(): [string, string] {
    const { machines } = this.simulation;
    const first = this.random.chance(0.5) ? this.victim().machine : this.random.pick(machines);
    return [first, this.random.pick(machines.filter((machine) => machine !== first))];
  }

  lose(how: (victim: SimProcess) => void): string {
    const { machines, lostCount, isChanging, census } = this.simulation;
    if (!isChanging && lostCount >= Math.floor((machines.length - 1) / 2)) return "enough are lost";
    const victim = this.victim();
    if (!this.simulation.isMember(victim) || victim.isStopping) return "not a member";
    if (isChanging && !census.isSafe(victim.machine)) return "enough are lost";
    this.simulation.lost.add(victim);
    how(victim);
    return victim.label;
  }
}
