// What the event loop leaves for the thread that speaks while the loop is busy: that it took a turn, and what it knew then.
// Written by one side, read by the other; both only look at numbers.

const TURNS = 0;
const BYTES = 24;
const TERM = 1;
const LEADER = 2;

export class PulseMemory {
  readonly shared: SharedArrayBuffer;
  readonly #turns: Int32Array;
  readonly #known: BigInt64Array;
  #term = 0;
  #leader = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.shared = shared;
    this.#turns = new Int32Array(shared, 0, 1);
    this.#known = new BigInt64Array(shared);
  }

  /** A turn is over. Every turn calls it: terms and leaders are written only when they are others. */
  turned(term: number, leader: number): void {
    Atomics.add(this.#turns, TURNS, 1);
    if (term === this.#term && leader === this.#leader) return;
    this.#term = term;
    this.#leader = leader;
    // Between the two the thread may say a term with another one's leader: that counts for nothing anywhere.
    Atomics.store(this.#known, TERM, BigInt(term));
    Atomics.store(this.#known, LEADER, BigInt(leader));
  }

  /** Another number after each turn. */
  get turns(): number {
    return Atomics.load(this.#turns, TURNS);
  }

  get term(): number {
    return Number(Atomics.load(this.#known, TERM));
  }

  get leader(): number {
    return Number(Atomics.load(this.#known, LEADER));
  }
}
