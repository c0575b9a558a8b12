// One run: a cluster, clients and faults from one seed. First all goes wrong for a while, then nothing does any more and
// the cluster must show that it lives: elect, answer everybody, hold the same state everywhere. Histories are checked last.

import { BulkCut } from "./bulk-cut.ts";
import { Busy } from "./busy.ts";
import { Census } from "./census.ts";
import { Checks, limitAppends, Violation } from "./checks.ts";
import { type ClientWorld, SimClient } from "./clients.ts";
import { SessionClients } from "./clients-sessions.ts";
import { Disaster } from "./disaster.ts";
import { recover, settle } from "./ending.ts";
import { Eviction } from "./eviction.ts";
import { Faults } from "./faults.ts";
import { judgeHistory } from "./history.ts";
import { WINDOW_PIECES } from "./lanes.ts";
import { describe } from "./linearizability.ts";
import { drawMix, type Mix, plainMix, withCache } from "./mix.ts";
import type { Operation } from "./model.ts";
import { Network } from "./network.ts";
import { Operators } from "./operators.ts";
import type { SimulationOptions } from "./options.ts";
import { type ProcessOptions, type ProcessWatcher, SimProcess } from "./process.ts";
import { PublishSubscribe } from "./publish-subscribe.ts";
import { Random } from "./random.ts";
import { Rejoin } from "./rejoin.ts";
import { Rot } from "./rot.ts";
import { SettingsDesk } from "./settings.ts";
import { Timeline, Trace } from "./timeline.ts";

/** A healthy cluster is there by then. */
const FOUNDING_MS_MAX = 10_000;
const COMPARE_EVERY_MS = 250;
const EVENTS_MAX = 3_000_000;
const CLOCK_DRIFT_MAX = 0.01;
/** Of the runs, those in which an operator changes the members. */
const OPERATOR_SHARE = 0.4;
/** Those with queues and transactions. */
const SESSIONS_SHARE = 0.3;
const ROT_SHARE = 0.15;
/** Those with maxmemory, of the runs without the last two. */
const EVICTION_SHARE = 0.25;
/** Those with somebody who changes settings. */
const SETTINGS_SHARE = 0.3;
/** Those with publishers and subscribers. */
const PUBLISHING_SHARE = 0.2;
/** Those with busy event loops. */
const BUSY_SHARE = 0.3;
const PIECES_SHARE = 0.3;
const LANE_BYTES_PER_MS_LEAST = 100;
/** Those in which a member comes back while clients write. */
const REJOIN_SHARE = 0.2;

export { PLAIN, type SimulationOptions } from "./options.ts";

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
    /** Changes that an operator was told to be in force. */
    readonly changes: number;
    /** Keys evicted. */
    readonly evictions: number;
    /** Messages published. */
    readonly published: number;
    readonly recoveries: number;
    /** Committed entries that recoveries lost, as they must. */
    readonly lostEntries: number;
    readonly states: number;
    /** Groups of keys whose search was given up. */
    readonly undecided: readonly string[];
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
    () => this.timeline.nowMs,
    (process) => this.#joined(process),
    (process) => this.faults.elected(process),
  );
  readonly machines: readonly string[];
  readonly #machines: string[];
  readonly census = new Census(this);
  readonly operators: Operators | undefined;
  readonly disaster: Disaster | undefined;
  readonly sessions: SessionClients | undefined;
  readonly rot: Rot | undefined;
  readonly eviction: Eviction | undefined;
  readonly publishing: PublishSubscribe | undefined;
  readonly settings: SettingsDesk | undefined;
  readonly busy: Busy | undefined;
  readonly #bulkCut: BulkCut | undefined;
  readonly #rejoin: Rejoin | undefined;
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
  readonly #founders: readonly string[];
  readonly #mix: { readonly mix: Mix; readonly names: readonly string[] };
  #nextIncarnation = 1;
  #failure: { readonly property: string; readonly text: string } | undefined;
  #states = 0;
  #undecided: readonly string[] = [];

  constructor(seed: number, options: SimulationOptions) {
    this.seed = seed;
    this.#options = options;
    this.trace = new Trace(this.timeline, options.trace === true);
    const { delayMs } = options;
    this.network = new Network(this.timeline, this.trace, Random.stream(seed, "network"), delayMs);
    const random = Random.stream(seed, "world");
    this.random = random;
    const count = random.chance(0.75) ? 3 : 5;
    this.#machines = Array.from({ length: count }, (_, i) => `n${i + 1}`);
    this.#founders = [...this.#machines];
    this.machines = this.#machines;
    const readMode = random.chance(0.8) ? "lease" : "quorum";
    const logBytesMax = random.chance(0.5) ? Math.floor(random.magnitude(1000, 20_000)) : 1 << 26;
    this.#shared = {
      readMode,
      logBytesMax: options.logBytesMax ?? logBytesMax,
      snapshotChunkBytes: Math.floor(random.magnitude(64, 4096)),
      turnDelayMsMax: random.chance(0.7) ? 0.1 : random.magnitude(0.1, 10),
    };
    this.faults = new Faults(this, Random.stream(seed, "faults"), options);
    this.#hasSmallAppends = random.chance(0.3) || options.smallAppends === true;
    // Draws of their own: a run without them is what it was before there were any.
    const operators = Random.stream(seed, "operators");
    if (operators.chance(OPERATOR_SHARE) ? options.operator !== false : options.operator === true)
      this.operators = new Operators(this, operators);
    this.#mix =
      options.plainMix === true ? { mix: plainMix, names: ["plain"] } : drawMix(Random.stream(seed, "mix"));
    const disaster = Random.stream(seed, "disaster");
    const drawn = disaster.pick(["none", "none", "none", "none", "none", "none", "calm", "storm"] as const);
    const kind = options.disaster ?? drawn;
    if (kind !== "none") this.disaster = new Disaster(this, disaster, kind);
    // What a lost majority may lose cannot be added up.
    const sessions = Random.stream(seed, "sessions");
    const hasSessions = sessions.chance(SESSIONS_SHARE)
      ? options.sessions !== false
      : options.sessions === true;
    if (hasSessions && this.disaster === undefined) this.sessions = new SessionClients(this, sessions);
    const rot = Random.stream(seed, "rot");
    if (rot.chance(ROT_SHARE) ? options.rot !== false && !this.isChanging : options.rot === true)
      this.rot = new Rot(this, rot);
    // What may be gone at any time cannot be added up, and what one replica has more of, it evicts.
    const eviction = Random.stream(seed, "eviction");
    const isLimited = eviction.chance(EVICTION_SHARE)
      ? options.eviction !== false
      : options.eviction === true;
    if (isLimited && this.sessions === undefined && this.rot === undefined)
      this.eviction = new Eviction(this, eviction);
    const publishing = Random.stream(seed, "publishing");
    if (publishing.chance(PUBLISHING_SHARE) ? options.publishing !== false : options.publishing === true)
      this.publishing = new PublishSubscribe(this, publishing);
    const settings = Random.stream(seed, "settings");
    if (settings.chance(SETTINGS_SHARE) ? options.settings !== false : options.settings === true)
      this.settings = new SettingsDesk(this, settings);
    const busy = Random.stream(seed, "busy");
    if (busy.chance(BUSY_SHARE) ? options.busy !== false : options.busy === true)
      this.busy = new Busy(this, busy, options.busyMsMax);
    const pieces = Random.stream(seed, "pieces");
    if (pieces.chance(PIECES_SHARE) ? options.pieces !== false : options.pieces === true) {
      // A member that lags must get what it lacks in the time that a run waits for it: where messages take long, pieces are longer.
      const roundTripMs = 2 * this.network.baseDelayMs;
      const least = (LANE_BYTES_PER_MS_LEAST * roundTripMs) / WINDOW_PIECES;
      this.network.pieceBytes = Math.floor(Math.max(pieces.magnitude(20, 500), least));
      this.#bulkCut = new BulkCut(this, pieces);
    }
    // A limit of memory refuses its writes, and a state that is wrong is sent too.
    const rejoin = Random.stream(seed, "rejoin");
    const isRejoining = rejoin.chance(REJOIN_SHARE) ? options.rejoin !== false : options.rejoin === true;
    if (isRejoining && this.eviction === undefined && this.rot === undefined)
      this.#rejoin = new Rejoin(this, rejoin);
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Do members come and go for good, so that who may be lost depends on who is there? */
  get isChanging(): boolean {
    return this.operators !== undefined || this.disaster !== undefined;
  }

  get living(): SimProcess[] {
    return this.processes.filter((process) => process.isAlive);
  }

  get lostCount(): number {
    return this.lost.size;
  }

  /** The living member that leads the highest term. */
  get leader(): SimProcess | undefined {
    const leaders = this.living.filter(
      (process) => process.node.replica.raft?.role === "leader" && this.isMember(process),
    );
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
    if (!this.#machines.includes(machine)) this.#machines.push(machine);
    const isReused = this.#options.identityReused === true && last !== undefined;
    this.#start(machine, isReused ? last.incarnation : this.#nextIncarnation++);
  }

  #joined(process: SimProcess): void {
    if (this.#hasSmallAppends || this.#rejoin !== undefined) limitAppends(process);
    this.eviction?.watch(process);
  }

  stepped(process: SimProcess): void {
    this.checks.stepped(process);
    this.faults.stepped(process);
    this.eviction?.stepped(process);
    this.settings?.stepped(process);
    this.#rejoin?.stepped(process);
  }

  failed(process: SimProcess, problem: unknown): void {
    if (problem instanceof Violation) this.fail(problem.property, problem.message);
    else
      this.fail(
        "no crash",
        `${process.label}: ${problem instanceof Error ? problem.stack : String(problem)}`,
      );
  }

  run(): Result {
    this.trace.line(`seed ${this.seed}: ${this.#description()}`);
    const phases = [
      () => this.#found(),
      () => this.#suffer(),
      () => recover(this),
      () => this.sessions?.judge(),
      () => this.publishing?.judge(),
      () => this.#rejoin?.judge(),
      () => this.busy?.judge(),
      () => this.#bulkCut?.judge(),
      () => settle(this),
      () => this.#judge(),
    ];
    for (const phase of phases) {
      if (this.#failure === undefined) phase();
    }
    if (this.#failure !== undefined)
      this.trace.line(`failed: ${this.#failure.property}: ${this.#failure.text}`);
    return this.#result();
  }

  /**
   * The settings' list: the founders', and whoever came since, as an operator would keep it. All that have memory are not
   * fresh, so that list founds nothing a second time.
   */
  #listFor(machine: string): string[] {
    return this.isChanging ? [...new Set([...this.#machines, machine])] : [...this.#founders];
  }

  /** @param targets where a client that has lost its connection may go */
  worldOf(random: Random, targets: () => readonly SimProcess[]): ClientWorld {
    return {
      random,
      targets,
      wrongReply: (client, command, reply) =>
        this.fail("replies fit their commands", `${client}: ${command.join(" ")} -> ${reply}`),
      ...(this.eviction === undefined ? {} : { eviction: this.eviction }),
    };
  }

  #start(machine: string, incarnation: number): void {
    const { random } = this;
    const process = new SimProcess(this.network, this, this.seed, {
      ...this.#shared,
      name: machine,
      members: this.#listFor(machine),
      incarnation,
      hasPulses: this.busy !== undefined,
      comparesStates: this.rot !== undefined || this.#rejoin?.kind === "capped",
      maxmemoryBytes: this.eviction?.limitBytes ?? 0,
      maxmemoryPolicy: this.eviction?.policy ?? "noeviction",
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
    this.advance(FOUNDING_MS_MAX, "a cluster is founded and elects", () => {
      const isWhole = this.checks.members.length === this.machines.length;
      return isWhole && this.living.some((process) => process.node.replica.mode === 1);
    });
    this.#compareOften();
  }

  #suffer(): void {
    const world = {
      ...this.worldOf(Random.stream(this.seed, "clients"), () => this.living),
      mix: this.eviction === undefined ? this.#mix.mix : withCache(this.#mix.mix),
    };
    const count = 2 + this.random.below(6);
    for (let i = 0; i < count; i++) {
      const client = new SimClient(String.fromCharCode(97 + i), world);
      this.clients.push(client);
      client.connect();
      client.live();
    }
    this.sessions?.begin();
    this.faults.begin();
    this.operators?.begin();
    this.rot?.begin();
    this.eviction?.begin();
    this.publishing?.begin();
    this.settings?.begin();
    for (const it of [this.operators, this.settings]) if (it !== undefined) this.clients.push(it.desk);
    this.busy?.begin();
    const endMs = this.timeline.nowMs + this.random.between(4000, 12_000);
    if (this.disaster?.kind === "storm")
      this.disaster.plan((endMs - this.timeline.nowMs) * this.disaster.random.between(0.3, 0.9));
    this.advanceTo(endMs);
    this.faults.end();
    this.operators?.end();
    this.sessions?.end();
    this.rot?.end();
    this.eviction?.end();
    this.publishing?.end();
    this.settings?.end();
    this.busy?.end();
    this.trace.line("no more faults");
    this.#survive();
    for (const client of this.clients) {
      client.stop();
      client.noticeSilence();
    }
  }

  /** A lost majority, from here on or before. */
  #survive(): void {
    const { disaster } = this;
    if (disaster === undefined) return;
    if (disaster.kind === "calm") disaster.beCalm();
    else disaster.finish();
    this.advanceTo(this.timeline.nowMs + disaster.random.between(300, 3000));
  }

  #judge(): void {
    try {
      this.checks.compareLogs(true);
    } catch (problem) {
      this.failed(this.processes[0]!, problem);
      return;
    }
    const verdict = judgeHistory(this.#history(), this.checks.recoveries);
    if (verdict.kind === "violation") this.fail("linearizability", verdict.text);
    else {
      this.#states = verdict.states;
      this.#undecided = verdict.kind === "undecided" ? verdict.groups : [];
    }
    for (const operation of this.#history()) this.trace.line(describe(operation));
  }

  #history(): Operation[] {
    return this.clients.flatMap((client) => client.history);
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

  advanceTo(limitMs: number): void {
    while (this.#failure === undefined && this.timeline.step(limitMs)) this.#checkLength();
  }

  /** Lets time pass until `isReached`; a failure if that takes too long. */
  advance(msMax: number, what: string, isReached: () => boolean, details = (): string => ""): void {
    const limitMs = this.timeline.nowMs + msMax;
    while (this.#failure === undefined) {
      const until = Math.min(limitMs, this.timeline.nowMs + 20);
      this.advanceTo(until);
      if (this.#failure !== undefined || isReached()) return;
      if (this.timeline.nowMs >= limitMs)
        this.fail("liveness", `not within ${msMax} ms: ${what}\n  ${details()}`);
    }
  }

  #checkLength(): void {
    if (this.timeline.eventCount > EVENTS_MAX)
      this.fail("liveness", `${EVENTS_MAX} events: something feeds itself`);
  }

  fail(property: string, text: string): void {
    this.#failure ??= { property, text };
  }

  #description(): string {
    const { readMode, logBytesMax, turnDelayMsMax } = this.#shared;
    return (
      `${this.machines.length} nodes, clients of ${this.#mix.names.join(" ")}, ${readMode} reads, log of ${logBytesMax} bytes, turns within ${turnDelayMsMax.toFixed(1)} ms, ` +
      `faults: ${[this.faults.description, this.operators?.description, this.disaster?.kind, this.sessions && "queues", this.rot && "rot", this.eviction?.description, this.publishing && "publishing", this.settings && "settings", this.busy && "busy", this.#bulkCut && "pieces", this.#rejoin && `rejoin (${this.#rejoin.kind})`].filter(Boolean).join(", ")}`
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
        changes: this.operators?.changes ?? 0,
        evictions: this.eviction?.evictedCount ?? 0,
        published: this.publishing?.figures.published ?? 0,
        recoveries: checks.recoveries.length,
        lostEntries: checks.recoveries.reduce((sum, { lostEntries }) => sum + lostEntries, 0),
        states: this.#states,
        undecided: this.#undecided,
      },
    };
  }
}
