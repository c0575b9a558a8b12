// Latencies of one run in an HdrHistogram, and the few figures that are taken out of it. Microseconds.

import { build, type Histogram } from "hdr-histogram-js";

export interface Percentiles {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** Values are kept to three significant digits, single microseconds below 2 ms. */
export class Latencies {
  // 32 bits for each count; grows with the longest value.
  readonly #histogram: Histogram = build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
  #longestUs = 0;

  record(us: number): void {
    const whole = us < 1 ? 1 : Math.round(us);
    this.#histogram.recordValue(whole);
    if (whole > this.#longestUs) this.#longestUs = whole;
  }

  percentiles(): Percentiles {
    const histogram = this.#histogram;
    const at = (percent: number): number =>
      histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percent);
    return {
      count: histogram.totalCount,
      p50Us: at(50),
      p99Us: at(99),
      p999Us: at(99.9),
      maxUs: this.#longestUs,
    };
  }
}
