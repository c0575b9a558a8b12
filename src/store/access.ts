// Redis's access clocks (its evict.c): 24 bits a record, either the second of the last access (LRU), or the minute
// of the last decay and a logarithmic counter (LFU). Node-local metadata: never in digests, snapshots or the log.

import type { Prng } from "../base/prng.ts";
import { CLOCK_MASK } from "./types.ts";

/** A new key's counter, so that it is not evicted before it had a chance. */
export const LFU_COUNTER_INITIAL = 5;
const COUNTER_MAX = 255;
const MINUTES_MASK = 0xffff;

/** Seconds from `clock` to `now`, both u24 seconds that wrap around. */
export function idleSeconds(clock: number, now: number): number {
  return now >= clock ? now - clock : now + CLOCK_MASK - clock;
}

/** The counter of an LFU clock after decay at `nowMinutes` (u16, wraps around). */
export function decayedCounter(clock: number, nowMinutes: number, decayMinutes: number): number {
  const counter = clock & COUNTER_MAX;
  if (decayMinutes === 0) return counter;
  const since = clock >>> 8;
  const now = nowMinutes & MINUTES_MASK;
  const elapsed = now >= since ? now - since : MINUTES_MASK - since + now;
  return Math.max(0, counter - Math.floor(elapsed / decayMinutes));
}

/** The LFU clock after one more access. `random` must be local: replicas need not agree. */
export function touchedClock(
  clock: number,
  nowMinutes: number,
  decayMinutes: number,
  logFactor: number,
  random: Prng,
): number {
  const counter = decayedCounter(clock, nowMinutes, decayMinutes);
  const above = Math.max(0, counter - LFU_COUNTER_INITIAL);
  const odds = Math.floor(0x1_0000_0000 / (above * logFactor + 1));
  const next = counter < COUNTER_MAX && random.u32() < odds ? counter + 1 : counter;
  return newLfuClock(nowMinutes, next);
}

export function newLfuClock(nowMinutes: number, counter: number): number {
  return ((nowMinutes & MINUTES_MASK) << 8) | counter;
}
