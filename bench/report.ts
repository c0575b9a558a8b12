// Results as tables to read, with what was wanted beside what was measured. Numbers in, text out.

import type { FailoverFigure } from "./failover.ts";
import type { MemoryFigure } from "./memory.ts";
import { type Figure, median } from "./throughput.ts";

/** What issue and design ask for: ratio to redis-server 7.0 on the same machine in the same run. */
export const WANTED: Readonly<Record<"one" | "three", Readonly<Record<string, number>>>> = {
  one: { "SET 1": 0.95, "GET 1": 0.95, "SET 16": 1.3, "GET 16": 1.3, "SET 64": 1.3, "GET 64": 1.3 },
  three: { "SET 1": 0.4, "GET 1": 0.7, "SET 16": 0.45, "GET 16": 1.0, "SET 64": 0.5, "GET 64": 1.0 },
};
const IDLE_BYTES_MAX = 100e6;
const SILENT_MS_MAX = 1000;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : "-".repeat(width + 1) + ":")).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
export const spread = (values: readonly number[]): string =>
  `${whole(median(values))} (${whole(Math.min(...values))}-${whole(Math.max(...values))})`;
export const verdict = (met: boolean): string => (met ? "yes" : "NO");

export function throughputTable(section: "one" | "three", figures: readonly Figure[], ours: string): string {
  const control = ours !== "Seshat";
  const rows = figures.map((figure) => {
    const wanted = WANTED[section][`${figure.command} ${figure.pipeline}`]!;
    return [
      `${figure.command} P=${figure.pipeline}`,
      spread(figure.redisPerSecond),
      spread(figure.seshatPerSecond),
      figure.ratio.toFixed(2),
      control ? "1.00" : wanted.toFixed(2),
      control ? "-" : verdict(figure.ratio >= wanted),
      `${figure.seshatLatencyMsP50} / ${figure.seshatLatencyMsP99}`,
    ];
  });
  return table(
    ["requests/s, median (least-most)", "redis-server", ours, "ratio", "wanted", "met", `${ours} p50/p99 ms`],
    rows,
  );
}

export function memoryTable(unit: string, figures: readonly MemoryFigure[]): string {
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  return table(
    ["", unit, "empty MiB", "full MiB", "growth MiB", `bytes each`],
    figures.map((it) => [
      it.server,
      whole(it.count),
      mib(it.emptyBytes),
      mib(it.fullBytes),
      mib(it.fullBytes - it.emptyBytes),
      it.bytesEach.toFixed(1),
    ]),
  );
}

export function keysVerdict(redis: MemoryFigure, seshat: MemoryFigure): string {
  return `wanted: no more than redis-server per key; met: ${verdict(seshat.bytesEach <= redis.bytesEach)}`;
}

export function idleVerdict(seshat: MemoryFigure): string {
  const growth = seshat.fullBytes - seshat.emptyBytes;
  return `wanted: growth under ${whole(IDLE_BYTES_MAX / 1e6)} MB; met: ${verdict(growth < IDLE_BYTES_MAX)}`;
}

export function failoverTable(runs: readonly FailoverFigure[]): string {
  const rows = runs.map((run, i) => [
    String(i + 1),
    Number.isFinite(run.silentMs) ? run.silentMs.toFixed(0) : "never",
    whole(run.acknowledged),
    whole(run.lost),
    verdict(run.silentMs < SILENT_MS_MAX && run.lost === 0),
  ]);
  return table(
    [
      "run",
      "ms without writes",
      "writes acknowledged",
      "of them lost",
      `under ${SILENT_MS_MAX} ms, none lost`,
    ],
    rows,
  );
}
