// One run: a cluster, clients and faults from one seed. First all goes wrong for a while, then nothing does any more and
// the cluster must show that it lives: elect, answer everybody, hold the same state everywhere. Histories are checked last.

import { Checks, limitAppends, Violation } from "./checks.ts";
import { SimClient } from "./clients.ts";
import { type FaultName, Faults } from "./faults.ts";
import { checkHistory, describe } from "./linearizability.ts";
import type { Operation } from "./model.ts";
import { Network } from "./network.ts";
import { type ProcessOptions, type ProcessWatcher, SimProcess } from "./process.ts";
import { Random } from "./random.ts";
import { Timeline, Trace } from "./timeline.ts";

/** A healthy cluster is there by then. */
const FOUNDING_MS_MAX = 10_000;
/** After the faults: silence on links is noticed after four seconds, elections and deadlines take one or two more. */
const RECOVERY_MS_MAX = 15_000;
const SILENCE_MS = 5000;
const SETTLING_MS_MAX = 10_000;
const COMPARE_EVERY_MS = 250;
const EVENTS_MAX = 3_000_000;
const CLOCK_DRIFT_MAX = 0.01;

export interface SimulationOptions {
  readonly trace?: boolean;
  /** Which kinds of faults; without it the seed decides. */
  readonly faults?: readonly FaultName[];
  /** A mutation: what it changes in the world. */
  readonly identityReused?: boolean;
  /** One entry a message: followers hold every prefix of a log at some time. */
  readonly smallAppends?: boolean;
  /** Mean time between faults. */
  readonly faultGapMs?: number;
}

export interface Result {
  readonly seed: number;
  /** What broke, or undefined. */
  readonly failure: { readonly property: string; readonly text: string } | undefined;
  readonly hash: string;
  readonly trace: readonly string[] | undefined;
  readonly description: string;
  readonly figures: {
    readonly simulatedMs: number;
    readonly events: number;
    readonly operations: number;
    readonly unknown: number;
    readonly leaders: number;
    readonly commits: number;
    readonly snapshots: number;
    readonly digests: number;
    readonly states: number;
    readonly undecided: boolean;
  };
}

export function simulate(seed: number, options: SimulationOptions = {}): Result {
  return new Simulation(seed, options).run();
}

export class Simulation implements ProcessWatcher {
  readonly seed: number;
  readonly timeline = new Timeline();
  readonly trace: Trace;
  readonly network: Network;
  readonly random: Random;
  readonly checks = new Checks(
    (process) => this.#hasSmallAppends && limitAppends(process),
    (process) => this.faults.elected(process),
  );
  readonly machines: readonly string[];
  /** All that ever ran, in the order of their starts. */
  readonly processes: SimProcess[] = [];
  readonly clients: SimClient[] = [];
  /** Members that will not come back. */
  readonly lost = new Set<SimProcess>();
  readonly faults: Faults;
  readonly #options: SimulationOptions;
  readonly #shared: Pick<
    ProcessOptions,
    "readMode" | "logBytesMax" | "snapshotChunkBytes" | "turnDelayMsMax"
  >;
  readonly #hasSmallAppends: boolean;
  #nextIncarnation = 1;
  #failure: { readonly property: string; readonly text: string } | undefined;
  #states = 0;
  #isUndecided = false;

  constructor(seed: number, options: SimulationOptions) {
    this.seed = seed;
    this.#options = options;
    this.trace = new Trace(this.timeline, options.trace === true);
    this.network = new Network(this.timeline, this.trace, Random.stream(seed, "network"));
    const random = Random.stream(seed, "world");
    this.random = random;
    const count = random.chance(0.75) ? 3 : 5;
    this.machines = Array.from({ length: count }, (_, i) => `n${i + 1}`);
    this.#shared = {
      readMode: random.chance(0.8) ? "lease" : "quorum",
      logBytesMax: random.chance(0.5) ? Math.floor(random.magnitude(1000, 20_000)) : 1 << 26,
      snapshotChunkBytes: Math.floor(random.magnitude(64, 4096)),
      turnDelayMsMax: random.chance(0.7) ? 0.1 : random.magnitude(0.1, 10),
    };
    this.faults = new Faults(this, Random.stream(seed, "faults"), options);
    this.#hasSmallAppends = random.chance(0.3) || options.smallAppends === true;
  }

  get living(): SimProcess[] {
    return this.processes.filter((process) => process.isAlive);
  }

  get lostCount(): number {
    return this.lost.size;
  }

  /** The living member that leads the highest term. */
  get leader(): SimProcess | undefined {
    const leaders = this.living.filter((process) => process.node.replica.raft?.role === "leader");
    return leaders.sort((a, b) => this.checks.termOf(b) - this.checks.termOf(a))[0];
  }

  processOn(machine: string): SimProcess | undefined {
    return this.living.find((process) => process.machine === machine);
  }

  isMember(process: SimProcess): boolean {
    return this.checks.members.includes(process);
  }

  /** A new process on a machine whose last one is dead: empty, and (but for a mutation) somebody else. */
  restart(machine: string): void {
    this.network.poweredOff.delete(machine);
    const last = this.processes.findLast((process) => process.machine === machine);
    const isReused = this.#options.identityReused === true && last !== undefined;
    this.#start(machine, isReused ? last.incarnation : this.#nextIncarnation++);
  }

  stepped(process: SimProcess): void {
    this.checks.stepped(process);
    this.faults.stepped(process);
  }

  failed(process: SimProcess, problem: unknown): void {
    if (problem instanceof Violation) this.#fail(problem.property, problem.message);
    else
      this.#fail(
        "no crash",
        `${process.label}: ${problem instanceof Error ? problem.stack : String(problem)}`,
      );
  }

  run(): Result {
    this.trace.line(`seed ${this.seed}: ${this.#description()}`);
    const phases = [
      () => this.#found(),
      () => this.#suffer(),
      () => this.#recover(),
      () => this.#settle(),
      () => this.#judge(),
    ];
    for (const phase of phases) {
      if (this.#failure === undefined) phase();
    }
    if (this.#failure !== undefined)
      this.trace.line(`failed: ${this.#failure.property}: ${this.#failure.text}`);
    return this.#result();
  }

  #start(machine: string, incarnation: number): void {
    const { random } = this;
    const process = new SimProcess(this.network, this, this.seed, {
      ...this.#shared,
      name: machine,
      members: this.machines,
      incarnation,
      clockRate: 1 + random.between(-CLOCK_DRIFT_MAX, CLOCK_DRIFT_MAX),
      wallSkewMs: random.chance(0.3) ? random.between(-30_000, 30_000) : random.between(-50, 50),
    });
    this.processes.push(process);
    this.trace.line(`start ${process.label}`);
    process.start();
  }

  #found(): void {
    for (const machine of this.machines) {
      this.timeline.after(this.random.between(0, 300), () => this.#start(machine, this.#nextIncarnation++));
    }
    this.#advance(FOUNDING_MS_MAX, "a cluster is founded and elects", () => {
      const isWhole = this.checks.members.length === this.machines.length;
      return isWhole && this.living.some((process) => process.node.replica.mode === 1);
    });
    this.#compareOften();
  }

  #suffer(): void {
    const world = {
      random: Random.stream(this.seed, "clients"),
      targets: () => this.living,
      wrongReply: (client: string, command: readonly string[], reply: string) =>
        this.#fail("replies fit their commands", `${client}: ${command.join(" ")} -> ${reply}`),
    };
    const count = 2 + this.random.below(6);
    for (let i = 0; i < count; i++) {
      const client = new SimClient(String.fromCharCode(97 + i), world);
      this.clients.push(client);
      client.connect();
      client.live();
    }
    this.faults.begin();
    this.#advanceTo(this.timeline.nowMs + this.random.between(4000, 12_000));
    this.faults.end();
    for (const client of this.clients) {
      client.stop();
      client.noticeSilence();
    }
    this.trace.line("no more faults");
  }

  /** Somebody leads, every command that is still open gets its answer, and every node serves. */
  #recover(): void {
    this.#advance(
      RECOVERY_MS_MAX,
      "after the faults somebody leads and everything is answered",
      () => this.#isServing() && this.clients.every((client) => client.unanswered.length === 0),
      () => this.#openCommands(),
    );
    // Links that are dead without a word are found out by silence; what is asked on them until then is uncertain.
    this.#advanceTo(this.timeline.nowMs + SILENCE_MS);
    this.#advance(RECOVERY_MS_MAX, "everybody serves", () => this.#isServing());
    if (this.#failure !== undefined) return;
    // What is left of all keys is read at every member: it joins the history.
    const groups = new Set(this.clients.flatMap((client) => client.history.map(({ group }) => group)));
    const askers: SimClient[] = [];
    for (const process of this.living.filter((it) => this.isMember(it) && !it.isStopping)) {
      for (const database of [0, 1]) {
        const asker = new SimClient(`${process.machine}:${database}`, this.#askerWorld(process), database);
        askers.push(asker);
        asker.connect(process);
        asker.ask("counter0", "INCR", "counter0");
        for (const group of groups) {
          const [key = "", home] = group.split("/");
          if (home !== String(database)) continue;
          if (key.startsWith("pair")) asker.ask(key, "MGET", `${key}.0`, `${key}.1`);
          else asker.ask(key, "GET", key);
        }
      }
    }
    this.clients.push(...askers);
    this.#advance(
      RECOVERY_MS_MAX,
      "every member writes and reads",
      () => askers.every((asker) => asker.unanswered.length === 0),
      () => this.#openCommands(),
    );
    for (const { name, history } of askers) {
      const bad = history.find(({ reply }) => reply === undefined);
      if (bad !== undefined || history.length === 0)
        this.#fail(
          "every member writes and reads",
          `${name}: ${bad === undefined ? "refused" : describe(bad)}`,
        );
    }
  }

  #askerWorld(process: SimProcess): ConstructorParameters<typeof SimClient>[1] {
    return {
      random: this.random,
      targets: () => [process],
      wrongReply: (client, command, reply) =>
        this.#fail("replies fit their commands", `${client}: ${command.join(" ")} -> ${reply}`),
    };
  }

  #settle(): void {
    let equalSinceMs = 0;
    this.#advance(
      SETTLING_MS_MAX,
      "all members hold the same state",
      () => {
        if (this.checks.difference() !== undefined) equalSinceMs = 0;
        else if (equalSinceMs === 0) equalSinceMs = this.timeline.nowMs;
        return equalSinceMs > 0 && this.timeline.nowMs - equalSinceMs > 300;
      },
      () => this.checks.difference() ?? "",
    );
  }

  #judge(): void {
    try {
      this.checks.compareLogs(true);
    } catch (problem) {
      this.failed(this.processes[0]!, problem);
      return;
    }
    const verdict = checkHistory(this.#history());
    if (verdict.kind === "violation") this.#fail("linearizability", verdict.text);
    else {
      this.#states = verdict.states;
      this.#isUndecided = verdict.kind === "undecided";
    }
    for (const operation of this.#history()) this.trace.line(describe(operation));
  }

  #history(): Operation[] {
    return this.clients.flatMap((client) => client.history);
  }

  #isServing(): boolean {
    const members = this.living.filter((process) => this.isMember(process) && !process.isStopping);
    return (
      this.leader?.node.replica.mode === 1 && members.every((process) => process.node.replica.mode !== 0)
    );
  }

  #openCommands(): string {
    const open = this.clients.filter((client) => client.unanswered.length > 0);
    const shown = open.map(
      (it) => `${it.name} at ${it.server}: ${it.unanswered.map((command) => command.join(" ")).join("; ")}`,
    );
    const modes = this.living.map((it) => `${it.label} mode ${it.node.replica.mode}`).join(", ");
    return [`leader ${this.leader?.label ?? "nobody"}: ${modes}`, ...shown].join("\n  ");
  }

  #compareOften(): void {
    this.timeline.after(COMPARE_EVERY_MS, () => {
      try {
        this.checks.compareLogs(false);
      } catch (problem) {
        this.failed(this.processes[0]!, problem);
      }
      this.#compareOften();
    });
  }

  #advanceTo(limitMs: number): void {
    while (this.#failure === undefined && this.timeline.step(limitMs)) this.#checkLength();
  }

  /** Lets time pass until `isReached`; a failure if that takes too long. */
  #advance(msMax: number, what: string, isReached: () => boolean, details = (): string => ""): void {
    const limitMs = this.timeline.nowMs + msMax;
    while (this.#failure === undefined) {
      const until = Math.min(limitMs, this.timeline.nowMs + 20);
      this.#advanceTo(until);
      if (this.#failure !== undefined || isReached()) return;
      if (this.timeline.nowMs >= limitMs)
        this.#fail("liveness", `not within ${msMax} ms: ${what}\n  ${details()}`);
    }
  }

  #checkLength(): void {
    if (this.timeline.eventCount > EVENTS_MAX)
      this.#fail("liveness", `${EVENTS_MAX} events: something feeds itself`);
  }

  #fail(property: string, text: string): void {
    this.#failure ??= { property, text };
  }

  #description(): string {
    const { readMode, logBytesMax, turnDelayMsMax } = this.#shared;
    return (
      `${this.machines.length} nodes, ${readMode} reads, log of ${logBytesMax} bytes, turns within ${turnDelayMsMax.toFixed(1)} ms, ` +
      `faults: ${this.faults.description}`
    );
  }

  #result(): Result {
    const history = this.#history();
    const { checks, timeline } = this;
    return {
      seed: this.seed,
      failure: this.#failure,
      hash: this.trace.hash,
      trace: this.trace.lines,
      description: this.#description(),
      figures: {
        simulatedMs: Math.round(timeline.nowMs),
        events: timeline.eventCount,
        operations: history.length,
        unknown: history.filter(({ reply }) => reply === undefined).length,
        leaders: checks.leadersElected,
        commits: checks.committedIndex,
        snapshots: checks.snapshotsRestored,
        digests: checks.digestsCompared,
        states: this.#states,
        undecided: this.#isUndecided,
      },
    };
  }
}
