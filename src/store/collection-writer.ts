// What writers of hashes, sets and sorted sets have in common: a value that begins compact or large, is changed, and is
// stored at the end. Nothing of the database changes before that but a large collection itself.

import type { Collection } from "./collection.ts";
import type { Keyspace } from "./keyspace.ts";
import type { ListpackEditor } from "./listpack-editor.ts";
import type { HashSeed } from "./member-table.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "./thresholds.ts";
import type * as is from "./types.ts";
import { FLAG_OBJECT } from "./types.ts";

export abstract class CollectionWriter<Large extends Collection> {
  protected thresholds: Thresholds = DEFAULT_THRESHOLDS;
  protected isChanged = false;
  /** When it is large. */
  protected large: Large | undefined = undefined;
  #keys: Keyspace | undefined = undefined;
  #seed: HashSeed = [0, 0];
  #handle = 0;
  /** Is `large` the record's own, not yet taken to be written to? */
  #isBorrowed = false;
  /** Is `large` the record's own at all? */
  #isStored = false;

  /**
   * @param handle of the value to change, 0 for a new one
   * @param seed of the key hash
   */
  begin(keys: Keyspace, handle: number, thresholds: Thresholds, seed: HashSeed): this {
    this.#reset(handle, thresholds, seed);
    this.#keys = keys;
    const kind = handle === 0 ? 0 : keys.kindOf(handle);
    if (handle === 0) {
      this.beginEmpty();
    } else if ((kind & FLAG_OBJECT) !== 0) {
      this.#isStored = true;
      this.#isBorrowed = true;
      this.large = this.own(keys.collectionOf(handle));
    } else {
      keys.valueOf(handle);
      this.beginCompact(kind, keys.valueBytes, keys.valueStart, keys.valueEnd);
    }
    return this;
  }

  /** Begins a new one; commitTo() says where it goes. */
  beginNew(thresholds: Thresholds, seed: HashSeed): this {
    this.#reset(0, thresholds, seed);
    this.beginEmpty();
    return this;
  }

  #reset(handle: number, thresholds: Thresholds, seed: HashSeed): void {
    this.#handle = handle;
    this.#seed = seed;
    this.thresholds = thresholds;
    this.isChanged = false;
    this.#isStored = false;
    this.#isBorrowed = false;
    this.large = undefined;
  }

  protected abstract beginEmpty(): void;
  protected abstract beginCompact(kind: number, bytes: Buffer, start: number, end: number): void;
  /** Members of the compact form. */
  protected abstract readonly compactCount: number;
  protected abstract countOf(large: Large): number;
  /** An empty one. */
  protected abstract newLarge(seed: HashSeed): Large;
  /** What a large value's record refers to. */
  protected abstract own(collection: Collection): Large;
  /** Fills an empty one with what was compact until now. */
  protected abstract fill(large: Large): void;
  /** Stores the compact form; returns the handle. */
  protected abstract storeCompact(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number;

  /** For storeCompact() of a value that is a listpack. */
  protected storeListpack(
    listpack: ListpackEditor,
    type: is.ValueType,
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number {
    listpack.finish();
    const { bytes, start, end } = listpack;
    return this.keys.putRecord(keyBytes, keyStart, keyEnd, type, bytes, start, end, keepDeadline);
  }

  get isLarge(): boolean {
    return this.large !== undefined;
  }

  /** Fields, or members. */
  get count(): number {
    return this.large === undefined ? this.compactCount : this.countOf(this.large);
  }

  /** From here on it is large. */
  makeLarge(): Large {
    if (this.large !== undefined) return this.large;
    const large = this.newLarge(this.#seed);
    this.fill(large);
    this.isChanged = true;
    this.large = large;
    return large;
  }

  /** A new value that became large is to be compact after all: as beginEmpty() or another leaves it. */
  protected becomeCompact(): void {
    this.large = undefined;
  }

  /** What is large, to be changed: other than the one before, if a snapshot is reading that. */
  protected openLarge(): Large {
    this.isChanged = true;
    if (this.#isBorrowed) {
      this.#isBorrowed = false;
      this.large = this.own(this.#keys!.collectionForWrite(this.#handle));
    }
    return this.large!;
  }

  /**
   * Gives the key what it is now; removes the key when that is nothing. Ends what begin() began. Returns the handle, 0 for
   * none, good until the next change.
   */
  commit(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    type: is.ValueType,
    keepDeadline = true,
  ): number {
    const keys = this.#keys!;
    const { large } = this;
    let handle = this.#handle;
    if (this.isChanged) {
      if (this.count === 0) {
        if (handle !== 0) keys.remove(keyBytes, keyStart, keyEnd);
        handle = 0;
      } else if (large === undefined) {
        handle = this.storeCompact(keyBytes, keyStart, keyEnd, keepDeadline);
      } else if (this.#isStored) {
        keys.settle(large);
      } else {
        handle = keys.putCollection(keyBytes, keyStart, keyEnd, type, large, keepDeadline);
      }
    }
    this.forget();
    return handle;
  }

  /** commit() of what beginNew() began, over whatever the key holds. */
  commitTo(keys: Keyspace, keyBytes: Buffer, keyStart: number, keyEnd: number, type: is.ValueType): number {
    this.#keys = keys;
    return this.commit(keyBytes, keyStart, keyEnd, type, false);
  }

  /** Drops what was not committed. Nothing of the database may have been changed. */
  forget(): void {
    this.large = undefined;
    this.#keys = undefined;
  }

  protected get keys(): Keyspace {
    return this.#keys!;
  }
}
