// The words of LATENCY DOCTOR and the picture of LATENCY GRAPH. Samples come in, text goes out.

import type { LatencySample } from "../../command/local-context.ts";
import type { LatencySeries } from "./latency-monitor.ts";

const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;
/** Heights within one cell of the graph; a cell below the top of its bar is a '|'. */
const CELL = "_o#";

interface Analysis {
  readonly averageMs: number;
  readonly meanDeviationMs: number;
  readonly periodSeconds: number;
}

export function latencyReport(
  all: readonly LatencySeries[],
  thresholdMs: number,
  nowSeconds: number,
): string {
  if (thresholdMs === 0) {
    return (
      "The latency monitor is off. " +
      'Switch it on with "CONFIG SET latency-monitor-threshold <milliseconds>".\n'
    );
  }
  if (all.length === 0)
    return `No event took ${thresholdMs} ms or longer since the monitor was switched on.\n`;
  let text = "Latency spikes were seen:\n\n";
  all.forEach((series, i) => {
    const { averageMs, meanDeviationMs, periodSeconds } = analyse(series.samples, nowSeconds);
    text +=
      `${i + 1}. ${series.name}: ${series.samples.length} latency spikes ` +
      `(average ${Math.floor(averageMs)}ms, mean deviation ${Math.floor(meanDeviationMs)}ms, ` +
      `period ${periodSeconds.toFixed(2)} sec). Worst all time event ${series.maxMs}ms.\n`;
  });
  text += "\nWhat to look at:\n\n";
  if (all.some(({ name }) => name === "command" || name === "fast-command")) {
    text +=
      "- SLOWLOG GET names the slow commands; commands on whole collections (KEYS, SMEMBERS, DEL) are the usual ones.\n";
  }
  if (all.some(({ name }) => name === "fast-command")) {
    text += "- Commands of constant time were slow too: the machine may be short of CPU or memory (swap).\n";
  }
  if (all.some(({ name }) => name !== "command" && name !== "fast-command")) {
    text += "- For the other events compare LATENCY GRAPH with the load of the machine and of its network.\n";
  }
  return text;
}

function analyse(samples: readonly LatencySample[], nowSeconds: number): Analysis {
  const count = samples.length;
  const sum = samples.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const averageMs = Math.floor(sum / count);
  const deviation = samples.reduce(
    (total, { milliseconds }) => total + Math.abs(averageMs - milliseconds),
    0,
  );
  const firstSeconds = samples[0]?.timeSeconds ?? nowSeconds;
  const periodSeconds = Math.max(1, nowSeconds - firstSeconds) / count;
  return { averageMs, meanDeviationMs: Math.floor(deviation / count), periodSeconds };
}

/** Redis's picture: bars four rows high, one column a sample, and below each how long ago that was. */
export function latencyGraph(series: LatencySeries, nowSeconds: number): string {
  const shown = series.samples.slice(-GRAPH_COLUMNS);
  const values = shown.map(({ milliseconds }) => milliseconds);
  const high = Math.max(...values);
  const low = Math.min(...values);
  const lines = [
    `${series.name} - high ${high} ms, low ${low} ms (all time high ${series.maxMs} ms)`,
    "-".repeat(GRAPH_COLUMNS),
    ...bars(values, low, high),
    " ".repeat(shown.length),
    ...labels(shown.map(({ timeSeconds }) => age(nowSeconds - timeSeconds))),
  ];
  return `${lines.join("\n")}\n`;
}

function bars(values: readonly number[], low: number, high: number): string[] {
  const steps = GRAPH_ROWS * CELL.length;
  const range = Math.max(1, high - low);
  const heights = values.map((value) => Math.min(steps - 1, Math.floor(((value - low) * steps) / range)));
  const rows: string[] = [];
  for (let row = GRAPH_ROWS - 1; row >= 0; row--) {
    rows.push(heights.map((height) => cellOf(height - row * CELL.length)).join(""));
  }
  return rows;
}

function cellOf(height: number): string {
  if (height < 0) return " ";
  return CELL[height] ?? "|";
}

/** Texts written top to bottom, one a column. */
function labels(texts: readonly string[]): string[] {
  const height = Math.max(0, ...texts.map((text) => text.length));
  return Array.from({ length: height }, (_, row) => texts.map((text) => text[row] ?? " ").join(""));
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
