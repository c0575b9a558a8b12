// A queue of keys that may be evicted, as numbers side by side: no object a key. Keys are known by database, hash and
// record handle; whoever takes one out looks whether it still is what it was.

const CAPACITY_INITIAL = 64;

/** One key. A queue fills in the one it is given. */
export interface Candidate {
  database: number;
  hash: number;
  handle: number;
  /** The higher, the sooner it should go. */
  score: number;
  /** Logical bytes that its eviction frees. */
  bytes: number;
}

export const emptyCandidate = (): Candidate => ({ database: 0, hash: 0, handle: 0, score: 0, bytes: 0 });

export class CandidateQueue {
  count = 0;
  #first = 0;
  #databases = new Uint16Array(CAPACITY_INITIAL);
  #hashes = new Uint32Array(CAPACITY_INITIAL);
  #handles = new Uint32Array(CAPACITY_INITIAL);
  /** Score and bytes of each. */
  #figures = new Float64Array(2 * CAPACITY_INITIAL);

  push(candidate: Candidate): void {
    if (this.count === this.#hashes.length) this.#grow();
    const at = (this.#first + this.count) & (this.#hashes.length - 1);
    this.#databases[at] = candidate.database;
    this.#hashes[at] = candidate.hash;
    this.#handles[at] = candidate.handle;
    this.#figures[2 * at] = candidate.score;
    this.#figures[2 * at + 1] = candidate.bytes;
    this.count++;
  }

  /** Takes the oldest out. False if there is none. */
  shift(into: Candidate): boolean {
    if (this.count === 0) return false;
    this.#read(this.#first, into);
    this.#first = (this.#first + 1) & (this.#hashes.length - 1);
    this.count--;
    return true;
  }

  /** Takes the newest out. False if there is none. */
  pop(into: Candidate): boolean {
    if (this.count === 0) return false;
    this.count--;
    this.#read((this.#first + this.count) & (this.#hashes.length - 1), into);
    return true;
  }

  clear(): void {
    this.count = 0;
    this.#first = 0;
  }

  #read(at: number, into: Candidate): void {
    into.database = this.#databases[at]!;
    into.hash = this.#hashes[at]!;
    into.handle = this.#handles[at]!;
    into.score = this.#figures[2 * at]!;
    into.bytes = this.#figures[2 * at + 1]!;
  }

  #grow(): void {
    const before = this.#hashes.length;
    const databases = new Uint16Array(2 * before);
    const hashes = new Uint32Array(2 * before);
    const handles = new Uint32Array(2 * before);
    const figures = new Float64Array(4 * before);
    for (let i = 0; i < this.count; i++) {
      const from = (this.#first + i) & (before - 1);
      databases[i] = this.#databases[from]!;
      hashes[i] = this.#hashes[from]!;
      handles[i] = this.#handles[from]!;
      figures[2 * i] = this.#figures[2 * from]!;
      figures[2 * i + 1] = this.#figures[2 * from + 1]!;
    }
    this.#first = 0;
    this.#databases = databases;
    this.#hashes = hashes;
    this.#handles = handles;
    this.#figures = figures;
  }
}
