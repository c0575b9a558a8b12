// Stream IDs: milliseconds and a sequence number, 64 bits each, as four u32, so that no id is too large for a number and
// none needs a BigInt. Mutable, for objects that are used again.

import { writeInteger } from "../base/integers.ts";

export const ID_WORDS = 4;
export const ID_BYTES = 16;
/** "18446744073709551615-18446744073709551615" */
export const ID_CHARACTERS_MAX = 41;

const WORD = 0x1_0000_0000;
const WORD_MAX = 0xffff_ffff;
/** High words below this make safe integers. */
const SAFE_HIGH = 0x20_0000;

export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  set(other: StreamId): this {
    this.msHigh = other.msHigh;
    this.msLow = other.msLow;
    this.seqHigh = other.seqHigh;
    this.seqLow = other.seqLow;
    return this;
  }

  /** Both safe and not negative. */
  setNumbers(ms: number, seq: number): this {
    this.msHigh = Math.floor(ms / WORD);
    this.msLow = ms >>> 0;
    this.seqHigh = Math.floor(seq / WORD);
    this.seqLow = seq >>> 0;
    return this;
  }

  setMax(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = WORD_MAX;
    return this;
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  get isMax(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1;
  }

  /** Negative if this one comes first, 0 if they are equal. */
  compare(other: StreamId): number {
    return (
      this.msHigh - other.msHigh ||
      this.msLow - other.msLow ||
      this.seqHigh - other.seqHigh ||
      this.seqLow - other.seqLow
    );
  }

  /** compare() with the id at words[at, at + 4). */
  compareWords(words: Uint32Array, at: number): number {
    return (
      this.msHigh - words[at]! ||
      this.msLow - words[at + 1]! ||
      this.seqHigh - words[at + 2]! ||
      this.seqLow - words[at + 3]!
    );
  }

  readWords(words: Uint32Array, at: number): this {
    this.msHigh = words[at]!;
    this.msLow = words[at + 1]!;
    this.seqHigh = words[at + 2]!;
    this.seqLow = words[at + 3]!;
    return this;
  }

  writeWords(words: Uint32Array, at: number): void {
    words[at] = this.msHigh;
    words[at + 1] = this.msLow;
    words[at + 2] = this.seqHigh;
    words[at + 3] = this.seqLow;
  }

  /** 16 bytes, big endian: their order is the order of the ids. */
  read(bytes: Buffer, at: number): this {
    this.msHigh = bytes.readUInt32BE(at);
    this.msLow = bytes.readUInt32BE(at + 4);
    this.seqHigh = bytes.readUInt32BE(at + 8);
    this.seqLow = bytes.readUInt32BE(at + 12);
    return this;
  }

  write(bytes: Buffer, at: number): number {
    bytes.writeUInt32BE(this.msHigh, at);
    bytes.writeUInt32BE(this.msLow, at + 4);
    bytes.writeUInt32BE(this.seqHigh, at + 8);
    return bytes.writeUInt32BE(this.seqLow, at + 12);
  }

  /** The next one; false after the last, which becomes the first. */
  increment(): boolean {
    this.seqLow = (this.seqLow + 1) >>> 0;
    if (this.seqLow !== 0) return true;
    this.seqHigh = (this.seqHigh + 1) >>> 0;
    if (this.seqHigh !== 0) return true;
    this.msLow = (this.msLow + 1) >>> 0;
    if (this.msLow !== 0) return true;
    this.msHigh = (this.msHigh + 1) >>> 0;
    return this.msHigh !== 0;
  }

  /** The one before; false before the first, which becomes the last. */
  decrement(): boolean {
    this.seqLow = (this.seqLow - 1) >>> 0;
    if (this.seqLow !== WORD_MAX) return true;
    this.seqHigh = (this.seqHigh - 1) >>> 0;
    if (this.seqHigh !== WORD_MAX) return true;
    this.msLow = (this.msLow - 1) >>> 0;
    if (this.msLow !== WORD_MAX) return true;
    this.msHigh = (this.msHigh - 1) >>> 0;
    return this.msHigh !== WORD_MAX;
  }

  /** "ms-seq" at `at`, at most ID_CHARACTERS_MAX bytes; returns the end. */
  writeText(target: Buffer, at: number): number {
    at = writeUnsigned64(target, at, this.msHigh, this.msLow);
    target[at] = 0x2d;
    return writeUnsigned64(target, at + 1, this.seqHigh, this.seqLow);
  }
}

function writeUnsigned64(target: Buffer, at: number, high: number, low: number): number {
  if (high < SAFE_HIGH) return writeInteger(target, at, high * WORD + low);
  return at + target.write(((BigInt(high) << 32n) | BigInt(low)).toString(), at, "latin1");
}

/** A signed 64-bit integer from its halves: a number where that is exact. */
export function fromHalves(high: number, low: number): number | bigint {
  if (high < SAFE_HIGH) return high * WORD + low;
  return narrowed(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
}

/** -1 and -1n are not the same to ===: what can be a number is one. */
function narrowed(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** The halves of the last split(), u32 each. */
export const halves = { high: 0, low: 0 };

/** Into `halves`, two's complement. */
export function split(value: number | bigint): void {
  if (typeof value === "number" && value >= 0) {
    halves.high = Math.floor(value / WORD);
    halves.low = value >>> 0;
    return;
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  halves.high = Number(bits >> 32n);
  halves.low = Number(bits & 0xffff_ffffn);
}

/** a + b in signed 64 bits, which wrap around. */
export function wrappingAdd(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a + b)) return a + b;
  return narrowed(BigInt.asIntN(64, BigInt(a) + BigInt(b)));
}
