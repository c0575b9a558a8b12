// Intsets: sorted integers of one width in one run of bytes, in the layout that Redis keeps and dumps them in, for sets
// of nothing but integers. Reading and searching in place; changes go into memory that is used again.
//
//   width in bytes u32: 2, 4 or 8 | elements u32 | elements, little endian, ascending

import { copyBytes } from "../base/copy.ts";
import { INTEGER64_MAX, INTEGER64_MIN } from "../base/integers.ts";

export const INTSET_HEADER_BYTES = 8;

export type Integer64 = number | bigint;

export function intsetCount(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 4);
}

/** A number when it is a safe integer, else a bigint. */
export function intsetAt(bytes: Buffer, start: number, index: number): Integer64 {
  const width = bytes[start]!;
  const at = start + INTSET_HEADER_BYTES + index * width;
  if (width === 2) return bytes.readInt16LE(at);
  if (width === 4) return bytes.readInt32LE(at);
  const high = bytes.readInt32LE(at + 4);
  // Within 53 bits without a detour over BigInt.
  if (high >= -0x20_0000 && high < 0x20_0000) return high * 0x1_0000_0000 + bytes.readUInt32LE(at);
  return bytes.readBigInt64LE(at);
}

/** The element's index, or ~index of where it would go. */
export function intsetFind(bytes: Buffer, start: number, value: Integer64): number {
  let low = 0;
  let high = intsetCount(bytes, start) - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = intsetAt(bytes, start, middle);
    if (found < value) low = middle + 1;
    else if (found > value) high = middle - 1;
    else return middle;
  }
  return ~low;
}

function widthOf(value: Integer64): number {
  if (value >= -0x8000 && value < 0x8000) return 2;
  return value >= -0x8000_0000 && value < 0x8000_0000 ? 4 : 8;
}

function write(target: Buffer, at: number, width: number, value: Integer64): void {
  if (width === 2) target.writeInt16LE(Number(value), at);
  else if (width === 4) target.writeInt32LE(Number(value), at);
  else target.writeBigInt64LE(BigInt(value), at);
}

/** The result of the last change: bytes[0, length), good until the next one. */
export class IntsetBuilder {
  bytes: Buffer = Buffer.allocUnsafeSlow(1024);
  length = 0;

  /** A set of none. */
  empty(): this {
    return this.#begin(2, 0);
  }

  /** source[start, ...) with `value` at `index`, which intsetFind gave as ~index. Widens it where that needs it. */
  insert(source: Buffer, start: number, index: number, value: Integer64): this {
    if (value > INTEGER64_MAX || value < INTEGER64_MIN) throw new RangeError(`${value} has over 64 bits`);
    const width = source[start]!;
    const count = intsetCount(source, start);
    const wanted = widthOf(value);
    if (wanted > width) {
      this.#begin(wanted, count + 1);
      for (let i = 0; i < count; i++) this.#put(wanted, i < index ? i : i + 1, intsetAt(source, start, i));
    } else {
      this.#begin(width, count + 1);
      this.#copy(source, start, width, 0, index, 0);
      this.#copy(source, start, width, index, count, index + 1);
    }
    this.#put(Math.max(width, wanted), index, value);
    return this;
  }

  remove(source: Buffer, start: number, index: number): this {
    const width = source[start]!;
    const count = intsetCount(source, start);
    this.#begin(width, count - 1);
    this.#copy(source, start, width, 0, index, 0);
    this.#copy(source, start, width, index + 1, count, index);
    return this;
  }

  #begin(width: number, count: number): this {
    this.length = INTSET_HEADER_BYTES + width * count;
    if (this.bytes.length < this.length) this.bytes = Buffer.allocUnsafeSlow(2 * this.length);
    this.bytes.writeUInt32LE(width, 0);
    this.bytes.writeUInt32LE(count, 4);
    return this;
  }

  #put(width: number, index: number, value: Integer64): void {
    write(this.bytes, INTSET_HEADER_BYTES + index * width, width, value);
  }

  #copy(source: Buffer, start: number, width: number, from: number, to: number, at: number): void {
    const base = start + INTSET_HEADER_BYTES;
    copyBytes(this.bytes, INTSET_HEADER_BYTES + at * width, source, base + from * width, base + to * width);
  }
}

/** Is bytes[start, end) an intset, sorted and without repeats? For bytes from outside. */
export function isIntset(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < INTSET_HEADER_BYTES) return false;
  const width = bytes.readUInt32LE(start);
  if (width !== 2 && width !== 4 && width !== 8) return false;
  const count = intsetCount(bytes, start);
  if (count === 0 || end - start !== INTSET_HEADER_BYTES + width * count) return false;
  for (let i = 1; i < count; i++) {
    if (intsetAt(bytes, start, i - 1) >= intsetAt(bytes, start, i)) return false;
  }
  return true;
}
