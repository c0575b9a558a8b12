// Finds records by key and lists them in hash order; grows and shrinks by small pieces. Refs in and out; the arena is
// only asked for key bytes. Never moves or frees a record.
//
// Extendible hashing (Fagin and others, 1979) with sorted segments:
//
//   directory, by the hash's top bits   | a | a | b | c |     a shares 1 top bit, b and c share 2
//   segment, up to 64 entries           | h0 r0 | h1 r1 | ...     sorted by hash, ties by key bytes
//
// A full segment is split in two, which touches nothing else, so no write ever waits for a table to be rebuilt; only
// the directory, four bytes for some forty keys, is copied when it doubles. The order of all entries is a pure function of the
// keys and the hash seed. Filling it in that very order (a loader, a client that plays back a SCAN) costs no more than
// any other order, which no table that is sized by its number of keys can say.

import { fail } from "../base/assert.ts";
import type { Prng } from "../base/prng.ts";
import type { Arena } from "./arena.ts";
import { compareKey } from "./record.ts";
import { NO_SEGMENT, SEGMENT_ENTRIES, SegmentPool } from "./segment-pool.ts";

const HASHES = 0x1_0000_0000;
/** 2^26 directory entries, 256 MiB, are for some billion keys. More are needed only if hashes are not random. */
const DEPTH_MAX = 26;
/** Two neighbours become one segment when they have no more than this: far from full, so that it stays for a while. */
const MERGED_ENTRIES_MAX = 24;
/** Blanks drawn before a sample gives up: a lone entry is met once in 128. */
const SAMPLE_TRIES_MAX = 4096;
/** What all empty indexes share; never written to. */
const EMPTY_DIRECTORY = new Uint32Array(2);

export class HashIndex {
  count = 0;
  /** Entries moved by splits and merges so far, to test that each write does a bounded number. */
  movedEntries = 0;
  /** Of the walk: the entry it stands on, hash 0 at the end. */
  walkHash = 0;
  walkRef = 0;
  /** Entries and segments looked at by walks so far; callers bound their steps by it. */
  walkedSlots = 0;

  readonly #arena: Arena;
  #pool = new SegmentPool();
  #directory = EMPTY_DIRECTORY;
  /** The directory has 2^depth entries, at least two. */
  #depth = 1;
  /** Segments by their own depth. */
  readonly #segmentsAt = new Uint32Array(DEPTH_MAX + 1);
  /** Place in its segment of what the last search found, or where it would go. Void after any change. */
  #place = 0;
  #walkWords: Uint32Array = EMPTY_DIRECTORY;
  #walkAt = 0;
  #walkEnd = 0;
  /** Directory index behind the walk's segment. */
  #walkNext = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Bytes of the directory and the segments. */
  get reservedBytes(): number {
    return this.#directory.byteLength + this.#pool.reservedBytes;
  }

  // Hashes are passed as int32: a u32 above 2^31 would be boxed as an argument.

  #segmentOf(hash: number): number {
    return this.#directory[hash >>> (32 - this.#depth)]!;
  }

  /** First place in a segment whose hash is `hash` or greater; its number of entries if none is. */
  #lowerBound(segment: number, hash: number): number {
    const pool = this.#pool;
    const size = pool.sizes[segment]!;
    const entries = size & 0xff;
    if (entries === 0) return 0;
    const words = pool.words(segment);
    const base = pool.base(segment);
    const wanted = hash >>> 0;
    // Hashes are spread evenly, so the right place is near where the hash's share of the segment points to.
    let at = base + (((((hash << (size >>> 8)) >>> 16) * entries) >>> 16) << 1);
    if (words[at]! < wanted) {
      const end = base + 2 * entries;
      do at += 2;
      while (at < end && words[at]! < wanted);
    } else {
      while (at > base && words[at - 2]! >= wanted) at -= 2;
    }
    return (at - base) >>> 1;
  }

  /** The ref of the key bytes[start, end), or 0. A hit leaves its record located in the arena. */
  search(hash: number, bytes: Buffer, start: number, end: number): number {
    const pool = this.#pool;
    const segment = this.#segmentOf(hash);
    let place = this.#lowerBound(segment, hash);
    const entries = pool.count(segment);
    if (place < entries) {
      const words = pool.words(segment);
      const wanted = hash >>> 0;
      let at = pool.base(segment) + 2 * place;
      while (words[at] === wanted) {
        const ref = words[at + 1]!;
        const order = compareKey(this.#arena, ref, bytes, start, end);
        if (order === 0) {
          this.#place = place;
          return ref;
        }
        if (order > 0 || ++place === entries) break;
        at += 2;
      }
    }
    this.#place = place;
    return 0;
  }

  /**
   * Reads what searches for these hashes will read, in two short loops: the memory accesses of one loop do not depend
   * on each other, so the processor waits for all of them at once instead of one after the other. Finds nothing, decides
   * nothing. The result only keeps the loads from being optimized away.
   */
  warm(hashes: Int32Array, refs: Uint32Array, count: number): number {
    if (this.count === 0) return 0;
    const pool = this.#pool;
    const sizes = pool.sizes;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      const segment = this.#segmentOf(hash);
      const size = sizes[segment]!;
      const place = (((hash << (size >>> 8)) >>> 16) * (size & 0xff)) >>> 16;
      sum ^= pool.words(segment)[pool.base(segment) + (place << 1)]!;
    }
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      const segment = this.#segmentOf(hash);
      const at = pool.base(segment) + 2 * this.#lowerBound(segment, hash);
      const words = pool.words(segment);
      refs[i] = words[at] === hash >>> 0 ? words[at + 1]! : 0;
    }
    const arena = this.#arena;
    for (let i = 0; i < count; i++) {
      if (refs[i] === 0) continue;
      arena.locate(refs[i]!);
      // The header and key, and the line after it, where a short value ends.
      sum ^= arena.words[arena.at >>> 2]! ^ arena.words[(arena.at >>> 2) + 15]!;
    }
    return sum;
  }

  /** As a search that finds it, for a record known to be here. */
  searchRef(hash: number, ref: number): void {
    const segment = this.#segmentOf(hash);
    const entries = this.#pool.count(segment);
    if (entries === 0)
      fail(`record ${ref} with hash ${hash} is in an empty segment of ${this.count} entries`);
    const words = this.#pool.words(segment);
    const base = this.#pool.base(segment);
    let place = this.#lowerBound(segment, hash);
    while (place < entries && words[base + 2 * place] === hash >>> 0 && words[base + 2 * place + 1] !== ref)
      place++;
    const found = place < entries && words[base + 2 * place + 1] === ref;
    if (!found) fail(`record ${ref} with hash ${hash} is not in the index of ${this.count} entries`);
    this.#place = place;
  }

  /** The record found by the last search moved to `ref`. */
  replace(hash: number, ref: number): void {
    const segment = this.#segmentOf(hash);
    this.#pool.words(segment)[this.#pool.base(segment) + 2 * this.#place + 1] = ref;
  }

  /** Adds the key that the last search did not find. */
  insert(hash: number, ref: number): void {
    const pool = this.#pool;
    let segment = this.#segmentOf(hash);
    if (segment === NO_SEGMENT) {
      segment = pool.allocate(0);
      this.#directory = new Uint32Array(2).fill(segment);
      this.#segmentsAt[0] = 1;
    }
    while (pool.count(segment) === SEGMENT_ENTRIES) segment = this.#split(segment, hash);
    const words = pool.words(segment);
    const at = pool.base(segment) + 2 * this.#place;
    for (let to = pool.base(segment) + 2 * pool.count(segment); to > at; to -= 2) {
      words[to] = words[to - 2]!;
      words[to + 1] = words[to - 1]!;
    }
    words[at] = hash;
    words[at + 1] = ref;
    pool.sizes[segment]!++;
    this.count++;
  }

  /** Parts a segment by its next bit; returns the half that `hash` belongs to, with #place in it. */
  #split(left: number, hash: number): number {
    const pool = this.#pool;
    const depth = pool.depth(left);
    if (depth >= DEPTH_MAX) fail(`${SEGMENT_ENTRIES} of ${this.count} hashes share ${depth} bits`);
    if (depth === this.#depth) this.#doubleDirectory();
    const right = pool.allocate(depth + 1);
    const bit = 1 << (31 - depth);
    const entries = pool.count(left);
    const from = pool.words(left);
    const to = pool.words(right);
    let at = pool.base(left);
    let kept = 0;
    for (; kept < entries && (from[at]! & bit) === 0; kept++) at += 2;
    const end = pool.base(left) + 2 * entries;
    for (let target = pool.base(right); at < end; at++, target++) to[target] = from[at]!;
    pool.setSize(left, kept, depth + 1);
    pool.setSize(right, entries - kept, depth + 1);
    this.#segmentsAt[depth]!--;
    this.#segmentsAt[depth + 1]! += 2;
    this.movedEntries += entries - kept;
    const span = 2 ** (this.#depth - depth - 1);
    const middle = this.#spanStart(hash, depth) + span;
    this.#directory.fill(right, middle, middle + span);
    if ((hash & bit) === 0) return left;
    this.#place -= kept;
    return right;
  }

  /** Directory index of the first entry for the hashes that share their top `depth` bits with `hash`. */
  #spanStart(hash: number, depth: number): number {
    return depth === 0 ? 0 : (hash >>> (32 - depth)) * 2 ** (this.#depth - depth);
  }

  #doubleDirectory(): void {
    const before = this.#directory;
    const directory = new Uint32Array(2 * before.length);
    for (let i = 0; i < before.length; i++) {
      const segment = before[i]!;
      directory[2 * i] = segment;
      directory[2 * i + 1] = segment;
    }
    this.#directory = directory;
    this.#depth++;
  }

  /** Removes the entry found by the last search. */
  remove(hash: number): void {
    this.count--;
    if (this.count === 0) {
      this.#pool = new SegmentPool();
      this.#directory = EMPTY_DIRECTORY;
      this.#depth = 1;
      this.#segmentsAt.fill(0);
      return;
    }
    const pool = this.#pool;
    const segment = this.#segmentOf(hash);
    const entries = pool.count(segment) - 1;
    const words = pool.words(segment);
    const base = pool.base(segment);
    const end = base + 2 * entries;
    for (let at = base + 2 * this.#place; at < end; at++) words[at] = words[at + 2]!;
    pool.sizes[segment]!--;
    if (entries <= MERGED_ENTRIES_MAX) this.#mergeAround(hash);
  }

  /** Merges the hash's segment with its other half, and what comes of that again, while both are nearly empty. */
  #mergeAround(hash: number): void {
    const pool = this.#pool;
    for (;;) {
      const segment = this.#segmentOf(hash);
      const depth = pool.depth(segment);
      if (depth === 0) break;
      const other = this.#segmentOf(hash ^ (1 << (32 - depth)));
      if (pool.depth(other) !== depth || pool.count(segment) + pool.count(other) > MERGED_ENTRIES_MAX) break;
      const hashIsLeft = (hash & (1 << (32 - depth))) === 0;
      if (hashIsLeft) this.#merge(segment, other, hash, depth);
      else this.#merge(other, segment, hash, depth);
    }
    // Not as soon as it could be, so that one split does not bring it back.
    const segmentsAt = this.#segmentsAt;
    if (this.#depth > 2 && segmentsAt[this.#depth] === 0 && segmentsAt[this.#depth - 1] === 0) {
      this.#halveDirectory();
    }
  }

  #halveDirectory(): void {
    const before = this.#directory;
    const directory = new Uint32Array(before.length / 2);
    for (let i = 0; i < directory.length; i++) directory[i] = before[2 * i]!;
    this.#directory = directory;
    this.#depth--;
  }

  #merge(left: number, right: number, hash: number, depth: number): void {
    const pool = this.#pool;
    const from = pool.words(right);
    const to = pool.words(left);
    const entries = pool.count(right);
    const kept = pool.count(left);
    const start = pool.base(right);
    const target = pool.base(left) + 2 * kept;
    for (let i = 0; i < 2 * entries; i++) to[target + i] = from[start + i]!;
    pool.setSize(left, kept + entries, depth - 1);
    pool.free(right);
    this.#segmentsAt[depth]! -= 2;
    this.#segmentsAt[depth - 1]!++;
    this.movedEntries += entries;
    const spanStart = this.#spanStart(hash, depth - 1);
    this.#directory.fill(left, spanStart, spanStart + 2 ** (this.#depth - depth + 1));
  }

  /** Is this record here, and nowhere else than this hash says? For a ref that may be of long ago. */
  contains(hash: number, ref: number): boolean {
    const segment = this.#segmentOf(hash);
    const entries = this.#pool.count(segment);
    if (entries === 0) return false;
    const words = this.#pool.words(segment);
    const base = this.#pool.base(segment);
    for (let place = this.#lowerBound(segment, hash); place < entries; place++) {
      if (words[base + 2 * place] !== hash >>> 0) return false;
      if (words[base + 2 * place + 1] === ref) return true;
    }
    return false;
  }

  /**
   * Writes up to `count` entries that lie side by side to the two arrays and returns how many. Each entry of the index is as likely as
   * any other; which ones come together is chance, as hashes are. Not the same on all replicas: segments have a history.
   */
  sample(count: number, random: Prng, hashes: Uint32Array, refs: Uint32Array): number {
    const pool = this.#pool;
    for (let tries = 0; tries < SAMPLE_TRIES_MAX && this.count > 0; tries++) {
      const segment = this.#directory[random.below(this.#directory.length)]!;
      const entries = pool.count(segment);
      // A segment that 2^n directory entries point to is met 2^n times as often, so it gets as many times more blanks.
      const first = random.below(SEGMENT_ENTRIES * 2 ** (this.#depth - pool.depth(segment)));
      if (first >= entries) continue;
      const words = pool.words(segment);
      const base = pool.base(segment);
      const taken = Math.min(count, entries);
      for (let i = 0, place = first; i < taken; i++, place++) {
        if (place === entries) place = 0;
        hashes[i] = words[base + 2 * place]!;
        refs[i] = words[base + 2 * place + 1]!;
      }
      return taken;
    }
    return 0;
  }

  /** Starts a walk at the first entry with this hash (0 to 2^32) or a greater one. Changes end the walk. */
  walkFrom(hash: number): void {
    this.#walkAt = 0;
    this.#walkEnd = 0;
    this.#walkNext = this.#directory.length;
    if (hash < HASHES) {
      const segment = this.#segmentOf(hash);
      const depth = this.#pool.depth(segment);
      this.#walkNext = this.#spanStart(hash, depth) + 2 ** (this.#depth - depth);
      this.#enter(segment, this.#lowerBound(segment, hash));
    }
    this.#settle();
  }

  /** Goes on to the next entry. */
  walkNext(): void {
    this.#walkAt += 2;
    this.#settle();
  }

  #enter(segment: number, place: number): void {
    if (segment === NO_SEGMENT) return;
    const base = this.#pool.base(segment);
    this.#walkWords = this.#pool.words(segment);
    this.#walkAt = base + 2 * place;
    this.#walkEnd = base + 2 * this.#pool.count(segment);
  }

  #settle(): void {
    this.walkedSlots++;
    while (this.#walkAt >= this.#walkEnd) {
      if (this.#walkNext >= this.#directory.length) {
        this.walkHash = 0;
        this.walkRef = 0;
        return;
      }
      const segment = this.#directory[this.#walkNext]!;
      this.#walkNext += 2 ** (this.#depth - this.#pool.depth(segment));
      this.walkedSlots++;
      this.#enter(segment, 0);
    }
    this.walkHash = this.#walkWords[this.#walkAt]!;
    this.walkRef = this.#walkWords[this.#walkAt + 1]!;
  }
}
