// Figures of the load generator as rows of tables. Numbers in, text out.

import { spread, table, whole } from "../report.ts";
import { median } from "../throughput.ts";
import { countingRuns, counts, type Figure, isJudged, medianUs, type PercentileName } from "./compare.ts";
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
  "runs that count, p99 and p99.9",
  "server's processor %",
] as const;

/** With fewer requests than this a percentile is one of the few slowest, or says nothing. */
const COUNT_MIN: Readonly<Record<PercentileName, number>> = { p50Us: 10, p99Us: 500, p999Us: 5000, maxUs: 1 };

const hasEnough = ({ runs }: Figure, name: PercentileName): boolean =>
  runs.every(({ latency }) => latency.count >= COUNT_MIN[name]);

/** For a plot: nothing where it would say little. What does not count is in it; the table beside it says so. */
export const pointOf = (at: number, figure: Figure, name: PercentileName): (readonly [number, number])[] =>
  hasEnough(figure, name) ? [[at, medianUs(figure, name) / 1000]] : [];

/** Goes before a figure that could be the generator's own lateness, in all runs. */
const DOUBTFUL = "~";

export const DOUBTFUL_NOTE = `${DOUBTFUL}: as many requests were sent late as lie above it, in all runs; it can be the generator's own lateness, and does not count.`;

export function figureRow(figure: Figure): string[] {
  const { runs } = figure;
  const cell = (name: PercentileName, range = ""): string =>
    hasEnough(figure, name)
      ? `${isJudged(figure, name) ? "" : DOUBTFUL}${msOf(medianUs(figure, name))}${range}`
      : "-";
  const withRange = (name: PercentileName): string => {
    const values = countingRuns(figure, name).map(({ latency }) => latency[name]);
    return cell(name, ` (${msOf(Math.min(...values))}-${msOf(Math.max(...values))})`);
  };
  const lag = (name: "p99Us" | "p999Us"): string => msOf(median(runs.map((run) => run.lag[name])));
  return [
    figure.server,
    whole(figure.perSecond),
    cell("p50Us"),
    withRange("p99Us"),
    withRange("p999Us"),
    cell("maxUs"),
    `${lag("p99Us")} / ${lag("p999Us")}`,
    percent(median(runs.map(({ latePart }) => latePart))),
    `${runs.filter((run) => counts(run, "p99Us")).length} and ${runs.filter((run) => counts(run, "p999Us")).length} of ${runs.length}`,
    percent(median(runs.map(({ serverProcessorPart }) => serverProcessorPart))),
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
      const most = maxima[i]!.runs.map(({ perSecond }) => perSecond);
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
      const busy = (pick: (result: LoadResult) => number): string => percent(median(runs.map(pick)));
      return (
        `${server} ${spread(runs.map(({ perSecond }) => perSecond))} requests/s ` +
        `(processor: server ${busy((result) => result.serverProcessorPart)} %, generator ${busy((result) => result.generatorProcessorPart)} %)`
      );
    })
    .join("; ");
}
