// Seeded pseudo-random numbers. The seed comes in; nothing here reads a clock or the system's entropy.

export interface Prng {
  /** An integer in [0, limit), limit in 1..2^32. */
  below(limit: number): number;
  /** An unsigned 32-bit integer. */
  u32(): number;
}

/**
 * xoshiro128++ by Blackman and Vigna (public domain reference: prng.di.unimi.it), four u32 of state,
 * filled from one u32 seed by splitmix32.
 */
export class Xoshiro implements Prng {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  constructor(seed: number) {
    this.reseed(seed);
  }

  /** Starts over from `seed` (u32), so that one generator can serve every log entry without allocation. */
  reseed(seed: number): void {
    let state = seed >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // all-zero state is the one fixed point
  }

  u32(): number {
    const sum = (this.#a + this.#d) >>> 0;
    const result = (((sum << 7) | (sum >>> 25)) + this.#a) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  below(limit: number): number {
    // 2^32 is so much larger than any limit in use that the bias of one multiplication does not show.
    return Math.floor((this.u32() * limit) / 0x1_0000_0000);
  }
}
