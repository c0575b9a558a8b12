// A client that writes values of 10 KiB as fast as it goes, over a range of keys again and again, until it is stopped. Nothing is
// remembered of what was acknowledged but how much it was: the load is what counts. It connects again when it has to.

import { Connection } from "./connection.ts";
import { pause } from "./members.ts";

const VALUE = "v".repeat(10 * 1024);
const IN_FLIGHT = 32;
const RETRY_MS = 50;

export class LoadWriter {
  acknowledged = 0;
  readonly #port: number;
  readonly #keys: number;
  #next: number;
  #isStopped = false;
  readonly #living: Promise<void>;

  /** @param number of the writer: no two write the same keys at the same time */
  constructor(port: number, keys: number, number: number) {
    this.#port = port;
    this.#keys = keys;
    this.#next = Math.floor((number * keys) / 2);
    this.#living = this.#live();
  }

  static keys(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `chaos:load:${i}`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#living;
  }

  async #live(): Promise<void> {
    while (!this.#isStopped) {
      const connection = await Connection.open(this.#port);
      if (connection !== undefined) {
        await Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#write(connection)));
        connection.close();
      }
      if (!this.#isStopped) await pause(RETRY_MS);
    }
  }

  /** One after the other, until there is no answer or a refusal. */
  async #write(connection: Connection): Promise<void> {
    while (!this.#isStopped) {
      const key = `chaos:load:${this.#next++ % this.#keys}`;
      const reply = await new Promise<string | undefined>((resolve) =>
        connection.send([[["SET", key, VALUE], resolve]]),
      );
      if (reply !== "+OK") return;
      this.acknowledged++;
    }
  }
}
