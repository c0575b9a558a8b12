// A set to read from: member after member, or by number. The member is bytes[start, end), good until the next move and
// the next change of the database.

import { writeInteger } from "../base/integers.ts";
import { intsetAt } from "./intset.ts";
import { LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "./listpack.ts";
import { ListpackPositions } from "./listpack-positions.ts";
import type { MemberTable } from "./member-table.ts";
import { SetView } from "./set-view.ts";

export class SetReader extends SetView {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** What next() comes to: a position in the listpack, or a number. */
  #next = 0;
  readonly #entry = new ListpackEntry();
  readonly #positions = new ListpackPositions();
  readonly #digits = Buffer.alloc(24);

  override openTable(table: MemberTable): void {
    super.openTable(table);
    this.#next = 0;
  }

  override openCompact(isIntset: boolean, bytes: Buffer, start: number, end: number, count: number): void {
    super.openCompact(isIntset, bytes, start, end, count);
    this.#next = isIntset ? 0 : start + LISTPACK_HEADER_BYTES;
    this.#positions.forget();
  }

  /** Goes to the next member; false after the last. */
  next(): boolean {
    if (this.table !== undefined || this.isIntset) {
      if (this.#next === this.count) return false;
      this.at(this.#next++);
      return true;
    }
    if (this.count === 0 || this.#next >= this.valueEnd - 1) return false;
    this.#readEntry(this.#next);
    this.#next = nextEntry(this.valueBytes, this.#next);
    return true;
  }

  /** Goes to the member with this number, which there must be. The first time linear for a listpack. */
  at(number: number): void {
    const { table } = this;
    if (table !== undefined) {
      table.locate(number);
      this.bytes = table.bytes;
      this.start = table.memberStart;
      this.end = table.memberEnd;
    } else if (this.isIntset) {
      const value = intsetAt(this.valueBytes, this.valueStart, number);
      const digits = this.#digits;
      this.bytes = digits;
      this.start = 0;
      this.end =
        typeof value === "number" ? writeInteger(digits, 0, value) : digits.write(value.toString(), "latin1");
    } else {
      this.#readEntry(this.#positions.at(this.valueBytes, this.valueStart, this.valueEnd, 1, number));
    }
  }

  #readEntry(at: number): void {
    const entry = this.#entry.read(this.valueBytes, at);
    this.bytes = entry.bytes;
    this.start = entry.start;
    this.end = entry.end;
  }
}
