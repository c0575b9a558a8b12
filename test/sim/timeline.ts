// Simulated time: events in order of their moment, ties in the order in which they were planned. And the trace: one
// line for everything that happens, so that two runs of a seed can be compared byte for byte.

interface Planned {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

export class Timeline {
  /** True time, ms since the start of the run; fractions count. No process can see it. */
  nowMs = 0;
  eventCount = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Planned[] = [];
  #sequence = 0;

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    const planned = { atMs: Math.max(atMs, this.nowMs), sequence: this.#sequence++, run };
    const heap = this.#heap;
    let slot = heap.length;
    heap.push(planned);
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!isBefore(planned, heap[parent]!)) break;
      heap[slot] = heap[parent]!;
      slot = parent;
    }
    heap[slot] = planned;
  }

  /** Runs the next event if it is due by `limitMs`; false if there is none, and then it is `limitMs`. */
  step(limitMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > limitMs) {
      this.nowMs = limitMs;
      return false;
    }
    this.#removeFirst();
    this.nowMs = first.atMs;
    this.eventCount++;
    first.run();
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[slot] = heap[child]!;
      slot = child;
    }
    heap[slot] = last;
  }
}

const isBefore = (a: Planned, b: Planned): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);

export class Trace {
  /** Every line, and the processes' own logs between them; only when asked for. */
  readonly lines: string[] | undefined;
  lineCount = 0;
  readonly #timeline: Timeline;
  // FNV-1a in two lanes with different starts.
  #low = 0x811c9dc5;
  #high = 0x050c5d1f;

  constructor(timeline: Timeline, keepLines: boolean) {
    this.#timeline = timeline;
    this.lines = keepLines ? [] : undefined;
  }

  line(text: string): void {
    const line = `${this.#timeline.nowMs.toFixed(3)} ${text}\n`;
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x01000197);
    }
    this.#low = low;
    this.#high = high;
    this.lineCount++;
    this.lines?.push(line);
  }

  /** For readers only: no part of the hash. */
  note(text: string): void {
    this.lines?.push(`${this.#timeline.nowMs.toFixed(3)}   ${text}\n`);
  }

  get hash(): string {
    const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }
}
