// Looks ahead in one command of many keys and has the store read, all at once, what it will look up one by one, as
// machine/key-warmer.ts does for the first keys of many commands. Purely a hint: it changes nothing and answers nothing.

import type { Args } from "../base/args.ts";
import { type Keyspace, WARM_KEYS_MAX } from "../store/keyspace.ts";

const ranges = new Int32Array(2 * WARM_KEYS_MAX);

/** Warms arguments `first`, `first + step`, ..., so many as go at once; returns the argument where it stopped. */
export function warmKeys(keys: Keyspace, args: Args, first: number, step: number): number {
  let count = 0;
  let next = first;
  for (; next < args.count && count < WARM_KEYS_MAX; next += step, count++) {
    ranges[2 * count] = args.start(next);
    ranges[2 * count + 1] = args.end(next);
  }
  if (count > 1) keys.warm(args.bytes, ranges, count);
  return next;
}
