// One client's socket. Bytes read go to the node's handler out of one buffer that all connections share; replies
// go out by at most one system call each. Never looks at the bytes, never buffers a reply itself.
//
//   open ──end()──> flushing ──> half closed, discarding what still comes ──> gone
//     │                                └── after an end of file: gone at once ──┤
//     └────────────── destroy(), error ─────────────────────────────────────────┘
//
// An end of file is news for the handler, who ends the connection when all that was read is answered.

import { Socket } from "node:net";
import { InvariantError } from "../base/assert.ts";
import { copyBytes } from "../base/copy.ts";
import { READ_BUFFER_BYTES } from "../base/limits.ts";
import type { BufferPool, ClientConnection, ClientHandler, Log } from "../node/ports.ts";
import {
  canWriteDirectly,
  fileDescriptorOf,
  type StreamHandle,
  takeHandle,
  WRITE_DONE,
  WRITE_FAILED,
  type WriteOwner,
  writeDirectly,
  writeThroughSocket,
} from "./stream-handle.ts";

/** After the last reply of a connection that we end: how long the client may take to close its side. */
const LINGER_MS = 1000;
/** Replies up to this size are written out of one small buffer that is never handed around. */
const SMALL_BYTES_MAX = 512;

/** Every read of every client lands here. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

// Views of the small buffer by length: most replies need no new Buffer object.
let small = Buffer.allocUnsafeSlow(SMALL_BYTES_MAX);
let smallViews: (Buffer | undefined)[] = [];

function smallView(buffer: Buffer, length: number): Buffer {
  copyBytes(small, 0, buffer, 0, length);
  const known = smallViews[length];
  if (known !== undefined) return known;
  const view = small.subarray(0, length);
  smallViews[length] = view;
  return view;
}

/** The last small write has to wait: its bytes must stay as they are, so the next one gets new memory. */
function replaceSmall(): void {
  small = Buffer.allocUnsafeSlow(SMALL_BYTES_MAX);
  smallViews = [];
}

/** What connections need of their listener; one object for all of them. */
export interface ConnectionOwner {
  readonly buffers: BufferPool;
  readonly log: Log;
  gone(connection: TcpClientConnection): void;
}

/** A socket that knows its connection, so that its callbacks need no closures. */
class ClientSocket extends Socket {
  connection: TcpClientConnection | undefined;

  /** `handle` and `onread` are not in the types of Socket's options. */
  constructor(options: object) {
    super(options);
  }
}

function onRead(this: unknown, bytes: number, buffer: Uint8Array): boolean {
  const { connection } = this as ClientSocket;
  connection?.received(buffer as Buffer, bytes);
  return connection?.isReading ?? false;
}

function onData(this: ClientSocket, chunk: Buffer): void {
  this.connection?.received(chunk, chunk.length);
}

function onEnd(this: ClientSocket): void {
  this.connection?.endedBySocket();
}

function onFinish(this: ClientSocket): void {
  this.connection?.flushed();
}

function onClose(this: ClientSocket): void {
  const { connection } = this;
  this.connection = undefined;
  connection?.closedBySocket();
}

function onError(): void {
  // 'close' follows; whatever it was, the client is gone.
}

const NO_HANDLER: ClientHandler = { receive() {}, writable() {}, ended() {}, closed() {} };

export class TcpClientConnection implements ClientConnection, WriteOwner {
  readonly id: number;
  pendingBytes = 0;
  isReading = true;
  readonly #owner: ConnectionOwner;
  readonly #socket: ClientSocket;
  /** Undefined: written through the socket. */
  readonly #handle: StreamHandle | undefined;
  #handler: ClientHandler = NO_HANDLER;
  /** end() or destroy() was called, or the socket has failed: nothing is taken any more. */
  #hasEnded = false;
  #linger: NodeJS.Timeout | undefined;

  /** @param accepted paused, and not used by anybody after this */
  constructor(id: number, accepted: Socket, owner: ConnectionOwner) {
    this.id = id;
    this.#owner = owner;
    const handle = takeHandle(accepted);
    if (handle === undefined) {
      const socket: ClientSocket = Object.assign(accepted, { connection: this, allowHalfOpen: true });
      socket.on("data", onData);
      this.#socket = socket;
    } else {
      this.#socket = new ClientSocket({
        handle,
        allowHalfOpen: true,
        onread: { buffer: readBuffer, callback: onRead },
      });
      this.#socket.connection = this;
    }
    this.#handle = canWriteDirectly(handle) ? handle : undefined;
    this.#socket.on("end", onEnd).on("close", onClose).on("error", onError);
  }

  /** Nothing was read before this. */
  start(handler: ClientHandler, keepAliveSeconds: number): void {
    this.#handler = handler;
    this.#socket.setNoDelay(true);
    if (keepAliveSeconds > 0) this.#socket.setKeepAlive(true, keepAliveSeconds * 1000);
    if (this.isReading) this.#socket.resume();
  }

  get fileDescriptor(): number {
    return fileDescriptorOf(this.#socket);
  }

  get address(): string {
    return formatAddress(this.#socket.remoteAddress, this.#socket.remotePort);
  }

  get localAddress(): string {
    return formatAddress(this.#socket.localAddress, this.#socket.localPort);
  }

  get isLoopback(): boolean {
    return isLoopbackAddress(this.#socket.remoteAddress ?? "");
  }

  received(buffer: Buffer, bytes: number): void {
    if (this.#hasEnded) return;
    try {
      this.#handler.receive(buffer, 0, bytes);
    } catch (error) {
      // A broken invariant stops the node. Anything else costs this client its connection.
      if (error instanceof InvariantError) throw error;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#owner.log.error({ client: this.id, error: text }, "a client's bytes made the node fail");
      this.destroy();
    }
  }

  write(buffer: Buffer, length: number): boolean {
    if (this.#hasEnded || length === 0) return true;
    if (this.#handle === undefined) {
      const outcome = writeThroughSocket(this.#socket, buffer.subarray(0, length), this, buffer);
      if (outcome === WRITE_DONE) return true;
      this.pendingBytes += length;
      return false;
    }
    const isSmall = length <= SMALL_BYTES_MAX;
    const bytes = isSmall ? smallView(buffer, length) : buffer.subarray(0, length);
    const outcome = writeDirectly(this.#handle, bytes, this, isSmall ? small : buffer);
    if (outcome === WRITE_DONE) return true;
    if (outcome === WRITE_FAILED) {
      this.destroy();
      return true;
    }
    if (isSmall) {
      replaceSmall();
      this.#owner.buffers.release(buffer);
    }
    this.pendingBytes += length;
    return false;
  }

  written(buffer: Uint8Array, bytes: number): void {
    this.#owner.buffers.release(buffer as Buffer);
    this.pendingBytes -= bytes;
    if (this.pendingBytes === 0 && !this.#hasEnded) this.#handler.writable();
  }

  pauseReading(): void {
    if (!this.isReading) return;
    this.isReading = false;
    this.#socket.pause();
  }

  resumeReading(): void {
    if (this.isReading || this.#hasEnded) return;
    this.isReading = true;
    this.#socket.resume();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // Closing with unread bytes makes TCP throw away the last reply: read on, and let the client close first.
    this.isReading = true;
    this.#socket.once("finish", onFinish);
    this.#socket.end();
    this.#socket.resume();
  }

  /** The last reply is with the kernel and our side is closed. */
  flushed(): void {
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#linger.unref();
  }

  destroy(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  /** Once both sides are closed and everything is written, the socket destroys itself. */
  endedBySocket(): void {
    if (!this.#hasEnded) this.#handler.ended();
  }

  closedBySocket(): void {
    this.#hasEnded = true;
    clearTimeout(this.#linger);
    const handler = this.#handler;
    this.#handler = NO_HANDLER;
    this.#owner.gone(this);
    handler.closed();
  }
}

function formatAddress(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return "?:0";
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isLoopbackAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}
