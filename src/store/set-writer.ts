// A set to be changed, or made, in whichever form it is kept, and the steps between the forms where Redis 7.2 takes them:
// begin(), changes, commit(). Integers only: an intset; few and short members: a listpack; else a table.

import { parseInteger64 } from "../base/integers.ts";
import {
  INTSET_HEADER_BYTES,
  type Integer64,
  IntsetBuilder,
  intsetAt,
  intsetCount,
  intsetFind,
} from "./intset.ts";
import { findEntry } from "./listpack.ts";
import { ListpackEditor } from "./listpack-editor.ts";
import type { MemberCollection } from "./member-collection.ts";
import type { MemberTable } from "./member-table.ts";
import { MemberWriter } from "./member-writer.ts";
import { SetReader } from "./set-reader.ts";
import { COMPACT_BYTES_MAX } from "./thresholds.ts";
import { FLAG_INTSET, SET } from "./types.ts";

const INTEGER_BYTES_MAX = 8;

export class SetWriter extends MemberWriter {
  /** Which of the two compact forms. */
  #isIntset = true;
  readonly #compact = new ListpackEditor();
  /** The intset as it is now: in the record, or in #target. */
  #intset: Buffer = Buffer.alloc(0);
  #intsetStart = 0;
  #target = new IntsetBuilder();
  #other = new IntsetBuilder();
  readonly #reader = new SetReader();

  /** SADD's look ahead: with so many members to come, beginning with that one, which form will it be? */
  expect(members: number, isNew: boolean, bytes: Buffer, start: number, end: number): void {
    if (this.table !== undefined) return;
    const { setIntsetEntriesMax, setListpackEntriesMax } = this.thresholds;
    if (!isNew) {
      if (members > (this.#isIntset ? setIntsetEntriesMax : setListpackEntriesMax)) this.makeLarge();
    } else if (members > setIntsetEntriesMax || parseInteger64(bytes, start, end) === undefined) {
      if (members <= setListpackEntriesMax) this.preferListpack();
      else this.makeLarge();
    }
  }

  /** A new set begins as an empty listpack instead of an empty intset. */
  preferListpack(): void {
    this.#isIntset = false;
    this.#compact.empty();
  }

  /** True if the member is new. The source may not lie in this set. */
  add(bytes: Buffer, start: number, end: number): boolean {
    if (this.table !== undefined) return this.#addLarge(this.table, bytes, start, end);
    return this.#isIntset ? this.#addToIntset(bytes, start, end) : this.#addToListpack(bytes, start, end);
  }

  /** True if the member was there. */
  remove(bytes: Buffer, start: number, end: number): boolean {
    if (this.table !== undefined) return this.removeLarge(this.table, bytes, start, end);
    if (this.#isIntset) {
      const value = parseInteger64(bytes, start, end);
      const index = value === undefined ? -1 : intsetFind(this.#intset, this.#intsetStart, value);
      if (index < 0) return false;
      this.#take(this.#other.remove(this.#intset, this.#intsetStart, index));
      return true;
    }
    const compact = this.#compact;
    const at = findEntry(compact.bytes, compact.start, compact.end, bytes, start, end, 1);
    if (at < 0) return false;
    this.isChanged = true;
    compact.remove(at, 1);
    return true;
  }

  /** Lets the reader read what the set is now. */
  readInto(reader: SetReader): void {
    if (this.table !== undefined) return reader.openTable(this.table);
    const { count } = this;
    if (this.#isIntset) {
      const end = this.#intsetStart + INTSET_HEADER_BYTES + count * this.#intset[this.#intsetStart]!;
      reader.openCompact(true, this.#intset, this.#intsetStart, end, count);
    } else {
      reader.openCompact(false, this.#compact.bytes, this.#compact.start, this.#compact.end, count);
    }
  }

  /** Of a new set: an intset, if all members are integers and few enough, though another form came about. */
  preferIntset(): void {
    const { count } = this;
    if ((this.table === undefined && this.#isIntset) || count > this.#intsetEntriesMax) return;
    const reader = this.#reader;
    this.readInto(reader);
    const values: Integer64[] = [];
    while (reader.next()) {
      const value = parseInteger64(reader.bytes, reader.start, reader.end);
      if (value === undefined) return reader.close();
      values.push(value);
    }
    reader.close();
    values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.becomeCompact();
    this.beginEmpty();
    for (let i = 0; i < values.length; i++) {
      this.#take(this.#other.insert(this.#intset, this.#intsetStart, i, values[i]!));
    }
  }

  #addLarge(table: MemberTable, bytes: Buffer, start: number, end: number): boolean {
    if (table.find(bytes, start, end) >= 0) return false;
    this.openTable().addNotFound(bytes, start, end);
    return true;
  }

  #addToListpack(bytes: Buffer, start: number, end: number): boolean {
    const compact = this.#compact;
    if (findEntry(compact.bytes, compact.start, compact.end, bytes, start, end, 1) >= 0) return false;
    this.isChanged = true;
    if (compact.count < this.thresholds.setListpackEntriesMax && this.#fitsListpack(end - start)) {
      compact.append(bytes, start, end);
    } else {
      this.makeLarge().table.add(bytes, start, end);
    }
    return true;
  }

  #fitsListpack(length: number): boolean {
    if (length > this.thresholds.setListpackValueBytesMax) return false;
    return this.#compact.byteLength + length <= COMPACT_BYTES_MAX;
  }

  #addToIntset(bytes: Buffer, start: number, end: number): boolean {
    const value = parseInteger64(bytes, start, end);
    if (value === undefined) {
      this.isChanged = true;
      if (this.#becomesListpack(end - start)) this.#compact.append(bytes, start, end);
      else this.makeLarge().table.add(bytes, start, end);
      return true;
    }
    const index = intsetFind(this.#intset, this.#intsetStart, value);
    if (index >= 0) return false;
    this.#take(this.#other.insert(this.#intset, this.#intsetStart, ~index, value));
    if (this.compactCount > this.#intsetEntriesMax) this.makeLarge();
    return true;
  }

  get #intsetEntriesMax(): number {
    return Math.min(this.thresholds.setIntsetEntriesMax, COMPACT_BYTES_MAX / INTEGER_BYTES_MAX);
  }

  /** A member of so many bytes comes to an intset that is no integer: is a listpack the form for both? */
  #becomesListpack(length: number): boolean {
    const { count } = this;
    const { setListpackEntriesMax, setListpackValueBytesMax } = this.thresholds;
    if (count >= setListpackEntriesMax || length > setListpackValueBytesMax) return false;
    // The longest integer is the first or the last.
    if (count > 0 && Math.max(this.#digitsAt(0), this.#digitsAt(count - 1)) > setListpackValueBytesMax)
      return false;
    const reader = this.#reader;
    this.readInto(reader);
    this.preferListpack();
    while (reader.next()) this.#compact.append(reader.bytes, reader.start, reader.end);
    reader.close();
    return true;
  }

  #digitsAt(index: number): number {
    return String(intsetAt(this.#intset, this.#intsetStart, index)).length;
  }

  /** The intset is what that builder made; the next change uses the other one. */
  #take(made: IntsetBuilder): void {
    this.isChanged = true;
    this.#other = this.#target;
    this.#target = made;
    this.#intset = made.bytes;
    this.#intsetStart = 0;
  }

  protected override beginEmpty(): void {
    this.#isIntset = true;
    this.#target.empty();
    this.#intset = this.#target.bytes;
    this.#intsetStart = 0;
  }

  protected override beginCompact(kind: number, bytes: Buffer, start: number, end: number): void {
    this.#isIntset = (kind & FLAG_INTSET) !== 0;
    if (this.#isIntset) {
      this.#intset = bytes;
      this.#intsetStart = start;
    } else {
      this.#compact.load(bytes, start, end);
    }
  }

  protected override get compactCount(): number {
    return this.#isIntset ? intsetCount(this.#intset, this.#intsetStart) : this.#compact.count;
  }

  protected override fill({ table }: MemberCollection): void {
    const reader = this.#reader;
    this.readInto(reader);
    while (reader.next()) table.add(reader.bytes, reader.start, reader.end);
    reader.close();
  }

  protected override storeCompact(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number {
    if (this.#isIntset) {
      const { bytes, length } = this.#target;
      return this.keys.putRecord(
        keyBytes,
        keyStart,
        keyEnd,
        SET | FLAG_INTSET,
        bytes,
        0,
        length,
        keepDeadline,
      );
    }
    return this.storeListpack(this.#compact, SET, keyBytes, keyStart, keyEnd, keepDeadline);
  }
}
