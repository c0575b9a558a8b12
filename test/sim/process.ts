// One simulated process: a SeshatNode on ports that the simulation drives. It has clocks of its own, takes turns as
// io/turn-loop does, can be stopped for a while (SIGSTOP, a collector) and ends once.

import { LATE_TICKS_MAX } from "../../src/base/limits.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SeshatNode } from "../../src/node/node.ts";
import type { BufferPool, Log, LogFields, PeerIdentity, Ports } from "../../src/node/ports.ts";
import type { Network, Site } from "./network.ts";
import { SimTransport } from "./peers.ts";
import { SimPulseThread } from "./pulses.ts";
import { Random } from "./random.ts";

const WALL_ORIGIN_MS = 1_700_000_000_000;
const BUFFER_BYTES = 1024;

export interface ProcessOptions {
  readonly name: string;
  readonly members: readonly string[];
  readonly incarnation: number;
  /** Speed of its clocks against true time. */
  readonly clockRate: number;
  readonly wallSkewMs: number;
  readonly readMode: "lease" | "quorum";
  /** Small logs make followers need snapshots. */
  readonly logBytesMax: number;
  readonly snapshotChunkBytes: number;
  /** A turn follows its cause after at most so long. */
  readonly turnDelayMsMax: number;
  /** docs/adr/0020. Without, nobody is busy either. */
  readonly hasPulses: boolean;
  /** docs/adr/0017 */
  readonly comparesStates: boolean;
  /** 0: no limit. */
  readonly maxmemoryBytes: number;
  readonly maxmemoryPolicy: string;
}

/** What the simulation wants to know of each. */
export interface ProcessWatcher {
  /** A step of this process is over: its state is consistent now. */
  stepped(process: SimProcess): void;
  failed(process: SimProcess, problem: unknown): void;
}

const numberOf = (name: string): number => Number(name.slice(1));
export const peerAddressOf = (machine: string): string => `127.0.0.1:${16000 + numberOf(machine)}`;
export const clientAddressOf = (machine: string): string => `127.0.0.1:${6000 + numberOf(machine)}`;
export const machineAt = (peerAddress: string): string => `n${Number(peerAddress.split(":")[1]) - 16000}`;

export class SimProcess implements Site {
  readonly machine: string;
  readonly options: ProcessOptions;
  readonly network: Network;
  readonly node: SeshatNode;
  readonly transport: SimTransport;
  isAlive = true;
  /** Stopped as a whole (SIGSTOP). */
  isPaused = false;
  /** Its event loop does something long; its thread goes on. */
  isBusy = false;
  readonly thread: SimPulseThread;
  isStopping = false;
  wallJumpMs = 0;
  clientIds = 0;
  readonly #watcher: ProcessWatcher;
  readonly #random: Random;
  readonly #entropy: Random;
  readonly #startedMs: number;
  readonly #clockOriginMs: number;
  #backlog: (() => void)[] = [];
  #isDraining = false;
  #isTurnArmed = false;
  #isTurnMissed = false;
  #nextTickMs: number;
  #isCatchingUp = false;
  /** Ticks that the last turn said may pass without one. */
  #restTicks = 1;

  constructor(network: Network, watcher: ProcessWatcher, seed: number, options: ProcessOptions) {
    this.network = network;
    this.#watcher = watcher;
    this.options = options;
    this.machine = options.name;
    this.#random = Random.stream(seed, `process ${options.name} ${options.incarnation}`);
    this.#entropy = Random.stream(seed, `entropy ${options.name} ${options.incarnation}`);
    this.#startedMs = network.timeline.nowMs;
    this.#clockOriginMs = this.#random.between(1, 1e7);
    const identity: PeerIdentity = {
      clusterId: "",
      name: options.name,
      address: peerAddressOf(options.name),
      clientAddress: clientAddressOf(options.name),
      clientHostname: "",
      incarnation: options.incarnation,
    };
    this.transport = new SimTransport(this, identity, this.#random);
    this.thread = new SimPulseThread(this, seed);
    this.node = new SeshatNode(configurationOf(options), this.#ports());
    this.#nextTickMs = this.monotonicMs() + this.tickMs;
  }

  get tickMs(): number {
    return this.node.settings.tickMs;
  }

  get incarnation(): number {
    return this.options.incarnation;
  }

  /** For traces. */
  get label(): string {
    return `${this.machine}/${this.incarnation}`;
  }

  start(): void {
    this.network.listen(peerAddressOf(this.machine), this);
    this.deliver(() => this.node.start());
    this.#armTick();
    this.transport.startBeats();
    if (this.options.hasPulses) this.thread.start();
  }

  monotonicMs(): number {
    return this.#clockOriginMs + (this.network.timeline.nowMs - this.#startedMs) * this.options.clockRate;
  }

  wallMs(): number {
    const { clockRate, wallSkewMs } = this.options;
    return Math.floor(
      WALL_ORIGIN_MS + this.network.timeline.nowMs * clockRate + wallSkewMs + this.wallJumpMs,
    );
  }

  accept(end: Parameters<SimTransport["accept"]>[0]): void {
    this.transport.accept(end);
  }

  deliver(run: () => void): void {
    if (!this.isAlive) return;
    if (this.isHeld || this.#isDraining) this.#backlog.push(run);
    else this.#run(run);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#goOn();
  }

  beBusy(): void {
    this.isBusy = true;
  }

  endBusy(): void {
    if (!this.isBusy) return;
    this.isBusy = false;
    this.#goOn();
  }

  /** Its event loop runs nothing of what comes. */
  get isHeld(): boolean {
    return this.isPaused || this.isBusy;
  }

  /** The event loop goes on: part of what waits in the sockets, a turn, the rest. */
  #goOn(): void {
    if (this.isHeld || !this.isAlive) return;
    this.requestTurn();
    if (this.#isTurnMissed) {
      this.#isTurnMissed = false;
      this.#planTurn();
    }
    this.#isDraining = true;
    this.network.timeline.after(0, () => this.#drain());
  }

  kill(): void {
    this.isAlive = false;
    this.#backlog = [];
    this.network.processEnded(this);
    this.network.processEnded(this.thread);
  }

  requestTurn(): void {
    if (this.#isTurnArmed) return;
    this.#isTurnArmed = true;
    this.#planTurn();
  }

  #planTurn(): void {
    const { turnDelayMsMax } = this.options;
    this.network.timeline.after(this.#random.between(0, turnDelayMsMax), () => {
      if (this.isHeld) this.#isTurnMissed = true;
      else if (this.isAlive) this.#run(() => this.#turn());
    });
  }

  #drain(): void {
    if (this.isHeld || !this.isAlive) return;
    const waiting = this.#backlog;
    const count = 1 + this.#random.below(waiting.length + 1);
    this.#backlog = waiting.slice(count);
    for (const run of waiting.slice(0, count)) if (this.isAlive) this.#run(run);
    if (this.#backlog.length > 0)
      this.network.timeline.after(this.#random.between(0.01, 0.5), () => this.#drain());
    else this.#isDraining = false;
  }

  #run(run: () => void): void {
    try {
      run();
      this.#watcher.stepped(this);
    } catch (problem) {
      this.#watcher.failed(this, problem);
    }
  }

  /** As in io/turn-loop: late ticks are few, and come after what was in the sockets; an idle node rests. */
  #turn(): void {
    this.#isTurnArmed = false;
    const nowMs = this.monotonicMs();
    const { tickMs } = this;
    let ticks = Math.max(0, Math.floor((nowMs - this.#nextTickMs) / tickMs) + 1);
    const ticksMax = LATE_TICKS_MAX + this.#restTicks - 1;
    if (ticks > ticksMax && !this.#isCatchingUp) {
      this.#isCatchingUp = true;
      this.requestTurn();
      ticks = 0;
    } else if (ticks > 0) {
      this.#isCatchingUp = false;
      this.#nextTickMs += ticks * tickMs;
      ticks = Math.min(ticks, ticksMax);
    }
    this.node.turn(nowMs, this.wallMs(), ticks);
    this.#restTicks = ticks > 0 ? this.node.restTicks() : 1;
    this.thread.turnDue(this.#dueMs);
  }

  get #dueMs(): number {
    return this.#nextTickMs + (this.#restTicks - 1) * this.tickMs;
  }

  #armTick(): void {
    this.network.timeline.after(this.tickMs / this.options.clockRate, () => {
      if (!this.isAlive) return;
      if (!this.isHeld && this.monotonicMs() >= this.#dueMs) this.requestTurn();
      this.#armTick();
    });
  }

  #ports(): Ports {
    const entropy = this.#entropy;
    return {
      clients: { count: 0, acceptedCount: 0, rejectedCount: 0, limit: 10_000, keepAliveSeconds: 0 },
      peers: this.transport,
      pulse: this.thread,
      buffers: pool,
      scheduler: { requestTurn: () => this.requestTurn() },
      clock: {
        monotonicMs: () => this.monotonicMs(),
        monotonicUs: () => Math.floor(this.monotonicMs() * 1000),
        wallMs: () => this.wallMs(),
        wallUs: () => this.wallMs() * 1000,
        sleep: () => {},
      },
      entropy: {
        u32: () => entropy.u32(),
        identity: () => 1 + entropy.u32(),
        hex: (digits) => entropy.u32().toString(16).padStart(digits, "0").slice(0, digits),
      },
      host: {
        pid: 1,
        runtimeVersion: "v20",
        platform: "simulated",
        architecture: "simulated",
        version: "0.0.0",
        executable: "",
        configFile: "",
        residentBytes: () => 0,
        heapUsedBytes: () => 0,
        arrayBytes: () => 0,
        collectGarbage: () => {},
        systemBytes: 0,
        cpuSeconds: () => ({ user: 0, system: 0 }),
      },
      lifecycle: {
        stopped: () => {
          this.network.trace.line(`${this.label} stopped`);
          this.network.timeline.after(0, () => this.kill());
        },
        halt: (text) => {
          throw new Error(`halted: ${text}`);
        },
        rewriteConfig: () => "no file",
      },
      log: this.#log(),
    };
  }

  #log(): Log {
    const { trace } = this.network;
    if (trace.lines === undefined) return silent;
    const at =
      (level: string) =>
      (fields: LogFields, text: string): void => {
        const shown = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : "";
        trace.note(`${this.label} ${level}: ${text}${shown}`);
      };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), setLevel() {} };
  }
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {} };

const freeBuffers: Buffer[] = [];

/** Contents are whatever the last owner left: filled with a pattern that no reply contains. */
const pool: BufferPool = {
  trim: () => 0,
  acquire: (bytes = BUFFER_BYTES) =>
    (bytes <= BUFFER_BYTES ? freeBuffers.pop() : undefined) ??
    Buffer.alloc(Math.max(BUFFER_BYTES, bytes), 0xee),
  release: (buffer) => {
    buffer.fill(0xee);
    if (buffer.length === BUFFER_BYTES) freeBuffers.push(buffer);
  },
};

function configurationOf(options: ProcessOptions): Configuration {
  const flags = [
    { name: "node-name", words: [options.name] },
    { name: "read-mode", words: [options.readMode] },
    { name: "replica-digests", words: [options.comparesStates ? "yes" : "no"] },
    { name: "maxmemory", words: [String(options.maxmemoryBytes)] },
    { name: "maxmemory-policy", words: [options.maxmemoryPolicy] },
    ...options.members.map((member) => ({ name: "member", words: [member, peerAddressOf(member)] })),
  ];
  const loaded = loadSettings({ flags });
  if (!loaded.ok) throw new Error(loaded.error);
  // Below what a configuration may say: a log worth a snapshot in a few hundred commands.
  const { logBytesMax, snapshotChunkBytes } = options;
  const settings = { ...loaded.settings, logBytesMax, snapshotChunkBytes };
  settings.logTailBytes = logBytesMax >> 2;
  settings.logTailEntries = 20;
  return new Configuration(settings);
}
