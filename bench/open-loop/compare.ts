// Servers side by side under the same load: the most that each answers, then latencies at fixed rates. In turns, the first one changing
// with the round, so that whatever else the machine does meets all of them.

import type { Server } from "../servers.ts";
import { median } from "../throughput.ts";
import { keepOffFirstCore, onCore } from "./cores.ts";
import { type LoadResult, runJob, type Target } from "./job.ts";
import type { Percentiles } from "./latencies.ts";
import type { Mix } from "./plan.ts";

export interface Load {
  readonly mix: Mix;
  readonly connections: number;
  /** Where processes share cores: the generator gives up its own between requests, for so long. */
  readonly napUs?: number;
}

export type PercentileName = Exclude<keyof Percentiles, "count">;

/**
 * A percentile of a run counts when fewer requests than lie above it were sent late: otherwise it could be the generator's own.
 * The longest is no better than p99.9.
 */
const LATE_PART_MAX: Readonly<Record<PercentileName, number>> = {
  p50Us: 0.5,
  p99Us: 0.01,
  p999Us: 0.001,
  maxUs: 0.001,
};

export const counts = ({ latePart }: LoadResult, name: PercentileName): boolean =>
  latePart <= LATE_PART_MAX[name];

export interface Figure {
  readonly server: string;
  /** What was wanted; of a closed loop, what was reached. */
  readonly perSecond: number;
  readonly runs: readonly LoadResult[];
}

/** What most sections use: issue and README say why. */
export const CONNECTIONS = 50;
export const WRITE_PART = 0.5;
export const SMALL_VALUE_BYTES = 32;

/** For clusters on one machine; adds as much to the latencies of all. */
export const NAP_US = 100;

/** So many times the rounds at most, until p99 counts in as many as wanted. */
const EXTRA_ROUNDS = 2;

export type Say = (line: string) => void;

const FILL_CONNECTIONS = 4;
const MAXIMUM_WARM_UP_MS = 1000;
const MAXIMUM_MEASURE_MS = 2000;

export async function fill(server: Server, { keys, valueBytes }: Mix): Promise<void> {
  await runJob({ kind: "fill", ...targetOf(server), connections: FILL_CONNECTIONS, keys, valueBytes });
}

/** One that sleeps shares the cores with all; the others get one for themselves. */
function prefixFor(servers: readonly Server[], { napUs = 0 }: Load): readonly string[] {
  if (napUs > 0) return [];
  for (const server of servers) keepOffFirstCore(targetOf(server).pids);
  return onCore(0);
}

/** Where a generator connects, and what it watches. */
const targetOf = ({ port, children, protocol }: Server): Omit<Target, "connections"> => ({
  protocol: protocol ?? "redis",
  port,
  pids: children.map((child) => child.process.pid ?? 0),
});

async function inTurns(
  servers: readonly Server[],
  rounds: number,
  work: (server: Server, round: number, index: number) => Promise<LoadResult>,
): Promise<LoadResult[][]> {
  const runs: LoadResult[][] = servers.map(() => []);
  const isEnough = (own: readonly LoadResult[]): boolean =>
    own.filter((run) => counts(run, "p99Us")).length >= rounds;
  // Whether a run counts does not depend on what was measured, only on the generator: more of them choose nothing.
  for (let round = 0; round < rounds || (round < EXTRA_ROUNDS * rounds && !runs.every(isEnough)); round++) {
    const order = servers.map((_, i) => (i + round) % servers.length);
    for (const i of order) {
      runs[i]!.push(await work(servers[i]!, round, i));
    }
  }
  return runs;
}

/** Closed loop, one request under way on each connection: more than this a server does not answer to clients that wait. */
export async function findMaxima(servers: readonly Server[], load: Load, rounds: number): Promise<Figure[]> {
  const { mix, connections } = load;
  const prefix = prefixFor(servers, load);
  const times = { warmUpMs: MAXIMUM_WARM_UP_MS, measureMs: MAXIMUM_MEASURE_MS };
  const runs = await inTurns(servers, rounds, (server) =>
    runJob({ kind: "closed", ...targetOf(server), connections, depth: 1, mix, ...times }, prefix),
  );
  return servers.map(({ name }, i) => ({
    server: name,
    perSecond: median(runs[i]!.map(({ perSecond }) => perSecond)),
    runs: runs[i]!,
  }));
}

export interface Times {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** For a part of the work, but never less than `leastMs`. */
export const scaledTimes = ({ warmUpMs, measureMs }: Times, scale: number, leastMs = 1000): Times => ({
  warmUpMs,
  measureMs: Math.max(leastMs, measureMs * scale),
});

/** Open loop, Poisson arrivals; `perSecond`: of each server. The same requests at the same times for all that have the same rate. */
export async function measureRates(
  servers: readonly Server[],
  load: Load,
  perSecond: readonly number[],
  rounds: number,
  times: Times,
): Promise<Figure[]> {
  const { mix, connections, napUs = 0 } = load;
  const prefix = prefixFor(servers, load);
  const runs = await inTurns(servers, rounds, (server, round, i) =>
    runJob(
      {
        ...{ kind: "open", ...targetOf(server), connections, arrivals: "poisson", napUs, ...times },
        perSecond: perSecond[i]!,
        mix: { ...mix, seed: mix.seed + round },
      },
      prefix,
    ),
  );
  return servers.map(({ name }, i) => ({ server: name, perSecond: perSecond[i]!, runs: runs[i]! }));
}

/** The runs in which the percentile counts, or all when it does in none. */
export function countingRuns({ runs }: Figure, name: PercentileName): readonly LoadResult[] {
  const counting = runs.filter((run) => counts(run, name));
  return counting.length === 0 ? runs : counting;
}

/** Whether the percentile counts in any run. */
export const isJudged = ({ runs }: Figure, name: PercentileName): boolean =>
  runs.some((run) => counts(run, name));

export const medianUs = (figure: Figure, name: PercentileName): number =>
  median(countingRuns(figure, name).map(({ latency }) => latency[name]));
