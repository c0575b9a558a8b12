// The randomness of a load: the same numbers for the same seed, so that two servers can be given the same work.

/** xorshift32: good enough to choose keys with. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** In [0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 0x1_0000_0000;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}

/** Numbers from 0 to count - 1, of which number i is drawn with a probability proportional to 1 / (i + 1) ** exponent. */
export class Zipf {
  readonly #cumulated: Float64Array;
  readonly #random: Random;

  constructor(count: number, exponent: number, random: Random) {
    this.#random = random;
    this.#cumulated = new Float64Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += (i + 1) ** -exponent;
      this.#cumulated[i] = sum;
    }
  }

  next(): number {
    const cumulated = this.#cumulated;
    const wanted = this.#random.next() * cumulated.at(-1)!;
    let low = 0;
    let high = cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulated[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
