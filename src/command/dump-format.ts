// The parts that dump payloads are made of: lengths and strings as in an RDB file. Numbers and byte ranges in, bytes
// out, and back. What comes from a client is never believed: every read can fail.

import { INTEGER_BYTES_MAX, parseInteger64, writeInteger } from "../base/integers.ts";
import { STRING_BYTES_MAX } from "../base/limits.ts";
import { unpackLzf } from "../base/lzf.ts";

// The two highest bits of the first byte.
const SHORT = 0;
const MIDDLE = 1;
const ENCODED = 3;
// The whole byte.
const LONG = 0x80;
const HUGE = 0x81;
// Behind ENCODED: the string is a number, or packed.
const INTEGER_8 = 0;
const INTEGER_16 = 1;
const INTEGER_32 = 2;
const PACKED = 3;

const DOUBLE_BYTES = 8;
/** A longer string is no number of 32 bits. */
const INTEGER_32_CHARACTERS_MAX = 11;

export class DumpWriter {
  bytes: Buffer = Buffer.alloc(64);
  length = 0;

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.length + count, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A count, or the length of what follows. */
  size(value: number): void {
    this.reserve(5);
    if (value < 0x40) this.bytes[this.length++] = value;
    else if (value < 0x4000) this.length = this.bytes.writeUInt16BE(0x4000 | value, this.length);
    else {
      this.bytes[this.length++] = LONG;
      this.length = this.bytes.writeUInt32BE(value, this.length);
    }
  }

  /** A number of 64 bits, from its halves. */
  long(high: number, low: number): void {
    if (high === 0) return this.size(low);
    this.reserve(9);
    this.bytes[this.length] = HUGE;
    this.bytes.writeUInt32BE(high, this.length + 1);
    this.length = this.bytes.writeUInt32BE(low, this.length + 5);
  }

  raw(bytes: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    this.length += bytes.copy(this.bytes, this.length, start, end);
  }

  /** A compact value as one string. It is no number, and not short. */
  blob(bytes: Buffer, start: number, end: number): void {
    this.size(end - start);
    this.raw(bytes, start, end);
  }

  /** Little-endian, as an RDB file has scores. */
  double(value: number): void {
    this.reserve(DOUBLE_BYTES);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  /** A string: as a number where that is all it is, otherwise as it is. It is never packed. */
  string(bytes: Buffer, start: number, end: number): void {
    const short = end - start <= INTEGER_32_CHARACTERS_MAX;
    const number = short ? parseInteger64(bytes, start, end) : undefined;
    if (typeof number !== "number" || number !== (number | 0)) {
      this.size(end - start);
      this.raw(bytes, start, end);
      return;
    }
    this.reserve(5);
    const at = this.length;
    if (number >= -0x80 && number < 0x80) {
      this.bytes[at] = 0xc0 | INTEGER_8;
      this.length = this.bytes.writeInt8(number, at + 1);
    } else if (number >= -0x8000 && number < 0x8000) {
      this.bytes[at] = 0xc0 | INTEGER_16;
      this.length = this.bytes.writeInt16LE(number, at + 1);
    } else {
      this.bytes[at] = 0xc0 | INTEGER_32;
      this.length = this.bytes.writeInt32LE(number, at + 1);
    }
  }
}

/** Reads bytes[at, end). What is undefined was not there or not allowed; nothing that follows means anything then. */
export class DumpReader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  byte(): number | undefined {
    return this.at < this.end ? this.bytes[this.at++] : undefined;
  }

  /** A count, or the length of what follows; at most that of the longest string. */
  size(): number | undefined {
    const first = this.byte();
    return first === undefined || first >> 6 === ENCODED ? undefined : this.#sizeAfter(first);
  }

  #sizeAfter(first: number): number | undefined {
    const kind = first >> 6;
    if (kind === SHORT) return first;
    if (kind === MIDDLE) {
      const low = this.byte();
      return low === undefined ? undefined : ((first & 0x3f) << 8) | low;
    }
    if (first !== LONG && first !== HUGE) return undefined;
    const at = this.#take(first === LONG ? 4 : 8);
    if (at === undefined) return undefined;
    const value = first === LONG ? this.bytes.readUInt32BE(at) : Number(this.bytes.readBigUInt64BE(at));
    return value <= STRING_BYTES_MAX ? value : undefined;
  }

  /** A number of 64 bits, as a signed one. */
  long(): number | bigint | undefined {
    const first = this.bytes[this.at];
    if (this.at >= this.end || first === undefined || first >> 6 === ENCODED) return undefined;
    if (first !== LONG && first !== HUGE) return this.size();
    this.at++;
    const at = this.#take(first === LONG ? 4 : 8);
    if (at === undefined) return undefined;
    return first === LONG ? this.bytes.readUInt32BE(at) : narrow(this.bytes.readBigInt64BE(at));
  }

  /** The same in eight bytes, little endian: a time. */
  fixed(): number | bigint | undefined {
    const at = this.#take(8);
    return at === undefined ? undefined : narrow(this.bytes.readBigInt64LE(at));
  }

  double(): number | undefined {
    const at = this.#take(DOUBLE_BYTES);
    return at === undefined ? undefined : this.bytes.readDoubleLE(at);
  }

  /** Where the next `count` bytes begin; they are passed over. */
  #take(count: number): number | undefined {
    const at = this.at;
    if (count > this.end - at) return undefined;
    this.at = at + count;
    return at;
  }

  /** The next `count` bytes: a view, good as long as what is read from. */
  raw(count: number): Buffer | undefined {
    const at = this.#take(count);
    return at === undefined ? undefined : this.bytes.subarray(at, at + count);
  }

  /** A string of any form. May be a view, as `raw`. */
  string(): Buffer | undefined {
    const first = this.byte();
    if (first === undefined) return undefined;
    if (first >> 6 === ENCODED) return this.#encodedString(first & 0x3f);
    const length = this.#sizeAfter(first);
    return length === undefined ? undefined : this.raw(length);
  }

  #encodedString(kind: number): Buffer | undefined {
    if (kind === PACKED) return this.#packedString();
    if (kind > INTEGER_32) return undefined;
    const at = this.#take(1 << kind);
    if (at === undefined) return undefined;
    const digits = Buffer.alloc(INTEGER_BYTES_MAX);
    return digits.subarray(0, writeInteger(digits, 0, this.bytes.readIntLE(at, 1 << kind)));
  }

  #packedString(): Buffer | undefined {
    const packedLength = this.size();
    const length = packedLength === undefined ? undefined : this.size();
    const at = packedLength === undefined || length === undefined ? undefined : this.#take(packedLength);
    return at === undefined ? undefined : unpackLzf(this.bytes, at, this.at, length!);
  }
}

function narrow(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
