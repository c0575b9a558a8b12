// What the event loop leaves for the thread that speaks while the loop is busy: when it means to take its next turn, and
// what it knew after the last one.
// Written by one side, read by the other; both only look at numbers.

const DUE = 0;
const BYTES = 24;
const TERM = 1;
const LEADER = 2;

/** Milliseconds of the clock that both sides share, in 32 bits: only differences count. */
const sharedClockMs = (): number => Number(process.hrtime.bigint() / 1_000_000n) | 0;

export class PulseMemory {
  readonly shared: SharedArrayBuffer;
  readonly #due: Int32Array;
  readonly #known: BigInt64Array;
  /** From the event loop's monotonic clock to the shared one. */
  readonly #originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  #term = 0;
  #leader = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.shared = shared;
    this.#due = new Int32Array(shared, 0, 1);
    this.#known = new BigInt64Array(shared);
  }

  /** The event loop means to take its next turn by then, on its monotonic clock. Every turn calls it. */
  due(monotonicMs: number): void {
    Atomics.store(this.#due, DUE, Math.ceil(monotonicMs + this.#originMs) | 0);
  }

  /** Terms and leaders are written only when they are others. */
  turned(term: number, leader: number): void {
    if (term === this.#term && leader === this.#leader) return;
    this.#term = term;
    this.#leader = leader;
    // Between the two the thread may say a term with another one's leader: that counts for nothing anywhere.
    Atomics.store(this.#known, TERM, BigInt(term));
    Atomics.store(this.#known, LEADER, BigInt(leader));
  }

  /** By so many milliseconds the event loop is late; below 0: it has so long yet. */
  get lateMs(): number {
    return (sharedClockMs() - Atomics.load(this.#due, DUE)) | 0;
  }

  get term(): number {
    return Number(Atomics.load(this.#known, TERM));
  }

  get leader(): number {
    return Number(Atomics.load(this.#known, LEADER));
  }
}
