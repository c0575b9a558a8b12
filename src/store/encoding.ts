// What OBJECT ENCODING says of a string, from its bytes alone.

import { compareBytes } from "./record.ts";

/** Redis's OBJ_ENCODING_EMBSTR_SIZE_LIMIT. */
export const EMBEDDED_BYTES_MAX = 44;

const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const INT64_DIGITS = 19;
const INT64_MAX = Buffer.from("9223372036854775807");
const INT64_MIN_DIGITS = Buffer.from("9223372036854775808");

/** Are bytes[start, end) a 64-bit integer as Redis would print it: no leading zero, no plus, no blank? */
export function isInteger(bytes: Buffer, start: number, end: number): boolean {
  const negative = start < end && bytes[start] === MINUS;
  const digitsStart = negative ? start + 1 : start;
  const digits = end - digitsStart;
  if (digits < 1 || digits > INT64_DIGITS) return false;
  if (bytes[digitsStart] === DIGIT_0) return digits === 1 && !negative;
  for (let i = digitsStart; i < end; i++) {
    const digit = bytes[i]! - DIGIT_0;
    if (digit < 0 || digit > 9) return false;
  }
  if (digits < INT64_DIGITS) return true;
  const most = negative ? INT64_MIN_DIGITS : INT64_MAX;
  return compareBytes(bytes, digitsStart, end, most, 0, INT64_DIGITS) <= 0;
}
