// Random steps of several clients around MULTI, EXEC, DISCARD and WATCH, with the commands of all families in them: for
// transactions.test.ts. A seed in, steps out.

import { Xoshiro } from "../../src/base/prng.ts";
import type { Command } from "./executor.ts";
import { Generator } from "./generate.ts";

export interface TransactionStep {
  readonly client: number;
  /** Pipelined. */
  readonly commands: readonly Command[];
}

/** They change the connection, or name the server in their reply. Inside a transaction only their place would differ. */
const NOT_QUEUED = /^(HELLO|DEBUG)$/i;
/** Since 7.2 they take one argument more. */
const LONGER_LATER = /^Z(REV)?RANK$/i;
/** OBJECT REFCOUNT: a queued SET still holds the value that it has stored. */
const COUNTS_THE_QUEUE = /^REFCOUNT$/i;
const COMMANDS_MAX = 16;

export class TransactionSteps {
  readonly #random: Xoshiro;
  readonly #generator: Generator;
  readonly #inTransaction: boolean[];
  readonly #planned: TransactionStep[] = [];

  constructor(seed: number, clients: number, nowMs: number) {
    this.#random = new Xoshiro(seed);
    this.#generator = new Generator({ seed, nowMs, focus: [] });
    this.#inTransaction = new Array<boolean>(clients).fill(false);
    // Whatever is drawn: one EXEC that runs and one that a watched key prevents.
    for (const touch of ["PING", "SET a 1"])
      this.#planned.push(
        { client: 0, commands: [words("WATCH a")] },
        { client: 1, commands: [words(touch)] },
        { client: 0, commands: [words("MULTI"), words("PING"), words("EXEC")] },
      );
  }

  next(): TransactionStep {
    const planned = this.#planned.shift();
    if (planned !== undefined) return planned;
    const free = this.#inTransaction.flatMap((isIn, i) => (isIn ? [] : [i]));
    if (free.length > 1 && this.#random.below(2) === 0) return this.#round(free);
    const client = this.#random.below(this.#inTransaction.length);
    const commands = this.#inTransaction[client] === true ? this.#inside(client) : this.#outside(client);
    return { client, commands };
  }

  /** One client watches what is among the arguments of a command, another runs it, and EXEC says whether it touched that. */
  #round(free: readonly number[]): TransactionStep {
    const watcher = this.#one(free);
    const other = this.#one(free.filter((client) => client !== watcher));
    const commands = this.#generator.next();
    const last = commands.at(-1)!;
    const keys = last.slice(1, 4).filter((word) => word.length < 64);
    const watched = keys.length === 0 ? [Buffer.from("a")] : keys;
    this.#planned.push(
      { client: other, commands },
      { client: watcher, commands: [words("MULTI"), words("PING"), words("EXEC")] },
    );
    return { client: watcher, commands: [words("UNWATCH"), [Buffer.from("WATCH"), ...watched]] };
  }

  #outside(client: number): Command[] {
    switch (this.#random.below(8)) {
      case 0:
      case 1:
      case 2:
        return this.#data();
      case 3:
        return [words("UNWATCH"), ...this.#data()];
      case 4:
        return [words(this.#one(["EXEC", "DISCARD", "MULTI x", "EXEC x", "WATCH", "UNWATCH x"]))];
      default: {
        const watches = this.#random.below(4) === 0 ? [] : this.#watches();
        this.#inTransaction[client] = this.#random.below(3) > 0;
        return this.#inTransaction[client]
          ? [...watches, words("MULTI"), ...this.#queued(), ...this.#maybeEnd(client)]
          : [...watches, ...this.#data()];
      }
    }
  }

  #inside(client: number): Command[] {
    const stray =
      this.#random.below(12) === 0
        ? [words(this.#one(["MULTI", "WATCH a", "UNWATCH", "EXEC x", "PING"]))]
        : [];
    if (stray[0]?.[0]?.toString() === "EXEC") this.#inTransaction[client] = false;
    return [...this.#queued(), ...stray, ...(stray.length > 0 ? [] : this.#maybeEnd(client))];
  }

  #maybeEnd(client: number): Command[] {
    const draw = this.#random.below(10);
    if (draw < 3) return [];
    this.#inTransaction[client] = false;
    return [words(draw === 3 ? "DISCARD" : "EXEC")];
  }

  /** Mostly keys that other commands use. */
  #watches(): Command[] {
    return Array.from({ length: 1 + this.#random.below(2) }, () => {
      const keys = Array.from({ length: 1 + this.#random.below(3) }, () => this.#generator.key());
      return [Buffer.from("WATCH"), ...keys.map((key) => Buffer.from(key, "latin1"))];
    });
  }

  #data(): Command[] {
    const commands: Command[] = [];
    for (let left = 1 + this.#random.below(COMMANDS_MAX); left > 0; left--)
      commands.push(...this.#generator.next());
    return commands;
  }

  #queued(): Command[] {
    return this.#data().filter(
      ([name, word, , ...more]) =>
        !NOT_QUEUED.test(name?.toString("latin1") ?? "") &&
        !COUNTS_THE_QUEUE.test(word?.toString("latin1") ?? "") &&
        !(more.length > 0 && LONGER_LATER.test(name?.toString("latin1") ?? "")),
    );
  }

  #one<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }
}

const words = (text: string): Command => text.split(" ").map((word) => Buffer.from(word));
