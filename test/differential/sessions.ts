// Several clients of one server, real or ours, as a comparison with several connections needs them: what each was answered,
// who is blocked, and when a step has had all its effects. Times are bounds, never what is waited for.

import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { replyEnd } from "../../src/resp/reply-end.ts";
import type { Command } from "./executor.ts";

const PATIENCE_MS = 120_000;
const POLL_MS = 1;

/** One connection. Replies gather until they are taken. */
export class SessionClient {
  readonly port: number;
  /** Commands sent and replies received. */
  sent = 0;
  received = 0;
  /** CLIENT ID. */
  id = 0;
  #replies: Buffer[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  #wake: () => void = () => {};

  private constructor(port: number, socket: Socket) {
    this.port = port;
    this.#socket = socket;
    socket.on("data", (chunk) => this.#hear(chunk));
    socket.on("error", () => {});
  }

  static connect(port: number): Promise<SessionClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        const client = new SessionClient(port, socket);
        client
          .call("CLIENT", "ID")
          .then((reply) => {
            client.id = Number(reply.slice(1));
            resolve(client);
          })
          .catch(reject);
      });
    });
  }

  get owed(): number {
    return this.sent - this.received;
  }

  send(commands: readonly Command[]): void {
    this.sent += commands.length;
    this.#socket.write(Buffer.concat(commands.map((command) => encodeCommand(command))));
  }

  /** One command and its reply, as text. Nothing else may be owed. */
  async call(...words: string[]): Promise<string> {
    this.send([words.map((word) => Buffer.from(word))]);
    await eventually(`a reply to ${words.join(" ")}`, () => this.owed === 0, this);
    return this.take().toString("latin1");
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#replies);
    this.#replies = [];
    return taken;
  }

  /** One by one. */
  takeAll(): Buffer[] {
    const taken = this.#replies;
    this.#replies = [];
    return taken;
  }

  /** Until something comes, or a moment has passed. */
  moment(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    let at = 0;
    for (;;) {
      const end = at < this.#bytes.length ? replyEnd(this.#bytes, at) : -1;
      if (end < 0) break;
      this.#replies.push(this.#bytes.subarray(at, end));
      this.received++;
      at = end;
    }
    this.#bytes = this.#bytes.subarray(at);
    this.#wake();
  }
}

export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  client: SessionClient,
): Promise<void> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpMs) throw new Error(`never happened: ${what}`);
    await client.moment();
  }
}

/** A server, or a cluster of nodes that are to behave as one. */
export class SessionSide {
  readonly name: string;
  readonly clients: SessionClient[] = [];
  readonly #ports: readonly number[];
  /** One for each port, that only looks on. */
  readonly #controllers: readonly SessionClient[];

  private constructor(name: string, ports: readonly number[], controllers: readonly SessionClient[]) {
    this.name = name;
    this.#ports = ports;
    this.#controllers = controllers;
  }

  static async connect(name: string, ports: readonly number[], clients: number): Promise<SessionSide> {
    const controllers = await Promise.all(ports.map((port) => SessionClient.connect(port)));
    const side = new SessionSide(name, ports, controllers);
    for (let i = 0; i < clients; i++) side.clients.push(await side.#open(i));
    return side;
  }

  /** Every second one speaks RESP3. */
  async #open(client: number): Promise<SessionClient> {
    const opened = await SessionClient.connect(this.#ports[client % this.#ports.length]!);
    if (client % 2 === 1) await opened.call("HELLO", "3");
    return opened;
  }

  controllerOf(client: number): SessionClient {
    return this.#controllers[client % this.#ports.length]!;
  }

  async isBlocked(client: number): Promise<boolean> {
    return / flags=[A-Za-z]*b/.test(await this.#lineOf(client));
  }

  /** Of CLIENT LIST. */
  #lineOf(client: number): Promise<string> {
    const { id } = this.clients[client]!;
    return this.controllerOf(client).call("CLIENT", "LIST", "ID", String(id));
  }

  /** Until everybody who is not blocked is answered. For a server that does everything at once. */
  async settle(): Promise<void> {
    for (const [i, client] of this.clients.entries()) {
      const isSettled = async (): Promise<boolean> => client.owed === 0 || (await this.isBlocked(i));
      await eventually(`client ${i} of ${this.name} is answered or blocked`, isSettled, client);
    }
  }

  /** The same, when this client at least is answered soon. */
  async settleAll(client: number): Promise<void> {
    const it = this.clients[client]!;
    await eventually(`client ${client} of ${this.name} is answered`, () => it.owed === 0, it);
    await this.settle();
  }

  /**
   * For one whose nodes do it one after the other: until it has come as far as `other`, and those who are blocked there wait
   * here in the same order as what follows.
   */
  async settleLike(other: SessionSide): Promise<void> {
    for (const [i, client] of this.clients.entries()) {
      const { received, owed } = other.clients[i]!;
      await eventually(
        `client ${i} of ${this.name} gets ${received} replies, it has ${client.received}`,
        () => client.received >= received,
        client,
      );
      if (owed === 0) continue;
      await eventually(`client ${i} of ${this.name} blocks`, () => this.isBlocked(i), client).catch(
        async (error) => {
          const answered = client.take().toString("latin1");
          throw new Error(`${error}: ${JSON.stringify(answered)}\n${await this.#lineOf(i)}`);
        },
      );
      await this.controllerOf(i).call("DEL", "no such key");
    }
  }

  /** The client goes, and another takes its place. */
  async replace(client: number): Promise<void> {
    const gone = this.clients[client]!;
    const controller = this.controllerOf(client);
    gone.close();
    const isGone = async (): Promise<boolean> =>
      !(await controller.call("CLIENT", "LIST", "ID", String(gone.id))).includes(`id=${gone.id} `);
    await eventually(`client ${client} of ${this.name} is gone`, isGone, controller);
    await controller.call("DEL", "no such key");
    this.clients[client] = await this.#open(client);
  }

  close(): void {
    for (const client of [...this.clients, ...this.#controllers]) client.close();
  }
}
