// Values that travel in pieces: one writer at each member, each with a key of its own, and what is read of it at any member must
// be one of those values, whole: the last that was acknowledged, or a later one whose outcome nobody knows.

import { Connection } from "./connection.ts";
import type { Members } from "./members.ts";

const NOT_EXECUTED = /^-(TRYAGAIN|CLUSTERDOWN) /;
const UNIT = "0123456789abcdef";
const PATIENCE_MS_LEAST = 5000;
/** A value of 128 MiB has a minute. */
const PATIENCE_MS_PER_MIB = 500;
const RETRY_MS = 50;

/** The number of no value. */
const NONE = -1;
const DIGITS = 6;

let writers = 0;

/** Names itself from end to end. */
const valueNamed = (number: number, bytes: number): string => {
  const unit = `${String(number).padStart(DIGITS, "0")}:${UNIT}`;
  return unit.repeat(Math.ceil(bytes / unit.length));
};

export class BigValueWriter {
  readonly #members: Members;
  readonly #home: number;
  readonly #bytes: number;
  readonly #key = `chaos:big-value:${writers++}`;
  readonly #patienceMs: number;
  /**
   * The numbers of what a reader may see: the value acknowledged last, and all whose outcome nobody knows, which may still be
   * to come.
   */
  #acknowledged = NONE;
  #unknown: number[] = [];
  #isStopped = false;
  #problem: string | undefined;
  readonly #living: Promise<void>;

  constructor(members: Members, home: number, bytes: number) {
    this.#members = members;
    this.#home = home;
    this.#bytes = bytes;
    this.#patienceMs = PATIENCE_MS_LEAST + PATIENCE_MS_PER_MIB * (bytes >> 20);
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
      const reply = await this.#ask(this.#home, ["SET", this.#key, valueNamed(number, this.#bytes)]);
      if (reply === "+OK") this.#acknowledged = number;
      else if (!NOT_EXECUTED.test(String(reply))) this.#unknown.push(number);
      const ports = this.#members.ports.length;
      this.#judge(await this.#ask((this.#home + number) % ports, ["GET", this.#key]));
      if (reply !== "+OK") await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #judge(reply: string | undefined): void {
    const possible = [this.#acknowledged, ...this.#unknown];
    if (reply === undefined || reply.startsWith("-")) return;
    const number = reply === "$-1" ? NONE : Number(reply.slice(1, 1 + DIGITS));
    const isWhole = number === NONE || reply === `$${valueNamed(number, this.#bytes)}`;
    if (isWhole && possible.includes(number)) return;
    const seen = `${reply.slice(0, 40)}... of ${reply.length} characters`;
    this.#problem = `${this.#key}: ${seen}, expected number ${possible.join(" or ")}`;
  }

  /** Undefined: nobody knows. */
  async #ask(member: number, command: readonly string[]): Promise<string | undefined> {
    const connection = await Connection.open(this.#members.ports[member]!);
    if (connection === undefined) return undefined;
    const late = setTimeout(() => connection.close(), this.#patienceMs);
    const reply = await new Promise<string | undefined>((resolve) => connection.send([[command, resolve]]));
    clearTimeout(late);
    connection.close();
    return reply;
  }
}
