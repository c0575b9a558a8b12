// Servers side by side under the same load: the most that each answers, then latencies at fixed rates. In turns, the first one changing
// with the round, so that whatever else the machine does meets all of them.

import type { Server } from "../servers.ts";
import { median } from "../throughput.ts";
import { LATE_PART_MAX, type LoadResult, runJob, type Target } from "./job.ts";
import type { Percentiles } from "./latencies.ts";
import type { Mix } from "./plan.ts";

export interface Load {
  readonly mix: Mix;
  readonly connections: number;
  /** Where processes share cores: the generator gives up its own between requests, for so long. */
  readonly napUs?: number;
}

export interface Run {
  readonly result: LoadResult;
  /** The generator kept its schedule: LATE_PART_MAX. */
  readonly isValid: boolean;
}

export interface Figure {
  readonly server: string;
  /** What was wanted; of a closed loop, what was reached. */
  readonly perSecond: number;
  readonly runs: readonly Run[];
}

/** What most sections use: issue and README say why. */
export const CONNECTIONS = 50;
export const WRITE_PART = 0.5;
export const SMALL_VALUE_BYTES = 32;

/** For clusters on one machine; adds as much to the latencies of all. */
export const NAP_US = 100;

/** So many times the rounds at most, until as many as wanted count. */
const EXTRA_ROUNDS = 2;

export type Say = (line: string) => void;

const FILL_CONNECTIONS = 4;
const MAXIMUM_WARM_UP_MS = 1000;
const MAXIMUM_MEASURE_MS = 2000;

export async function fill(server: Server, { keys, valueBytes }: Mix): Promise<void> {
  await runJob({ kind: "fill", ...targetOf(server), connections: FILL_CONNECTIONS, keys, valueBytes });
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
): Promise<Run[][]> {
  const runs: Run[][] = servers.map(() => []);
  const isEnough = (own: readonly Run[]): boolean => own.filter(({ isValid }) => isValid).length >= rounds;
  // Whether a run counts does not depend on what was measured, only on the generator: more of them choose nothing.
  for (let round = 0; round < rounds || (round < EXTRA_ROUNDS * rounds && !runs.every(isEnough)); round++) {
    const order = servers.map((_, i) => (i + round) % servers.length);
    for (const i of order) {
      const result = await work(servers[i]!, round, i);
      runs[i]!.push({ result, isValid: result.latePart <= LATE_PART_MAX });
    }
  }
  return runs;
}

/** Closed loop, one request under way on each connection: more than this a server does not answer to clients that wait. */
export async function findMaxima(
  servers: readonly Server[],
  { mix, connections }: Load,
  rounds: number,
): Promise<Figure[]> {
  const times = { warmUpMs: MAXIMUM_WARM_UP_MS, measureMs: MAXIMUM_MEASURE_MS };
  const runs = await inTurns(servers, rounds, (server) =>
    runJob({ kind: "closed", ...targetOf(server), connections, depth: 1, mix, ...times }),
  );
  return servers.map(({ name }, i) => ({
    server: name,
    perSecond: median(runs[i]!.map(({ result }) => result.perSecond)),
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
  { mix, connections, napUs = 0 }: Load,
  perSecond: readonly number[],
  rounds: number,
  times: Times,
): Promise<Figure[]> {
  const runs = await inTurns(servers, rounds, (server, round, i) =>
    runJob({
      ...{ kind: "open", ...targetOf(server), connections, arrivals: "poisson", napUs, ...times },
      perSecond: perSecond[i]!,
      mix: { ...mix, seed: mix.seed + round },
    }),
  );
  return servers.map(({ name }, i) => ({ server: name, perSecond: perSecond[i]!, runs: runs[i]! }));
}

/** The runs that count: those whose generator was in time, or all when none was. */
export function countingRuns({ runs }: Figure): readonly Run[] {
  const valid = runs.filter(({ isValid }) => isValid);
  return valid.length === 0 ? runs : valid;
}

export type PercentileName = Exclude<keyof Percentiles, "count">;

/** Whether there is one to go by. */
export const isJudged = ({ runs }: Figure): boolean => runs.some(({ isValid }) => isValid);

export const medianUs = (figure: Figure, name: PercentileName): number =>
  median(countingRuns(figure).map(({ result }) => result.latency[name]));
