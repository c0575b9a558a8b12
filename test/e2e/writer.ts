// A client that writes numbered keys one after the other and remembers which were acknowledged.

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { connect, pause } from "./processes.ts";

/** Goes on until told to stop; what fails is not written again. */
export class Writer {
  readonly acknowledged: number[] = [];
  next = 0;
  /** Longest time between two acknowledgements. */
  gapMsMax = 0;
  #acknowledgedMs = performance.now();
  #stopped = false;
  readonly #done: Promise<void>;
  readonly #client: Redis;

  readonly prefix: string;

  constructor(port: number, prefix = "written:") {
    this.prefix = prefix;
    this.#client = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    this.#client.on("error", () => {});
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    this.#client.disconnect();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const n = this.next++;
      try {
        await this.#client.set(`${this.prefix}${n}`, String(n));
        this.acknowledged.push(n);
        const nowMs = performance.now();
        this.gapMsMax = Math.max(this.gapMsMax, nowMs - this.#acknowledgedMs);
        this.#acknowledgedMs = nowMs;
      } catch {
        await pause(1);
      }
    }
  }
}

/** Every write that was acknowledged can be read on this port. */
export async function verifyAcknowledged(port: number, writer: Writer): Promise<void> {
  const client = connect(port);
  for (let i = 0; i < writer.acknowledged.length; i += 1000) {
    const wanted = writer.acknowledged.slice(i, i + 1000).map(String);
    assert.deepEqual(await client.mget(wanted.map((n) => `${writer.prefix}${n}`)), wanted);
  }
  client.disconnect();
}
