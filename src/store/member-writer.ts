// What writers of hashes and sets have in common: a large value is a table of members and nothing else.

import { assert } from "../base/assert.ts";
import type { Collection } from "./collection.ts";
import { CollectionWriter } from "./collection-writer.ts";
import { MemberCollection } from "./member-collection.ts";
import type { HashSeed, MemberTable } from "./member-table.ts";

export abstract class MemberWriter extends CollectionWriter<MemberCollection> {
  /** The members, when they are large. */
  protected get table(): MemberTable | undefined {
    return this.large?.table;
  }

  protected override countOf(large: MemberCollection): number {
    return large.table.count;
  }

  protected override newLarge(seed: HashSeed): MemberCollection {
    return new MemberCollection(seed);
  }

  protected override own(collection: Collection): MemberCollection {
    assert(collection instanceof MemberCollection, `no members, but a ${collection.encoding}`);
    return collection;
  }

  /** The table of what is large, to be changed: other than the one before, if a snapshot is reading that. */
  openTable(): MemberTable {
    return this.openLarge().table;
  }

  /** Removes one from the table; false if it is not there. */
  protected removeLarge(table: MemberTable, bytes: Buffer, start: number, end: number): boolean {
    const number = table.find(bytes, start, end);
    if (number < 0) return false;
    this.openTable().remove(number);
    return true;
  }
}
