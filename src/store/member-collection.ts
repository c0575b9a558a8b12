// A large hash or set: the members of a MemberTable and nothing else.

import type { Collection, PieceWriter } from "./collection.ts";
import { type HashSeed, MemberTable } from "./member-table.ts";

const LENGTH_BYTES = 4;

export class MemberCollection implements Collection {
  frozen = false;
  accountedBytes = 0;
  readonly encoding = "hashtable";
  readonly table: MemberTable;

  constructor(seed: HashSeed, table = new MemberTable(seed, false)) {
    this.table = table;
  }

  get logicalBytes(): number {
    return this.table.logicalBytes;
  }

  clone(): MemberCollection {
    return new MemberCollection(this.table.seed, this.table.clone());
  }

  copy(): MemberCollection {
    return new MemberCollection(this.table.seed, this.table.copy());
  }

  beginPieces(): number {
    return this.table.count;
  }

  /** A member in the order of numbers: its length, its bytes, its value's bytes. */
  writePiece(index: number, into: PieceWriter): void {
    const { table } = this;
    table.locate(index);
    into.text(table.bytes, table.memberStart, table.memberEnd);
    into.copy(table.bytes, table.valueStart, table.valueEnd);
  }

  acceptPiece(bytes: Buffer, start: number, end: number): boolean {
    if (end - start < LENGTH_BYTES) return false;
    const memberStart = start + LENGTH_BYTES;
    const memberEnd = memberStart + bytes.readUInt32LE(start);
    if (memberEnd > end || this.table.find(bytes, memberStart, memberEnd) >= 0) return false;
    this.table.add(bytes, memberStart, memberEnd, bytes, memberEnd, end);
    return true;
  }
}
