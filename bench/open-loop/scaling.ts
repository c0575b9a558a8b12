// What more keys, connections and nodes do to the maximum rate, and to latencies at half of it, beside redis-server.

import type { Options } from "../options.ts";
import type { Axis, Plot } from "../plot.ts";
import { whole } from "../report.ts";
import type { Report } from "../results.ts";
import { type Server, startCluster, startOne, startRedis, withServers } from "../servers.ts";
import {
  CONNECTIONS,
  type Figure,
  fill,
  findMaxima,
  type Load,
  measureRates,
  NAP_US,
  type Say,
  SMALL_VALUE_BYTES,
  scaledTimes,
  WRITE_PART,
} from "./compare.ts";
import { pointOf, pointsTable } from "./tables.ts";

const KEYS = [10_000, 100_000, 1_000_000, 10_000_000] as const;
const CONNECTION_COUNTS = [1, 10, 100, 1000, 10_000] as const;
const NODES = [1, 3, 5] as const;
/** While something else grows. */
const KEYS_OTHERWISE = 100_000;
const RATE_PART = 0.5;
const TIMES = { warmUpMs: 1000, measureMs: 4000 };

interface Point {
  /** How much there is of what grows. */
  readonly amount: number;
  readonly maxima: readonly Figure[];
  readonly latencies: readonly Figure[];
}

async function measurePoint(
  amount: number,
  servers: readonly Server[],
  load: Load,
  { rounds, scale }: Options,
): Promise<Point> {
  const maxima = await findMaxima(servers, load, rounds);
  const perSecond = maxima.map((most) => Math.round(most.perSecond * RATE_PART));
  const times = scaledTimes(TIMES, scale);
  return { amount, maxima, latencies: await measureRates(servers, load, perSecond, rounds, times) };
}

const loadOf = (keys: number, connections: number): Load => ({
  mix: { keys, valueBytes: SMALL_VALUE_BYTES, writePart: WRITE_PART, seed: 1 },
  connections,
});

/** Fresh servers for each number of keys. */
export async function scaleKeys(
  startOurs: () => Promise<Server>,
  options: Options,
  say: Say,
): Promise<Report> {
  const points: Point[] = [];
  for (const keys of KEYS.map((each) => each * options.scale)) {
    say(`  keys: ${whole(keys)}`);
    const load = loadOf(keys, CONNECTIONS);
    await withServers([() => startRedis(), startOurs], async (...servers) => {
      for (const server of servers) await fill(server, load.mix);
      points.push(await measurePoint(keys, servers, load, options));
    });
  }
  return reportOf("keys", "More keys: one node", { label: "keys", scale: "log" }, points);
}

export async function scaleConnections(
  startOurs: () => Promise<Server>,
  options: Options,
  say: Say,
): Promise<Report> {
  const points: Point[] = [];
  const { mix } = loadOf(KEYS_OTHERWISE, 1);
  await withServers([() => startRedis(), startOurs], async (...servers) => {
    for (const server of servers) await fill(server, mix);
    for (const connections of CONNECTION_COUNTS.filter((count) => count <= 10_000 * options.scale)) {
      say(`  connections: ${whole(connections)}`);
      points.push(await measurePoint(connections, servers, { mix, connections }, options));
    }
  });
  const axis: Axis = { label: "connections", scale: "log" };
  return reportOf("connections", "More connections: one node", axis, points);
}

export async function scaleNodes(options: Options, say: Say): Promise<Report> {
  const points: Point[] = [];
  const load = { ...loadOf(KEYS_OTHERWISE, CONNECTIONS), napUs: NAP_US };
  for (const nodes of NODES) {
    say(`  nodes: ${nodes}`);
    const startOurs = (): Promise<Server> =>
      nodes === 1 ? startOne(options.nodeFlags) : startCluster(nodes, options.nodeFlags);
    await withServers([() => startRedis(), startOurs], async (...servers) => {
      for (const server of servers) await fill(server, load.mix);
      points.push(await measurePoint(nodes, servers, load, options));
    });
  }
  const axis: Axis = { label: "nodes, all on this machine, asked at the leader", scale: "linear" };
  return reportOf("nodes", "More nodes", axis, points);
}

function reportOf(name: string, title: string, axis: Axis, points: readonly Point[]): Report {
  return {
    title: `${title}: the maximum rate, and latencies at half of it`,
    text: pointsTable(
      axis.label,
      (rate) => `of these ${rate}`,
      points.map((point) => ({ ...point, name: whole(point.amount) })),
    ),
    plots: {
      [`${name}-rate`]: ratePlot(`${title}, maximum rate`, axis, points),
      [`${name}-latency`]: latencyPlot(`${title}, latency at half of the maximum rate`, axis, points),
    },
    data: points,
  };
}

/** Ours has other names as it grows: what is compared is the place in the list. */
const sideNames = ["redis-server", "Seshat"] as const;

function ratePlot(title: string, x: Axis, points: readonly Point[]): Plot {
  const series = sideNames.map((name, i) => ({
    name,
    points: points.map(({ amount, maxima }) => [amount, maxima[i]!.perSecond] as const),
  }));
  return { title, x, y: { label: "requests/s", scale: "linear" }, series };
}

function latencyPlot(title: string, x: Axis, points: readonly Point[]): Plot {
  const series = sideNames.flatMap((side, i) =>
    (["p50Us", "p99Us"] as const).map((name) => ({
      name: `${side}, ${name === "p50Us" ? "p50" : "p99"}`,
      points: points.flatMap(({ amount, latencies }) => pointOf(amount, latencies[i]!, name)),
    })),
  );
  return { title, x, y: { label: "latency, ms", scale: "log" }, series };
}
