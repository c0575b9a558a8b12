// A sorted set that is made as a whole and then put at a key: begin(), append() in order from either end, put(). The key may hold
// what the members are read from, as nothing in the store changes before put().

import { fitsCompact, scoreText, writeScore } from "./compact-sorted-set.ts";
import type { Keyspace } from "./keyspace.ts";
import { LISTPACK_HEADER_BYTES, previousEntry } from "./listpack.ts";
import { ListpackBuilder } from "./listpack-builder.ts";
import type { HashSeed } from "./member-table.ts";
import { SortedSet } from "./sorted-set.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "./thresholds.ts";
import { ZSET } from "./types.ts";

export class SortedSetDraft {
  count = 0;
  #thresholds: Thresholds = DEFAULT_THRESHOLDS;
  #seed: HashSeed = [0, 0];
  readonly #pairs = new ListpackBuilder();
  #large: SortedSet | undefined;
  #isDescending = false;

  /**
   * @param count how many there will be, and @param longestBytes the longest of them, if that is known: then a large set
   * is one from the start. Which members a set is made large after shows where scores are minus zero, as in Redis.
   */
  begin(thresholds: Thresholds, seed: HashSeed, count = 0, longestBytes = 0): this {
    this.#isDescending = false;
    this.#thresholds = thresholds;
    this.#seed = seed;
    this.#pairs.begin();
    this.#large = undefined;
    this.count = 0;
    if (this.#isTooLarge(count, longestBytes)) this.#enlarge();
    return this;
  }

  #isTooLarge(count: number, memberBytes: number): boolean {
    return !fitsCompact(this.#thresholds, count, memberBytes, this.#pairs.length);
  }

  /** Right after begin(): members come from the last one on. */
  descend(): void {
    this.#isDescending = true;
  }

  /** The next in order: score, then bytes. No member comes twice. */
  append(score: number, bytes: Buffer, start: number, end: number): void {
    this.count++;
    if (this.#large === undefined && this.#isTooLarge(this.count, end - start)) this.#enlarge();
    if (this.#large !== undefined) return this.#large.add(score, bytes, start, end);
    this.#pairs.text(bytes, start, end);
    this.#pairs.text(scoreText, 0, writeScore(score));
  }

  /** Over whatever is at the key, and its deadline. There is at least one member. Returns the handle. */
  put(keys: Keyspace, key: Buffer, start: number, end: number): number {
    const large = this.#large;
    this.#large = undefined;
    if (large !== undefined) return keys.putCollection(key, start, end, ZSET, large, false);
    const { bytes, length } = this.#isDescending ? this.#turned() : this.#pairs.finish();
    return keys.putRecord(key, start, end, ZSET, bytes, 0, length, false);
  }

  /** The pairs from the last to the first. */
  #turned(): ListpackBuilder {
    const { bytes, length } = this.#pairs.finish();
    const turned = new ListpackBuilder().begin();
    for (let end = length - 1; end > LISTPACK_HEADER_BYTES; ) {
      const start = previousEntry(bytes, previousEntry(bytes, end));
      turned.entries(bytes, start, end, 2);
      end = start;
    }
    return turned.finish();
  }

  #enlarge(): void {
    this.#large = new SortedSet(this.#seed);
    const { bytes, length } = this.#pairs.finish();
    this.#large.addPairs(bytes, 0, length);
  }
}
