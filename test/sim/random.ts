// Randomness of one run: streams that all come from its seed and do not disturb each other.

import { Xoshiro } from "../../src/base/prng.ts";

export class Random extends Xoshiro {
  static stream(seed: number, name: string): Random {
    let mixed = seed >>> 0;
    for (let i = 0; i < name.length; i++) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193) >>> 0;
    return new Random((mixed ^ (Math.floor(seed / 0x1_0000_0000) * 0x9e3779b9)) >>> 0);
  }

  /** In [0, 1). */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }

  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** Small values are as likely as large ones: evenly spread over the magnitudes. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.unit();
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** An index, by weight. */
  weighted(weights: readonly number[]): number {
    let left = this.unit() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left < 0) return i;
    }
    return weights.length - 1;
  }
}
