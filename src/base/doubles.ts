// Doubles as Redis prints and reads them. The same bits give the same text on every machine, and back.

import { DOUBLE, FLOAT_CHARACTERS_MAX, floatShape, parseBinaryFloat } from "./float-text.ts";

/** Significant digits of %.17g. */
const PRECISION = 17;
const EXACT_DIGITS_MAX = 15;
const DIGIT_0 = 0x30;
const MINUS = 0x2d;
const BLANKS = " \t\n\v\f\r";
/** From here on toFixed() gives up. */
const EXPONENTIAL_FROM = 1e21;

/** %.17g of C: correctly rounded (ties to even), trailing zeros cut; "inf", "-inf", "nan". */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  if (Number.isNaN(value)) return "nan";
  if (value === 0) return 1 / value < 0 ? "-0" : "0";
  const size = Math.abs(value);
  const scientific = size.toExponential(PRECISION - 1); // "d.dddddddddddddddde+x"
  const mark = scientific.indexOf("e");
  const exponent = Number(scientific.slice(mark + 1));
  let digits = scientific[0]! + scientific.slice(2, mark);
  const last = digits.charCodeAt(PRECISION - 1) - 0x30;
  // JavaScript rounds a tie up, C to even. One digit too many is never a borrow, as it is odd.
  if (last % 2 === 1 && isTie(size, exponent)) digits = digits.slice(0, -1) + String(last - 1);

  const sign = value < 0 ? "-" : "";
  let length = PRECISION;
  while (length > 1 && digits.charCodeAt(length - 1) === 0x30) length--;
  digits = digits.slice(0, length);
  if (exponent >= -4 && exponent < PRECISION) return sign + positional(digits, exponent);
  const fraction = length > 1 ? "." + digits.slice(1) : "";
  const exponentDigits = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${digits[0]!}${fraction}e${exponent < 0 ? "-" : "+"}${exponentDigits}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return "0." + "0".repeat(-exponent - 1) + digits;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, "0");
  return digits.slice(0, exponent + 1) + "." + digits.slice(exponent + 1);
}

/**
 * Does `size`, of decimal exponent `exponent`, have exactly 18 significant digits, the last of them 5?
 * Then it has j = 17 - exponent decimals, and in lowest terms its denominator is 2^j. (Integers of 18 and
 * more digits are multiples of too high a power of two.)
 */
function isTie(size: number, exponent: number): boolean {
  const decimals = PRECISION - exponent;
  return decimals >= 1 && (size * 2 ** decimals) % 2 === 1;
}

/** %f of C with so many decimals: correctly rounded (ties to even). */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatDouble(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (size >= EXPONENTIAL_FROM) return `${sign}${BigInt(size)}.${"0".repeat(decimals)}`;
  const text = size.toFixed(decimals);
  const last = text.charCodeAt(text.length - 1) - 0x30;
  const isTieUp = last % 2 === 1 && (size * 2 ** (decimals + 1)) % 2 === 1;
  return sign + (isTieUp ? text.slice(0, -1) + String(last - 1) : text);
}

/**
 * A double as Redis's string2d reads it, which is C's strtod without white space and garbage around it:
 * decimal, hexadecimal ("0x1.8p3") or "inf"/"infinity", with an optional sign. Undefined for anything else, for
 * NaN, and for what is too large or too small for a double. Differs from Redis for texts longer than
 * FLOAT_CHARACTERS_MAX, which are refused.
 */
export function parseDouble(bytes: Buffer, start: number, end: number): number | undefined {
  const whole = parseDigits(bytes, start, end);
  if (whole !== undefined) return whole;
  const shape = floatShape(bytes, start, end);
  if (shape === "decimal") {
    const text = bytes.toString("latin1", start, end);
    const value = Number(text);
    if (!Number.isFinite(value)) return undefined;
    return value === 0 && hasNonZeroDigit(text) ? undefined : value;
  }
  const value = parseBinaryFloat(bytes, start, end, shape, DOUBLE);
  if (value === undefined) return undefined;
  if (value.infinite !== 0) return value.infinite * Number.POSITIVE_INFINITY;
  return Number(value.mantissa) * 2 ** value.exponent;
}

/** What is digits alone, with a minus at most, and few enough to be exact; without a string on the way. */
function parseDigits(bytes: Buffer, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  if (first >= end || end - first > EXACT_DIGITS_MAX) return undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

function hasNonZeroDigit(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte >= 0x31 && byte <= 0x39) return true;
    if (byte === 0x65 || byte === 0x45) return false;
  }
  return false;
}

/**
 * A double as C's strtod reads it where nobody looks whether that overflowed: blanks before it, nothing at all is 0, a NUL ends
 * it. NaN if it is no number.
 */
export function parseLenientDouble(bytes: Buffer, start: number, end: number): number {
  if (end - start > FLOAT_CHARACTERS_MAX) return Number.NaN;
  const nul = bytes.indexOf(0, start);
  if (nul >= 0 && nul < end) end = nul;
  if (start === end) return 0;
  while (start < end && BLANKS.includes(String.fromCharCode(bytes[start]!))) start++;
  const shape = floatShape(bytes, start, end);
  if (shape === "decimal") return Number(bytes.toString("latin1", start, end));
  const value = parseBinaryFloat(bytes, start, end, shape, DOUBLE);
  if (value === undefined) return Number.NaN;
  if (value.infinite !== 0) return value.infinite * Number.POSITIVE_INFINITY;
  return Number(value.mantissa) * 2 ** value.exponent;
}
