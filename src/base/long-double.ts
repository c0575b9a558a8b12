// INCRBYFLOAT's arithmetic. Redis computes in C's long double; here is that of x86-64 (64 bits of mantissa)
// done in integers, so the result is the same text as Redis's there, and the same on every replica. (Redis on
// arm64 has a 128-bit long double and prints other last digits.)

import {
  type BinaryFloat,
  bitLength,
  floatShape,
  LONG_DOUBLE,
  parseBinaryFloat,
  roundRatio,
} from "./float-text.ts";

export type LongDouble = BinaryFloat;

export const LONG_DOUBLE_ZERO: LongDouble = { infinite: 0, mantissa: 0n, exponent: 0 };

/** Decimals of %.17Lf, and ten to that power. */
const DECIMALS = 17;
const SCALE = 10n ** BigInt(DECIMALS);

/** A number as Redis's string2ld reads it: the grammar of `parseDouble`, rounded to a long double. */
export function parseLongDouble(bytes: Buffer, start: number, end: number): LongDouble | undefined {
  return parseBinaryFloat(bytes, start, end, floatShape(bytes, start, end), LONG_DOUBLE);
}

/** a + b as INCRBYFLOAT stores and answers it; undefined when that is no finite number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): string | undefined {
  if (a.infinite !== 0 || b.infinite !== 0) return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const exact = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  if (exact === 0n) return "0";
  const size = exact < 0n ? -exact : exact;
  const sum =
    exponent >= 0
      ? roundRatio(size << BigInt(exponent), 1n, LONG_DOUBLE)
      : roundRatio(size, 1n << BigInt(-exponent), LONG_DOUBLE);
  if (sum.infinite !== 0) return undefined;
  return formatLongDouble(exact < 0n ? { ...sum, mantissa: -sum.mantissa } : sum);
}

/** The same on texts; undefined also when one of them is no number. */
export function addLongDouble(a: string, b: string): string | undefined {
  const left = Buffer.from(a, "latin1");
  const right = Buffer.from(b, "latin1");
  const x = parseLongDouble(left, 0, left.length);
  const y = parseLongDouble(right, 0, right.length);
  return x === undefined || y === undefined ? undefined : addLongDoubles(x, y);
}

/** The product, rounded to a long double and then up to a whole number, as ceill(value * factor); undefined: no number. */
export function ceilOfProduct(
  { mantissa, exponent, infinite }: LongDouble,
  factor: bigint,
): bigint | undefined {
  const size = (mantissa < 0n ? -mantissa : mantissa) * factor;
  const product =
    exponent >= 0
      ? roundRatio(size << BigInt(exponent), 1n, LONG_DOUBLE)
      : roundRatio(size, 1n << BigInt(-exponent), LONG_DOUBLE);
  if (infinite !== 0 || product.infinite !== 0) return undefined;
  if (product.exponent >= 0)
    return (mantissa < 0n ? -product.mantissa : product.mantissa) << BigInt(product.exponent);
  const shift = BigInt(-product.exponent);
  // The shift rounds down, so the number is rounded up the other way around.
  return mantissa < 0n ? -(product.mantissa >> shift) : -(-product.mantissa >> shift);
}

/** Redis's "human" format: %.17Lf (ties to even) without trailing zeros, never "-0"; "inf" and "-inf". */
export function formatLongDouble(value: LongDouble): string {
  if (value.infinite !== 0) return value.infinite > 0 ? "inf" : "-inf";
  const negative = value.mantissa < 0n;
  const size = negative ? -value.mantissa : value.mantissa;
  const text = scaledText(size, value.exponent);
  return negative && text !== "0" ? `-${text}` : text;
}

function scaledText(size: bigint, exponent: number): string {
  if (exponent >= 0) return (size << BigInt(exponent)).toString();
  const product = size * SCALE;
  // Smaller than half of the last decimal by far: spare the shift.
  if (size === 0n || bitLength(product) + exponent < -1) return "0";
  const shift = BigInt(-exponent);
  let scaled = product >> shift;
  const rest = product - (scaled << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && (scaled & 1n) === 1n)) scaled++;
  const digits = scaled.toString().padStart(DECIMALS + 1, "0");
  const whole = digits.slice(0, -DECIMALS);
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

const doubleBits = new BigUint64Array(1);
const doubleValue = new Float64Array(doubleBits.buffer);

/** A double in the human format (GEOPOS and its like); "nan" for NaN. */
export function formatHumanDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  doubleValue[0] = value;
  const bits = doubleBits[0]!;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const size = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
  const exponent = Math.max(biased, 1) - 1075;
  return formatLongDouble({ infinite: 0, mantissa: value < 0 ? -size : size, exponent });
}
