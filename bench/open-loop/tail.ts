// The tail of the latencies of one node beside redis-server's: both at half of the node's maximum rate, with a million keys and with ten.

import type { Options } from "../options.ts";
import { type Plot, shortNumber } from "../plot.ts";
import { table, verdict } from "../report.ts";
import type { Report } from "../results.ts";
import { type Server, startRedis, withServers } from "../servers.ts";
import {
  CONNECTIONS,
  type Figure,
  fill,
  findMaxima,
  isJudged,
  type Load,
  measureRates,
  medianUs,
  type PercentileName,
  type Say,
  SMALL_VALUE_BYTES,
  scaledTimes,
  WRITE_PART,
} from "./compare.ts";
import { figureHead, figureRow, maximaLine, pointOf } from "./tables.ts";

const KEYS = [1_000_000, 10_000_000] as const;
const RATE_PART = 0.5;
const TIMES = { warmUpMs: 2000, measureMs: 10_000 };
/** Wanted: Seshat's latency over redis-server's, and with the most keys over with the least. */
const PERCENTILES = [
  { name: "p99Us", text: "p99", overRedisMax: 1 },
  { name: "p999Us", text: "p99.9", overRedisMax: 2 },
] as const;
const MORE_KEYS_RATIO_MAX = 1.5;
const PLOTTED = [{ name: "p50Us", text: "p50" }, ...PERCENTILES, { name: "maxUs", text: "longest" }] as const;

interface TailFigure {
  readonly keys: number;
  readonly maxima: readonly Figure[];
  readonly latencies: readonly Figure[];
}

export async function measureTail(
  startOurs: () => Promise<Server>,
  { scale, rounds, keys }: Options,
  say: Say,
): Promise<Report> {
  const figures: TailFigure[] = [];
  for (const count of keys === undefined ? KEYS.map((each) => each * scale) : [keys]) {
    const mix = { keys: count, valueBytes: SMALL_VALUE_BYTES, writePart: WRITE_PART, seed: 1 };
    const load: Load = { mix, connections: CONNECTIONS };
    const times = scaledTimes(TIMES, scale, 3000);
    await withServers([() => startRedis(), startOurs], async (...servers) => {
      say(`  tail: storing ${count.toLocaleString("en-US")} keys in each`);
      for (const server of servers) await fill(server, mix);
      const maxima = await findMaxima(servers, load, rounds);
      const perSecond = Math.round(maxima[1]!.perSecond * RATE_PART);
      say(`  tail: ${rounds} rounds at ${perSecond.toLocaleString("en-US")} requests/s`);
      const latencies = await measureRates(
        servers,
        load,
        servers.map(() => perSecond),
        rounds,
        times,
      );
      figures.push({ keys: count, maxima, latencies });
    });
  }
  return {
    title: "Tail latency: one node, half of its maximum rate, open loop",
    text: tailText(figures),
    plots: { tail: tailPlot(figures) },
    data: figures,
  };
}

function tailPlot(figures: readonly TailFigure[]): Plot {
  return {
    title: "Latency at half of one node's maximum rate",
    x: { label: "part of the requests", scale: { names: PLOTTED.map(({ text }) => text) } },
    y: { label: "latency, ms", scale: "log" },
    series: figures.flatMap(({ keys, latencies }) =>
      latencies.map((figure) => ({
        name: `${figure.server}, ${shortNumber(keys)} keys`,
        points: PLOTTED.flatMap(({ name }, i) => pointOf(i, figure, name)),
      })),
    ),
  };
}

function tailText(figures: readonly TailFigure[]): string {
  const rows = figures.flatMap(({ keys, latencies }) =>
    latencies.map((figure) => [keys.toLocaleString("en-US"), ...figureRow(figure)]),
  );
  const lines = figures.map(
    ({ keys, maxima }) => `${keys.toLocaleString("en-US")} keys, most: ${maximaLine(maxima)}.`,
  );
  return `${table(["keys", ...figureHead], rows)}\n\n${lines.join("\n")}\n\n${verdicts(figures).join("\n")}`;
}

function verdicts(figures: readonly TailFigure[]): string[] {
  const lines = figures.flatMap(({ keys, latencies }) => {
    const [redis, seshat] = latencies as readonly [Figure, Figure];
    return PERCENTILES.map(({ name, text, overRedisMax }) =>
      judge(
        `${keys.toLocaleString("en-US")} keys, ${text} over redis-server's`,
        seshat,
        redis,
        name,
        overRedisMax,
      ),
    );
  });
  if (figures.length < 2) return lines;
  const [least, most] = [figures[0]!.latencies[1]!, figures.at(-1)!.latencies[1]!];
  return lines.concat(
    PERCENTILES.map(({ name, text }) =>
      judge(`most keys over least, ${text}`, most, least, name, MORE_KEYS_RATIO_MAX),
    ),
  );
}

function judge(what: string, figure: Figure, other: Figure, name: PercentileName, ratioMax: number): string {
  const ratio = medianUs(figure, name) / medianUs(other, name);
  if (!isJudged(figure, name) || !isJudged(other, name))
    return `${what}: ~${ratio.toFixed(2)}, wanted ${ratioMax}; not judged, the generator was late in all runs`;
  return `${what}: ${ratio.toFixed(2)}, wanted ${ratioMax}; met: ${verdict(ratio <= ratioMax)}`;
}
