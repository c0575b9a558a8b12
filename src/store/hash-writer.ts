// A hash to be changed, in whichever form it is kept, and the step from the compact form to the large one where Redis 7.2
// takes it: begin(), changes, commit().

import { findEntry, LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "./listpack.ts";
import { ListpackEditor } from "./listpack-editor.ts";
import type { MemberCollection } from "./member-collection.ts";
import { MemberWriter } from "./member-writer.ts";
import { COMPACT_BYTES_MAX } from "./thresholds.ts";
import { HASH } from "./types.ts";

export class HashWriter extends MemberWriter {
  readonly #compact = new ListpackEditor();
  readonly #field = new ListpackEntry();
  readonly #value = new ListpackEntry();

  /** True if the field is new. The sources may not lie in this hash. */
  set(
    fieldBytes: Buffer,
    fieldStart: number,
    fieldEnd: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    if (this.table === undefined && this.#isTooLong(fieldEnd - fieldStart, end - start)) this.makeLarge();
    if (this.table !== undefined) {
      const table = this.openTable();
      const number = table.find(fieldBytes, fieldStart, fieldEnd);
      if (number >= 0) table.setValue(number, bytes, start, end);
      else table.addNotFound(fieldBytes, fieldStart, fieldEnd, bytes, start, end);
      return number < 0;
    }
    this.isChanged = true;
    const compact = this.#compact;
    const at = findEntry(compact.bytes, compact.start, compact.end, fieldBytes, fieldStart, fieldEnd, 2);
    if (at >= 0) {
      compact.replace(nextEntry(compact.bytes, at), bytes, start, end);
      return false;
    }
    compact.append(fieldBytes, fieldStart, fieldEnd);
    compact.append(bytes, start, end);
    if (this.compactCount > this.thresholds.hashListpackEntriesMax) this.makeLarge();
    return true;
  }

  /** True if the field was there. */
  remove(bytes: Buffer, start: number, end: number): boolean {
    if (this.table !== undefined) return this.removeLarge(this.table, bytes, start, end);
    const compact = this.#compact;
    const at = findEntry(compact.bytes, compact.start, compact.end, bytes, start, end, 2);
    if (at < 0) return false;
    this.isChanged = true;
    compact.remove(at, 2);
    return true;
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

  protected override fill({ table }: MemberCollection): void {
    const { bytes, start, end } = this.#compact;
    for (let at = start + LISTPACK_HEADER_BYTES; at < end - 1; ) {
      const field = this.#field.read(bytes, at);
      const valueAt = nextEntry(bytes, at);
      const value = this.#value.read(bytes, valueAt);
      table.add(field.bytes, field.start, field.end, value.bytes, value.start, value.end);
      at = nextEntry(bytes, valueAt);
    }
  }

  protected override storeCompact(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    keepDeadline: boolean,
  ): number {
    return this.storeListpack(this.#compact, HASH, keyBytes, keyStart, keyEnd, keepDeadline);
  }

  #isTooLong(fieldLength: number, length: number): boolean {
    const most = this.thresholds.hashListpackValueBytesMax;
    if (fieldLength > most || length > most) return true;
    return this.#compact.byteLength + fieldLength + length > COMPACT_BYTES_MAX;
  }
}
