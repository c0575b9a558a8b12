// Figures of the load generator as rows of tables. Numbers in, text out.

import { spread, table, whole } from "../report.ts";
import { median } from "../throughput.ts";
import { countingRuns, type Figure, isJudged, medianUs, type PercentileName } from "./compare.ts";
import type { LoadResult } from "./job.ts";

/** Microseconds as milliseconds, with three digits that say something. */
export function msOf(us: number): string {
  const ms = us / 1000;
  return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}

/** 32 B, 64 KiB, 1 MiB. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${bytes / 1024} KiB` : `${bytes / 1024 / 1024} MiB`;
}

const percent = (part: number): string => (100 * part).toFixed(part < 0.01 ? 2 : 0);

export const figureHead = [
  "server",
  "requests/s",
  "p50 ms",
  "p99 ms (least-most)",
  "p99.9 ms (least-most)",
  "longest ms",
  "generator late, p99 / p99.9 ms",
  "late %",
  "runs that count",
  "server's processor %",
] as const;

/** With fewer requests than this a percentile is one of the few slowest, or says nothing. */
const COUNT_MIN: Readonly<Record<PercentileName, number>> = { p50Us: 10, p99Us: 500, p999Us: 5000, maxUs: 1 };

const hasEnough = ({ runs }: Figure, name: PercentileName): boolean =>
  runs.every(({ result }) => result.latency.count >= COUNT_MIN[name]);

/** For a plot: nothing where it would say little, or be the generator's own lateness. */
export const pointOf = (at: number, figure: Figure, name: PercentileName): (readonly [number, number])[] =>
  isJudged(figure) && hasEnough(figure, name) ? [[at, medianUs(figure, name) / 1000]] : [];

export function figureRow(figure: Figure): string[] {
  const { runs } = figure;
  const counting = countingRuns(figure);
  const range = (name: "p99Us" | "p999Us"): string => {
    if (!hasEnough(figure, name)) return "-";
    const values = counting.map(({ result }) => result.latency[name]);
    return `${msOf(medianUs(figure, name))} (${msOf(Math.min(...values))}-${msOf(Math.max(...values))})`;
  };
  const lag = (name: "p99Us" | "p999Us"): string =>
    msOf(median(counting.map(({ result }) => result.lag[name])));
  return [
    figure.server,
    whole(figure.perSecond),
    msOf(medianUs(figure, "p50Us")),
    range("p99Us"),
    range("p999Us"),
    msOf(medianUs(figure, "maxUs")),
    `${lag("p99Us")} / ${lag("p999Us")}`,
    percent(median(counting.map(({ result }) => result.latePart))),
    `${runs.filter(({ isValid }) => isValid).length} of ${runs.length}`,
    percent(median(counting.map(({ result }) => result.serverProcessorPart))),
  ];
}

/** A row for each server at each point, named by its first cell: the most it answered, and its latencies at some rate. */
export function pointsTable(
  first: string,
  rateHead: (rate: string) => string,
  points: readonly {
    readonly name: string;
    readonly maxima: readonly Figure[];
    readonly latencies: readonly Figure[];
  }[],
): string {
  const rows = points.flatMap(({ name, maxima, latencies }) =>
    latencies.map((figure, i) => {
      const most = maxima[i]!.runs.map(({ result }) => result.perSecond);
      const [server, ...rest] = figureRow(figure);
      return [name, server!, spread(most), ...rest];
    }),
  );
  const [server, rate, ...others] = figureHead;
  return table([first, server, "most requests/s (least-most)", rateHead(rate), ...others], rows);
}

/** What each server answered at most, and who was busy then. */
export function maximaLine(maxima: readonly Figure[]): string {
  return maxima
    .map(({ server, runs }) => {
      const busy = (pick: (result: LoadResult) => number): string =>
        percent(median(runs.map(({ result }) => pick(result))));
      return (
        `${server} ${spread(runs.map(({ result }) => result.perSecond))} requests/s ` +
        `(processor: server ${busy((result) => result.serverProcessorPart)} %, generator ${busy((result) => result.generatorProcessorPart)} %)`
      );
    })
    .join("; ");
}
