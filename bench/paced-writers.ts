// Clients that overwrite values at a rate of their own, whatever the server does: a command that is due is sent, unless its
// connection has too many without a reply. What was acknowledged and what it waited comes out; no server is started here.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

const CONNECTIONS = 8;
const UNANSWERED_MAX = 128;
const PACE_MS = 5;
const REPLY = Buffer.from("+OK\r\n");

export interface Load {
  readonly bytesPerSecond: number;
  readonly valueBytes: number;
  readonly keys: number;
}

export interface Stretch {
  readonly bytesPerSecond: number;
  readonly longestMs: number;
  /** MB of each second. */
  readonly stretches: string;
}

interface Connection {
  readonly socket: Socket;
  /** When each command without a reply was sent. */
  readonly sentMs: number[];
  /** Bytes of a reply that came in part. */
  partBytes: number;
}

export class PacedWriters {
  readonly #load: Load;
  readonly #connections: Connection[];
  readonly #command: Buffer;
  readonly #timer: NodeJS.Timeout;
  readonly #startMs = performance.now();
  #due = 0;
  #paceMs = this.#startMs;
  #turn = 0;
  #random = 1;
  #takenMs = this.#startMs;
  #acknowledged = 0;
  #longestMs = 0;
  #seconds: number[] = [];

  private constructor(load: Load, sockets: readonly Socket[]) {
    this.#load = load;
    this.#connections = sockets.map((socket) => ({ socket, sentMs: [], partBytes: 0 }));
    this.#command = Buffer.from(`\r\n$${load.valueBytes}\r\n${"w".repeat(load.valueBytes)}\r\n`);
    for (const connection of this.#connections) {
      connection.socket.on("data", (chunk) => this.#received(connection, chunk));
    }
    this.#timer = setInterval(() => this.#pace(), PACE_MS);
  }

  static async start(port: number, load: Load): Promise<PacedWriters> {
    const sockets = Array.from({ length: CONNECTIONS }, () =>
      connect({ port, host: "127.0.0.1", noDelay: true }),
    );
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    return new PacedWriters(load, sockets);
  }

  /** Since the start, or since it was asked last. */
  take(): Stretch {
    const nowMs = performance.now();
    const oldestMs = Math.min(nowMs, ...this.#connections.map(({ sentMs }) => sentMs[0] ?? nowMs));
    const stretch = {
      bytesPerSecond: (this.#acknowledged * this.#load.valueBytes * 1000) / (nowMs - this.#takenMs),
      longestMs: Math.max(this.#longestMs, nowMs - oldestMs),
      stretches: Array.from(this.#seconds, (count = 0) =>
        ((count * this.#load.valueBytes) / 1e6).toFixed(0),
      ).join(" "),
    };
    this.#takenMs = nowMs;
    this.#acknowledged = 0;
    this.#longestMs = 0;
    this.#seconds = [];
    return stretch;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const { socket } of this.#connections) socket.destroy();
  }

  #pace(): void {
    const nowMs = performance.now();
    const { bytesPerSecond, valueBytes, keys } = this.#load;
    this.#due += ((nowMs - this.#paceMs) * bytesPerSecond) / 1000 / valueBytes;
    this.#paceMs = nowMs;
    // What could not be sent for a second is not made up for.
    this.#due = Math.min(this.#due, bytesPerSecond / valueBytes);
    for (let tried = 0; this.#due >= 1 && tried < CONNECTIONS; ) {
      const connection = this.#connections[this.#turn++ % CONNECTIONS]!;
      if (connection.sentMs.length >= UNANSWERED_MAX) {
        tried++;
        continue;
      }
      tried = 0;
      this.#due--;
      // Park and Miller's generator: the same keys in each run.
      this.#random = (this.#random * 48_271) % 0x7fff_ffff;
      const key = `value:${this.#random % keys}`;
      connection.sentMs.push(nowMs);
      connection.socket.cork();
      connection.socket.write(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}`);
      connection.socket.write(this.#command);
      process.nextTick(() => connection.socket.uncork());
    }
  }

  #received(connection: Connection, chunk: Buffer): void {
    if (chunk.includes("-")) throw new Error(`a writer was refused: ${chunk.toString("latin1")}`);
    const nowMs = performance.now();
    const bytes = connection.partBytes + chunk.length;
    const count = Math.floor(bytes / REPLY.length);
    connection.partBytes = bytes % REPLY.length;
    const second = Math.floor((nowMs - this.#takenMs) / 1000);
    this.#acknowledged += count;
    this.#seconds[second] = (this.#seconds[second] ?? 0) + count;
    const [oldestMs = nowMs] = connection.sentMs.splice(0, count);
    this.#longestMs = Math.max(this.#longestMs, nowMs - oldestMs);
  }
}
