// The simulated network: machines, connections between them that keep order as TCP does, and what can go wrong.
//
// A connection is two queues, one in each direction. A direction that is cut loses nothing: its bytes are sent again
// and arrive after the cut, unless one of the ends has given up by then. Connections are lost by resets (which may be
// seen late at the other end), by a dead process, or by silence (the owner's business).

import { crc32c } from "../../src/base/crc32c.ts";
import type { LinkDown } from "../../src/node/ports.ts";
import { decodePeerFrame } from "../../src/wire/peer-frame.ts";
import type { Mangling } from "./mangling.ts";
import type { Random } from "./random.ts";
import type { Timeline, Trace } from "./timeline.ts";

const RETRANSMIT_MS_MAX = 200;
/** So late the silent end of a half-open connection hears of it, if it sends nothing: as by tcp-keepalive, only sooner. */
const KEEPALIVE_MS = 10_000;

/** A running process, or the clients' side of the world. */
export interface Site {
  readonly machine: string;
  readonly isAlive: boolean;
  /** Runs it now, or when the process runs again. */
  deliver(run: () => void): void;
}

export interface Listener extends Site {
  accept(end: PipeEnd): void;
}

export interface PipeOwner<M> {
  received(message: M): void;
  /** The last call. */
  ended(how: LinkDown): void;
}

/** What travels: a kind, and whatever that kind carries. */
export interface Parcel {
  readonly kind: string;
  readonly bytes?: Buffer;
  readonly detail?: unknown;
}

interface Packet {
  readonly parcel: Parcel;
  delivered: boolean;
}

const RESET: Parcel = { kind: "!reset" };
const CLOSED: Parcel = { kind: "!closed" };

/** For readers of traces. */
function describeParcel(kind: string, bytes: Buffer): string {
  if (kind !== "frame") return kind === "data" ? JSON.stringify(bytes.toString("latin1")) : "";
  const frame = decodePeerFrame(bytes);
  if (!frame.ok) return frame.error;
  const { raft, proxyRequests, proxyReplies } = frame.value;
  const texts = [
    ...raft.map(
      ({ type, term, index, commit, reject }) =>
        `${type} t${term} i${index} c${commit}${reject ? " rejected" : ""}`,
    ),
    ...proxyRequests.map(
      (it) =>
        `request ${it.sessionId} g${it.generation}${it.closed ? " closed" : ""} ${it.commands.length} bytes`,
    ),
    ...proxyReplies.map(
      (it) =>
        `reply ${it.sessionId} g${it.generation} ${it.completed}${it.notLeader ? " not leader" : ""} ${JSON.stringify(it.replies.toString("latin1"))}`,
    ),
  ];
  return texts.join("; ");
}

export class Network {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly random: Random;
  /** Directed pairs "from>to" through which nothing passes, with how many faults hold them. */
  readonly #cuts = new Map<string, number>();
  /** Directed pairs whose delay is multiplied. */
  readonly #slow = new Map<string, number>();
  /** Peer ports and client ports, by address. */
  readonly #listeners = new Map<string, Listener>();
  /** Machines without power answer nothing, not even with a reset. */
  readonly poweredOff = new Set<string>();
  /** Machines that receive Raft's messages lost, doubled or late. */
  readonly mangled = new Map<string, Mangling>();
  readonly pipes = new Set<Pipe>();
  readonly baseDelayMs: number;
  /** Frames that are longer travel in pieces of so many bytes (lanes.ts). */
  pieceBytes = Number.POSITIVE_INFINITY;
  /** A machine of which nothing but urgent frames gets to the others; "" for none. */
  heldLane = "";
  #ids = 1;

  /** @param delayMs of one message, more or less; without it the seed decides */
  constructor(timeline: Timeline, trace: Trace, random: Random, delayMs?: number) {
    this.timeline = timeline;
    this.trace = trace;
    this.random = random;
    const drawn = random.magnitude(0.05, 4);
    this.baseDelayMs = delayMs ?? drawn;
  }

  nextId(): number {
    return this.#ids++;
  }

  listen(address: string, listener: Listener): void {
    this.#listeners.set(address, listener);
  }

  delayMs(from: string, to: string, random = this.random): number {
    const jitter = random.chance(0.02) ? random.magnitude(1, 30) : random.unit();
    return this.baseDelayMs * (0.5 + jitter) * (this.#slow.get(`${from}>${to}`) ?? 1);
  }

  isCut(from: string, to: string): boolean {
    return (this.#cuts.get(`${from}>${to}`) ?? 0) > 0;
  }

  /** Returns what ends the cut. */
  cut(from: string, to: string): () => void {
    const pair = `${from}>${to}`;
    this.#cuts.set(pair, (this.#cuts.get(pair) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#cuts.set(pair, this.#cuts.get(pair)! - 1);
      if (!this.isCut(from, to)) for (const pipe of this.pipes) pipe.healed(from, to);
    };
  }

  slow(from: string, to: string, factor: number): () => void {
    const pair = `${from}>${to}`;
    this.#slow.set(pair, factor);
    return () => void this.#slow.delete(pair);
  }

  /**
   * @param connected gets our end, one round trip later
   * @param refused   nobody listens there. Neither is called when the network swallows it
   * @param random    of this connection: those that only some runs have draw from elsewhere
   */
  connect(
    from: Site,
    to: string,
    address: string,
    connected: (end: PipeEnd) => void,
    refused: () => void,
    random = this.random,
  ): void {
    this.timeline.after(this.delayMs(from.machine, to, random), () => {
      if (this.isCut(from.machine, to) || this.isCut(to, from.machine) || this.poweredOff.has(to)) return;
      const back = this.delayMs(to, from.machine, random);
      const listener = this.#listeners.get(address);
      if (listener?.isAlive !== true) {
        this.timeline.after(back, () => from.deliver(refused));
        return;
      }
      const pipe = new Pipe(this, from, listener, random);
      this.pipes.add(pipe);
      listener.deliver(() => listener.accept(pipe.acceptor));
      this.timeline.after(back, () => from.deliver(() => connected(pipe.dialler)));
    });
  }

  /** The process is gone: its kernel closes what it had open, unless the machine went with it. */
  processEnded(site: Site): void {
    for (const pipe of [...this.pipes]) {
      for (const end of [pipe.dialler, pipe.acceptor]) if (end.site === site) end.vanish();
    }
  }
}

export class Pipe {
  readonly id: number;
  readonly network: Network;
  readonly random: Random;
  readonly dialler: PipeEnd;
  readonly acceptor: PipeEnd;

  constructor(network: Network, from: Site, to: Site, random = network.random) {
    this.id = network.nextId();
    this.network = network;
    this.random = random;
    this.dialler = new PipeEnd(this, from);
    this.acceptor = new PipeEnd(this, to);
    this.dialler.peer = this.acceptor;
    this.acceptor.peer = this.dialler;
  }

  healed(from: string, to: string): void {
    for (const end of [this.dialler, this.acceptor]) {
      if (end.site.machine === from && end.peer.site.machine === to) end.healed();
    }
  }
}

export class PipeEnd {
  readonly site: Site;
  readonly pipe: Pipe;
  peer!: PipeEnd;
  #owner: PipeOwner<Parcel> | undefined;
  isOpen = true;
  /** On the way from here to the peer. */
  #outgoing: Packet[] = [];
  #lastArrivalMs = 0;
  #isStalled = false;
  #isEndTold = false;

  constructor(pipe: Pipe, site: Site) {
    this.pipe = pipe;
    this.site = site;
  }

  get owner(): PipeOwner<Parcel> | undefined {
    return this.#owner;
  }

  /** Also of a connection that broke before anybody looked after it: then that is its first news. */
  set owner(owner: PipeOwner<Parcel>) {
    const isFirst = this.#owner === undefined;
    this.#owner = owner;
    if (this.isOpen || !isFirst) return;
    this.pipe.network.timeline.after(0, () => this.site.deliver(() => this.#tellEnded("reset")));
  }

  send(parcel: Parcel): void {
    if (this.isOpen) this.#put(parcel);
  }

  /** Ends our side at once. The other one hears of it in its turn, or earlier than what was sent before. */
  shut(how: LinkDown, orderly: boolean): void {
    if (!this.isOpen) return;
    this.#fail(how);
    if (!orderly && this.pipe.random.chance(0.5)) this.#outgoing = [];
    this.#put(orderly ? CLOSED : RESET);
  }

  /** A middlebox forgets the connection: this side sees a reset now, the other one now, later, when it sends, or by its kernel's keepalive. */
  breakOff(): void {
    const { network } = this.pipe;
    this.#outgoing = [];
    this.peer.#outgoing = [];
    this.#fail("reset");
    const { random } = this.pipe;
    const heardAfterMs = random.chance(0.7) ? random.magnitude(0.1, 3000) : KEEPALIVE_MS;
    network.timeline.after(heardAfterMs, () => this.peer.#fail("reset"));
  }

  /** The process on this side is gone. */
  vanish(): void {
    const { network, random } = this.pipe;
    const wasOpen = this.isOpen;
    this.isOpen = false;
    if (wasOpen && !network.poweredOff.has(this.site.machine)) {
      if (random.chance(0.5)) this.#outgoing = [];
      this.#put(random.chance(0.5) ? RESET : CLOSED);
    } else {
      this.#outgoing = [];
    }
    this.#forgetIfOver();
  }

  healed(): void {
    if (!this.#isStalled) return;
    const { network, random } = this.pipe;
    network.timeline.after(random.between(0, RETRANSMIT_MS_MAX), () => {
      this.#isStalled = false;
      while (this.#outgoing.length > 0 && !this.#isStalled) this.#arrive(this.#outgoing[0]!);
    });
  }

  #put(parcel: Parcel): void {
    const { network, random } = this.pipe;
    const packet = { parcel, delivered: false };
    this.#outgoing.push(packet);
    const arrivalMs =
      network.timeline.nowMs + network.delayMs(this.site.machine, this.peer.site.machine, random);
    this.#lastArrivalMs = Math.max(arrivalMs, this.#lastArrivalMs);
    network.timeline.at(this.#lastArrivalMs, () => this.#arrive(packet));
  }

  #arrive(packet: Packet): void {
    const { network } = this.pipe;
    const { peer } = this;
    if (packet.delivered || this.#isStalled || this.#outgoing[0] !== packet) return;
    if (network.isCut(this.site.machine, peer.site.machine)) {
      this.#isStalled = true;
      return;
    }
    packet.delivered = true;
    this.#outgoing.shift();
    const { parcel } = packet;
    const { kind, bytes } = parcel;
    const content = bytes === undefined ? "" : ` ${bytes.length} ${crc32c(bytes, 0, bytes.length)}`;
    network.trace.line(`${this.site.machine}>${peer.site.machine} #${this.pipe.id} ${kind}${content}`);
    if (network.trace.lines !== undefined && bytes !== undefined)
      network.trace.note(describeParcel(kind, bytes));
    if (!peer.isOpen) {
      // The kernel at the other end knows no such connection, if there is one at all.
      if (
        !network.poweredOff.has(peer.site.machine) &&
        this.isOpen &&
        !network.isCut(peer.site.machine, this.site.machine)
      ) {
        network.timeline.after(network.delayMs(peer.site.machine, this.site.machine, this.pipe.random), () =>
          this.#fail("reset"),
        );
      }
      return;
    }
    if (parcel === RESET) peer.#fail("reset");
    else if (parcel === CLOSED) peer.site.deliver(() => peer.#closedByPeer());
    else peer.site.deliver(() => peer.isOpen && peer.owner?.received(parcel));
  }

  #closedByPeer(): void {
    this.#fail("closed");
    this.#outgoing = [];
  }

  #fail(how: LinkDown): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.pipe.network.timeline.after(0, () => this.site.deliver(() => this.#tellEnded(how)));
    this.#forgetIfOver();
  }

  #tellEnded(how: LinkDown): void {
    if (this.#owner === undefined || this.#isEndTold) return;
    this.#isEndTold = true;
    this.#owner.ended(how);
  }

  #forgetIfOver(): void {
    if (!this.isOpen && !this.peer.isOpen) this.pipe.network.pipes.delete(this.pipe);
  }
}
