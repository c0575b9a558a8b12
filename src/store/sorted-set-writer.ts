// Changing a sorted set of either form, and making one: begin() with its key, then any number of changes, then finish(). Small
// sets become large ones where Redis converts them, never the other way.

import {
  compactRest,
  compactResult,
  findPair,
  fitsCompact,
  insertPair,
  nextPair,
  placeAt,
  readScore,
  removePairs,
  searchPlace,
  singlePair,
} from "./compact-sorted-set.ts";
import type { Keyspace } from "./keyspace.ts";
import { entryAt, listpackCount, nextEntry } from "./listpack.ts";
import { SortedSet } from "./sorted-set.ts";
import { largeSortedSet } from "./sorted-set-reader.ts";
import type { Store } from "./store.ts";
import { FLAG_OBJECT, ZSET } from "./types.ts";

// Conditions of put(), as ZADD's options.
export const NX = 1;
export const XX = 2;
export const GT = 4;
export const LT = 8;
export const INCREMENT = 16;

/** What put() did. */
export type Put = "added" | "updated" | "same" | "refused" | "notANumber";

const NO_BYTES = Buffer.alloc(0);

export class SortedSetWriter {
  /** The member's score after a put() that did not refuse. */
  score = 0;
  count = 0;

  #store: Store | undefined;
  #keys: Keyspace | undefined;
  #handle = 0;
  #key: Buffer = NO_BYTES;
  #keyStart = 0;
  #keyEnd = 0;
  #large: SortedSet | undefined;
  #isChanged = false;

  /** @param handle of the key; 0 if there is none: the first put() makes it then */
  begin(store: Store, keys: Keyspace, handle: number, key: Buffer, start: number, end: number): this {
    this.#store = store;
    this.#keys = keys;
    this.#handle = handle;
    this.#key = key;
    this.#keyStart = start;
    this.#keyEnd = end;
    this.#large = undefined;
    this.#isChanged = false;
    this.count = 0;
    if (handle === 0) return this;
    if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) {
      this.#large = largeSortedSet(keys, handle);
      this.count = this.#large.table.count;
    } else {
      keys.valueOf(handle);
      this.count = listpackCount(keys.valueBytes, keys.valueStart, keys.valueEnd) >>> 1;
    }
    return this;
  }

  /** Adds the member or changes its score, under the conditions of `flags`. */
  put(score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    if (this.#large !== undefined) return this.#putLarge(this.#large, score, flags, bytes, start, end);
    if (this.#handle === 0) return this.#putFirst(score, flags, bytes, start, end);
    const keys = this.#keys!;
    const { valueBytes, valueStart, valueEnd } = keys;
    const at = findPair(valueBytes, valueStart, valueEnd, bytes, start, end);
    if (at < 0) return this.#add(score, flags, bytes, start, end);
    const scoreAt = nextEntry(valueBytes, at);
    const before = readScore(valueBytes, scoreAt);
    const outcome = this.#decide(before, score, flags);
    if (outcome === "updated") {
      removePairs(compactRest, valueBytes, valueStart, valueEnd, at, nextEntry(valueBytes, scoreAt), 1);
      const { bytes: rest, length } = compactRest;
      searchPlace(rest, 0, length, this.score, bytes, start, end);
      insertPair(rest, 0, length, placeAt, this.score, bytes, start, end);
      this.#keep();
    }
    return outcome;
  }

  /** True if the member was there. */
  remove(bytes: Buffer, start: number, end: number): boolean {
    if (this.count === 0) return false;
    if (this.#large !== undefined) {
      const number = this.#large.table.find(bytes, start, end);
      if (number < 0) return false;
      this.#change().remove(number);
      this.count--;
      return true;
    }
    const { valueBytes, valueStart, valueEnd } = this.#keys!;
    const at = findPair(valueBytes, valueStart, valueEnd, bytes, start, end);
    if (at < 0) return false;
    this.#cut(at, nextPair(valueBytes, at), 1);
    return true;
  }

  /** Removes `count` members from rank `from` on, which are there. */
  removeRanks(from: number, count: number): void {
    if (this.#large !== undefined) {
      const set = this.#change();
      for (let i = 0; i < count; i++) set.remove(set.tree.at(from));
      this.count -= count;
      return;
    }
    const { valueBytes, valueStart, valueEnd } = this.#keys!;
    const at = entryAt(valueBytes, valueStart, valueEnd, 2 * from);
    const until = entryAt(valueBytes, valueStart, valueEnd, 2 * (from + count));
    this.#cut(at, until < 0 ? valueEnd - 1 : until, count);
  }

  /** Accounts for the changes. True if nothing is left, and the key is gone. */
  finish(): boolean {
    if (!this.#isChanged) return false;
    const keys = this.#keys!;
    if (this.#large !== undefined) keys.settle(this.#large);
    return this.count === 0 && keys.remove(this.#key, this.#keyStart, this.#keyEnd);
  }

  /** What becomes of a member that is there; the score to be in this.score. */
  #decide(before: number, score: number, flags: number): Put {
    this.score = before;
    if ((flags & NX) !== 0) return "refused";
    if ((flags & INCREMENT) !== 0) {
      score += before;
      if (Number.isNaN(score)) return "notANumber";
    }
    if ((flags & LT) !== 0 && score >= before) return "refused";
    if ((flags & GT) !== 0 && score <= before) return "refused";
    this.score = score;
    return score === before ? "same" : "updated";
  }

  #putLarge(set: SortedSet, score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    const number = set.table.find(bytes, start, end);
    if (number < 0) {
      if ((flags & XX) !== 0) return "refused";
      this.score = score;
      this.#change().addNotFound(score, bytes, start, end);
      this.count++;
      return "added";
    }
    const outcome = this.#decide(set.table.scoreOf(number), score, flags);
    if (outcome === "updated") this.#change().setScore(number, this.score);
    return outcome;
  }

  /** Adds a member that is not there to a small set, which may have to become a large one first. */
  #add(score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    if ((flags & XX) !== 0) return "refused";
    if (this.#isTooLarge(this.count + 1, end - start)) {
      this.#large = this.#enlarge();
      return this.#putLarge(this.#large, score, flags, bytes, start, end);
    }
    const { valueBytes, valueStart, valueEnd } = this.#keys!;
    searchPlace(valueBytes, valueStart, valueEnd, score, bytes, start, end);
    insertPair(valueBytes, valueStart, valueEnd, placeAt, score, bytes, start, end);
    this.#keep();
    this.score = score;
    this.count++;
    return "added";
  }

  #putFirst(score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    if ((flags & XX) !== 0) return "refused";
    if (this.#isTooLarge(1, end - start)) {
      this.#putCollection(this.#newSet());
      return this.#putLarge(this.#large!, score, flags, bytes, start, end);
    }
    singlePair(score, bytes, start, end);
    this.#keep();
    this.score = score;
    this.count = 1;
    return "added";
  }

  #isTooLarge(count: number, memberBytes: number): boolean {
    const bytes = this.#handle === 0 ? 0 : this.#keys!.valueEnd - this.#keys!.valueStart;
    return !fitsCompact(this.#store!.thresholds, count, memberBytes, bytes);
  }

  #newSet(): SortedSet {
    return new SortedSet(this.#store!.hashSeed);
  }

  #enlarge(): SortedSet {
    const set = this.#newSet();
    const { valueBytes, valueStart, valueEnd } = this.#keys!;
    set.addPairs(valueBytes, valueStart, valueEnd);
    this.#putCollection(set);
    return set;
  }

  #putCollection(set: SortedSet): void {
    this.#handle = this.#keys!.putCollection(this.#key, this.#keyStart, this.#keyEnd, ZSET, set, true);
    this.#large = set;
  }

  /** The large set, to be changed: a clone if a snapshot reads it. Numbers are the same there. */
  #change(): SortedSet {
    if (!this.#isChanged || this.#large!.frozen) {
      this.#isChanged = true;
      const found = this.#keys!.collectionForWrite(this.#handle);
      if (found instanceof SortedSet) this.#large = found;
    }
    return this.#large!;
  }

  /** Takes pairs out of the small set. One of none stays until finish(). */
  #cut(at: number, until: number, pairs: number): void {
    const { valueBytes, valueStart, valueEnd } = this.#keys!;
    this.count -= pairs;
    this.#isChanged = true;
    if (this.count === 0) return;
    removePairs(compactResult, valueBytes, valueStart, valueEnd, at, until, pairs);
    this.#keep();
  }

  #keep(): void {
    this.#isChanged = true;
    const { bytes, length } = compactResult;
    const keys = this.#keys!;
    this.#handle = keys.putRecord(this.#key, this.#keyStart, this.#keyEnd, ZSET, bytes, 0, length, true);
  }
}
