// Requests per second of SET and GET at three depths of pipelining, redis-server and Seshat in turns, so that
// what the machine does meanwhile meets both. Gives medians; a figure never comes from one run.

import { type Measurement, measure } from "./redis-benchmark.ts";
import type { Server } from "./servers.ts";

const REQUESTS: Readonly<Record<number, number>> = { 1: 250_000, 16: 2_000_000, 64: 3_000_000 };
const PIPELINES = [1, 16, 64] as const;
const TESTS = "set,get";
const WARM_UP_PART = 0.2;

export interface Figure {
  readonly command: "SET" | "GET";
  readonly pipeline: number;
  readonly redisPerSecond: readonly number[];
  readonly seshatPerSecond: readonly number[];
  readonly seshatLatencyMsP50: number;
  readonly seshatLatencyMsP99: number;
  /** Median over median. */
  readonly ratio: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export async function compareThroughput(
  redis: Server,
  seshat: Server,
  rounds: number,
  scale: number,
  say: (line: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const pipeline of PIPELINES) {
    const requests = Math.round(REQUESTS[pipeline]! * scale);
    for (const server of [redis, seshat])
      await measure(server.port, pipeline, Math.round(requests * WARM_UP_PART), TESTS);
    const redisRuns: Measurement[] = [];
    const seshatRuns: Measurement[] = [];
    for (let round = 0; round < rounds; round++) {
      const run = async (server: Server, into: Measurement[]): Promise<void> => {
        into.push(...(await measure(server.port, pipeline, requests, TESTS)));
      };
      // The one that goes first changes with the round.
      if (round % 2 === 0) await run(redis, redisRuns);
      await run(seshat, seshatRuns);
      if (round % 2 === 1) await run(redis, redisRuns);
      say(`  P=${pipeline}: round ${round + 1} of ${rounds}`);
    }
    figures.push(
      figureOf("SET", pipeline, redisRuns, seshatRuns),
      figureOf("GET", pipeline, redisRuns, seshatRuns),
    );
  }
  return figures;
}

function figureOf(
  command: "SET" | "GET",
  pipeline: number,
  redisRuns: readonly Measurement[],
  seshatRuns: readonly Measurement[],
): Figure {
  const redis = redisRuns.filter((run) => run.command === command).map((run) => run.perSecond);
  const ours = seshatRuns.filter((run) => run.command === command);
  const seshat = ours.map((run) => run.perSecond);
  return {
    command,
    pipeline,
    redisPerSecond: redis,
    seshatPerSecond: seshat,
    seshatLatencyMsP50: median(ours.map((run) => run.latencyMsP50)),
    seshatLatencyMsP99: median(ours.map((run) => run.latencyMsP99)),
    ratio: median(seshat) / median(redis),
  };
}
