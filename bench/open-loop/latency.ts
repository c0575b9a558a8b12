// Latencies of one node and of redis-server at parts of the most that each answers, for values of several sizes.

import type { Options } from "../options.ts";
import type { Plot } from "../plot.ts";
import { table } from "../report.ts";
import type { Report } from "../results.ts";
import { type Server, startRedis, withServers } from "../servers.ts";
import {
  CONNECTIONS,
  type Figure,
  fill,
  findMaxima,
  measureRates,
  type Say,
  SMALL_VALUE_BYTES,
  scaledTimes,
  WRITE_PART,
} from "./compare.ts";
import { figureHead, figureRow, maximaLine, pointOf, sizeOf } from "./tables.ts";

const KIB = 1024;
/** As many keys as need no more than some 600 MB. */
const SIZES = {
  latency: [
    { valueBytes: SMALL_VALUE_BYTES, keys: 1_000_000 },
    { valueBytes: KIB, keys: 100_000 },
  ],
  large: [
    { valueBytes: 64 * KIB, keys: 10_000 },
    { valueBytes: KIB * KIB, keys: 500 },
  ],
} as const;
const RATE_PARTS = [0.1, 0.5, 0.8] as const;
const TIMES = { warmUpMs: 1000, measureMs: 4000 };
const PLOTTED = [
  { name: "p50Us", text: "p50" },
  { name: "p99Us", text: "p99" },
  { name: "p999Us", text: "p99.9" },
] as const;

interface SizeFigure {
  readonly valueBytes: number;
  readonly maxima: readonly Figure[];
  /** At each of RATE_PARTS. */
  readonly latencies: readonly (readonly Figure[])[];
}

export async function measureLatency(
  section: keyof typeof SIZES,
  startOurs: () => Promise<Server>,
  { scale, rounds }: Options,
  say: Say,
): Promise<Report> {
  const figures: SizeFigure[] = [];
  const times = scaledTimes(TIMES, scale);
  for (const { valueBytes, keys } of SIZES[section]) {
    const mix = { keys: keys * scale, valueBytes, writePart: WRITE_PART, seed: 1 };
    const load = { mix, connections: CONNECTIONS };
    await withServers([() => startRedis(), startOurs], async (...servers) => {
      for (const server of servers) await fill(server, mix);
      const maxima = await findMaxima(servers, load, rounds);
      const latencies: Figure[][] = [];
      for (const part of RATE_PARTS) {
        say(`  ${section}: values of ${sizeOf(valueBytes)}, ${100 * part} % of the maximum rate`);
        const perSecond = maxima.map((most) => Math.max(1, Math.round(most.perSecond * part)));
        latencies.push(await measureRates(servers, load, perSecond, rounds, times));
      }
      figures.push({ valueBytes, maxima, latencies });
    });
  }
  const plots = figures.map((figure) => [`latency-${figure.valueBytes}`, plotOf(figure)] as const);
  return {
    title: `Latency at 10, 50 and 80 % of the maximum rate of each server, values of ${figures.map(({ valueBytes }) => sizeOf(valueBytes)).join(" and ")}, open loop`,
    text: textOf(figures),
    plots: Object.fromEntries(plots),
    data: figures,
  };
}

function plotOf({ valueBytes, latencies }: SizeFigure): Plot {
  const series = latencies[0]!.flatMap(({ server }, i) =>
    PLOTTED.map(({ name, text }) => ({
      name: `${server}, ${text}`,
      points: latencies.flatMap((figures, at) => pointOf(at, figures[i]!, name)),
    })),
  );
  return {
    title: `Latency, one node, values of ${sizeOf(valueBytes)}`,
    x: {
      label: "part of each server's maximum rate",
      scale: { names: RATE_PARTS.map((part) => `${100 * part} %`) },
    },
    y: { label: "latency, ms", scale: "log" },
    series,
  };
}

function textOf(figures: readonly SizeFigure[]): string {
  const rows = figures.flatMap(({ valueBytes, latencies }) =>
    latencies.flatMap((atRate, i) =>
      atRate.map((figure) => [sizeOf(valueBytes), `${100 * RATE_PARTS[i]!} %`, ...figureRow(figure)]),
    ),
  );
  const lines = figures.map(
    ({ valueBytes, maxima }) => `- Values of ${sizeOf(valueBytes)}, most: ${maximaLine(maxima)}.`,
  );
  return `${table(["values", "rate", ...figureHead], rows)}\n\n${lines.join("\n")}`;
}
