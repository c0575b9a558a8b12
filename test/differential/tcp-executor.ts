// Commands over one TCP connection, pipelined; replies come back raw, cut apart by their own framing.

import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import type { Command, Executor } from "./executor.ts";

/** What never answers is named before the test's own timeout ends it. */
const REPLY_TIMEOUT_MS = 120_000;

export class TcpExecutor implements Executor {
  readonly name: string;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #error: Error | undefined;
  #wake: () => void = () => {};

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error(`${name} closed the connection`)));
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  static connect(host: string, port: number): Promise<TcpExecutor> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new TcpExecutor(`${host}:${port}`, socket));
      });
    });
  }

  async run(commands: readonly Command[]): Promise<Buffer[]> {
    this.#socket.write(Buffer.concat(commands.map((command) => encodeCommand(command))));
    const replies: Buffer[] = [];
    while (replies.length < commands.length) {
      const end = replyEnd(this.#received, 0);
      if (end < 0) {
        await this.#moreData(commands[replies.length]!);
        continue;
      }
      replies.push(this.#received.subarray(0, end));
      this.#received = this.#received.subarray(end);
    }
    return replies;
  }

  #moreData(command: Command): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#wake = () => {};
        if (this.#error !== undefined) reject(this.#error);
        else resolve();
      };
      const timer = setTimeout(() => {
        this.#fail(new Error(`${this.name} did not answer ${Buffer.concat(command).toString("latin1")}`));
      }, REPLY_TIMEOUT_MS);
      this.#wake = settle;
      if (this.#error !== undefined) settle();
    });
  }

  close(): Promise<void> {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
    return Promise.resolve();
  }
}

/** One past the reply at `at`, or -1 while it is incomplete. RESP2 and RESP3. */
export function replyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return -1;
  const mark = String.fromCharCode(bytes[at]!);
  const next = lineEnd + 2;
  if ("+-:_#,(".includes(mark)) return next;
  const count = Number(bytes.toString("latin1", at + 1, lineEnd));
  if ("$=!".includes(mark)) {
    if (count < 0) return next;
    return next + count + 2 <= bytes.length ? next + count + 2 : -1;
  }
  let end = next;
  const items = mark === "%" ? 2 * count : count;
  for (let i = 0; i < items && end >= 0; i++) end = replyEnd(bytes, end);
  return end;
}
