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
  /** What came since, and how much of all of it is needed to get any further: a long reply is looked at when it is there. */
  #unread: string[] = [];
  #unreadLength = 0;
  #wanted = 0;
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
    this.#unread.push(text);
    this.#unreadLength += text.length;
    if (this.#received.length + this.#unreadLength < this.#wanted) return;
    this.#received += this.#unread.join("");
    this.#unread = [];
    this.#unreadLength = 0;
    for (;;) {
      const reply = takeReply(this.#received);
      if (reply === undefined) break;
      this.#received = this.#received.slice(reply.length);
      (this.#waiting.shift() ?? this.onStray)(reply.text);
    }
    const head = /^\$(\d+)\r\n/.exec(this.#received.slice(0, 20));
    this.#wanted = head === null ? 0 : head[0].length + Number(head[1]) + 2;
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
