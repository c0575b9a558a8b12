// What writers of hashes and sets have in common: a value that begins compact or large, is changed, and is stored at the
// end. Nothing of the database changes before that but a large collection itself.

import { assert } from "../base/assert.ts";
import type { Keyspace } from "./keyspace.ts";
import { MemberCollection } from "./member-collection.ts";
import type { HashSeed, MemberTable } from "./member-table.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "./thresholds.ts";
import type * as is from "./types.ts";
import { FLAG_OBJECT } from "./types.ts";

export abstract class MemberWriter {
  protected thresholds: Thresholds = DEFAULT_THRESHOLDS;
  protected isChanged = false;
  /** The members, when they are large. */
  protected table: MemberTable | undefined = undefined;
  #keys: Keyspace | undefined = undefined;
  #seed: HashSeed = [0, 0];
  #handle = 0;
  #large: MemberCollection | undefined = undefined;
  /** Is #large the record's own, not yet taken to be written to? */
  #isBorrowed = false;
  /** Is #large the record's own at all? */
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
      this.#setLarge(this.#own(keys.collectionOf(handle)));
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
    this.#setLarge(undefined);
  }

  protected abstract beginEmpty(): void;
  protected abstract beginCompact(kind: number, bytes: Buffer, start: number, end: number): void;
  /** Members of the compact form. */
  protected abstract readonly compactCount: number;
  /** Fills a table with what was compact until now. */
  protected abstract fill(table: MemberTable): void;
  /** Stores the compact form; returns the handle. */
  protected abstract storeCompact(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number;

  get isLarge(): boolean {
    return this.table !== undefined;
  }

  /** Fields, or members. */
  get count(): number {
    return this.table === undefined ? this.compactCount : this.table.count;
  }

  /** From here on it is large. */
  makeLarge(): MemberTable {
    if (this.table !== undefined) return this.table;
    const large = new MemberCollection(this.#seed);
    this.fill(large.table);
    this.isChanged = true;
    this.#setLarge(large);
    return large.table;
  }

  /** A new value that became large is to be compact after all: as beginEmpty() or another leaves it. */
  protected becomeCompact(): void {
    this.#setLarge(undefined);
  }

  /** The table of what is large, to be changed: other than the one before, if a snapshot is reading that. */
  openTable(): MemberTable {
    this.isChanged = true;
    if (this.#isBorrowed) {
      this.#isBorrowed = false;
      this.#setLarge(this.#own(this.#keys!.collectionForWrite(this.#handle)));
    }
    return this.table!;
  }

  /** Removes one from the table; false if it is not there. */
  protected removeLarge(table: MemberTable, bytes: Buffer, start: number, end: number): boolean {
    const number = table.find(bytes, start, end);
    if (number < 0) return false;
    this.openTable().remove(number);
    return true;
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
    const large = this.#large;
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
    this.#setLarge(undefined);
    this.#keys = undefined;
  }

  protected get keys(): Keyspace {
    return this.#keys!;
  }

  #setLarge(large: MemberCollection | undefined): void {
    this.#large = large;
    this.table = large?.table;
  }

  #own(collection: unknown): MemberCollection {
    assert(collection instanceof MemberCollection, `no members under record ${this.#handle}`);
    return collection;
  }
}
