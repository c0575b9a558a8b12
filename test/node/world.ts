// Several nodes in one process on simulated ports: a clock that moves when told, links that deliver in
// order, clients that are byte pipes. Deterministic: everything happens inside step().

import { LATE_TICKS_MAX } from "../../src/base/limits.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SeshatNode } from "../../src/node/node.ts";
import type {
  BufferPool,
  ClientConnection,
  ClientHandler,
  LinkDown,
  LogFields,
  PeerIdentity,
  PeerLink,
  PeerTransport,
  Ports,
  Pulse,
} from "../../src/node/ports.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { SimSnapshot } from "./world-snapshots.ts";

const TICK_MS = 10;
/** As io does it: a sixth of the election timeout, and never more often than ticks come. */
const PULSE_TICKS = 5;

export class World {
  nowMs = 1000;
  wallMs = 1_700_000_000_000;
  readonly random: Xoshiro;
  readonly hosts = new Map<string, Host>();
  /** What nodes started from now on tell others of where their clients find them. */
  clientHost = "127.0.0.1";
  clientHostname = "";
  /** Pairs "a>b" that lose everything. */
  readonly cut = new Set<string>();
  /** Peer ports of nodes that are elsewhere than usual. */
  readonly ports = new Map<string, number>();
  /** What arrives in place of a frame. */
  spoil: ((frame: Buffer) => readonly Buffer[]) | undefined;
  /** Looks at everything whenever anything may have changed. */
  watch: (() => void) | undefined;
  readonly #deliveries: (() => void)[] = [];
  #steps = 0;
  #ids = 1;

  constructor(seed = 1) {
    this.random = new Xoshiro(seed);
  }

  nextId(): number {
    return this.#ids++;
  }

  later(deliver: () => void): void {
    this.#deliveries.push(deliver);
  }

  /** Starts nodes n1..nCount, each configured with all of them. */
  start(count: number, flags: Readonly<Record<string, string>> = {}): void {
    const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
    for (const name of names) this.startNode(name, count === 1 ? [] : names, flags);
  }

  /** Where its members' lines say it is, which is where it is. */
  addressOf(name: string): string {
    return `127.0.0.1:${this.ports.get(name) ?? 16000 + Number(name.slice(1))}`;
  }

  startNode(name: string, names: readonly string[], flags: Readonly<Record<string, string>>): void {
    const directives = Object.entries(flags).map(([flag, value]) => ({
      name: flag,
      words: value.split(" "),
    }));
    for (const member of names) {
      directives.push({ name: "member", words: [member, this.addressOf(member)] });
    }
    directives.push({ name: "node-name", words: [name] });
    const loaded = loadSettings({ flags: directives });
    if (!loaded.ok) throw new Error(loaded.error);
    const host = new Host(this, name, new Configuration(loaded.settings, loaded.given));
    this.hosts.set(name, host);
    host.node.start();
    host.node.turn(this.nowMs, this.wallMs, 0);
  }

  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  /** One tick everywhere, with everything that was under way delivered. */
  step(): void {
    this.nowMs += TICK_MS;
    this.wallMs += TICK_MS;
    this.#steps++;
    for (const host of this.hosts.values()) host.dial();
    for (const host of this.hosts.values()) if (host.isBusy && this.#steps % PULSE_TICKS === 0) host.pulse();
    for (const host of this.hosts.values()) if (host.isTurning) host.node.turn(this.nowMs, this.wallMs, 1);
    this.settle();
  }

  /** Delivers and turns until nothing is under way. Time stands still. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) if (!this.round()) return;
    throw new Error("the world does not settle");
  }

  /** What is under way is delivered, and whoever wants a turn has one. False: there was nothing. */
  round(): boolean {
    const batch = this.#deliveries.splice(0);
    for (const deliver of batch) deliver();
    let turned = false;
    for (const host of this.hosts.values()) {
      if (!host.turnWanted || !host.isTurning) continue;
      host.turnWanted = false;
      host.node.turn(this.nowMs, this.wallMs, 0);
      turned = true;
      this.watch?.();
    }
    return batch.length > 0 || turned;
  }

  /** Steps until the condition holds; throws after so many ticks. */
  until(what: string, condition: () => boolean, ticksMax = 2000): void {
    for (let i = 0; i < ticksMax; i++) {
      if (condition()) return;
      this.step();
    }
    throw new Error(`not reached in ${ticksMax} ticks: ${what}`);
  }

  leader(): Host | undefined {
    for (const host of this.hosts.values()) if (!host.stopped && host.node.replica.mode === 1) return host;
    return undefined;
  }

  /** The process is gone: its connections are reset, its memory with it. */
  kill(name: string): void {
    const host = this.host(name);
    host.stopped = true;
    this.hosts.delete(name);
    for (const other of this.hosts.values()) {
      for (const link of [...other.links]) if (link.peer?.owner === host) link.drop("reset");
    }
  }
}

export class Host {
  readonly world: World;
  readonly name: string;
  readonly node: SeshatNode;
  readonly links = new Set<SimLink>();
  turnWanted = false;
  /** Its event loop is busy: it takes no turns and reads nothing, and its thread says that it lives. */
  isBusy = false;
  lastPulse: Pulse = { term: 0, leader: 0 };
  /** What waits in its sockets. */
  readonly unread: (() => void)[] = [];
  rejected = 0; // connections that it ended because of what came on them
  stopped = false;
  halted: string | undefined;
  /** What it logged as an error. */
  readonly errors: LogFields[] = [];
  readonly warnings: LogFields[] = [];
  identity: PeerIdentity;
  readonly dialling = new Set<SimLink>();

  constructor(world: World, name: string, configuration: Configuration) {
    this.world = world;
    this.name = name;
    const number = Number(name.slice(1));
    this.identity = {
      clusterId: "",
      name,
      address: world.addressOf(name),
      clientAddress: `${world.clientHost}:${6000 + number}`,
      clientHostname: world.clientHostname,
      incarnation: 1000 + world.nextId(),
      needsPassword: configuration.settings.requirepass !== "",
    };
    this.node = new SeshatNode(configuration, this.#ports());
  }

  get isTurning(): boolean {
    return !this.stopped && !this.isBusy;
  }

  /** Tries the links that are not up. */
  dial(): void {
    if (this.isTurning) for (const link of this.dialling) link.tryConnect();
  }

  /** Now, or when its event loop reads its sockets again. */
  deliver(run: () => void): void {
    if (this.isBusy) this.unread.push(run);
    else run();
  }

  /** What its thread says to those it has a link to. */
  pulse(): void {
    const { lastPulse, identity } = this;
    if (lastPulse.leader === 0) return;
    for (const link of this.links) {
      const { peer } = link;
      if (!link.outgoing || peer === undefined) continue;
      this.world.later(() => {
        if (peer.isUp && !link.isCutOff) peer.owner.deliver(() => peer.owner.node.pulse(identity, lastPulse));
      });
    }
  }

  /** As io/turn-loop does it after a stall: first what is in the sockets, then a few ticks. */
  endBusy(): void {
    this.isBusy = false;
    for (const run of this.unread.splice(0)) run();
    this.node.turn(this.world.nowMs, this.world.wallMs, 0);
    this.world.settle();
    this.node.turn(this.world.nowMs, this.world.wallMs, LATE_TICKS_MAX);
    this.world.settle();
  }

  connect(): Client {
    return new Client(this);
  }

  #ports(): Ports {
    const { world } = this;
    const host = this;
    const peers: PeerTransport = {
      get self() {
        return host.identity;
      },
      update: (self) => {
        const isSame = self.incarnation === host.identity.incarnation;
        host.identity = self;
        if (!isSame) for (const link of [...host.links]) link.reset();
      },
      open: (address) => {
        const link = new SimLink(host, address, true);
        host.dialling.add(link);
        return link;
      },
      openSnapshot: (address, _incarnation, header, sender) => new SimSnapshot(host, address, header, sender),
    };
    return {
      clients: { count: 0, acceptedCount: 0, rejectedCount: 0, limit: 10_000, keepAliveSeconds: 0 },
      peers,
      pulse: { alive: (term, leader) => (host.lastPulse = { term, leader }) },
      buffers: pool,
      scheduler: {
        requestTurn: () => {
          host.turnWanted = true;
        },
      },
      clock: {
        monotonicMs: () => world.nowMs,
        monotonicUs: () => world.nowMs * 1000,
        wallMs: () => world.wallMs,
        wallUs: () => world.wallMs * 1000,
        sleep: (milliseconds) => {
          world.nowMs += milliseconds;
          world.wallMs += milliseconds;
        },
      },
      entropy: {
        u32: () => world.random.u32(),
        identity: () => world.nextId(),
        hex: (digits) => world.random.u32().toString(16).padStart(digits, "0").slice(0, digits),
      },
      host: {
        pid: 1,
        runtimeVersion: "v20",
        platform: "test",
        architecture: "test",
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
          host.stopped = true;
        },
        halt: (text) => {
          host.halted = text;
          throw new Error(`${host.name} halted: ${text}`);
        },
        rewriteConfig: () => "no file",
      },
      log: {
        debug() {},
        info() {},
        warn: (fields, text) => host.warnings.push({ ...fields, text }),
        error: (fields, text) => host.errors.push({ ...fields, text }),
        setLevel() {},
      },
    };
  }
}

const acquire = (bytes = 1024): Buffer => Buffer.alloc(Math.max(1024, bytes));
const pool: BufferPool = { acquire, release: () => {}, trim: () => 0 };

export class SimLink implements PeerLink {
  readonly id: number;
  readonly owner: Host;
  readonly address: string;
  readonly outgoing: boolean;
  readonly queuedBytes = 0;
  readonly takenBytes = 0;
  remote: PeerIdentity | undefined;
  peer: SimLink | undefined;
  isUp = false;
  isRejected = false;

  constructor(owner: Host, address: string, outgoing: boolean) {
    this.owner = owner;
    this.address = address;
    this.outgoing = outgoing;
    this.id = owner.world.nextId();
  }

  tryConnect(): void {
    if (this.isUp || this.owner.stopped) return;
    for (const other of this.owner.world.hosts.values()) {
      if (other.identity.address !== this.address || !other.isTurning || this.#isCut(other)) continue;
      const [ours, theirs] = [this.owner.identity.clusterId, other.identity.clusterId];
      if (ours !== "" && theirs !== "" && ours !== theirs) {
        this.owner.node.linkRefused(this, "refused", `it belongs to cluster ${theirs}`);
        continue;
      }
      const accepted = new SimLink(other, this.owner.identity.address, false);
      accepted.peer = this;
      this.peer = accepted;
      accepted.up(this.owner.identity);
      this.up(other.identity);
    }
  }

  up(remote: PeerIdentity): void {
    this.remote = remote;
    this.isUp = true;
    this.isRejected = false;
    this.owner.links.add(this);
    this.owner.node.linkUp(this);
  }

  sendUrgent(frame: Uint8Array): boolean {
    return this.send([frame]);
  }

  send(parts: readonly Uint8Array[]): boolean {
    const { peer } = this;
    if (!this.isUp || peer === undefined) return false;
    const copy = Buffer.concat(parts);
    this.owner.world.later(() => {
      if (!peer.isUp || peer.isRejected || peer.owner.stopped || this.isCutOff) return;
      for (const frame of this.owner.world.spoil?.(copy) ?? [copy])
        peer.owner.deliver(() => peer.isRejected || peer.owner.node.peerFrame(peer, frame));
    });
    return true;
  }

  drop(how: LinkDown): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.owner.links.delete(this);
    if (!this.owner.stopped) this.owner.deliver(() => this.owner.node.linkDown(this, how));
  }

  reject(): void {
    const { peer } = this;
    this.owner.rejected++;
    this.isRejected = true;
    this.owner.world.later(() => {
      this.drop("garbage");
      peer?.drop("closed");
    });
  }

  close(): void {
    if (this.outgoing) this.owner.dialling.delete(this);
    this.reset();
  }

  /** Both ends are gone; a dialled one tries again. */
  reset(): void {
    const { peer } = this;
    this.owner.world.later(() => {
      this.drop("local");
      peer?.drop("closed");
    });
  }

  /** What is sent on it gets lost. */
  get isCutOff(): boolean {
    return this.peer !== undefined && this.#isCut(this.peer.owner);
  }

  #isCut(other: Host): boolean {
    return this.owner.world.cut.has(`${this.owner.name}>${other.name}`);
  }
}

export class Client implements ClientConnection {
  readonly fileDescriptor = -1;
  readonly id: number;
  readonly address: string;
  readonly localAddress = "127.0.0.1:6379";
  readonly isLoopback = true;
  pendingBytes = 0;
  isClosed = false;
  isReading = true;
  readonly host: Host;
  readonly handler: ClientHandler;
  #received = "";

  constructor(host: Host) {
    this.host = host;
    this.id = host.world.nextId();
    this.address = `127.0.0.1:${this.id}`;
    this.handler = host.node.clientConnected(this);
  }

  /** Sends one command and nothing else. */
  send(...parts: string[]): void {
    this.sendRaw(encodeCommand(parts));
  }

  sendRaw(bytes: Buffer): void {
    this.host.deliver(() => this.handler.receive(bytes, 0, bytes.length));
  }

  /** Closes its side, and goes on reading. */
  endInput(): void {
    this.handler.ended();
  }

  /** Sends one command, lets time pass until something comes back, and returns it. */
  call(...parts: string[]): string {
    this.send(...parts);
    return this.reply();
  }

  reply(): string {
    const { world } = this.host;
    world.settle();
    world.until("a reply", () => this.#received !== "" || this.isClosed, 1000);
    return this.take();
  }

  take(): string {
    const received = this.#received;
    this.#received = "";
    return received;
  }

  write(buffer: Buffer, length: number): boolean {
    this.#received += buffer.toString("latin1", 0, length);
    return true;
  }

  pauseReading(): void {
    this.isReading = false;
  }

  resumeReading(): void {
    this.isReading = true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.host.world.later(() => this.handler.closed());
  }
}

/** A world whose nodes have a leader, and know it. */
export function started(nodes: number, flags: Readonly<Record<string, string>> = {}): World {
  const world = new World();
  world.start(nodes, flags);
  world.until("a leader", () => world.leader() !== undefined);
  for (let i = 0; i < 20; i++) world.step();
  return world;
}

export const hostsOf = (world: World): Host[] => [...world.hosts.values()];
export const followerOf = (world: World): Host => hostsOf(world).find((host) => host !== world.leader())!;
