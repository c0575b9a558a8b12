// x86's 80-bit long double, as far as INCRBYFLOAT shows it: strtold, one addition, printf("%.17Lf").
//
// Redis adds long doubles, so that 0.1 + 0.2 is "0.3"; JavaScript's doubles give 0.30000000000000004. Exact
// integers and one rounding do the same here, and the same on every machine. Bounded: a long double is at
// most 2^16384, and texts longer than Redis reads are refused.

/** Value = mantissa * 2^exponent; the mantissa (signed) has at most 64 bits. "inf" for both infinities. */
export type LongDouble = { readonly mantissa: bigint; readonly exponent: number } | "inf";

const MANTISSA_BITS = 64;
const EXPONENT_MIN = -16445;
const EXPONENT_MAX = 16320;
/** Redis: MAX_LONG_DOUBLE_CHARS, its buffer; a text must be shorter. */
const TEXT_CHARACTERS_MAX = 5 * 1024;
/** Decimal magnitudes beyond these overflow, or round to zero, whatever the digits. */
const MAGNITUDE_MAX = 4940;
const MAGNITUDE_MIN = -4970;
const FRACTION_DIGITS = 17;

export const LONG_DOUBLE_ZERO: LongDouble = { mantissa: 0n, exponent: 0 };
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([\da-fA-F]*)(?:\.([\da-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** bytes[start, end) if it is what Redis's string2ld accepts; undefined otherwise (NaN, overflow and underflow to zero included). */
export function parseLongDouble(bytes: Buffer, start: number, end: number): LongDouble | undefined {
  if (start === end || end - start >= TEXT_CHARACTERS_MAX) return undefined;
  const text = bytes.toString("latin1", start, end);
  if (INFINITE.test(text)) return "inf";
  const decimal = DECIMAL.exec(text);
  const parts = decimal ?? HEXADECIMAL.exec(text);
  if (parts === null) return undefined;
  const fraction = parts[3] ?? "";
  const digits = (parts[2] ?? "") + fraction;
  if (digits.length === 0) return undefined;
  const power = Number(parts[4] ?? "0");
  const size =
    decimal !== null
      ? fromDecimal(digits, power - fraction.length)
      : fromHexadecimal(digits, power - 4 * fraction.length);
  if (size === undefined || size === "inf" || parts[1] !== "-") return size;
  return { mantissa: -size.mantissa, exponent: size.exponent };
}

function fromDecimal(digits: string, power: number): LongDouble | undefined {
  const significant = digits.replace(/^0+/, "");
  if (significant === "") return LONG_DOUBLE_ZERO;
  const magnitude = significant.length + power;
  if (magnitude > MAGNITUDE_MAX || magnitude < MAGNITUDE_MIN) return undefined;
  const numerator = BigInt(significant);
  return power >= 0
    ? round(numerator * 10n ** BigInt(power), 1n, 0)
    : round(numerator, 10n ** BigInt(-power), 0);
}

function fromHexadecimal(digits: string, power: number): LongDouble | undefined {
  const significant = digits.replace(/^0+/, "");
  if (significant === "") return LONG_DOUBLE_ZERO;
  const magnitude = 4 * significant.length + power;
  if (magnitude > EXPONENT_MAX + 2 * MANTISSA_BITS || magnitude < EXPONENT_MIN - MANTISSA_BITS)
    return undefined;
  return round(BigInt(`0x${significant}`), 1n, power);
}

/** a + b rounded once, as printf("%.17Lf") and Redis's trimming show it. Undefined: infinite or no number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): string | undefined {
  if (a === "inf" || b === "inf") return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  if (sum === 0n) return "0";
  const size = round(sum < 0n ? -sum : sum, 1n, exponent);
  // The sum of two long doubles is a multiple of the smallest one: it cannot round to zero, only overflow.
  if (size === undefined || size === "inf") return undefined;
  const text = format(size.mantissa, size.exponent);
  return sum < 0n && text !== "0" ? `-${text}` : text;
}

/** numerator / denominator * 2^scale (positive) to the nearest, ties to even. Undefined: overflow, or zero. */
function round(numerator: bigint, denominator: bigint, scale: number): LongDouble | undefined {
  // One bit more than needed is cut off below, together with what else is too much.
  let shift = MANTISSA_BITS + 1 - (bitLength(numerator) - bitLength(denominator));
  // No bit below the smallest long double: subnormals have fewer than 64.
  shift = Math.min(shift, scale - EXPONENT_MIN);
  const scaled = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const inexact = quotient * divisor !== scaled;
  const excess = Math.max(0, bitLength(quotient) - MANTISSA_BITS);
  let mantissa = excess === 0 ? roundUnit(quotient, scaled, divisor) : roundBits(quotient, excess, inexact);
  let exponent = scale - shift + excess;
  if (bitLength(mantissa) > MANTISSA_BITS) {
    mantissa >>= 1n;
    exponent++;
  }
  if (mantissa === 0n || exponent > EXPONENT_MAX) return undefined;
  return { mantissa, exponent };
}

/** scaled / divisor to the nearest integer, ties to even; `quotient` is its floor. */
function roundUnit(quotient: bigint, scaled: bigint, divisor: bigint): bigint {
  const twice = 2n * (scaled - quotient * divisor);
  return twice > divisor || (twice === divisor && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

/** Drops `excess` > 0 low bits of `value`, to the nearest, ties to even; `inexact`: there was something below. */
function roundBits(value: bigint, excess: number, inexact: boolean): bigint {
  const unit = 1n << BigInt(excess);
  const rest = value & (unit - 1n);
  const kept = value >> BigInt(excess);
  const half = unit >> 1n;
  const up = rest > half || (rest === half && (inexact || (kept & 1n) === 1n));
  return up ? kept + 1n : kept;
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function format(mantissa: bigint, exponent: number): string {
  if (exponent >= 0) return (mantissa << BigInt(exponent)).toString();
  const scaled = mantissa * 10n ** BigInt(FRACTION_DIGITS);
  const divisor = 1n << BigInt(-exponent);
  const digits = roundUnit(scaled / divisor, scaled, divisor)
    .toString()
    .padStart(FRACTION_DIGITS + 1, "0");
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
