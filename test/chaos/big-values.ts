// Values that travel in pieces: one writer at each member, each with a key of its own, and what is read of it at any member must
// be one of those values, whole: the last that was acknowledged, or a later one whose outcome nobody knows.

import { Connection } from "./connection.ts";
import type { Members } from "./members.ts";

const NOT_EXECUTED = /^-(TRYAGAIN|CLUSTERDOWN) /;
const UNIT = "0123456789abcdef";
const PATIENCE_MS = 5000;
const RETRY_MS = 50;

let writers = 0;

/** Names itself from end to end. */
const valueNamed = (number: number, bytes: number): string => {
  const unit = `${String(number).padStart(6, "0")}:${UNIT}`;
  return unit.repeat(Math.ceil(bytes / unit.length));
};

export class BigValueWriter {
  readonly #members: Members;
  readonly #home: number;
  readonly #bytes: number;
  readonly #key = `chaos:big-value:${writers++}`;
  /** What a reader may see: what was acknowledged last, and all whose outcome nobody knows, which may still be to come. */
  #acknowledged = "$-1";
  #unknown: string[] = [];
  #isStopped = false;
  #problem: string | undefined;
  readonly #living: Promise<void>;

  constructor(members: Members, home: number, bytes: number) {
    this.#members = members;
    this.#home = home;
    this.#bytes = bytes;
    this.#living = this.#live();
  }

  /** Throws what was wrong. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#living;
    await this.#ask(this.#home, ["DEL", this.#key]);
    if (this.#problem !== undefined) throw new Error(this.#problem);
  }

  async #live(): Promise<void> {
    for (let number = 0; !this.#isStopped && this.#problem === undefined; number++) {
      const value = valueNamed(number, this.#bytes);
      const reply = await this.#ask(this.#home, ["SET", this.#key, value]);
      if (reply === "+OK") this.#acknowledged = `$${value}`;
      else if (!NOT_EXECUTED.test(String(reply))) this.#unknown.push(`$${value}`);
      const ports = this.#members.ports.length;
      this.#judge(await this.#ask((this.#home + number) % ports, ["GET", this.#key]));
      if (reply !== "+OK") await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #judge(reply: string | undefined): void {
    const possible = [this.#acknowledged, ...this.#unknown];
    if (reply === undefined || reply.startsWith("-") || possible.includes(reply)) return;
    const seen = `${reply.slice(0, 40)}... of ${reply.length} characters`;
    this.#problem = `${this.#key}: ${seen}, expected ${possible.map((it) => it.slice(0, 7)).join(" or ")}`;
  }

  /** Undefined: nobody knows. */
  async #ask(member: number, command: readonly string[]): Promise<string | undefined> {
    const connection = await Connection.open(this.#members.ports[member]!);
    if (connection === undefined) return undefined;
    const late = setTimeout(() => connection.close(), PATIENCE_MS);
    const reply = await new Promise<string | undefined>((resolve) => connection.send([[command, resolve]]));
    clearTimeout(late);
    connection.close();
    return reply;
  }
}
