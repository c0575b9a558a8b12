// One connection of the load generator: GET and SET of numbered keys out, checked replies in. What is sent in one turn of the event
// loop is one write. Replies are decoded by redis-parser and come back with the number that their request was given.

import { connect, type Socket } from "node:net";
import RedisParser from "redis-parser";
import { type Channel, keyOf, type Listener } from "./channel.ts";

/** From here on a value is written as a buffer of its own, which is not copied for every request. */
const SEPARATE_VALUE_BYTES = 4096;
const RING_MIN = 16;
const WRITE_BIT = 1;
/** Of all connections: node would allocate as much for each read. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

export class RedisChannel implements Channel {
  readonly #socket: Socket;
  readonly #valueBytes: number;
  readonly #setTail: string;
  readonly #separateValue: Buffer | undefined;
  readonly #parser: RedisParser;
  readonly #listener: Listener;
  #text = "";
  // Requests without a reply, oldest first, in a ring: when they were due, and what they are.
  #timesUs = new Float64Array(RING_MIN);
  #kinds = new Uint8Array(RING_MIN);
  #first = 0;
  #count = 0;

  private constructor(socket: Socket, valueBytes: number, listener: Listener) {
    this.#socket = socket;
    this.#valueBytes = valueBytes;
    const value = "x".repeat(valueBytes);
    const isSeparate = valueBytes >= SEPARATE_VALUE_BYTES;
    this.#separateValue = isSeparate ? Buffer.from(`${value}\r\n`) : undefined;
    this.#setTail = `\r\n$${valueBytes}\r\n${isSeparate ? "" : `${value}\r\n`}`;
    this.#listener = listener;
    this.#parser = new RedisParser({
      returnBuffers: isSeparate,
      returnReply: (reply) => this.#replied(reply),
      returnError: (error) => this.#replied(error),
      returnFatalError: (error) => socket.destroy(error),
    });
  }

  /** A lost connection ends the program: a load that is not whole is none. */
  static open(port: number, valueBytes: number, listener: Listener): Promise<RedisChannel> {
    return new Promise((resolve, reject) => {
      let channel: RedisChannel | undefined;
      const callback = (bytes: number): boolean => {
        channel?.read(bytes);
        return true;
      };
      const onread = { buffer: READ_BUFFER, callback };
      const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
      socket.once("error", reject);
      socket.once("connect", () => {
        channel = new RedisChannel(socket, valueBytes, listener);
        resolve(channel);
      });
      socket.once("close", () => {
        throw new Error("a connection was closed by the server");
      });
    });
  }

  get outstanding(): number {
    return this.#count;
  }

  queue(key: number, isWrite: boolean, atUs: number): void {
    this.#remember(atUs, isWrite);
    if (!isWrite) {
      this.#text += `*2\r\n$3\r\nGET\r\n$16\r\n${keyOf(key)}\r\n`;
      return;
    }
    this.#text += `*3\r\n$3\r\nSET\r\n$16\r\n${keyOf(key)}${this.#setTail}`;
    if (this.#separateValue !== undefined) {
      this.#socket.cork();
      this.flush();
      this.#socket.write(this.#separateValue);
      this.#socket.uncork();
    }
  }

  flush(): void {
    if (this.#text === "") return;
    this.#socket.write(this.#text, "latin1");
    this.#text = "";
  }

  /** Without this a closed connection is a failure. */
  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  /** What is in READ_BUFFER. The parser keeps what it was given, so it is given a copy: a small one costs less than 64 KiB of its own would. */
  read(bytes: number): void {
    this.#parser.execute(Buffer.from(READ_BUFFER.subarray(0, bytes)));
    this.#listener.onBatch?.(this);
  }

  #remember(atUs: number, isWrite: boolean): void {
    if (this.#count === this.#kinds.length) this.#grow();
    const slot = (this.#first + this.#count++) & (this.#kinds.length - 1);
    this.#timesUs[slot] = atUs;
    this.#kinds[slot] = isWrite ? WRITE_BIT : 0;
  }

  #grow(): void {
    const size = this.#kinds.length;
    const timesUs = new Float64Array(2 * size);
    const kinds = new Uint8Array(2 * size);
    for (let i = 0; i < size; i++) {
      timesUs[i] = this.#timesUs[(this.#first + i) & (size - 1)]!;
      kinds[i] = this.#kinds[(this.#first + i) & (size - 1)]!;
    }
    this.#timesUs = timesUs;
    this.#kinds = kinds;
    this.#first = 0;
  }

  #replied(reply: unknown): void {
    if (this.#count === 0) throw new Error("a reply that nobody asked for");
    const atUs = this.#timesUs[this.#first]!;
    const isWrite = this.#kinds[this.#first] === WRITE_BIT;
    this.#first = (this.#first + 1) & (this.#kinds.length - 1);
    this.#count--;
    const wanted = isWrite ? "OK".length : this.#valueBytes;
    const isText = typeof reply === "string" || Buffer.isBuffer(reply);
    const isRight = isText && reply.length === wanted;
    this.#listener.onReply(atUs, isRight, isRight ? "" : `${isWrite ? "SET" : "GET"}: ${String(reply)}`);
  }
}
