// A hash to read from, in whichever form it is kept: by field, by number, or pair after pair. Byte ranges in and out,
// good until the next move of the same reader and the next change of the database.

import { assert } from "../base/assert.ts";
import type { Keyspace } from "./keyspace.ts";
import { findEntry, LISTPACK_HEADER_BYTES, ListpackEntry, listpackCount, nextEntry } from "./listpack.ts";
import { ListpackPositions } from "./listpack-positions.ts";
import { MemberCollection } from "./member-collection.ts";
import type { MemberTable } from "./member-table.ts";
import { FLAG_OBJECT } from "./types.ts";

const NO_BYTES = Buffer.alloc(0);

export class HashReader {
  /** Fields. */
  count = 0;
  /** The pair it stands on. The field is not set by find(). */
  fieldBytes: Buffer = NO_BYTES;
  fieldStart = 0;
  fieldEnd = 0;
  valueBytes: Buffer = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  /** Of a hashtable; undefined for a listpack. */
  table: MemberTable | undefined = undefined;
  #bytes: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  /** What next() comes to: a position in the listpack, or a member's number. */
  #next = 0;
  readonly #positions = new ListpackPositions();
  readonly #field = new ListpackEntry();
  readonly #value = new ListpackEntry();

  /** @param handle of a hash */
  open(keys: Keyspace, handle: number): this {
    if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) {
      const collection = keys.collectionOf(handle);
      assert(collection instanceof MemberCollection, `a large hash of kind ${keys.kindOf(handle)}`);
      this.table = collection.table;
      this.count = this.table.count;
    } else {
      keys.valueOf(handle);
      this.table = undefined;
      this.#bytes = keys.valueBytes;
      this.#start = keys.valueStart;
      this.#end = keys.valueEnd;
      this.count = listpackCount(this.#bytes, this.#start, this.#end) / 2;
      this.#positions.forget();
    }
    this.rewind();
    return this;
  }

  /** Goes to the field's value; false if there is no such field. */
  find(bytes: Buffer, start: number, end: number): boolean {
    const { table } = this;
    if (table !== undefined) {
      const number = table.find(bytes, start, end);
      if (number < 0) return false;
      table.locate(number);
      this.#publishValue(table);
      return true;
    }
    const at = findEntry(this.#bytes, this.#start, this.#end, bytes, start, end, 2);
    if (at < 0) return false;
    this.#readValue(nextEntry(this.#bytes, at));
    return true;
  }

  /** next() begins at the first pair again. */
  rewind(): void {
    this.#next = this.table === undefined ? this.#start + LISTPACK_HEADER_BYTES : 0;
  }

  /** Goes to the next pair; false after the last. */
  next(): boolean {
    if (this.table !== undefined) {
      if (this.#next === this.count) return false;
      this.at(this.#next++);
      return true;
    }
    if (this.#next >= this.#end - 1) return false;
    this.#next = this.#readPair(this.#next);
    return true;
  }

  /** Goes to the pair with this number, which there must be. The first time linear for a listpack. */
  at(number: number): void {
    const { table } = this;
    if (table === undefined) {
      this.#readPair(this.#positions.at(this.#bytes, this.#start, this.#end, 2, number));
      return;
    }
    table.locate(number);
    this.fieldBytes = table.bytes;
    this.fieldStart = table.memberStart;
    this.fieldEnd = table.memberEnd;
    this.#publishValue(table);
  }

  #readPair(at: number): number {
    const field = this.#field.read(this.#bytes, at);
    this.fieldBytes = field.bytes;
    this.fieldStart = field.start;
    this.fieldEnd = field.end;
    const valueAt = nextEntry(this.#bytes, at);
    this.#readValue(valueAt);
    return nextEntry(this.#bytes, valueAt);
  }

  #readValue(at: number): void {
    const value = this.#value.read(this.#bytes, at);
    this.valueBytes = value.bytes;
    this.valueStart = value.start;
    this.valueEnd = value.end;
  }

  #publishValue(table: MemberTable): void {
    this.valueBytes = table.bytes;
    this.valueStart = table.valueStart;
    this.valueEnd = table.valueEnd;
  }
}
