// Several clients at once, on redis-server over TCP and on a node of ours on simulated ports: what each of them has
// received after a command, everything of it and nothing more. A PING of our own behind the command is the fence.

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import type { Client, Host } from "../node/world.ts";
import type { RedisServer } from "./redis-server.ts";
import { replyEnd } from "./tcp-executor.ts";

export const FENCE = "fence";

/** One connection. */
export interface Side {
  send(bytes: Buffer): void;
  /** What has come before the answer to the fence; from a connection that was closed, all there was. */
  fenced(): Promise<Buffer>;
  readonly isClosed: boolean;
}

function untilFence(received: Buffer): number {
  for (let at = 0; at < received.length; ) {
    const end = replyEnd(received, at);
    if (end < 0) return -1;
    if (received.toString("latin1", at, end).endsWith(`$5\r\n${FENCE}\r\n`)) return at;
    at = end;
  }
  return -1;
}

export async function portOf(server: RedisServer): Promise<number> {
  const [info] = await server.executor.run([[Buffer.from("INFO"), Buffer.from("server")]]);
  return Number(/tcp_port:(\d+)/.exec(info!.toString())![1]);
}

export class Theirs implements Side {
  readonly socket: Socket;
  isClosed = false;
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(bytes: Buffer): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  async fenced(): Promise<Buffer> {
    this.send(encodeCommand(["PING", FENCE]));
    for (;;) {
      const at = this.isClosed ? this.#received.length : untilFence(this.#received);
      if (at >= 0) {
        const before = this.#received.subarray(0, at);
        this.#received = Buffer.alloc(0);
        return before;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export class Ours implements Side {
  readonly #client: Client;

  constructor(host: Host) {
    this.#client = host.connect();
  }

  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  send(bytes: Buffer): void {
    if (!this.isClosed) this.#client.sendRaw(bytes);
    this.#client.host.world.settle();
  }

  fenced(): Promise<Buffer> {
    this.send(encodeCommand(["PING", FENCE]));
    const received = Buffer.from(this.#client.take(), "latin1");
    const end = this.isClosed ? received.length : untilFence(received);
    assert.ok(end >= 0, `no answer to the fence: ${JSON.stringify(received.toString("latin1"))}`);
    return Promise.resolve(received.subarray(0, end));
  }
}

/** The single replies and messages. */
export function partsOf(received: Buffer): string[] {
  const parts: string[] = [];
  for (let at = 0; at < received.length; ) {
    const end = replyEnd(received, at);
    assert.ok(end > 0, `half a reply: ${JSON.stringify(received.toString("latin1", at))}`);
    parts.push(received.toString("latin1", at, end));
    at = end;
  }
  return parts;
}
