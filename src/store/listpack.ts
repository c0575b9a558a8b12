// Listpacks: a sequence of short strings and integers in one run of bytes, in the layout that Redis keeps and dumps them
// in (its listpack specification), so that small collections are compact and DUMP is a copy. This file reads and
// searches; listpack-builder.ts writes. Byte positions in and out; it never allocates but for 64-bit integers.
//
//   total bytes u32 | elements u16, 65535 = count them | entry ... | 0xff
//   entry: encoding and data, then their length backwards (7 bits a byte), so that it can be walked from both ends
//
//   0xxxxxxx               0 to 127                     11110001 + 2 bytes   i16
//   10llllll + bytes       string of up to 63           11110010 + 3         i24
//   110xxxxx xxxxxxxx      i13                          11110011 + 4         i32
//   1110llll llllllll ...  string of up to 4095         11110100 + 8         i64
//   11110000 + u32 + bytes string of any length

import { copyBytes } from "../base/copy.ts";
import { INTEGER64_MAX, INTEGER64_MIN, parseInteger64, writeInteger } from "../base/integers.ts";

export const LISTPACK_HEADER_BYTES = 6;
export const LISTPACK_END = 0xff;
const COUNT_UNKNOWN = 0xffff;
/** What an empty one takes: header and end mark. */
export const LISTPACK_BYTES_LEAST = LISTPACK_HEADER_BYTES + 1;
/** Encoding and data of a string are at most so much longer than it. */
export const ENCODING_BYTES_MAX = 5;
export const BACKLENGTH_BYTES_MAX = 5;

/** Bytes of encoding and data of the entry at `at`, without its back length. */
export function entryLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc0) return 1 + (first & 0x3f);
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 2 + (((first & 0x0f) << 8) | bytes[at + 1]!);
  switch (first) {
    case 0xf0:
      return 5 + bytes.readUInt32LE(at + 1);
    case 0xf1:
      return 3;
    case 0xf2:
      return 4;
    case 0xf3:
      return 5;
    default:
      return 9;
  }
}

export function backLengthBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x20_0000) return 3;
  return length < 0x1000_0000 ? 4 : 5;
}

/** Where the entry after the one at `at` begins; the end mark stands behind the last. */
export function nextEntry(bytes: Buffer, at: number): number {
  const length = entryLength(bytes, at);
  return at + length + (length < 0x80 ? 1 : backLengthBytes(length));
}

/** Where the entry before `at` (an entry's begin, or the end mark) begins. Not before the first. */
export function previousEntry(bytes: Buffer, at: number): number {
  let end = at - 1;
  let length = bytes[end]! & 0x7f;
  for (let factor = 0x80; (bytes[end]! & 0x80) !== 0; factor *= 0x80) {
    end--;
    length += (bytes[end]! & 0x7f) * factor;
  }
  return end - length;
}

/** Elements of the listpack bytes[start, end). */
export function listpackCount(bytes: Buffer, start: number, end: number): number {
  const count = bytes[start + 4]! | (bytes[start + 5]! << 8);
  if (count !== COUNT_UNKNOWN) return count;
  let found = 0;
  for (let at = start + LISTPACK_HEADER_BYTES; at < end - 1; at = nextEntry(bytes, at)) found++;
  return found;
}

/** Where element `index` begins; -1 if there is none. Negative ones count from the end. */
export function entryAt(bytes: Buffer, start: number, end: number, index: number): number {
  const first = start + LISTPACK_HEADER_BYTES;
  const last = end - 1;
  if (index >= 0) {
    let at = first;
    for (; index > 0 && at < last; index--) at = nextEntry(bytes, at);
    return at < last ? at : -1;
  }
  let at = last;
  for (; index < 0; index++) {
    if (at <= first) return -1;
    at = previousEntry(bytes, at);
  }
  return at;
}

/** One element as text: bytes[start, end), which for an integer are its digits. One object serves a whole walk. */
export class ListpackEntry {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** An integer: `integer` is its value if that is safe, NaN if not. */
  isInteger = false;
  integer = 0;
  readonly #digits = Buffer.alloc(24);

  /** Reads the entry at `at`. Good until the next read, and while the bytes stay. */
  read(bytes: Buffer, at: number): this {
    const first = bytes[at]!;
    if (first < 0x80) return this.#number(first);
    if (first < 0xc0) return this.#text(bytes, at + 1, first & 0x3f);
    if (first < 0xe0) return this.#number((((first << 8) | bytes[at + 1]!) << 19) >> 19);
    if (first < 0xf0) return this.#text(bytes, at + 2, ((first & 0x0f) << 8) | bytes[at + 1]!);
    switch (first) {
      case 0xf0:
        return this.#text(bytes, at + 5, bytes.readUInt32LE(at + 1));
      case 0xf1:
        return this.#number(bytes.readInt16LE(at + 1));
      case 0xf2:
        return this.#number(bytes.readIntLE(at + 1, 3));
      case 0xf3:
        return this.#number(bytes.readInt32LE(at + 1));
      default:
        return this.#long(bytes.readBigInt64LE(at + 1));
    }
  }

  get length(): number {
    return this.end - this.start;
  }

  #text(bytes: Buffer, start: number, length: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = start + length;
    this.isInteger = false;
    return this;
  }

  #number(value: number): this {
    this.bytes = this.#digits;
    this.start = 0;
    this.end = writeInteger(this.#digits, 0, value);
    this.isInteger = true;
    this.integer = value;
    return this;
  }

  #long(value: bigint): this {
    const small = Number(value);
    if (Number.isSafeInteger(small)) return this.#number(small);
    this.bytes = this.#digits;
    this.start = 0;
    this.end = this.#digits.write(value.toString(), "latin1");
    this.isInteger = true;
    this.integer = Number.NaN;
    return this;
  }
}

/**
 * Writes encoding and data of an element, without back length, and returns the end. Equal elements have equal bytes.
 * The caller has made sure of (end - start + ENCODING_BYTES_MAX) bytes.
 */
export function encodeEntry(target: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (mayBeInteger(bytes, start, end)) {
    const value = parseInteger64(bytes, start, end);
    if (value !== undefined) return encodeInteger(target, at, value);
  }
  if (length < 0x40) {
    target[at++] = 0x80 | length;
  } else if (length < 0x1000) {
    target[at] = 0xe0 | (length >>> 8);
    target[at + 1] = length & 0xff;
    at += 2;
  } else {
    target[at] = 0xf0;
    at = target.writeUInt32LE(length, at + 1);
  }
  copyBytes(target, at, bytes, start, end);
  return at + length;
}

/** No: longer than the longest one, or not beginning as one. Yes: one has to try. */
function mayBeInteger(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  const first = bytes[start]!;
  return length > 0 && length <= 20 && (first === 0x2d || (first >= 0x30 && first <= 0x39));
}

/** Bytes of the whole entry, backwards length included, of what cannot be an integer; 0 for what may be one. */
export function textEntryBytes(bytes: Buffer, start: number, end: number): number {
  if (mayBeInteger(bytes, start, end)) return 0;
  const length = end - start;
  const encoded = length + (length < 0x40 ? 1 : length < 0x1000 ? 2 : 5);
  return encoded + backLengthBytes(encoded);
}

/** encodeEntry of an integer. RangeError beyond 64 bits. */
export function encodeInteger(target: Buffer, at: number, value: number | bigint): number {
  if (typeof value === "bigint") {
    if (value > INTEGER64_MAX || value < INTEGER64_MIN) throw new RangeError(`${value} has over 64 bits`);
    target[at] = 0xf4;
    return target.writeBigInt64LE(value, at + 1);
  }
  if (value >= 0 && value < 0x80) {
    target[at] = value;
    return at + 1;
  }
  if (value >= -0x1000 && value < 0x1000) {
    target[at] = 0xc0 | ((value >> 8) & 0x1f);
    target[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value >= -0x8000 && value < 0x8000) {
    target[at] = 0xf1;
    return target.writeInt16LE(value, at + 1);
  }
  if (value >= -0x80_0000 && value < 0x80_0000) {
    target[at] = 0xf2;
    return target.writeIntLE(value, at + 1, 3);
  }
  if (value >= -0x8000_0000 && value < 0x8000_0000) {
    target[at] = 0xf3;
    return target.writeInt32LE(value, at + 1);
  }
  target[at] = 0xf4;
  return target.writeBigInt64LE(BigInt(value), at + 1);
}

/** Writes an entry's length so that it is read from the right; returns the end. */
export function writeBackLength(target: Buffer, at: number, length: number): number {
  const size = backLengthBytes(length);
  let rest = length;
  for (let i = size - 1; i >= 0; i--) {
    target[at + i] = (rest & 0x7f) | (i > 0 ? 0x80 : 0);
    rest = Math.floor(rest / 0x80);
  }
  return at + size;
}

let needle = Buffer.allocUnsafeSlow(256);

/**
 * Finds an element that equals needleBytes[needleStart, needleEnd) among every `stride`-th one from the first on.
 * Where it begins, or -1. In a listpack of pairs a stride of 2 looks at the first of each.
 */
export function findEntry(
  bytes: Buffer,
  start: number,
  end: number,
  needleBytes: Buffer,
  needleStart: number,
  needleEnd: number,
  stride: number,
): number {
  const bound = needleEnd - needleStart + ENCODING_BYTES_MAX;
  if (needle.length < bound) needle = Buffer.allocUnsafeSlow(2 * bound);
  // Encodings are canonical, so elements are equal if their encoded bytes are.
  const length = encodeEntry(needle, 0, needleBytes, needleStart, needleEnd);
  const first = needle[0]!;
  const last = end - 1;
  for (let at = start + LISTPACK_HEADER_BYTES; at < last; ) {
    if (bytes[at] === first && entryLength(bytes, at) === length) {
      let same = 1;
      while (same < length && bytes[at + same] === needle[same]) same++;
      if (same === length) return at;
    }
    for (let i = 0; i < stride && at < last; i++) at = nextEntry(bytes, at);
  }
  return -1;
}

/** The entries that fill bytes[start, end) exactly, both ways; -1 if they do not. For bytes from outside. */
export function countEntries(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; count++) {
    const first = bytes[at]!;
    const header = first < 0xe0 ? 1 : first < 0xf0 ? 2 : first === 0xf0 ? 5 : 1;
    if (first > 0xf4 || header > end - at) return -1;
    const next = nextEntry(bytes, at);
    if (next > end || previousEntry(bytes, next) !== at) return -1;
    at = next;
  }
  return count;
}

/** Is bytes[start, end) a whole listpack whose entries all fit, both ways? For bytes from outside. */
export function isListpack(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < LISTPACK_BYTES_LEAST || bytes.readUInt32LE(start) !== end - start) return false;
  const last = end - 1;
  if (bytes[last] !== LISTPACK_END) return false;
  const count = countEntries(bytes, start + LISTPACK_HEADER_BYTES, last);
  const said = bytes[start + 4]! | (bytes[start + 5]! << 8);
  return count >= 0 && (said === COUNT_UNKNOWN || said === count);
}
