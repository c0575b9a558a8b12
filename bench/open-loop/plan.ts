// What a load generator will send and when, decided before it starts: times, keys, reads and writes from one seed, so that two
// servers can be given the same. Numbers in, typed arrays out; no clock, no socket.

import { Random, Zipf } from "../random.ts";

export type Arrivals = "poisson" | "constant";

/** What is asked for, whatever the times. */
export interface Mix {
  readonly keys: number;
  readonly valueBytes: number;
  /** Part of the requests that are SET; the others are GET. */
  readonly writePart: number;
  readonly seed: number;
}

export interface Requests {
  readonly keys: Uint32Array;
  /** 1: SET, 0: GET. */
  readonly isWrite: Uint8Array;
}

/** Of the popularity of keys; the value that YCSB uses. */
export const ZIPF_EXPONENT = 0.99;
/** Prime, and larger than the number of keys has factors: multiplying by it only changes the order. */
const SCRAMBLE = 7_368_787;
const SECOND_US = 1_000_000;

/** Which keys are the popular ones has nothing to do with the order in which they were stored. */
export const keyAtRank = (rank: number, keys: number): number => (rank * SCRAMBLE) % keys;

export function planRequests({ keys, writePart, seed }: Mix, count: number): Requests {
  const zipf = new Zipf(keys, ZIPF_EXPONENT, new Random(10 * seed + 3));
  const kinds = new Random(10 * seed + 5);
  const requests = { keys: new Uint32Array(count), isWrite: new Uint8Array(count) };
  for (let i = 0; i < count; i++) {
    requests.keys[i] = keyAtRank(zipf.next(), keys);
    requests.isWrite[i] = kinds.next() < writePart ? 1 : 0;
  }
  return requests;
}

/** When each of `count` requests is due, in microseconds from the start, never decreasing. */
export function planTimes(arrivals: Arrivals, perSecond: number, count: number, seed: number): Float64Array {
  const random = new Random(10 * seed + 7);
  const gapUs = SECOND_US / perSecond;
  const times = new Float64Array(count);
  let atUs = 0;
  for (let i = 0; i < count; i++) {
    times[i] = atUs;
    // Independent clients together: gaps are distributed exponentially.
    atUs += arrivals === "constant" ? gapUs : -gapUs * Math.log(1 - random.next());
  }
  return times;
}
