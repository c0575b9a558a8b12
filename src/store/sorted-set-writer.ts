// A sorted set to be changed, in whichever form it is kept, and the step from the compact form to the large one where Redis
// takes it: begin(), changes, commit().

import { assert } from "../base/assert.ts";
import type { Collection } from "./collection.ts";
import { CollectionWriter } from "./collection-writer.ts";
import {
  findPair,
  fitsCompact,
  readScore,
  scoreText,
  searchPlace,
  writeScore,
} from "./compact-sorted-set.ts";
import { entryAt, nextEntry } from "./listpack.ts";
import { ListpackEditor } from "./listpack-editor.ts";
import type { HashSeed } from "./member-table.ts";
import { SortedSet } from "./sorted-set.ts";
import { ZSET } from "./types.ts";

// Conditions of put(), as ZADD's options.
export const NX = 1;
export const XX = 2;
export const GT = 4;
export const LT = 8;
export const INCREMENT = 16;

/** What put() did. */
export type Put = "added" | "updated" | "same" | "refused" | "notANumber";

export class SortedSetWriter extends CollectionWriter<SortedSet> {
  /** The member's score after a put() that did not refuse. */
  score = 0;
  readonly #compact = new ListpackEditor();

  /** Adds the member or changes its score, under the conditions of `flags`. The source may not lie in this set. */
  put(score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    if (this.large !== undefined) return this.#putLarge(this.large, score, flags, bytes, start, end);
    const compact = this.#compact;
    const at = findPair(compact.bytes, compact.start, compact.end, bytes, start, end);
    if (at < 0) return this.#add(score, flags, bytes, start, end);
    const outcome = this.#decide(readScore(compact.bytes, nextEntry(compact.bytes, at)), score, flags);
    if (outcome === "updated") {
      compact.remove(at, 2);
      this.#insert(this.score, bytes, start, end);
    }
    return outcome;
  }

  /** True if the member was there. */
  remove(bytes: Buffer, start: number, end: number): boolean {
    if (this.large !== undefined) {
      const number = this.large.table.find(bytes, start, end);
      if (number < 0) return false;
      this.openLarge().remove(number);
      return true;
    }
    const compact = this.#compact;
    const at = findPair(compact.bytes, compact.start, compact.end, bytes, start, end);
    if (at < 0) return false;
    this.isChanged = true;
    compact.remove(at, 2);
    return true;
  }

  /** Removes `count` members from rank `from` on, which are there. */
  removeRanks(from: number, count: number): void {
    if (this.large !== undefined) {
      const set = this.openLarge();
      for (let i = 0; i < count; i++) set.remove(set.tree.at(from));
      return;
    }
    const compact = this.#compact;
    this.isChanged = true;
    compact.remove(entryAt(compact.bytes, compact.start, compact.end, 2 * from), 2 * count);
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
      this.openLarge().addNotFound(score, bytes, start, end);
      return "added";
    }
    const outcome = this.#decide(set.table.scoreOf(number), score, flags);
    if (outcome === "updated") this.openLarge().setScore(number, this.score);
    return outcome;
  }

  /** Adds a member that is not there to a small set, which may have to become a large one first. */
  #add(score: number, flags: number, bytes: Buffer, start: number, end: number): Put {
    if ((flags & XX) !== 0) return "refused";
    this.score = score;
    if (fitsCompact(this.thresholds, this.compactCount + 1, end - start, this.#compact.byteLength)) {
      this.#insert(score, bytes, start, end);
    } else {
      this.makeLarge().add(score, bytes, start, end);
    }
    return "added";
  }

  #insert(score: number, bytes: Buffer, start: number, end: number): void {
    const compact = this.#compact;
    this.isChanged = true;
    const at = searchPlace(compact.bytes, compact.start, compact.end, score, bytes, start, end);
    compact.insertPair(at, bytes, start, end, scoreText, 0, writeScore(score));
  }

  protected override beginEmpty(): void {
    this.#compact.empty();
  }

  protected override beginCompact(_kind: number, bytes: Buffer, start: number, end: number): void {
    this.#compact.load(bytes, start, end);
  }

  protected override get compactCount(): number {
    return this.#compact.count / 2;
  }

  protected override countOf(large: SortedSet): number {
    return large.table.count;
  }

  protected override newLarge(seed: HashSeed): SortedSet {
    return new SortedSet(seed);
  }

  protected override own(collection: Collection): SortedSet {
    assert(collection instanceof SortedSet, `no sorted set, but a ${collection.encoding}`);
    return collection;
  }

  protected override fill(large: SortedSet): void {
    large.addPairs(this.#compact.bytes, this.#compact.start, this.#compact.end);
  }

  protected override storeCompact(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number {
    return this.storeListpack(this.#compact, ZSET, keyBytes, keyStart, keyEnd, keepDeadline);
  }
}
