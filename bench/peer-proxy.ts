// A TCP proxy in front of each member's peer port, through which faults are put between live processes: what one member
// says to another is held back, delayed or let through slowly, or their connections are reset. Who calls is read from
// the address in the caller's introduction, so cuts can have one direction. Only loopback, never clients.

import { connect, createServer, type Server, type Socket } from "node:net";
import { Random } from "./random.ts";

/** What happens to bytes from one member to another; nothing of it loses or changes bytes, as TCP does not either. */
export interface LinkFault {
  /** Nothing passes; connections stay open, as with a pulled cable. Bytes that wait pass when the fault ends. */
  readonly held?: boolean;
  /** Each piece waits this long, and up to `jitterMs` more, in order. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Connections between the two are reset, and new ones that the first of them dials too. */
  readonly refused?: boolean;
}

export interface ProxiedMember {
  readonly name: string;
  /** Where the others believe the member to be: the proxy listens here. */
  readonly proxyPort: number;
  /** Where it is. */
  readonly peerPort: number;
}

/** With more than this on its way, the sender waits: memory is bounded while nothing passes. */
const WAITING_BYTES_MAX = 1 << 20;
const TRICKLE_EVERY_MS = 10;
/** A handshake is over by then. */
const SAID_BYTES_MAX = 64 << 10;
const NO_FAULT: LinkFault = {};

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #fault: () => LinkFault;
  readonly #waiting: Piece[] = [];
  readonly #random = new Random(1);
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, fault: () => LinkFault) {
    this.#from = from;
    this.#to = to;
    this.#fault = fault;
    from.on("data", (bytes) => this.take(bytes));
    to.on("drain", () => this.pump());
    to.on("close", () => clearTimeout(this.#timer));
  }

  take(bytes: Buffer): void {
    const { delayMs = 0, jitterMs = 0 } = this.#fault();
    const lastMs = this.#waiting.at(-1)?.dueMs ?? 0;
    const dueMs = Math.max(lastMs, performance.now() + delayMs + this.#random.next() * jitterMs);
    this.#waiting.push({ bytes, dueMs });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#from.pause();
    this.pump();
  }

  /** Passes on what may pass now. */
  pump(): void {
    clearTimeout(this.#timer);
    const { held = false, bytesPerSecond } = this.#fault();
    if (held) return;
    let mayPass =
      bytesPerSecond === undefined ? Number.POSITIVE_INFINITY : bytesPerSecond / (1000 / TRICKLE_EVERY_MS);
    while (this.#waiting.length > 0 && mayPass >= 1 && !this.#to.writableNeedDrain) {
      const { bytes, dueMs } = this.#waiting[0]!;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      const passed = bytes.subarray(0, Math.floor(mayPass));
      if (passed.length === bytes.length) this.#waiting.shift();
      else this.#waiting[0] = { bytes: bytes.subarray(passed.length), dueMs };
      mayPass -= passed.length;
      this.#waitingBytes -= passed.length;
      this.#to.write(passed);
    }
    if (this.#waitingBytes <= WAITING_BYTES_MAX) this.#from.resume();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.pump(), TRICKLE_EVERY_MS);
  }
}

interface Connection {
  readonly caller: string;
  readonly called: string;
  readonly sockets: readonly [Socket, Socket];
  readonly pipes: readonly [Pipe, Pipe];
}

export class PeerProxy {
  readonly #members: readonly ProxiedMember[];
  readonly #servers: Server[] = [];
  readonly #faults = new Map<string, LinkFault>();
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();

  private constructor(members: readonly ProxiedMember[]) {
    this.#members = members;
  }

  static async start(members: readonly ProxiedMember[]): Promise<PeerProxy> {
    const proxy = new PeerProxy(members);
    for (const member of members) await proxy.#listen(member);
    return proxy;
  }

  /** From now on, for what is on its way too. No fault given: the link is well. */
  set(from: string, to: string, fault: LinkFault = NO_FAULT): void {
    this.#faults.set(link(from, to), fault);
    if (fault.refused === true) this.reset(from, to);
    for (const { caller, called, pipes } of this.#connections) {
      if (caller === from && called === to) pipes[0].pump();
      if (caller === to && called === from) pipes[1].pump();
    }
  }

  /** The member and all others, both ways. */
  setAround(member: string, fault: LinkFault = NO_FAULT): void {
    for (const { name } of this.#members) {
      if (name === member) continue;
      this.set(member, name, fault);
      this.set(name, member, fault);
    }
  }

  /** Resets the connections between two members. They dial again. */
  reset(one: string, other: string): void {
    for (const { caller, called, sockets } of this.#connections) {
      const isMeant = (caller === one && called === other) || (caller === other && called === one);
      if (isMeant) for (const socket of sockets) socket.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(member: ProxiedMember): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(member, socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(member.proxyPort, "127.0.0.1", resolve);
    });
    this.#servers.push(server);
  }

  #accept(called: ProxiedMember, socket: Socket): void {
    const inner = connect({ port: called.peerPort, host: "127.0.0.1", noDelay: true });
    const ends = [
      [socket, inner],
      [inner, socket],
    ] as const;
    for (const [one, other] of ends) {
      this.#keep(one);
      one.on("close", () => other.destroy());
    }
    const back = (bytes: Buffer): void => void socket.write(bytes);
    inner.on("data", back);
    // The caller names itself in its introduction. Until then nobody is connected yet, and everything passes.
    let said: Buffer = Buffer.alloc(0);
    const there = (bytes: Buffer): void => {
      said = Buffer.concat([said, bytes]);
      const caller = this.#callerOf(said);
      if (caller === undefined) {
        if (said.length > SAID_BYTES_MAX) socket.destroy();
        else inner.write(bytes);
        return;
      }
      socket.off("data", there);
      inner.off("data", back);
      if (this.#faultOf(caller.name, called.name).refused === true) socket.resetAndDestroy();
      else this.#connect(caller, called, socket, inner, bytes);
    };
    socket.on("data", there);
  }

  #connect(
    caller: ProxiedMember,
    called: ProxiedMember,
    socket: Socket,
    inner: Socket,
    introduction: Buffer,
  ): void {
    const there = new Pipe(socket, inner, () => this.#faultOf(caller.name, called.name));
    const back = new Pipe(inner, socket, () => this.#faultOf(called.name, caller.name));
    const connection: Connection = {
      caller: caller.name,
      called: called.name,
      sockets: [socket, inner],
      pipes: [there, back],
    };
    this.#connections.add(connection);
    for (const end of [socket, inner]) end.on("close", () => this.#connections.delete(connection));
    there.take(introduction);
  }

  /** The first address that the caller names is its own; all members' may follow, among the settings. */
  #callerOf(said: Buffer): ProxiedMember | undefined {
    let firstAt = said.length;
    let caller: ProxiedMember | undefined;
    for (const member of this.#members) {
      const at = said.indexOf(`127.0.0.1:${member.proxyPort}`);
      if (at < 0 || at >= firstAt) continue;
      firstAt = at;
      caller = member;
    }
    return caller;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #faultOf(from: string, to: string): LinkFault {
    return this.#faults.get(link(from, to)) ?? NO_FAULT;
  }
}

const link = (from: string, to: string): string => `${from} to ${to}`;
