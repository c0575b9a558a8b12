// Members of a large hash, set or sorted set: byte strings without repeats, each with a value (bytes), a score, or neither.
// Off the heap, found by hash, numbered 0 to count - 1 without gaps. The numbers are a function of the history of
// changes: snapshots keep them, so SCAN, SPOP and the order of replies are the same on every replica.

import { copyBytes } from "../base/copy.ts";
import { hashKey } from "./hash.ts";
import { MemberIndex } from "./member-index.ts";
import { entryBytes, MemberMemory } from "./member-memory.ts";
import { compareBytes } from "./record.ts";

const NO_BYTES = Buffer.alloc(0);
const CAPACITY_LEAST = 16;
/** What a member costs beside its entry, in logical bytes: address, hash and its share of the slots. */
const MEMBER_LOGICAL_BYTES = 16;
const SCORE_BYTES = 8;

/** The key of the hash: secret from clients, the same on all replicas. Two int32. */
export type HashSeed = readonly [number, number];

export class MemberTable {
  count = 0;
  logicalBytes = 0;
  readonly seed: HashSeed;
  readonly scored: boolean;
  #index = new MemberIndex();
  #memory = new MemberMemory();
  #addresses = new Uint32Array(CAPACITY_LEAST);
  #hashes = new Int32Array(CAPACITY_LEAST);
  #scores: Float64Array;
  /** Of the bytes that find() was last asked for. */
  #hashFound = 0;

  constructor(seed: HashSeed, scored: boolean) {
    this.seed = seed;
    this.scored = scored;
    this.#scores = new Float64Array(scored ? CAPACITY_LEAST : 0);
  }

  /** Memory really held. Local. */
  get reservedBytes(): number {
    const { byteLength } = this.#addresses;
    return this.#memory.reservedBytes + this.#index.reservedBytes + 2 * byteLength + this.#scores.byteLength;
  }

  /** The member's number; -1 if it is not there. */
  find(bytes: Buffer, start: number, end: number): number {
    const hash = hashKey(bytes, start, end, this.seed[0], this.seed[1]);
    this.#hashFound = hash;
    return this.#search(hash, bytes, start, end);
  }

  // After locate(number): the member and its value. Good until the next change.
  get bytes(): Buffer {
    return this.#memory.bytes;
  }
  get memberStart(): number {
    return this.#memory.memberStart;
  }
  get memberEnd(): number {
    return this.#memory.memberEnd;
  }
  get valueStart(): number {
    return this.#memory.memberEnd;
  }
  get valueEnd(): number {
    return this.#memory.valueEnd;
  }

  locate(number: number): void {
    this.#memory.locate(this.#addresses[number]!);
  }

  scoreOf(number: number): number {
    return this.#scores[number]!;
  }

  setScore(number: number, score: number): void {
    this.#scores[number] = score;
  }

  /** Adds a member that is not there, with an empty value and score 0 unless given; returns its number. */
  add(
    bytes: Buffer,
    start: number,
    end: number,
    value: Buffer = NO_BYTES,
    valueStart = 0,
    valueEnd = 0,
  ): number {
    const hash = hashKey(bytes, start, end, this.seed[0], this.seed[1]);
    return this.#append(hash, bytes, start, end, value, valueStart, valueEnd);
  }

  /** add() for the member that the last find() did not find: the same bytes are not hashed again. */
  addNotFound(
    bytes: Buffer,
    start: number,
    end: number,
    value: Buffer = NO_BYTES,
    valueStart = 0,
    valueEnd = 0,
  ): number {
    return this.#append(this.#hashFound, bytes, start, end, value, valueStart, valueEnd);
  }

  #append(
    hash: number,
    bytes: Buffer,
    start: number,
    end: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
  ): number {
    const number = this.count;
    if (number === this.#addresses.length) this.#setCapacity(2 * number);
    this.#hashes[number] = hash;
    this.#addresses[number] = this.#memory.append(number, bytes, start, end, value, valueStart, valueEnd);
    if (this.scored) this.#scores[number] = 0;
    this.count = number + 1;
    this.#index.insert(hash, number, this.#hashes);
    this.logicalBytes += this.#cost(end - start, valueEnd - valueStart);
    this.#memory.tidyClosed(this.#addresses, this.count);
    return number;
  }

  /** Another value for a member. The source may not lie in this table. */
  setValue(number: number, value: Buffer, start: number, end: number): void {
    const memory = this.#memory;
    const address = this.#addresses[number]!;
    memory.locate(address);
    const memberLength = memory.memberEnd - memory.memberStart;
    const lengthBefore = memory.valueEnd - memory.memberEnd;
    if (lengthBefore === end - start && !memory.isShared(address)) {
      copyBytes(memory.bytes, memory.memberEnd, value, start, end);
      return;
    }
    const { bytes, memberStart, memberEnd } = memory;
    this.#addresses[number] = memory.append(number, bytes, memberStart, memberEnd, value, start, end);
    this.logicalBytes += this.#cost(memberLength, end - start) - this.#cost(memberLength, lengthBefore);
    memory.release(address, this.#addresses, this.count);
    memory.tidyClosed(this.#addresses, this.count);
  }

  /** Removes a member. The last one takes its number: returns the last one's old number. */
  remove(number: number): number {
    const last = this.count - 1;
    const memory = this.#memory;
    const address = this.#addresses[number]!;
    memory.locate(address);
    this.logicalBytes -= this.#cost(
      memory.memberEnd - memory.memberStart,
      memory.valueEnd - memory.memberEnd,
    );
    this.#index.remove(this.#hashes[number]!, number, this.#hashes);
    if (last !== number) {
      this.#index.renumber(this.#hashes[last]!, last, number);
      this.#addresses[number] = this.#addresses[last]!;
      this.#hashes[number] = this.#hashes[last]!;
      if (this.scored) this.#scores[number] = this.#scores[last]!;
      memory.renumber(this.#addresses[number]!, number);
    }
    this.count = last;
    memory.release(address, this.#addresses, last);
    memory.tidyClosed(this.#addresses, last);
    if (this.#addresses.length > CAPACITY_LEAST && last * 4 < this.#addresses.length) {
      this.#setCapacity(this.#addresses.length >>> 1);
    }
    return last;
  }

  /** Changes go to the clone only, from now on. */
  clone(): MemberTable {
    return this.#twin(this.#memory.clone());
  }

  copy(): MemberTable {
    return this.#twin(this.#memory.copy());
  }

  #twin(memory: MemberMemory): MemberTable {
    const twin = new MemberTable(this.seed, this.scored);
    twin.count = this.count;
    twin.logicalBytes = this.logicalBytes;
    // Whoever looked and then took the clone to write to goes on there.
    twin.#hashFound = this.#hashFound;
    twin.#index = this.#index.clone();
    twin.#memory = memory;
    twin.#addresses = this.#addresses.slice();
    twin.#hashes = this.#hashes.slice();
    twin.#scores = this.#scores.slice();
    return twin;
  }

  #search(hash: number, bytes: Buffer, start: number, end: number): number {
    const { slots, mask, old } = this.#index;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const stored = slots[slot]!;
      if (stored === 0) break;
      if (((stored ^ hash) & ~mask) !== 0) continue;
      const number = (stored & mask) - 1;
      if (this.#isMember(number, bytes, start, end)) return number;
    }
    if (old === undefined) return -1;
    const { oldMask } = this.#index;
    for (let slot = hash & oldMask; ; slot = (slot + 1) & oldMask) {
      const stored = old[slot]!;
      if (stored === 0) return -1;
      if (((stored ^ hash) & ~oldMask) !== 0) continue;
      const number = (stored & oldMask) - 1;
      // A tombstone's number is beyond all others.
      if (number < this.count && this.#isMember(number, bytes, start, end)) return number;
    }
  }

  #isMember(number: number, bytes: Buffer, start: number, end: number): boolean {
    const memory = this.#memory;
    memory.locate(this.#addresses[number]!);
    if (memory.memberEnd - memory.memberStart !== end - start) return false;
    return compareBytes(memory.bytes, memory.memberStart, memory.memberEnd, bytes, start, end) === 0;
  }

  #cost(memberLength: number, valueLength: number): number {
    return entryBytes(memberLength, valueLength) + MEMBER_LOGICAL_BYTES + (this.scored ? SCORE_BYTES : 0);
  }

  #setCapacity(capacity: number): void {
    const kept = Math.min(capacity, this.count);
    const addresses = new Uint32Array(capacity);
    addresses.set(this.#addresses.subarray(0, kept));
    const hashes = new Int32Array(capacity);
    hashes.set(this.#hashes.subarray(0, kept));
    this.#addresses = addresses;
    this.#hashes = hashes;
    if (!this.scored) return;
    const scores = new Float64Array(capacity);
    scores.set(this.#scores.subarray(0, kept));
    this.#scores = scores;
  }
}
