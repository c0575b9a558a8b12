// A client that waits for each reply before it sends the next command, a write and a read in turns: what a person would wait.

import { Client } from "./client.ts";
import { sleep } from "./processes.ts";

/** Until `isOver`. What it waited, in ms, in ascending order. */
export async function probe(port: number, name: string, isOver: () => boolean): Promise<number[]> {
  const client = await Client.open(port);
  const waits: number[] = [];
  for (let i = 0; !isOver(); i++) {
    const startMs = performance.now();
    if (i % 2 === 0) await client.send("SET", `probe:${name}`, String(i));
    else await client.send("GET", `probe:${name}`);
    waits.push(performance.now() - startMs);
    await sleep(1);
  }
  client.close();
  return waits.sort((a, b) => a - b);
}

/** @param waits in ascending order @param part 0 to 1 */
export const quantile = (waits: readonly number[], part: number): number =>
  waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? Number.NaN;
