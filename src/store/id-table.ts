// Records in the order of their stream ids: what a group or a consumer has pending. Each is an id and some words of the
// owner's, in chunks of u32 that the garbage collector does not look into. Finding takes two binary searches, changing
// moves part of one chunk.

import { fail } from "../base/assert.ts";
import { ID_WORDS, type StreamId } from "./stream-id.ts";

const CHUNK_RECORDS_MAX = 128;
const CHUNK_RECORDS_FIRST = 4;
/** A chunk below this joins its neighbour, if both then have at most JOINED_RECORDS_MAX. */
const CHUNK_RECORDS_FEW = 32;
const JOINED_RECORDS_MAX = 96;

interface Chunk {
  words: Uint32Array;
  /** Records. None is empty. */
  count: number;
  /** The table that may change it. Others that have it, clones and what they are clones of, make one of their own first. */
  readonly owner: number;
}

/** Tables made so far, in this process. */
let tables = 0;

export class IdTable {
  /** Records in all. */
  count = 0;
  /** Where the last find(), seek(), insert() or next() ended: the record's words begin at words[at]. */
  words: Uint32Array = new Uint32Array(0);
  at = 0;
  #chunks: Chunk[] = [];
  readonly #owner = ++tables;
  /** The record's chunk, and its place in it. */
  #chunk = 0;
  #index = 0;
  /** What seekOrdinal() knows: the first record of a chunk is so many from the start. Gone with every change. */
  #knownChunk = 0;
  #knownOrdinal = 0;
  readonly #width: number;

  /** @param width words of a record, the ID_WORDS of its id included */
  constructor(width: number) {
    this.#width = width;
  }

  /** Goes to the first record that is not before `id`; false if there is none. */
  seek(id: StreamId): boolean {
    const chunks = this.#chunks;
    const width = this.#width;
    // The last chunk that begins at or before the id, or the first.
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (id.compareWords(chunks[middle]!.words, 0) >= 0) low = middle;
      else high = middle - 1;
    }
    this.#chunk = low;
    const chunk = chunks[low];
    if (chunk === undefined) return false;
    let from = 0;
    let to = chunk.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (id.compareWords(chunk.words, middle * width) > 0) from = middle + 1;
      else to = middle;
    }
    this.#index = from;
    return this.#publish();
  }

  find(id: StreamId): boolean {
    return this.seek(id) && id.compareWords(this.words, this.at) === 0;
  }

  /** The record after the last one that was found, or false. Not after a change. */
  next(): boolean {
    this.#index++;
    return this.#publish();
  }

  /** Goes to record number `ordinal`, from 0. */
  seekOrdinal(ordinal: number): boolean {
    if (ordinal < this.#knownOrdinal) this.#forgetOrdinals();
    const chunks = this.#chunks;
    let chunk = this.#knownChunk;
    let before = this.#knownOrdinal;
    for (; chunk < chunks.length && ordinal - before >= chunks[chunk]!.count; chunk++)
      before += chunks[chunk]!.count;
    this.#knownChunk = chunk;
    this.#knownOrdinal = before;
    this.#chunk = chunk;
    this.#index = ordinal - before;
    return this.#publish();
  }

  #forgetOrdinals(): void {
    this.#knownChunk = 0;
    this.#knownOrdinal = 0;
  }

  #publish(): boolean {
    let chunk = this.#chunks[this.#chunk];
    if (chunk !== undefined && this.#index >= chunk.count) {
      chunk = this.#chunks[++this.#chunk];
      this.#index = 0;
    }
    if (chunk === undefined) return false;
    this.words = chunk.words;
    this.at = this.#index * this.#width;
    return true;
  }

  /** Makes the record that was found free to write to, behind its id: words[at + ID_WORDS, ...). */
  own(): void {
    this.words = this.#owned(this.#chunk).words;
  }

  #owned(number: number): Chunk {
    const chunk = this.#chunks[number]!;
    if (chunk.owner === this.#owner) return chunk;
    const own = this.#make(chunk.words.slice(), chunk.count);
    this.#chunks[number] = own;
    return own;
  }

  #make(words: Uint32Array, count: number): Chunk {
    return { words, count, owner: this.#owner };
  }

  /** Adds a record, all zeros behind its id, to be written to at once. False, and it is found, if it is there. */
  insert(id: StreamId): boolean {
    const chunks = this.#chunks;
    const width = this.#width;
    const last = chunks[chunks.length - 1];
    const isAfterAll = last === undefined || id.compareWords(last.words, (last.count - 1) * width) > 0;
    if (isAfterAll) {
      this.#chunk = chunks.length - 1;
      this.#index = last?.count ?? 0;
      // Full chunks are not cut in halves at the end: ids mostly come in order.
      if (last === undefined || last.count === CHUNK_RECORDS_MAX) {
        const first = last === undefined ? CHUNK_RECORDS_FIRST : CHUNK_RECORDS_MAX;
        chunks.push(this.#make(new Uint32Array(first * width), 0));
        this.#chunk++;
        this.#index = 0;
      }
    } else {
      if (this.find(id)) return false;
      this.#splitIfFull();
    }
    this.#makeRoom(id);
    return true;
  }

  #splitIfFull(): void {
    if (this.#chunks[this.#chunk]!.count < CHUNK_RECORDS_MAX) return;
    const chunk = this.#owned(this.#chunk);
    const width = this.#width;
    const half = CHUNK_RECORDS_MAX / 2;
    const words = new Uint32Array(CHUNK_RECORDS_MAX * width);
    words.set(chunk.words.subarray(half * width, CHUNK_RECORDS_MAX * width));
    this.#chunks.splice(this.#chunk + 1, 0, this.#make(words, half));
    chunk.count = half;
    if (this.#index <= half) return;
    this.#chunk++;
    this.#index -= half;
  }

  #makeRoom(id: StreamId): void {
    const width = this.#width;
    const chunk = this.#owned(this.#chunk);
    const at = this.#index * width;
    const end = chunk.count * width;
    if (end === chunk.words.length) {
      const larger = new Uint32Array(2 * end);
      larger.set(chunk.words);
      chunk.words = larger;
    }
    const { words } = chunk;
    if (at < end) words.copyWithin(at + width, at, end);
    id.writeWords(words, at);
    words.fill(0, at + ID_WORDS, at + width);
    chunk.count++;
    this.count++;
    this.#forgetOrdinals();
    this.words = words;
    this.at = at;
  }

  /** Removes the record that was found. */
  remove(): void {
    const found = this.#chunks[this.#chunk];
    if (found === undefined || this.#index >= found.count)
      fail(`no record ${this.#index} in chunk ${this.#chunk}`);
    this.count--;
    this.#forgetOrdinals();
    if (found.count === 1) {
      this.#chunks.splice(this.#chunk, 1);
      return;
    }
    const width = this.#width;
    const at = this.#index * width;
    const chunk = this.#owned(this.#chunk);
    const { words } = chunk;
    words.copyWithin(at, at + width, chunk.count * width);
    chunk.count--;
    if (chunk.count < CHUNK_RECORDS_FEW) this.#join();
  }

  /** Puts a chunk of few records together with a neighbour that has room. */
  #join(): void {
    const chunks = this.#chunks;
    const left = this.#chunk + 1 < chunks.length ? this.#chunk : this.#chunk - 1;
    const into = chunks[left];
    const from = chunks[left + 1];
    if (into === undefined || from === undefined) return;
    const count = into.count + from.count;
    if (count > JOINED_RECORDS_MAX) return;
    const width = this.#width;
    const words = new Uint32Array(CHUNK_RECORDS_MAX * width);
    words.set(into.words.subarray(0, into.count * width));
    words.set(from.words.subarray(0, from.count * width), into.count * width);
    chunks.splice(left, 2, this.#make(words, count));
  }

  /** Removes all records whose word `word` is this value. Walks over the whole table, once. */
  removeWhere(word: number, value: number): void {
    const width = this.#width;
    const kept: Chunk[] = [];
    this.count = 0;
    for (const { words, count } of this.#chunks) {
      const rest = new Uint32Array(words.length);
      let end = 0;
      for (let at = 0; at < count * width; at += width) {
        if (words[at + word] === value) continue;
        for (let i = 0; i < width; i++) rest[end + i] = words[at + i]!;
        end += width;
      }
      if (end > 0) kept.push(this.#make(rest, end / width));
      this.count += end / width;
    }
    this.#chunks = kept;
    this.#forgetOrdinals();
  }

  /** Equal now, and free to change while this one is only read. Shares the chunks. */
  clone(): IdTable {
    const twin = new IdTable(this.#width);
    twin.count = this.count;
    twin.#chunks = this.#chunks.slice();
    return twin;
  }

  /** Shares nothing. */
  copy(): IdTable {
    const twin = new IdTable(this.#width);
    twin.count = this.count;
    twin.#chunks = this.#chunks.map(({ words, count }) => twin.#make(words.slice(), count));
    return twin;
  }
}
