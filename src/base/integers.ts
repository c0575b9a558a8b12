// Decimal integers as bytes, both ways. In: byte ranges or numbers. Out: numbers, or digits in a caller's
// buffer. Never makes a string on the way, and never a BigInt unless the value needs one.

const DIGIT_0 = 0x30;
const MINUS = 0x2d;
/** Digits that always fit in a safe integer. */
const SAFE_DIGITS_MAX = 15;
/** "-9223372036854775808" */
const INTEGER64_CHARACTERS_MAX = 20;

export const INTEGER64_MAX = 9223372036854775807n;
export const INTEGER64_MIN = -9223372036854775808n;

/**
 * A signed 64-bit integer as strictly as Redis's string2ll: no plus sign, no spaces, no leading zeros,
 * no "-0". A number when it is a safe integer, else a bigint; undefined when it is neither.
 */
export function parseInteger64(bytes: Uint8Array, start: number, end: number): number | bigint | undefined {
  let at = start;
  if (at >= end) return undefined;
  const negative = bytes[at]! === MINUS;
  if (negative) at++;
  const digits = end - at;
  if (digits > SAFE_DIGITS_MAX) return parseLong(bytes, start, at, end);
  if (digits === 0) return undefined;
  const first = bytes[at]! - DIGIT_0;
  if (first === 0) return digits === 1 && !negative ? 0 : undefined;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

function parseLong(
  bytes: Uint8Array,
  start: number,
  digitsAt: number,
  end: number,
): number | bigint | undefined {
  if (end - start > INTEGER64_CHARACTERS_MAX || bytes[digitsAt] === DIGIT_0) return undefined;
  let text = "";
  for (let i = digitsAt; i < end; i++) {
    const digit = bytes[i]! - DIGIT_0;
    if (digit < 0 || digit > 9) return undefined;
    text += String.fromCharCode(bytes[i]!);
  }
  const value = digitsAt > start ? -BigInt(text) : BigInt(text);
  if (value > INTEGER64_MAX || value < INTEGER64_MIN) return undefined;
  return narrow(value);
}

function narrow(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** a + b as INCRBY does it: undefined when the sum leaves the signed 64-bit range. */
export function addInteger64(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  if (sum > INTEGER64_MAX || sum < INTEGER64_MIN) return undefined;
  return narrow(sum);
}

/** The most bytes `writeInteger` writes: "-9007199254740991". */
export const INTEGER_BYTES_MAX = 17;

const LOW_DIGITS = 8;
const LOW_LIMIT = 100_000_000;

/**
 * Writes the decimal digits of a safe integer at `at`; returns the position after them.
 * The caller has made sure of INTEGER_BYTES_MAX bytes.
 */
export function writeInteger(target: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    target[at++] = MINUS;
    value = -value;
  }
  if (value < LOW_LIMIT) return writeDigits(target, at, value, countDigits(value));
  // Two halves that each fit in 31 bits, so that the divisions below stay integer ones.
  const high = Math.floor(value / LOW_LIMIT);
  at = writeDigits(target, at, high, countDigits(high));
  return writeDigits(target, at, value - high * LOW_LIMIT, LOW_DIGITS);
}

/** Bytes that `writeInteger` would write. */
export function integerLength(value: number): number {
  const sign = value < 0 ? 1 : 0;
  const size = Math.abs(value);
  if (size < LOW_LIMIT) return sign + countDigits(size);
  return sign + LOW_DIGITS + countDigits(Math.floor(size / LOW_LIMIT));
}

function writeDigits(target: Uint8Array, at: number, value: number, digits: number): number {
  const end = at + digits;
  let rest = value | 0;
  for (let i = end - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    target[i] = DIGIT_0 + rest - next * 10;
    rest = next;
  }
  return end;
}

/** Decimal digits of an integer in [0, 10^9). */
function countDigits(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  return value < 100_000_000 ? 8 : 9;
}
