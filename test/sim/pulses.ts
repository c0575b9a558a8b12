// The thread of a simulated process that says "alive" while its event loop is busy, as io/pulse-sender does, and the other
// end of its connections. The thread runs while the loop does not, and stops when the whole process is stopped.

import { connectionBackoffMs } from "../../src/io/backoff.ts";
import type { LinkDown, PeerIdentity, Pulse, PulseThread } from "../../src/node/ports.ts";
import type { HandshakeIdentity } from "../../src/wire/handshake.ts";
import { Conversation, HANDSHAKE_MS_MAX, type Hello } from "./conversation.ts";
import type { Parcel, PipeEnd, PipeOwner, Site } from "./network.ts";
import type { SimTransport } from "./peers.ts";
import { machineAt, type SimProcess } from "./process.ts";
import { Random } from "./random.ts";

const INTERVAL_MS = 50;
const BEAT_MS = 500;

export class SimPulseThread implements PulseThread, Site {
  readonly process: SimProcess;
  readonly random: Random;
  readonly #connections = new Map<number, PulseOut>();
  #pulse: Pulse = { term: 0, leader: 0 };
  /** When the event loop means to take its next turn, on its monotonic clock. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(process: SimProcess, seed: number) {
    this.process = process;
    this.random = Random.stream(seed, `pulses ${process.machine} ${process.incarnation}`);
  }

  get machine(): string {
    return this.process.machine;
  }

  get isAlive(): boolean {
    return this.process.isAlive;
  }

  /** Has it a connection to everybody the event loop has a link to? */
  get isConnected(): boolean {
    return [...this.#connections.values()].every((connection) => connection.isUp);
  }

  alive(term: number, leader: number): void {
    this.#pulse = { term, leader };
  }

  turnDue(monotonicMs: number): void {
    this.#dueMs = monotonicMs;
  }

  start(): void {
    this.#look(INTERVAL_MS);
    this.#every(BEAT_MS, () => {
      for (const connection of this.#connections.values()) connection.send({ kind: "beat" });
    });
  }

  open(id: number, address: string, wanted: number): void {
    this.close(id);
    this.#connections.set(id, new PulseOut(this, address, wanted));
  }

  close(id: number): void {
    this.#connections.get(id)?.close();
    this.#connections.delete(id);
  }

  /** A thread does one thing at once, and each takes it no time. What comes while it is stopped it finds later. */
  deliver(run: () => void): void {
    if (!this.isAlive) return;
    if (this.process.isPaused) this.process.network.timeline.after(INTERVAL_MS, () => this.deliver(run));
    else run();
  }

  /** As io/pulse-sender: an interval after the next turn is due, and each interval while the loop is late. */
  #look(inMs: number): void {
    this.process.network.timeline.after(inMs, () => {
      if (!this.isAlive) return;
      if (this.process.isPaused) return this.#look(INTERVAL_MS);
      const lateMs = this.process.monotonicMs() - this.#dueMs;
      const isLate = lateMs >= INTERVAL_MS;
      if (isLate && this.#pulse.leader !== 0)
        for (const connection of this.#connections.values())
          connection.send({ kind: "pulse", detail: this.#pulse });
      this.#look(
        isLate || lateMs === Number.NEGATIVE_INFINITY
          ? INTERVAL_MS
          : Math.max(INTERVAL_MS, INTERVAL_MS - lateMs),
      );
    });
  }

  #every(periodMs: number, run: () => void): void {
    this.process.network.timeline.after(periodMs, () => {
      if (!this.isAlive) return;
      if (!this.process.isPaused) run();
      this.#every(periodMs, run);
    });
  }
}

/** One connection, dialled again and again until it is closed. */
class PulseOut implements PipeOwner<Parcel> {
  isUp = false;
  readonly #thread: SimPulseThread;
  readonly #address: string;
  readonly #wanted: number;
  #end: PipeEnd | undefined;
  #isClosed = false;
  #attempts = 0;

  constructor(thread: SimPulseThread, address: string, wanted: number) {
    this.#thread = thread;
    this.#address = address;
    this.#wanted = wanted;
    this.#dial();
  }

  send(parcel: Parcel): void {
    if (this.isUp) this.#end?.send(parcel);
  }

  close(): void {
    this.#isClosed = true;
    this.isUp = false;
    this.#end?.shut("local", true);
  }

  received(parcel: Parcel): void {
    if (parcel.kind === "welcome") this.#end?.send({ kind: "proof" });
    if (parcel.kind !== "accepted") return;
    this.isUp = true;
    this.#attempts = 0;
  }

  ended(_how: LinkDown): void {
    this.isUp = false;
    this.#end = undefined;
    this.#again();
  }

  #dial(): void {
    if (this.#isClosed || !this.#thread.isAlive) return;
    const { process, random } = this.#thread;
    const { network } = process;
    let isAnswered = false;
    network.connect(
      this.#thread,
      machineAt(this.#address),
      this.#address,
      (end) => {
        if (isAnswered || this.#isClosed) return void end.shut("local", true);
        isAnswered = true;
        this.#end = end;
        end.owner = this;
        const identity: HandshakeIdentity = process.transport.identity;
        end.send({ kind: "hello", detail: { identity, wanted: this.#wanted, purpose: "pulse" } as Hello });
        network.timeline.after(HANDSHAKE_MS_MAX, () => !this.isUp && end.shut("timeout", false));
      },
      () => {
        isAnswered = true;
        this.#again();
      },
      random,
    );
    network.timeline.after(HANDSHAKE_MS_MAX, () => {
      if (isAnswered) return;
      isAnswered = true;
      this.#again();
    });
  }

  #again(): void {
    if (this.#isClosed) return;
    const { process, random } = this.#thread;
    process.network.timeline.after(connectionBackoffMs(this.#attempts++, random.unit()), () => this.#dial());
  }
}

/** Where a peer's pulses come: read by the event loop. A later connection of the same peer takes the place of an earlier one. */
export class PulseIn extends Conversation {
  override readonly remote: PeerIdentity;
  #isReplaced = false;

  constructor(transport: SimTransport, remote: PeerIdentity) {
    super(transport);
    this.remote = remote;
  }

  begin(end: PipeEnd): void {
    this.adopt(end);
    this.isUp = true;
    this.transport.pulses.get(this.remote.incarnation)?.replace();
    this.transport.pulses.set(this.remote.incarnation, this);
  }

  replace(): void {
    this.#isReplaced = true;
    this.pipe?.shut("local", true);
  }

  protected take(parcel: Parcel): void {
    if (parcel.kind !== "pulse") return;
    this.transport.pulsing.add(this.remote.incarnation);
    this.transport.process.node.pulse(this.remote, parcel.detail as Pulse);
  }

  protected over(how: LinkDown): void {
    const { pulses, process } = this.transport;
    if (pulses.get(this.remote.incarnation) === this) pulses.delete(this.remote.incarnation);
    if (!this.#isReplaced && how !== "local") process.node.pulseLost(this.remote, how);
  }
}
