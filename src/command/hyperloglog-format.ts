// The bytes of a HyperLogLog, as Redis keeps them in a string: header, dense and sparse registers. Bytes in, registers
// out. Nothing here changes a sketch; hyperloglog-sketch.ts does.
//
//   header    "HYLL" | encoding: 0 dense, 1 sparse | three zeros | cached count, 64 bits little endian
//             (the highest bit of the count says that it is out of date)
//   dense     16384 registers of 6 bits, the first in the lowest bits of byte 0
//   sparse    runs of equal registers:   00nnnnnn            n + 1 zeros
//                                        01nnnnnn nnnnnnnn   n + 1 zeros
//                                        1vvvvvnn            n + 1 registers of v + 1

export const REGISTERS = 16384;
export const INDEX_BITS = 14;
/** Values of registers: trailing zeros of the 50 bits of hash behind the index, plus one. */
export const VALUE_MAX = 64 - INDEX_BITS + 1;
export const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + (REGISTERS * 6) / 8;
/** A longer one describes more registers than there are. */
export const SPARSE_BYTES_MAX = HEADER_BYTES + 2 * REGISTERS;
export const ENCODING_AT = 4;
export const DENSE = 0;
export const SPARSE = 1;
const COUNT_AT = 8;
const COUNT_END_AT = 15;
const OUT_OF_DATE = 0x80;
const MAGIC = Buffer.from("HYLL");

export const ZERO_RUN_MAX = 64;
export const LONG_ZERO_RUN_MAX = 16384;
export const VALUE_RUN_MAX = 4;
/** Greater ones cannot be told in the sparse encoding. */
export const SPARSE_VALUE_MAX = 32;

/** A sketch without elements. */
export const EMPTY_SKETCH = Buffer.concat([
  MAGIC,
  Buffer.of(SPARSE),
  Buffer.alloc(11),
  Buffer.of(0x7f, 0xff),
]);

export function isSketch(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length < HEADER_BYTES || MAGIC.compare(bytes, start, start + MAGIC.length) !== 0) return false;
  const encoding = bytes[start + ENCODING_AT];
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_BYTES);
}

/** The count in the header, unless it is out of date. */
export function cachedCount(bytes: Buffer, start: number): bigint | undefined {
  const isOutOfDate = ((bytes[start + COUNT_END_AT] ?? 0) & OUT_OF_DATE) !== 0;
  return isOutOfDate ? undefined : bytes.readBigUInt64LE(start + COUNT_AT);
}

export function markOutOfDate(bytes: Buffer, start: number): void {
  bytes[start + COUNT_END_AT] = bytes[start + COUNT_END_AT]! | OUT_OF_DATE;
}

/** Register `index` of the dense ones that begin at bytes[at]. */
export function denseRegister(bytes: Buffer, at: number, index: number): number {
  const byte = at + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  // The last register ends with the last byte: what would be behind it is shifted out.
  const pair = bytes[byte]! | ((shift > 2 ? bytes[byte + 1]! : 0) << 8);
  return (pair >>> shift) & 63;
}

export function setDenseRegister(bytes: Buffer, at: number, index: number, value: number): void {
  const byte = at + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  bytes[byte] = (bytes[byte]! & ~(63 << shift)) | (value << shift);
  if (shift > 2) bytes[byte + 1] = (bytes[byte + 1]! & ~(63 >> (8 - shift))) | (value >> (8 - shift));
}

export const isValueRun = (byte: number): boolean => byte >= 0x80;
/** Two bytes long. */
export const isLongZeroRun = (byte: number): boolean => (byte & 0xc0) === 0x40;
export const runValue = (byte: number): number => (isValueRun(byte) ? ((byte >> 2) & 31) + 1 : 0);

/** Registers of the run at bytes[at]. */
export function runLength(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  if (isValueRun(byte)) return (byte & 3) + 1;
  return isLongZeroRun(byte) ? (((byte & 63) << 8) | bytes[at + 1]!) + 1 : (byte & 63) + 1;
}

/**
 * Raises each of `registers` to the sketch's, which is bytes[start, end) and passed isSketch. False if it is corrupt:
 * then some may have been raised.
 */
export function mergeRegisters(registers: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  let at = start + HEADER_BYTES;
  if (bytes[start + ENCODING_AT] === DENSE) {
    for (let i = 0; i < REGISTERS; i++) {
      const value = denseRegister(bytes, at, i);
      if (value > registers[i]!) registers[i] = value;
    }
    return true;
  }
  let index = 0;
  while (at < end) {
    const byte = bytes[at]!;
    const long = isLongZeroRun(byte);
    if (long && at + 1 >= end) return false;
    const next = index + runLength(bytes, at);
    if (next > REGISTERS) return false;
    const value = runValue(byte);
    for (; index < next; index++) if (value > registers[index]!) registers[index] = value;
    at += long ? 2 : 1;
  }
  return index === REGISTERS;
}
