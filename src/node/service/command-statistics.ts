// INFO commandstats and latencystats, LATENCY HISTOGRAM: how often each command ran and how long it took.
// Row numbers and durations come in. Counting is one addition in a typed array; durations come from the
// commands that were timed, which may be a sample of all, and stand for the others too.

import type { CommandHistogram, CommandStatisticsView } from "../../command/local-context.ts";
import { logRows } from "../../command/lookup.ts";
import type { CommandRow } from "../../command/types.ts";

/**
 * Durations are kept in log-linear buckets. A unit is 1024 ns, as in Redis's histogram:
 *
 *   [0, 1)  [1, 2)  [2, 4) in 8 parts  [4, 8) in 8 parts ... [2^19, 2^20) in 8 parts, or later
 *
 * so everything over a second or so is in the last one, also as in Redis.
 */
const UNIT_MICROSECONDS = 1.024;
const PARTS = 8;
const DOUBLINGS = 20;
const BUCKETS = 1 + DOUBLINGS * PARTS;

export interface CommandFigures {
  readonly name: string;
  readonly calls: number;
  /** All calls together; where only a sample was timed, its mean times the calls. */
  readonly microseconds: number;
  readonly rejectedCalls: number;
  readonly failedCalls: number;
  /** Were any timed? */
  readonly timed: boolean;
}

/** Of the calls that were timed. */
export interface CommandDurationFigures {
  /** Upper bounds in microseconds, ascending, the same for all commands. */
  readonly bounds: readonly number[];
  /** Calls at or below each. */
  readonly counts: readonly number[];
  readonly calls: number;
  readonly microseconds: number;
}

export class CommandStatistics implements CommandStatisticsView {
  /** latency-tracking: switches the histograms off, not the counts. */
  histogramsOn = true;

  /** Without the words of the log, which no client sends. */
  readonly #idByName = new Map<string, number>();
  readonly #calls: Float64Array;
  readonly #rejected: Float64Array;
  readonly #failed: Float64Array;
  readonly #timedCalls: Float64Array;
  readonly #timedMicroseconds: Float64Array;
  /** Made when a command is first timed. */
  readonly #histograms: (Uint32Array | undefined)[];

  /** `rows`: the table's flat list; a row's index there is its id everywhere below. */
  constructor(rows: readonly CommandRow[]) {
    rows.forEach((row, id) => {
      if (!logRows.includes(row)) this.#idByName.set(row.name, id);
    });
    this.#calls = new Float64Array(rows.length);
    this.#rejected = new Float64Array(rows.length);
    this.#failed = new Float64Array(rows.length);
    this.#timedCalls = new Float64Array(rows.length);
    this.#timedMicroseconds = new Float64Array(rows.length);
    this.#histograms = new Array<Uint32Array | undefined>(rows.length).fill(undefined);
  }

  /** The command ran (or was queued for the log). */
  count(id: number): void {
    this.#calls[id] = this.#calls[id]! + 1;
  }

  /** It was refused before it ran: arity, NOAUTH, OOM, wrong role. */
  countRejected(id: number, times = 1): void {
    this.#rejected[id] = this.#rejected[id]! + times;
  }

  /** It was counted, and then it did not run: it was in a transaction that failed. */
  uncount(id: number, times = 1): void {
    this.#calls[id] = Math.max(0, this.#calls[id]! - times);
  }

  /** It was counted, and then refused before it ran: by the leader, or when it was sent again. */
  countRefusedLater(id: number, times = 1): void {
    this.uncount(id, times);
    this.countRejected(id, times);
  }

  /** It ran and answered with an error. */
  countFailed(id: number, times = 1): void {
    this.#failed[id] = this.#failed[id]! + times;
  }

  /** Beside `count`, for the calls that were timed. Fractions of microseconds are welcome. */
  record(id: number, microseconds: number): void {
    this.#timedCalls[id] = this.#timedCalls[id]! + 1;
    this.#timedMicroseconds[id] = this.#timedMicroseconds[id]! + microseconds;
    if (!this.histogramsOn) return;
    const histogram = this.#histograms[id] ?? this.#newHistogram(id);
    const bucket = bucketOf(microseconds);
    histogram[bucket] = histogram[bucket]! + 1;
  }

  #newHistogram(id: number): Uint32Array {
    const histogram = new Uint32Array(BUCKETS);
    this.#histograms[id] = histogram;
    return histogram;
  }

  reset(): void {
    for (const array of [this.#calls, this.#rejected, this.#failed]) array.fill(0);
    for (const array of [this.#timedCalls, this.#timedMicroseconds]) array.fill(0);
    this.#histograms.fill(undefined);
  }

  get callsTotal(): number {
    return this.#calls.reduce((sum, calls) => sum + calls, 0);
  }

  /** Commands that were called or refused, in table order. */
  figures(): readonly CommandFigures[] {
    const found: CommandFigures[] = [];
    this.#idByName.forEach((id, name) => {
      const calls = this.#calls[id]!;
      if (calls === 0 && this.#rejected[id] === 0 && this.#failed[id] === 0) return;
      const timedCalls = this.#timedCalls[id]!;
      const mean = timedCalls === 0 ? 0 : this.#timedMicroseconds[id]! / timedCalls;
      found.push({
        name,
        calls,
        microseconds: Math.round(mean * calls),
        rejectedCalls: this.#rejected[id]!,
        failedCalls: this.#failed[id]!,
        timed: timedCalls > 0,
      });
    });
    return found;
  }

  /** Upper bound in microseconds under which `percent` of the timed calls stayed; exact to about an eighth. */
  percentile(name: string, percent: number): number | undefined {
    const histogram = this.#histograms[this.#idByName.get(name) ?? -1];
    if (histogram === undefined) return undefined;
    const total = histogram.reduce((sum, calls) => sum + calls, 0);
    const wanted = Math.max(1, Math.ceil((total * percent) / 100));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += histogram[bucket]!;
      if (seen >= wanted) return upperBoundMicroseconds(bucket);
    }
    return undefined;
  }

  /** For Prometheus; undefined while none were timed. */
  durations(name: string): CommandDurationFigures | undefined {
    const id = this.#idByName.get(name) ?? -1;
    const histogram = this.#histograms[id];
    if (histogram === undefined) return undefined;
    const bounds = [UNIT_MICROSECONDS];
    const counts = [histogram[0]!];
    let seen = histogram[0]!;
    for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
      for (let part = 0; part < PARTS; part++) seen += histogram[1 + doubling * PARTS + part]!;
      // The last one also has all that took longer: it is below no bound.
      if (doubling === DOUBLINGS - 1) break;
      bounds.push(UNIT_MICROSECONDS * 2 ** (doubling + 1));
      counts.push(seen);
    }
    return { bounds, counts, calls: seen, microseconds: this.#timedMicroseconds[id]! };
  }

  histogram(name: string): CommandHistogram | undefined {
    const id = this.#idByName.get(name) ?? -1;
    const histogram = this.#histograms[id];
    if (histogram === undefined) return undefined;
    const buckets: [number, number][] = [];
    // Counts grow with the bounds, so rounding keeps their order, and the last one is that of all calls.
    const weight = Math.max(1, this.#calls[id]! / this.#timedCalls[id]!);
    let seen = histogram[0]!;
    if (seen > 0) buckets.push([1, Math.round(seen * weight)]);
    for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
      const before = seen;
      for (let part = 0; part < PARTS; part++) seen += histogram[1 + doubling * PARTS + part]!;
      if (seen > before) buckets.push([boundMicroseconds(doubling + 1), Math.round(seen * weight)]);
    }
    return { calls: Math.round(seen * weight), buckets };
  }
}

/** The bound that Redis prints: its histogram has two digits of precision, so bounds lie 1/128 higher. */
function boundMicroseconds(doubling: number): number {
  const nanoseconds = 1024 * 2 ** doubling;
  return Math.floor((doubling < DOUBLINGS ? nanoseconds + nanoseconds / 128 - 1 : nanoseconds) / 1000);
}

function bucketOf(microseconds: number): number {
  const units = microseconds / UNIT_MICROSECONDS;
  if (!(units >= 1)) return 0;
  if (units >= 2 ** DOUBLINGS) return BUCKETS - 1;
  const doubling = 31 - Math.clz32(units);
  const base = 2 ** doubling;
  return 1 + doubling * PARTS + Math.floor(((units - base) / base) * PARTS);
}

function upperBoundMicroseconds(bucket: number): number {
  if (bucket === 0) return UNIT_MICROSECONDS;
  const doubling = Math.floor((bucket - 1) / PARTS);
  const part = (bucket - 1) % PARTS;
  return UNIT_MICROSECONDS * 2 ** doubling * (1 + (part + 1) / PARTS);
}
