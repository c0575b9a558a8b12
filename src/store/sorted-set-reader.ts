// Reading a sorted set of either form. In: a record's handle, members as byte ranges, ranks, bounds. Out: ranks, scores, and
// one member at a time as bytes[start, end) with its score. Good until the next change of the database.

import { assert } from "../base/assert.ts";
import { findPair, nextPair, readScore } from "./compact-sorted-set.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  entryAt,
  LISTPACK_HEADER_BYTES,
  ListpackEntry,
  listpackCount,
  nextEntry,
  previousEntry,
} from "./listpack.ts";
import { compareBytes } from "./record.ts";
import { SortedSet } from "./sorted-set.ts";
import { FLAG_OBJECT } from "./types.ts";

const NO_BYTES = Buffer.alloc(0);

/** The sorted set of a record with FLAG_OBJECT, to read from. */
export function largeSortedSet(keys: Keyspace, handle: number): SortedSet {
  const found = keys.collectionOf(handle);
  assert(found instanceof SortedSet, "a large sorted set is a SortedSet");
  return found;
}

export class SortedSetReader {
  count = 0;

  /** The member last gone to. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  score = 0;

  #large: SortedSet | undefined;
  // The listpack otherwise, and where the member last gone to is in it.
  #pack: Buffer = NO_BYTES;
  #packStart = 0;
  #packEnd = 0;
  #at = 0;
  readonly #entry = new ListpackEntry();

  /** Of a record that holds a sorted set; 0 stands for an empty one. */
  open(keys: Keyspace, handle: number): this {
    this.#large = undefined;
    if (handle === 0) {
      this.count = 0;
      return this;
    }
    if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) {
      this.#large = largeSortedSet(keys, handle);
      this.count = this.#large.table.count;
      return this;
    }
    keys.valueOf(handle);
    this.#pack = keys.valueBytes;
    this.#packStart = keys.valueStart;
    this.#packEnd = keys.valueEnd;
    this.count = listpackCount(this.#pack, this.#packStart, this.#packEnd) >>> 1;
    return this;
  }

  get isLarge(): boolean {
    return this.#large !== undefined;
  }

  /** Goes to the member at a rank; false if there is none. */
  goTo(rank: number): boolean {
    if (!(rank >= 0 && rank < this.count)) return false;
    if (this.#large !== undefined) return this.#show(this.#large.tree.at(rank));
    // From the nearer end.
    const index = 2 * rank < this.count ? 2 * rank : 2 * (rank - this.count);
    return this.#showAt(entryAt(this.#pack, this.#packStart, this.#packEnd, index));
  }

  /** On to the next in order; false if there is none. */
  next(): boolean {
    if (this.#large !== undefined) return this.#show(this.#large.tree.next());
    const at = nextPair(this.#pack, this.#at);
    return at < this.#packEnd - 1 && this.#showAt(at);
  }

  previous(): boolean {
    if (this.#large !== undefined) return this.#show(this.#large.tree.previous());
    if (this.#at === this.#packStart + LISTPACK_HEADER_BYTES) return false;
    return this.#showAt(previousEntry(this.#pack, previousEntry(this.#pack, this.#at)));
  }

  /** Goes to member number `index` of an order of its own: insertion for large ones, else by rank. */
  goToNumber(index: number): boolean {
    return this.#large === undefined ? this.goTo(index) : this.#show(index);
  }

  /** The member's score in `score`; false if it is not there. Does not go to it. */
  find(bytes: Buffer, start: number, end: number): boolean {
    if (this.count === 0) return false;
    if (this.#large !== undefined) {
      const { table } = this.#large;
      const number = table.find(bytes, start, end);
      if (number >= 0) this.score = table.scoreOf(number);
      return number >= 0;
    }
    const at = findPair(this.#pack, this.#packStart, this.#packEnd, bytes, start, end);
    if (at >= 0) this.score = readScore(this.#pack, nextEntry(this.#pack, at));
    return at >= 0;
  }

  /** The member's rank, or -1; its score in `score`. */
  rankOf(bytes: Buffer, start: number, end: number): number {
    if (this.count === 0) return -1;
    if (this.#large !== undefined) {
      const number = this.#large.table.find(bytes, start, end);
      if (number < 0) return -1;
      this.score = this.#large.table.scoreOf(number);
      return this.#large.tree.rankOf(number);
    }
    const found = findPair(this.#pack, this.#packStart, this.#packEnd, bytes, start, end);
    if (found < 0) return -1;
    let rank = 0;
    let at = this.#packStart + LISTPACK_HEADER_BYTES;
    for (; at < found; at = nextPair(this.#pack, at)) rank++;
    this.score = readScore(this.#pack, nextEntry(this.#pack, at));
    return rank;
  }

  /** How many members have a lower score; with `isBehind`, a lower or the same. */
  rankOfScore(score: number, isBehind: boolean): number {
    if (this.count === 0) return 0;
    if (this.#large !== undefined) return this.#large.tree.rankOfScore(score, isBehind);
    let rank = 0;
    for (let at = this.#packStart + LISTPACK_HEADER_BYTES; at < this.#packEnd - 1; rank++) {
      const scoreAt = nextEntry(this.#pack, at);
      const other = readScore(this.#pack, scoreAt);
      if (other > score || (other === score && !isBehind)) break;
      at = nextEntry(this.#pack, scoreAt);
    }
    return rank;
  }

  /** How many members come before the text, or are it with `isBehind`. Where all scores are equal only. */
  rankOfText(bytes: Buffer, start: number, end: number, isBehind: boolean): number {
    if (this.count === 0) return 0;
    if (this.#large !== undefined) return this.#large.tree.rankOfText(bytes, start, end, isBehind);
    const entry = this.#entry;
    let rank = 0;
    for (let at = this.#packStart + LISTPACK_HEADER_BYTES; at < this.#packEnd - 1; rank++) {
      entry.read(this.#pack, at);
      const order = compareBytes(entry.bytes, entry.start, entry.end, bytes, start, end);
      if (order > 0 || (order === 0 && !isBehind)) break;
      at = nextPair(this.#pack, at);
    }
    return rank;
  }

  /** Of the member last gone to, in a small set: Redis's text of the score there differs from that of a double. */
  scoreEntry(): ListpackEntry {
    return this.#entry.read(this.#pack, nextEntry(this.#pack, this.#at));
  }

  #show(number: number): boolean {
    if (number < 0) return false;
    const { table } = this.#large!;
    table.locate(number);
    this.bytes = table.bytes;
    this.start = table.memberStart;
    this.end = table.memberEnd;
    this.score = table.scoreOf(number);
    return true;
  }

  #showAt(at: number): boolean {
    const entry = this.#entry.read(this.#pack, at);
    this.#at = at;
    this.bytes = entry.bytes;
    this.start = entry.start;
    this.end = entry.end;
    this.score = readScore(this.#pack, nextEntry(this.#pack, at));
    return true;
  }
}
