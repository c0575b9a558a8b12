// Reading a record's parts, clearing and comparing bytes without allocating. No state of its own.

import type { Arena } from "./arena.ts";
import { HEADER_BYTES, LOOP_COPY_BYTES_MAX, WORD_KEY_LENGTH } from "./types.ts";

/** Zeroes bytes[start, end). */
export function clearBytes(bytes: Buffer, start: number, end: number): void {
  if (end - start < LOOP_COPY_BYTES_MAX) {
    for (let i = start; i < end; i++) bytes[i] = 0;
  } else {
    bytes.fill(0, start, end);
  }
}

/** Byte order of a record's key and bytes[start, end): negative if the record's comes first, 0 if equal. */
export function compareKey(arena: Arena, ref: number, bytes: Buffer, start: number, end: number): number {
  arena.locate(ref);
  const stored = arena.bytes;
  const keyLength = arena.words[(arena.at >>> 2) + WORD_KEY_LENGTH]!;
  const keyStart = arena.at + HEADER_BYTES;
  return compareBytes(stored, keyStart, keyStart + keyLength, bytes, start, end);
}

/** Byte order of a[aStart, aEnd) and b[bStart, bEnd): negative, 0 or positive. */
export function compareBytes(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const common = Math.min(aEnd - aStart, bEnd - bStart);
  if (common >= LOOP_COPY_BYTES_MAX) return a.compare(b, bStart, bEnd, aStart, aEnd);
  for (let i = 0; i < common; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
