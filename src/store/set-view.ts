// A set to ask for members, in whichever form it is kept. Good until the next change of the database.

import { assert } from "../base/assert.ts";
import { parseInteger64 } from "../base/integers.ts";
import { intsetCount, intsetFind } from "./intset.ts";
import type { Keyspace } from "./keyspace.ts";
import { findEntry, listpackCount } from "./listpack.ts";
import { MemberCollection } from "./member-collection.ts";
import type { MemberTable } from "./member-table.ts";
import { FLAG_INTSET, FLAG_OBJECT } from "./types.ts";

const NO_BYTES = Buffer.alloc(0);

export class SetView {
  /** 0: no such key, which is an empty set; also when it is no key's. */
  handle = 0;
  count = 0;
  /** Of a hashtable; else undefined. */
  table: MemberTable | undefined = undefined;
  isIntset = false;
  protected valueBytes: Buffer = NO_BYTES;
  protected valueStart = 0;
  protected valueEnd = 0;

  /** @param handle of a set, or 0 */
  open(keys: Keyspace, handle: number): this {
    if (handle === 0) {
      this.close();
      return this;
    }
    const kind = keys.kindOf(handle);
    if ((kind & FLAG_OBJECT) !== 0) {
      const collection = keys.collectionOf(handle);
      assert(collection instanceof MemberCollection, `a large set of kind ${kind}`);
      this.openTable(collection.table);
    } else {
      keys.valueOf(handle);
      const { valueBytes, valueStart, valueEnd } = keys;
      const isIntset = (kind & FLAG_INTSET) !== 0;
      const count = isIntset
        ? intsetCount(valueBytes, valueStart)
        : listpackCount(valueBytes, valueStart, valueEnd);
      this.openCompact(isIntset, valueBytes, valueStart, valueEnd, count);
    }
    this.handle = handle;
    return this;
  }

  openTable(table: MemberTable): void {
    this.close();
    this.table = table;
    this.count = table.count;
  }

  /** An intset, or a listpack, whose header need not say the count yet. */
  openCompact(isIntset: boolean, bytes: Buffer, start: number, end: number, count: number): void {
    this.close();
    this.isIntset = isIntset;
    this.valueBytes = bytes;
    this.valueStart = start;
    this.valueEnd = end;
    this.count = count;
  }

  /** An empty set; keeps hold of nothing. */
  close(): void {
    this.handle = 0;
    this.count = 0;
    this.table = undefined;
    this.isIntset = false;
    this.valueBytes = NO_BYTES;
  }

  has(bytes: Buffer, start: number, end: number): boolean {
    if (this.table !== undefined) return this.table.find(bytes, start, end) >= 0;
    if (this.count === 0) return false;
    if (!this.isIntset)
      return findEntry(this.valueBytes, this.valueStart, this.valueEnd, bytes, start, end, 1) >= 0;
    const value = parseInteger64(bytes, start, end);
    return value !== undefined && intsetFind(this.valueBytes, this.valueStart, value) >= 0;
  }
}
