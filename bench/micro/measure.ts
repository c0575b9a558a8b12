// What the micro-benchmarks share. Time is the processor's, not a clock's: what others on the machine do meanwhile does not count,
// what the garbage collector's own threads do does.

import type { Xoshiro } from "../../src/base/prng.ts";

/** Processor time of this process so far, in ns. */
export function processorNs(): number {
  const { user, system } = process.cpuUsage();
  return 1000 * (user + system);
}

/** ns for each of `operations`, which `run` does all. */
export function nsEach(operations: number, run: () => void): number {
  const before = processorNs();
  run();
  return (processorNs() - before) / operations;
}

export interface Figures {
  readonly best: number;
  readonly mean: number;
}

/** The same in rounds; what `before` does is not counted. */
export function rounds(count: number, operations: number, run: () => void, before?: () => void): Figures {
  let best = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < count; round++) {
    before?.();
    const ns = nsEach(operations, run);
    best = Math.min(best, ns);
    sum += ns;
  }
  return { best, mean: sum / count };
}

export function show(name: string, { best, mean }: Figures, more = ""): void {
  const [least, middle] = [best, mean].map((ns) => ns.toFixed(ns < 100 ? 1 : 0).padStart(7));
  console.log(`${name.padEnd(40)} best ${least} ns, mean ${middle} ns${more}`);
}

/** How many are timed together, where the longest is looked for: a reading of the time costs as much as some of them. */
const TOGETHER = 64;

/** Each once; the longest few in a row are where arrays are copied, or memory is new. */
export function showEach(name: string, count: number, run: (i: number) => void): void {
  let longestNs = 0;
  const began = processorNs();
  let before = began;
  for (let i = 0; i < count; i++) {
    run(i);
    if (i % TOGETHER !== TOGETHER - 1) continue;
    const now = processorNs();
    longestNs = Math.max(longestNs, now - before);
    before = now;
  }
  const ns = (processorNs() - began) / count;
  console.log(
    `${name.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns, longest ${TOGETHER} ${(longestNs / 1e6).toFixed(2).padStart(7)} ms`,
  );
}

/** 0 to count - 1 in an order that is the same for the same seed. */
export function shuffled(count: number, random: Xoshiro): Uint32Array {
  const order = new Uint32Array(count).map((_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
