// Texts of floating point numbers, as C's strtod and strtold understand them, and their exact rounding to a
// binary format. All arithmetic is on BigInt, so every machine gets the same bits.

import { assert } from "./assert.ts";

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const LOWER_E = 0x65;
const LOWER_P = 0x70;
const LOWER_X = 0x78;

/** Redis's MAX_LONG_DOUBLE_CHARS, less the NUL at the end. */
export const FLOAT_CHARACTERS_MAX = 5 * 1024 - 1;
/** An exponent beyond this decides the matter whatever the digits are (FLOAT_CHARACTERS_MAX of them at most). */
const EXPONENT_CLAMP = 1_000_000;

/** A binary floating point format: bits of mantissa, least exponent of a mantissa's last bit, 2^end overflows. */
export interface BinaryFormat {
  readonly bits: number;
  readonly exponentMin: number;
  readonly exponentEnd: number;
}

export const DOUBLE: BinaryFormat = { bits: 53, exponentMin: -1074, exponentEnd: 1024 };
/** The x87 80-bit format, the long double of C on x86-64. */
export const LONG_DOUBLE: BinaryFormat = { bits: 64, exponentMin: -16445, exponentEnd: 16384 };

/** mantissa * 2^exponent, or an infinity. There is no NaN and no minus zero: neither can be seen in a reply. */
export interface BinaryFloat {
  readonly infinite: -1 | 0 | 1;
  readonly mantissa: bigint;
  readonly exponent: number;
}

export type FloatShape = "decimal" | "hexadecimal" | "infinity" | "none";

/** What kind of number the whole range is. Linear, allocates nothing for decimals. */
export function floatShape(bytes: Buffer, start: number, end: number): FloatShape {
  if (end - start > FLOAT_CHARACTERS_MAX || start >= end) return "none";
  const at = bytes[start] === PLUS || bytes[start] === MINUS ? start + 1 : start;
  if (isFloat(bytes, at, end, isDigit, LOWER_E)) return "decimal";
  if (bytes[at] === DIGIT_0 && (bytes[at + 1]! | 0x20) === LOWER_X && at + 2 < end) {
    return isFloat(bytes, at + 2, end, isHexDigit, LOWER_P) ? "hexadecimal" : "none";
  }
  const word = bytes.toString("latin1", at, Math.min(end, at + 9)).toLowerCase();
  return word === "inf" || word === "infinity" ? "infinity" : "none";
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** digits [. digits] [e [sign] digits], with at least one digit beside the point. */
function isFloat(
  bytes: Buffer,
  at: number,
  end: number,
  isMantissaDigit: (byte: number) => boolean,
  exponentMark: number,
): boolean {
  const start = at;
  while (at < end && isMantissaDigit(bytes[at]!)) at++;
  let digits = at - start;
  if (at < end && bytes[at] === POINT) {
    const fraction = ++at;
    while (at < end && isMantissaDigit(bytes[at]!)) at++;
    digits += at - fraction;
  }
  if (digits === 0) return false;
  if (at === end) return true;
  if ((bytes[at]! | 0x20) !== exponentMark) return false;
  at++;
  if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
  const exponent = at;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at === end && at > exponent;
}

/** The number of a range whose shape is known, correctly rounded; undefined when it over- or underflows. */
export function parseBinaryFloat(
  bytes: Buffer,
  start: number,
  end: number,
  shape: FloatShape,
  format: BinaryFormat,
): BinaryFloat | undefined {
  if (shape === "none") return undefined;
  let text = bytes.toString("latin1", start, end).toLowerCase();
  const negative = text[0] === "-";
  if (negative || text[0] === "+") text = text.slice(1);
  if (shape === "infinity") return { infinite: negative ? -1 : 1, mantissa: 0n, exponent: 0 };

  const hexadecimal = shape === "hexadecimal";
  const mark = text.indexOf(hexadecimal ? "p" : "e");
  const [whole = "", fraction = ""] = text
    .slice(hexadecimal ? 2 : 0, mark < 0 ? text.length : mark)
    .split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return { infinite: 0, mantissa: 0n, exponent: 0 };
  const written = mark < 0 ? 0 : Number(text.slice(mark + 1));
  const clamped = Math.max(-EXPONENT_CLAMP, Math.min(EXPONENT_CLAMP, written));
  const mantissa = hexadecimal ? BigInt(`0x${digits}`) : BigInt(digits);
  const size = hexadecimal
    ? scaleBinary(mantissa, clamped - 4 * fraction.length, format)
    : scaleDecimal(mantissa, digits.length, clamped - fraction.length, format);
  if (size === undefined || size.infinite !== 0 || size.mantissa === 0n) return undefined;
  return negative ? { infinite: 0, mantissa: -size.mantissa, exponent: size.exponent } : size;
}

/** mantissa * 10^exponent. Powers that over- or underflow for certain are never computed. */
function scaleDecimal(
  mantissa: bigint,
  digits: number,
  exponent: number,
  format: BinaryFormat,
): BinaryFloat | undefined {
  // The number is in [10^(n-1), 10^n) with n = digits + exponent; 2^x is 10^(0.30103 x).
  const magnitude = digits + exponent;
  if (magnitude > format.exponentEnd * 0.3011 + 2 || magnitude < format.exponentMin * 0.3011 - 2)
    return undefined;
  if (exponent >= 0) return roundRatio(mantissa * 10n ** BigInt(exponent), 1n, format);
  return roundRatio(mantissa, 10n ** BigInt(-exponent), format);
}

function scaleBinary(mantissa: bigint, exponent: number, format: BinaryFormat): BinaryFloat | undefined {
  const magnitude = bitLength(mantissa) + exponent;
  if (magnitude > format.exponentEnd || magnitude < format.exponentMin - 1) return undefined;
  if (exponent >= 0) return roundRatio(mantissa << BigInt(exponent), 1n, format);
  return roundRatio(mantissa, 1n << BigInt(-exponent), format);
}

export function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return 4 * (hex.length - 1) + (32 - Math.clz32(Number.parseInt(hex[0]!, 16)));
}

/** numerator / denominator (both positive), rounded to nearest, ties to even. */
export function roundRatio(numerator: bigint, denominator: bigint, format: BinaryFormat): BinaryFloat {
  const { bits, exponentMin, exponentEnd } = format;
  // The quotient has this many bits or one more.
  let exponent = Math.max(exponentMin, bitLength(numerator) - bitLength(denominator) - bits);
  let mantissa = divideRounded(numerator, denominator, exponent, bits);
  if (mantissa === undefined) mantissa = divideRounded(numerator, denominator, ++exponent, bits);
  assert(mantissa !== undefined, "a quotient has one bit more than estimated at most");
  if (mantissa !== 0n && bitLength(mantissa) + exponent > exponentEnd) {
    return { infinite: 1, mantissa: 0n, exponent: 0 };
  }
  return { infinite: 0, mantissa, exponent };
}

/** numerator / denominator / 2^exponent rounded to an integer, undefined if that is more than `bits` bits. */
function divideRounded(
  numerator: bigint,
  denominator: bigint,
  exponent: number,
  bits: number,
): bigint | undefined {
  if (exponent < 0) numerator <<= BigInt(-exponent);
  else denominator <<= BigInt(exponent);
  const quotient = numerator / denominator;
  if (quotient >> BigInt(bits) !== 0n) return undefined;
  const twice = 2n * (numerator - quotient * denominator);
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}
