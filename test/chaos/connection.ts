// A client's connection to a live node, as plain as can be: commands out, replies back in their order, written down as the
// simulator's clients do. Never connects again by itself and never sends anything again.

import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { takeReply } from "../sim/replies.ts";

/** undefined: there will be no reply. */
type Answered = (reply: string | undefined) => void;

const CONNECT_MS_MAX = 1000;

export class Connection {
  readonly #socket: Socket;
  readonly #waiting: Answered[] = [];
  /** Told of replies that nobody asked for. */
  onStray: (reply: string) => void = () => {};
  #received = "";
  #isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#read(bytes.toString("latin1")));
    socket.on("close", () => {
      this.#isOpen = false;
      for (const answered of this.#waiting.splice(0)) answered(undefined);
    });
  }

  /** undefined when nobody accepts it. */
  static open(port: number): Promise<Connection | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      const late = setTimeout(() => socket.destroy(), CONNECT_MS_MAX);
      socket.on("error", () => {});
      socket.once("close", () => resolve(undefined));
      socket.once("connect", () => {
        clearTimeout(late);
        resolve(new Connection(socket));
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(commands: readonly (readonly [command: readonly string[], answered: Answered])[]): void {
    if (!this.#isOpen) {
      for (const [, answered] of commands) answered(undefined);
      return;
    }
    for (const [, answered] of commands) this.#waiting.push(answered);
    this.#socket.write(Buffer.concat(commands.map(([command]) => encodeCommand([...command]))));
  }

  /** Half a command, or whatever else is no whole one. */
  sendRaw(text: string): void {
    if (this.#isOpen) this.#socket.write(text, "latin1");
  }

  /** Replies stay in the sockets. */
  stopReading(): void {
    this.#socket.pause();
  }

  goOnReading(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
    for (const answered of this.#waiting.splice(0)) answered(undefined);
  }

  #read(text: string): void {
    this.#received += text;
    for (;;) {
      const reply = takeReply(this.#received);
      if (reply === undefined) return;
      this.#received = this.#received.slice(reply.length);
      (this.#waiting.shift() ?? this.onStray)(reply.text);
    }
  }
}

/** One command on a connection of its own; undefined without an answer in time. */
export async function ask(
  port: number,
  command: readonly string[],
  msMax = 1000,
): Promise<string | undefined> {
  const connection = await Connection.open(port);
  if (connection === undefined) return undefined;
  const late = setTimeout(() => connection.close(), msMax);
  const reply = await new Promise<string | undefined>((resolve) => connection.send([[command, resolve]]));
  clearTimeout(late);
  connection.close();
  return reply;
}
