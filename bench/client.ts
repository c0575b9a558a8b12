// A small client for what redis-benchmark cannot do: exact keys, checked replies, thousands of idle
// connections. Replies are decoded by redis-parser, so that our own RESP code is not its own judge.

import { connect, type Socket } from "node:net";
import RedisParser from "redis-parser";

export type Reply = unknown;

export function encode(parts: readonly string[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += `$${Buffer.byteLength(part)}\r\n${part}\r\n`;
  return text;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection; commands may be pipelined, replies come back in their order. */
export class Client {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #at = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const parser = new RedisParser({
      returnReply: (reply) => this.#next().resolve(reply),
      returnError: (error) => this.#next().reject(error),
      returnFatalError: (error) => socket.destroy(error),
    });
    socket.on("data", (chunk) => parser.execute(chunk));
    socket.on("error", (error) => this.#failAll(error));
    socket.on("close", () => this.#failAll(new Error("the connection was closed")));
  }

  static open(port: number, host = "127.0.0.1"): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Client(socket));
      });
    });
  }

  /** Resolves with the reply; rejects on an error reply or a lost connection. */
  send(...parts: readonly string[]): Promise<Reply> {
    return this.sendEncoded(encode(parts), 1)[0]!;
  }

  /** Sends `count` commands that are already encoded, in one write. */
  sendEncoded(text: string, count: number): Promise<Reply>[] {
    const replies: Promise<Reply>[] = [];
    for (let i = 0; i < count; i++) {
      replies.push(new Promise((resolve, reject) => this.#waiting.push({ resolve, reject })));
    }
    if (this.#socket.destroyed) this.#failAll(new Error("the connection was closed"));
    else this.#socket.write(text);
    return replies;
  }

  close(): void {
    this.#socket.destroy();
  }

  #next(): Waiting {
    const next = this.#waiting[this.#at];
    if (next === undefined) throw new Error("a reply that nobody asked for");
    // Shifting an array per reply would cost more than the server does.
    if (++this.#at === 4096) {
      this.#waiting.splice(0, this.#at);
      this.#at = 0;
    }
    return next;
  }

  #failAll(error: Error): void {
    const waiting = this.#waiting.splice(0).slice(this.#at);
    this.#at = 0;
    for (const { reject } of waiting) reject(error);
  }
}

/** One command on a connection of its own. */
export async function once(port: number, ...parts: readonly string[]): Promise<Reply> {
  const client = await Client.open(port);
  try {
    return await client.send(...parts);
  } finally {
    client.close();
  }
}
