// One TCP connection between two nodes, either end: frames in and out, keepalives, the handshake first. What follows the
// handshake is bare frames, or, once openLanes() was called, units of two lanes (docs/adr/0021).
// Tells its owner once that it is up and once that it is gone; knows nothing of dialling again.

import { Socket } from "node:net";
import { FRAME_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX, PEER_QUEUE_BYTES_MAX } from "../base/limits.ts";
import type { LinkDown, PeerIdentity } from "../node/ports.ts";
import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";
import { FrameReader } from "./frame-reader.ts";
import { LaneReader, type LaneReaderOwner } from "./lane-reader.ts";
import { TAKEN_BYTES_LEAST, UNIT_TAKEN, unitHead } from "./lane-units.ts";
import { type LaneSink, LaneWriter } from "./lane-writer.ts";
import type { Verdict } from "./peer-handshake.ts";
import {
  canWriteDirectly,
  handleOf,
  type StreamHandle,
  takeHandle,
  WRITE_DONE,
  WRITE_FAILED,
  type WriteOwner,
  writeDirectly,
  writeThroughSocket,
} from "./stream-handle.ts";

const READ_BYTES = 256 * 1024;
/** An empty frame: I am still here. */
const KEEPALIVE = Buffer.alloc(FRAME_PREFIX_BYTES);
/** Every peer socket reads into this one; frames are copied out of it into memory of their own. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Beats (KEEPALIVE_MS each) of silence after which the other side is given up. */
export const SILENT_BEATS_MAX = 8;
/** Beats after which a handshake must be over. */
const HANDSHAKE_BEATS_MAX = 5;
/** Beats without anything to say after which an empty frame is sent. */
const UNSENT_BEATS_MAX = 2;
/** The interval at which beat() is to be called. */
export const KEEPALIVE_MS = 500;

export interface PeerSocketOwner {
  up(socket: PeerSocket, remote: PeerIdentity): void;
  /** Never the empty frames. */
  frame(socket: PeerSocket, frame: Buffer): void;
  /** Nothing is queued any more, after send() found something queued. */
  drained(socket: PeerSocket): void;
  /** The last call. `text` is for an operator. */
  down(socket: PeerSocket, how: LinkDown, text: string): void;
}

interface Handshake {
  /** What this side says as soon as the connection is there. */
  readonly first: Buffer | undefined;
  receive(frame: Buffer): Verdict;
}

class OwnedSocket extends Socket {
  owner: PeerSocket | undefined;

  /** `handle` and `onread` are not in the types of Socket's options. */
  constructor(options: object) {
    super(options);
  }
}

function onRead(this: unknown, bytes: number, buffer: Uint8Array): boolean {
  const { owner } = this as OwnedSocket;
  owner?.received(buffer as Buffer, bytes);
  return owner?.isReading ?? false;
}

const reading = { onread: { buffer: readBuffer, callback: onRead } };

export class PeerSocket implements WriteOwner, LaneSink, LaneReaderOwner {
  isUp = false;
  isReading = true;
  /** Who is at the other end; 0 before the handshake is over. */
  remoteIncarnation = 0;
  /** Bytes that the kernel has not taken. */
  queuedBytes = 0;
  /** Undefined on a connection of bare frames. */
  lanes: LaneWriter | undefined;
  #laneReader: LaneReader | undefined;
  readonly #owner: PeerSocketOwner;
  readonly #handshake: Handshake;
  readonly #socket: OwnedSocket;
  readonly #reader: FrameReader;
  #handle: StreamHandle | undefined;
  #isGone = false;
  #isConnected = false;
  #error = "";
  #heard = false;
  /** Beats since something was sent. */
  #unsentBeats = 0;
  #silentBeats = 0;
  #beats = 0;

  private constructor(owner: PeerSocketOwner, handshake: Handshake, socket: OwnedSocket) {
    this.#owner = owner;
    this.#handshake = handshake;
    this.#socket = socket;
    this.#reader = new FrameReader(HANDSHAKE_FRAME_BYTES_MAX, (frame) => this.#frame(frame));
    socket.owner = this;
    socket.on("data", (chunk: Buffer) => this.received(chunk, chunk.length));
    socket.on("end", () => this.destroy("closed", "it closed the connection"));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    socket.on("close", () => {
      if (this.#error === "") this.destroy("closed", "the connection is closed");
      else this.destroy(this.#isConnected ? "reset" : "unreachable", this.#error);
    });
  }

  static dial(owner: PeerSocketOwner, handshake: Handshake, host: string, port: number): PeerSocket {
    const socket = new OwnedSocket(reading);
    const peer = new PeerSocket(owner, handshake, socket);
    socket.connect({ host, port }, () => {
      // Here, because the option of that name counts in the constructor only: without it an append that follows an
      // unacknowledged one waits for the peer's delayed acknowledgement, 40 ms.
      socket.setNoDelay(true);
      peer.#connected(handleOf(socket));
    });
    return peer;
  }

  /** @param accepted paused, and not used by anybody after this */
  static accept(owner: PeerSocketOwner, handshake: Handshake, accepted: Socket): PeerSocket {
    const handle = takeHandle(accepted);
    const socket =
      handle === undefined
        ? Object.assign(accepted, { owner: undefined })
        : new OwnedSocket({ handle, ...reading });
    const peer = new PeerSocket(owner, handshake, socket);
    socket.setNoDelay(true);
    socket.resume();
    peer.#connected(handle);
    return peer;
  }

  #connected(handle: StreamHandle | undefined): void {
    this.#isConnected = true;
    this.#handle = handle;
    const { first } = this.#handshake;
    if (first !== undefined) this.#write(first, first);
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  /** From here on, both ways, units of two lanes. To be called from up(), on both sides. */
  openLanes(): void {
    this.lanes = new LaneWriter(this);
    this.#laneReader = new LaneReader(this);
    this.#reader.leave();
  }

  /** A bare frame. False: the queue is full and the connection is being reset. `frame` must not change any more. */
  send(frame: Uint8Array): boolean {
    if (this.#isGone || !this.isUp) return false;
    // One frame of any size may wait: a snapshot's chunk can be a whole value, and what ends the snapshot comes behind it.
    if (this.queuedBytes > FRAME_BYTES_MAX + PEER_QUEUE_BYTES_MAX) {
      this.destroy("overflow", `${this.queuedBytes} bytes are queued and the peer does not take them`);
      return false;
    }
    this.write(frame);
    return true;
  }

  /** A frame in parts, behind all that were sent so. False as in send(); the parts must not change any more. */
  sendOrdered(parts: readonly Uint8Array[]): boolean {
    if (this.#isGone || !this.isUp || this.lanes === undefined) return false;
    const problem = this.lanes.send(parts);
    if (problem !== undefined) this.destroy("overflow", problem);
    return problem === undefined;
  }

  /** A frame that passes those, if it is short. */
  sendUrgent(frame: Uint8Array): boolean {
    if (this.#isGone || !this.isUp || this.lanes === undefined) return false;
    return this.lanes.sendUrgent(frame) || this.sendOrdered([frame]);
  }

  /** For the lanes. */
  write(bytes: Uint8Array): void {
    if (!this.#isGone) this.#write(bytes, bytes);
  }

  #write(bytes: Uint8Array, buffer: Uint8Array): void {
    this.#unsentBeats = 0;
    const handle = this.#handle;
    const outcome =
      handle !== undefined && canWriteDirectly(handle)
        ? writeDirectly(handle, bytes, this, buffer)
        : writeThroughSocket(this.#socket, bytes, this, buffer);
    if (outcome === WRITE_FAILED) this.#socket.destroy(new Error("write failed"));
    else if (outcome !== WRITE_DONE) this.queuedBytes += bytes.length;
  }

  written(_buffer: Uint8Array, bytes: number): void {
    this.queuedBytes -= bytes;
    if (this.queuedBytes > 0 || this.#isGone) return;
    this.lanes?.pump();
    this.#owner.drained(this);
  }

  pause(): void {
    this.isReading = false;
    this.#socket.pause();
  }

  resume(): void {
    if (this.isReading || this.#isGone) return;
    this.isReading = true;
    this.#socket.resume();
  }

  /** From the next frame on, a frame is good until the one after it comes. */
  reuseFrameMemory(): void {
    this.#reader.reusesMemory = true;
  }

  /** Reports down(), once, after the call that led here. */
  destroy(how: LinkDown, text: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#reader.stop();
    this.#laneReader?.stop();
    this.#socket.owner = undefined;
    // What is queued to a peer that we refuse is its reason: let it out.
    if (how === "refused") this.#socket.destroySoon();
    else this.#socket.destroy();
    setImmediate(() => {
      this.isUp = false;
      this.#owner.down(this, how, text);
    });
  }

  received(chunk: Buffer, length: number): void {
    if (this.#isGone) return;
    this.#heard = true;
    let at = 0;
    let problem: string | undefined;
    if (this.#laneReader === undefined) {
      problem = this.#reader.push(chunk, 0, length);
      at = this.#reader.position;
    }
    // The last message of the handshake may have come together with the first unit.
    const lanes = this.#laneReader;
    if (lanes !== undefined && problem === undefined) problem = lanes.push(chunk, at, length);
    if (problem !== undefined) this.destroy("garbage", problem);
    else if (lanes !== undefined && lanes.untoldBytes >= TAKEN_BYTES_LEAST) this.#tellTaken(lanes);
  }

  #tellTaken(lanes: LaneReader): void {
    this.write(unitHead(UNIT_TAKEN, lanes.untoldBytes));
    lanes.untoldBytes = 0;
  }

  /** The other side has taken so many bytes more of the pieces. */
  taken(bytes: number): string | undefined {
    return this.lanes?.taken(bytes);
  }

  /**
   * To be called every KEEPALIVE_MS. A stalled process calls it late, never twice at once: no false alarms.
   * @param silentBeatsMax beats of silence after which the other side is given up
   */
  beat(silentBeatsMax = SILENT_BEATS_MAX): void {
    this.#beats++;
    if (!this.isUp) {
      if (this.#beats > HANDSHAKE_BEATS_MAX)
        this.destroy(this.#isConnected ? "timeout" : "unreachable", "no answer");
      return;
    }
    this.#unsentBeats++;
    if (this.#unsentBeats >= UNSENT_BEATS_MAX && this.queuedBytes === 0) this.#write(KEEPALIVE, KEEPALIVE);
    this.#silentBeats = this.#heard || !this.isReading ? 0 : this.#silentBeats + 1;
    this.#heard = false;
    if (this.#silentBeats >= silentBeatsMax) {
      this.destroy("timeout", `nothing heard for ${this.#silentBeats * KEEPALIVE_MS} ms`);
    }
  }

  /** For the lanes: a whole frame. */
  frame(frame: Buffer): void {
    this.#owner.frame(this, frame);
  }

  #frame(frame: Buffer): void {
    if (this.isUp) return this.frame(frame);
    const verdict = this.#handshake.receive(frame);
    for (const answer of verdict.send) this.#write(answer, answer);
    if (verdict.kind === "refused") this.destroy("refused", verdict.text);
    if (verdict.kind !== "done") return;
    this.isUp = true;
    this.remoteIncarnation = verdict.remote.incarnation;
    this.#reader.bytesMax = FRAME_BYTES_MAX;
    this.#owner.up(this, verdict.remote);
  }
}
