// One snapshot on a connection of its own: the header, the chunks, the end, and the receiver's word that it has
// them. TCP's own flow control holds the sender back; nothing else is sent on the connection.
//
//   body of a frame: u8 kind, then
//     HEADER   the header's bytes            CHUNK   one chunk
//     END      nothing                       CONFIRMED (the other way) nothing

import { assert } from "../base/assert.ts";
import { SNAPSHOT_CHUNK_BYTES_MAX } from "../base/limits.ts";
import type {
  LinkDown,
  NodeInputs,
  PeerIdentity,
  SnapshotReceiver,
  SnapshotSender,
  SnapshotStreamIn,
  SnapshotStreamOut,
} from "../node/ports.ts";
import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";
import { DiallerHandshake } from "./peer-handshake.ts";
import type { Endpoint, LinkHost } from "./peer-links.ts";
import { PeerSocket, type PeerSocketOwner } from "./peer-socket.ts";

const HEADER = 1;
const CHUNK = 2;
const END = 3;
const CONFIRMED = 4;
const PAYLOAD_AT = FRAME_PREFIX_BYTES + 1;

function head(kind: number, payloadBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(PAYLOAD_AT);
  bytes.writeUInt32BE(1 + payloadBytes, 0);
  bytes[FRAME_PREFIX_BYTES] = kind;
  return bytes;
}

/** Sends one snapshot. */
export class SnapshotOut implements SnapshotStreamOut, PeerSocketOwner {
  readonly #host: LinkHost;
  readonly #header: Uint8Array;
  readonly #sender: SnapshotSender;
  readonly #windowBytes: number;
  readonly #socket: PeerSocket;
  /** Memory of chunks that the kernel has. */
  readonly #free: Buffer[] = [];
  /** Of chunks that are queued; no more than the window is large. */
  readonly #queued: Buffer[] = [];
  /** The last write() returned false. */
  #isFull = false;
  #isOver = false;

  constructor(
    host: LinkHost,
    endpoint: Endpoint,
    incarnation: number,
    header: Uint8Array,
    sender: SnapshotSender,
    windowBytes: number,
  ) {
    this.#host = host;
    this.#header = header;
    this.#sender = sender;
    this.#windowBytes = windowBytes;
    const handshake = new DiallerHandshake(host.terms, "snapshot", incarnation);
    this.#socket = PeerSocket.dial(this, handshake, endpoint.host, endpoint.port);
    host.track(this.#socket);
  }

  write(chunk: Uint8Array): boolean {
    assert(chunk.length <= SNAPSHOT_CHUNK_BYTES_MAX, `a chunk of ${chunk.length} bytes`);
    this.#socket.send(head(CHUNK, chunk.length));
    this.#socket.send(chunk);
    this.#queued.push(Buffer.from(chunk.buffer as ArrayBuffer));
    if (this.#socket.queuedBytes === 0) this.#recycle();
    this.#isFull = this.#socket.queuedBytes >= this.#windowBytes;
    return !this.#isFull;
  }

  memory(): Buffer | undefined {
    return this.#free.pop();
  }

  #recycle(): void {
    this.#free.push(...this.#queued);
    this.#queued.length = 0;
  }

  end(): void {
    this.#socket.send(head(END, 0));
  }

  destroy(): void {
    this.#isOver = true;
    this.#socket.destroy("local", "given up by this node");
  }

  up(): void {
    this.#socket.send(head(HEADER, this.#header.length));
    this.#socket.send(this.#header);
    if (!this.#isOver) this.#sender.drained();
  }

  drained(): void {
    this.#recycle();
    if (this.#isOver || !this.#isFull) return;
    this.#isFull = false;
    this.#sender.drained();
  }

  frame(_socket: PeerSocket, frame: Buffer): void {
    if (this.#isOver) return;
    if (frame[FRAME_PREFIX_BYTES] !== CONFIRMED) {
      this.#socket.destroy("garbage", `kind ${frame[FRAME_PREFIX_BYTES]} is no answer to a snapshot`);
      return;
    }
    this.#isOver = true;
    this.#socket.destroy("local", "the snapshot is over");
    this.#sender.finished();
  }

  down(socket: PeerSocket, how: LinkDown, text: string): void {
    this.#host.untrack(socket);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sender.failed(how, text);
  }
}

/** Takes one snapshot from an accepted connection. */
export class SnapshotIn implements SnapshotStreamIn, PeerSocketOwner {
  readonly remote: PeerIdentity;
  readonly #host: Pick<LinkHost, "untrack">;
  readonly #node: NodeInputs;
  readonly #socket: PeerSocket;
  #receiver: SnapshotReceiver | undefined;
  #isOver = false;

  constructor(host: LinkHost, socket: PeerSocket, remote: PeerIdentity) {
    this.#host = host;
    this.#node = host.node;
    this.#socket = socket;
    this.remote = remote;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#isOver = true;
    this.#socket.destroy("local", "given up by this node");
  }

  up(): void {}
  drained(): void {}

  frame(_socket: PeerSocket, frame: Buffer): void {
    if (this.#isOver) return;
    const kind = frame[FRAME_PREFIX_BYTES];
    const payload = frame.subarray(PAYLOAD_AT);
    const receiver = this.#receiver;
    if (receiver === undefined) {
      this.#receiver = kind === HEADER ? this.#node.snapshotOffered(this, payload) : undefined;
      if (this.#receiver === undefined) this.#stop("refused", "the snapshot is not wanted");
      // What comes from now on is copied by the receiver.
      this.#socket.reuseFrameMemory();
    } else if (kind === CHUNK) {
      receiver.chunk(payload);
    } else if (kind === END) {
      this.#isOver = true;
      if (receiver.ended()) this.#socket.send(head(CONFIRMED, 0));
      else this.#socket.destroy("refused", "the snapshot was not taken");
    } else {
      this.#stop("garbage", `kind ${kind} has no place in a snapshot`);
    }
  }

  /** The receiver, if there is one, hears of it in down(). */
  #stop(how: LinkDown, text: string): void {
    this.#socket.destroy(how, text);
  }

  down(socket: PeerSocket, how: LinkDown): void {
    this.#host.untrack(socket);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver?.failed(how);
  }
}
