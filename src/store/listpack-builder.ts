// Writes listpacks (listpack.ts says what they are): elements, or whole runs of entries of another one, in; one listpack
// in memory that is used again, out. It never changes a listpack in place: what is stored is replaced.

import { copyBytes } from "../base/copy.ts";
import {
  BACKLENGTH_BYTES_MAX,
  ENCODING_BYTES_MAX,
  encodeEntry,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  writeBackLength,
} from "./listpack.ts";

const COUNT_MAX = 0xffff;
/** Memory of a huge one is not kept. */
const KEPT_BYTES_MAX = 1 << 20;

export class ListpackBuilder {
  /** After finish() the listpack is bytes[0, length). Good until the next begin(). */
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  length = 0;
  count = 0;

  begin(): this {
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = Buffer.allocUnsafeSlow(4096);
    this.length = LISTPACK_HEADER_BYTES;
    this.count = 0;
    return this;
  }

  /** Appends an element; one that reads as an integer becomes one. */
  text(bytes: Buffer, start: number, end: number): this {
    this.#reserve(end - start + ENCODING_BYTES_MAX + BACKLENGTH_BYTES_MAX);
    return this.#close(encodeEntry(this.bytes, this.length, bytes, start, end));
  }

  /** Appends `count` entries as they stand, source[start, end). */
  entries(source: Buffer, start: number, end: number, count: number): this {
    this.#reserve(end - start);
    copyBytes(this.bytes, this.length, source, start, end);
    this.length += end - start;
    this.count += count;
    return this;
  }

  /** Writes header and end mark. */
  finish(): this {
    this.#reserve(1);
    this.bytes[this.length++] = LISTPACK_END;
    this.bytes.writeUInt32LE(this.length, 0);
    this.bytes.writeUInt16LE(Math.min(this.count, COUNT_MAX), 4);
    return this;
  }

  #close(end: number): this {
    this.length = writeBackLength(this.bytes, end, end - this.length);
    this.count++;
    return this;
  }

  #reserve(room: number): void {
    const wanted = this.length + room + 1;
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, wanted));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
