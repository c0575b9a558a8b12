// Stream ids as arguments: "ms-seq", "ms", "ms-*", "-", "+", "(id". Numbers are read as Redis's string2ull does, which
// takes more than digits.

import type { Args } from "../base/args.ts";
import { parseInteger64 } from "../base/integers.ts";
import { halves, type StreamId, split } from "../store/stream-id.ts";

const ID_BYTES_MAX = 127;
const MINUS = 0x2d;
const PLUS = 0x2b;
const STAR = 0x2a;
const PARENTHESIS = 0x28;
const DIGITS_FAST_MAX = 15;
const UNSIGNED64_LIMIT = 1n << 64n;

/** What an id without a sequence number means. */
export const MISSING_IS_FIRST = 0;
export const MISSING_IS_LAST = 0xffff_ffff;
type Missing = typeof MISSING_IS_FIRST | typeof MISSING_IS_LAST;

/** An id that names one place: neither "-" nor "+". False if it is none. */
export function parseStrictId(args: Args, index: number, into: StreamId): boolean {
  return parse(args, args.start(index), args.end(index), into, MISSING_IS_FIRST, true, false);
}

/** XADD's: "ms-*" as well, and then `hasSequence` is false. */
export function parseNewId(args: Args, index: number, into: StreamId): boolean {
  return parse(args, args.start(index), args.end(index), into, MISSING_IS_FIRST, true, true);
}
export let hasSequence = true;

/** Also "-" and "+". */
export function parseAnyId(args: Args, index: number, into: StreamId, missing: Missing): boolean {
  return parse(args, args.start(index), args.end(index), into, missing, false, false);
}

/** An end of an interval: also "-", "+" and "(id", which does not belong to it. `isExclusive` says so. */
export function parseIntervalId(args: Args, index: number, into: StreamId, missing: Missing): boolean {
  const start = args.start(index);
  isExclusive = args.length(index) > 1 && args.bytes[start] === PARENTHESIS;
  const from = isExclusive ? start + 1 : start;
  return parse(args, from, args.end(index), into, missing, isExclusive, false);
}
export let isExclusive = false;

function parse(
  args: Args,
  start: number,
  end: number,
  into: StreamId,
  missing: Missing,
  isStrict: boolean,
  mayBeOpen: boolean,
): boolean {
  const { bytes } = args;
  hasSequence = true;
  if (end - start > ID_BYTES_MAX) return false;
  // A C string ends at a NUL.
  const nul = bytes.subarray(start, end).indexOf(0);
  if (nul >= 0) end = start + nul;
  const first = bytes[start];
  if (end - start === 1 && (first === MINUS || first === PLUS)) {
    if (isStrict) return false;
    if (first === PLUS) into.setMax();
    else into.setNumbers(0, 0);
    return true;
  }
  let middle = start;
  while (middle < end && bytes[middle] !== MINUS) middle++;
  if (!parseUnsigned(bytes, start, middle)) return false;
  into.msHigh = halves.high;
  into.msLow = halves.low;
  into.seqHigh = into.seqLow = missing;
  if (middle === end) return true;
  if (mayBeOpen && end - middle === 2 && bytes[middle + 1] === STAR) {
    into.seqHigh = into.seqLow = 0;
    hasSequence = false;
    return true;
  }
  if (!parseUnsigned(bytes, middle + 1, end)) return false;
  into.seqHigh = halves.high;
  into.seqLow = halves.low;
  return true;
}

/** Into `halves`. */
function parseUnsigned(bytes: Buffer, start: number, end: number): boolean {
  if (end - start <= DIGITS_FAST_MAX) {
    let value = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end && end > start) {
      split(value);
      return true;
    }
  }
  const strict = parseInteger64(bytes, start, end);
  if (strict !== undefined) {
    if (strict < 0) return false;
    split(strict);
    return true;
  }
  // strtoull: blanks and a sign before the digits, and a negative number is counted down from 2^64.
  const found = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/.exec(bytes.toString("latin1", start, end));
  if (found === null) return false;
  const value = BigInt(found[2]!);
  if (value >= UNSIGNED64_LIMIT) return false;
  split(BigInt.asIntN(64, found[1] === "-" ? -value : value));
  return true;
}
