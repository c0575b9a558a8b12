// LATENCY: spikes of named events ("command", "fast-command", ...), one sample a second and event, the last
// 160 of each. Durations and seconds come in; samples, a graph and an analysis go out.

import type { LatencyEvent, LatencySample, LatencyView } from "../../command/local-context.ts";
import { latencyGraph, latencyReport } from "./latency-report.ts";

const SAMPLES_MAX = 160;

export interface LatencySeries {
  readonly name: string;
  /** Oldest first. */
  readonly samples: readonly LatencySample[];
  readonly maxMs: number;
}

interface GrowingSeries {
  readonly name: string;
  samples: LatencySample[];
  maxMs: number;
}

export class LatencyMonitor implements LatencyView {
  /** latency-monitor-threshold in ms; 0 switches the monitor off. */
  thresholdMs = 0;

  readonly #series = new Map<string, GrowingSeries>();

  /** Keeps the duration if it reaches the threshold. `event` is one of a fixed few, never a client's text. */
  consider(event: string, milliseconds: number, timeSeconds: number): void {
    if (this.thresholdMs === 0 || milliseconds < this.thresholdMs) return;
    const whole = Math.floor(milliseconds);
    let series = this.#series.get(event);
    if (series === undefined) {
      series = { name: event, samples: [], maxMs: 0 };
      this.#series.set(event, series);
    }
    series.maxMs = Math.max(series.maxMs, whole);
    const last = series.samples.at(-1);
    if (last?.timeSeconds === timeSeconds) {
      if (whole <= last.milliseconds) return;
      series.samples.pop();
    }
    series.samples.push({ timeSeconds, milliseconds: whole });
    if (series.samples.length > SAMPLES_MAX) series.samples.shift();
  }

  latest(): readonly LatencyEvent[] {
    return this.#sorted().map(({ name, samples, maxMs }) => {
      const latest = samples.at(-1) ?? { timeSeconds: 0, milliseconds: 0 };
      return { name, latest, maxMs };
    });
  }

  history(event: string): readonly LatencySample[] {
    return this.#series.get(event)?.samples ?? [];
  }

  reset(events: readonly string[] | undefined): number {
    if (events === undefined) {
      const count = this.#series.size;
      this.#series.clear();
      return count;
    }
    return events.filter((event) => this.#series.delete(event)).length;
  }

  doctor(nowSeconds: number): string {
    return latencyReport(this.#sorted(), this.thresholdMs, nowSeconds);
  }

  graph(event: string, nowSeconds: number): string | undefined {
    const series = this.#series.get(event);
    return series === undefined ? undefined : latencyGraph(series, nowSeconds);
  }

  #sorted(): readonly LatencySeries[] {
    return [...this.#series.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
