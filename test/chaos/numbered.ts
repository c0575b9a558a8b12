// A client that writes keys with numbers, each once, one after the other, and remembers what it was told of each. In the end
// every acknowledged one must be there, and none that was refused.

import assert from "node:assert/strict";
import { meaningOf } from "../sim/replies.ts";
import { Connection } from "./connection.ts";
import { eventually, pause } from "./members.ts";

const PATIENCE_MS = 5000;
const BATCH = 500;

export class NumberedWriter {
  readonly acknowledged: string[] = [];
  readonly refused: string[] = [];
  /** Nobody knows. */
  readonly open: string[] = [];
  /** Longest time between two acknowledgements. */
  gapMsMax = 0;
  readonly #prefix: string;
  readonly #port: number;
  #next = 0;
  #acknowledgedMs = performance.now();
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(port: number, prefix: string) {
    this.#port = port;
    this.#prefix = prefix;
    this.#done = this.#live();
  }

  /** Until so many more were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await eventually(`${count} more writes of ${this.#prefix}`, async () =>
      this.acknowledged.length >= wanted ? true : undefined,
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  /** By a member that answers. */
  async verify(port: number): Promise<void> {
    assert.deepEqual(await valuesOf(port, this.acknowledged), this.acknowledged);
    const none = this.refused.map(() => undefined);
    assert.deepEqual(await valuesOf(port, this.refused), none, "a write that was refused is there");
  }

  async #live(): Promise<void> {
    let connection: Connection | undefined;
    while (!this.#isStopped) {
      if (connection?.isOpen !== true) connection = await Connection.open(this.#port);
      if (connection === undefined) {
        await pause(10);
        continue;
      }
      const key = `${this.#prefix}:${this.#next++}`;
      const reply = await askOn(connection, ["SET", key, key]);
      const meaning = reply === undefined ? "unknown" : meaningOf(reply);
      assert.notEqual(meaning, "wrong", `${key}: ${reply}`);
      if (meaning === "answered") this.#acknowledge(key);
      else {
        (meaning === "refused" ? this.refused : this.open).push(key);
        await pause(2);
      }
    }
    connection?.close();
  }

  #acknowledge(key: string): void {
    this.acknowledged.push(key);
    const nowMs = performance.now();
    this.gapMsMax = Math.max(this.gapMsMax, nowMs - this.#acknowledgedMs);
    this.#acknowledgedMs = nowMs;
  }
}

/** The connection is closed when there is no answer for seconds. */
export function askOn(connection: Connection, command: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => connection.close(), PATIENCE_MS);
    const answered = (reply: string | undefined): void => {
      clearTimeout(late);
      resolve(reply);
    };
    connection.send([[command, answered]]);
  });
}

async function valuesOf(port: number, keys: readonly string[]): Promise<(string | undefined)[]> {
  const values: (string | undefined)[] = [];
  for (let i = 0; i < keys.length; i += BATCH) {
    const some = keys.slice(i, i + BATCH);
    const reply = await eventually(`${some[0]} and others are read`, async () => {
      const connection = await Connection.open(port);
      const answer = connection === undefined ? undefined : await askOn(connection, ["MGET", ...some]);
      connection?.close();
      return answer?.startsWith("*") === true ? answer : undefined;
    });
    values.push(
      ...reply
        .slice(1)
        .split(",")
        .map((it) => (it === "$-1" ? undefined : it.slice(1))),
    );
  }
  return values;
}
