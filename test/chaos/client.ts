// A client of live nodes: draws commands, sends them to some node, writes down what it was told. It loses patience, connects
// again (to another node, perhaps) after losses, and never sends a command twice.

import type { Draft, Draw } from "../sim/mix.ts";
import type { Operation } from "../sim/model.ts";
import type { Random } from "../sim/random.ts";
import { meaningOf } from "../sim/replies.ts";
import { Connection } from "./connection.ts";

export interface ClientWorld {
  /** Where clients may connect. */
  readonly ports: readonly number[];
  draw(draw: Draw): readonly Draft[];
  began(operation: Operation): void;
  /** It was refused: nothing happened. */
  refused(operation: Operation): void;
  /** Some command was carried out. */
  succeeded(): void;
  wrongReply(client: string, command: readonly string[], reply: string): void;
}

const REFUSED = /^-(TRYAGAIN|CLUSTERDOWN|UNCERTAIN) /;
const DRAWS_MAX = 3;
const VALUE_DIGITS = 5;
const RETRY_MS = 25;

let connections = 0;

export class ChaosClient {
  readonly name: string;
  readonly #world: ClientWorld;
  readonly #draw: Draw;
  readonly #thinkMs: number;
  readonly #patienceMs: number;
  #connection: Connection | undefined;
  #connectionId = 0;
  #order = 0;
  #tokens = 0;
  #isStopped = false;

  /** Names are letters, and no two clients of a cluster have the same. */
  constructor(name: string, world: ClientWorld, random: Random, thinkMs: number) {
    this.name = name;
    this.#world = world;
    this.#thinkMs = random.between(0, 2 * thinkMs);
    this.#patienceMs = random.magnitude(700, 5000);
    const token = (): string => `${name}.${String(this.#tokens++).padStart(VALUE_DIGITS, "0")};`;
    this.#draw = { random, token, isWatching: false };
  }

  /** Until it is stopped. */
  async live(): Promise<void> {
    const { random } = this.#draw;
    while (!this.#isStopped) {
      const connection = this.#connection?.isOpen === true ? this.#connection : await this.#connect();
      if (connection === undefined) {
        await pause(RETRY_MS);
        continue;
      }
      const count = random.chance(0.6) ? 1 : 1 + random.below(DRAWS_MAX);
      const drafts = Array.from({ length: count }, () => this.#world.draw(this.#draw)).flat();
      const isRefused = await this.#carryOut(connection, drafts);
      await pause(isRefused ? RETRY_MS : random.unit() * this.#thinkMs);
      // Some are faithful to a node, none for ever.
      if (random.chance(0.005)) connection.close();
    }
    this.#connection?.close();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #connect(): Promise<Connection | undefined> {
    const { random } = this.#draw;
    this.#connection = await Connection.open(random.pick(this.#world.ports));
    this.#connectionId = ++connections;
    this.#order = 0;
    this.#draw.isWatching = false;
    if (this.#connection !== undefined)
      this.#connection.onStray = (reply) => this.#world.wrongReply(this.name, ["(nothing)"], reply);
    return this.#connection;
  }

  /** Resolves when each has its reply, or will have none. True: something was refused. */
  #carryOut(connection: Connection, drafts: readonly Draft[]): Promise<boolean> {
    return new Promise((resolve) => {
      let waiting = 0;
      let isRefused = false;
      const late = setTimeout(() => connection.close(), this.#patienceMs);
      const send = (some: readonly Draft[]): void => {
        waiting += some.length;
        connection.send(
          some.map((draft) => {
            const operation = this.#operationOf(draft);
            return [draft.command, (reply) => answered(draft, operation, reply)];
          }),
        );
      };
      const answered = (draft: Draft, operation: Operation | undefined, reply: string | undefined): void => {
        if (reply !== undefined) {
          isRefused ||= REFUSED.test(reply);
          this.#hear(draft, operation, reply);
        }
        draft.answered?.(reply);
        const next = reply === undefined ? [] : (draft.next?.(reply) ?? []);
        if (next.length > 0) send(next);
        if (--waiting > 0) return;
        clearTimeout(late);
        resolve(isRefused);
      };
      send(drafts);
    });
  }

  #hear({ command, expected = "", refusals }: Draft, operation: Operation | undefined, reply: string): void {
    if (operation === undefined) {
      const isRight = typeof expected === "string" ? reply === expected : expected.test(reply);
      if (!isRight) this.#world.wrongReply(this.name, command, reply);
      return;
    }
    const meaning = meaningOf(reply, refusals);
    if (meaning === "refused") this.#world.refused(operation);
    if (meaning === "wrong") this.#world.wrongReply(this.name, command, reply);
    if (meaning === "answered") {
      operation.reply = reply;
      operation.returnMs = performance.now();
      this.#world.succeeded();
    }
  }

  #operationOf({ group, command, means }: Draft): Operation | undefined {
    if (group === undefined) return undefined;
    const operation: Operation = {
      client: this.name,
      connection: this.#connectionId,
      order: this.#order++,
      group,
      command: means ?? command,
      callMs: performance.now(),
      returnMs: Number.POSITIVE_INFINITY,
      reply: undefined,
    };
    this.#world.began(operation);
    return operation;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
