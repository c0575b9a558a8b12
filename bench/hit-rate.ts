// How well the keys that are evicted are chosen: a cache-aside load (GET, and SET what was not there) over keys of which some
// are asked for much more often than others, the same to both servers, batch by batch at the same time. Both have
// room for the same number of keys. Hit rates out.

import { Client, encode } from "./client.ts";
import { Random, Zipf } from "./random.ts";
import type { Server } from "./servers.ts";

export const ROOM_KEYS = 50_000;
export const KEYS = 10 * ROOM_KEYS;
export const ZIPF_EXPONENT = 1;
/** Requests before the first that counts: by then the caches are full of what the policy keeps. */
const WARM_UP_REQUESTS = 400_000;
const REQUESTS = 600_000;
const BATCH = 100;
const SEED = 7;
const VALUE = "x".repeat(100);

export interface HitFigure {
  /** Of redis-server and of Seshat: hits over requests, and how many keys were there in the end. */
  readonly hitRates: readonly [number, number];
  readonly keptKeys: readonly [number, number];
}

const keyOf = (i: number): string => `key:${String(i).padStart(8, "0")}`;

class Side {
  readonly #client: Client;
  readonly #expires: boolean;
  hits = 0;

  constructor(client: Client, expires: boolean) {
    this.#client = client;
    this.#expires = expires;
  }

  static async open({ port }: Server, policy: string): Promise<Side> {
    const client = await Client.open(port);
    const side = new Side(client, policy.startsWith("volatile"));
    await client.send("FLUSHALL");
    await client.send("CONFIG", "SET", "maxmemory", "0");
    await client.send("CONFIG", "SET", "maxmemory-policy", policy);
    // What so many keys need is the limit, whatever a server counts as used.
    for (let at = 0; at < ROOM_KEYS; at += BATCH)
      await side.#store(Array.from({ length: BATCH }, (_, i) => keyOf(KEYS + at + i)));
    const used = /used_memory:(\d+)/.exec(String(await client.send("INFO", "memory")))![1]!;
    await client.send("CONFIG", "SET", "maxmemory", used);
    return side;
  }

  async ask(keys: readonly string[]): Promise<void> {
    const text = keys.map((key) => encode(["GET", key])).join("");
    const values = await Promise.all(this.#client.sendEncoded(text, keys.length));
    const missing = keys.filter((_, i) => values[i] === null);
    this.hits += keys.length - missing.length;
    await this.#store(missing);
  }

  async #store(keys: readonly string[]): Promise<void> {
    const more = this.#expires ? ["EX", "100000"] : [];
    const text = keys.map((key) => encode(["SET", key, VALUE, ...more])).join("");
    await Promise.all(this.#client.sendEncoded(text, keys.length));
  }

  async close(): Promise<number> {
    const kept = Number(await this.#client.send("DBSIZE"));
    await this.#client.send("FLUSHALL");
    await this.#client.send("CONFIG", "SET", "maxmemory", "0");
    this.#client.close();
    return kept;
  }
}

export async function compareHits(
  redis: Server,
  seshat: Server,
  policy: string,
  scale: number,
): Promise<HitFigure> {
  const sides = [await Side.open(redis, policy), await Side.open(seshat, policy)] as const;
  const random = new Random(SEED);
  const zipf = new Zipf(KEYS, ZIPF_EXPONENT, random);
  // Which keys are the popular ones has nothing to do with their names.
  const names = Array.from({ length: KEYS }, (_, i) => i);
  for (let i = KEYS - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
  const requests = REQUESTS * scale;
  const play = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += BATCH) {
      const keys = Array.from({ length: BATCH }, () => keyOf(names[zipf.next()]!));
      await Promise.all(sides.map((side) => side.ask(keys)));
    }
  };
  await play(WARM_UP_REQUESTS * scale);
  for (const side of sides) side.hits = 0;
  await play(requests);
  const hitRates = [sides[0].hits / requests, sides[1].hits / requests] as const;
  return { hitRates, keptKeys: [await sides[0].close(), await sides[1].close()] };
}
