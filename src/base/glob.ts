// Redis's glob patterns: in, pattern and text as byte ranges; out, whether they match. Semantics, odd corners
// included, are those of stringmatchlen (util.c of Redis 7.0); the cost is bounded, its recursion is not.
//
//   *       any bytes, none included     [ab] [^a-z]   one byte of these, or none of these
//   ?       any one byte                 \x            x itself
//
// Every element but the star takes exactly one byte, so going back to the *last* star alone finds every match.

const STAR = 0x2a; // *
const QUESTION = 0x3f; // ?
const OPEN = 0x5b; // [
const CLOSE = 0x5d; // ]
const CARET = 0x5e; // ^
const DASH = 0x2d; // -
const BACKSLASH = 0x5c;

/**
 * Steps after which the answer is "no match". Only patterns made for it come near: a star followed by
 * thousands of bytes that almost match at thousands of places (Redis gives up on deep patterns as well).
 */
const STEPS_MAX = 1 << 22;

/** Where the last call of `bracketMatches` stopped: on the closing bracket, or on the pattern's last byte. */
let bracketEnd = 0;

export function globMatches(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  ignoreCase = false,
): boolean {
  // stringmatchlen never enters its loop: even "*" does not match the empty text.
  if (textStart === textEnd) return patternStart === patternEnd;
  let p = patternStart;
  let t = textStart;
  let afterStar = -1;
  let starText = 0;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    if (t === textEnd) {
      while (p < patternEnd && pattern[p] === STAR) p++;
      return p === patternEnd;
    }
    if (p < patternEnd && pattern[p] === STAR) {
      while (p < patternEnd && pattern[p] === STAR) p++;
      if (p === patternEnd) return true;
      afterStar = p;
      starText = t;
      continue;
    }
    const next = p < patternEnd ? elementEnd(pattern, p, patternEnd, text[t]!, ignoreCase) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else if (afterStar >= 0) {
      p = afterStar;
      t = ++starText;
    } else return false;
  }
  return false;
}

/** Where the element at `p` ends if it takes `byte`; -1 if it does not. */
function elementEnd(pattern: Uint8Array, p: number, end: number, byte: number, ignoreCase: boolean): number {
  const first = pattern[p]!;
  if (first === QUESTION) return p + 1;
  if (first === OPEN) return bracketMatches(pattern, p + 1, end, byte, ignoreCase) ? bracketEnd + 1 : -1;
  const at = first === BACKSLASH && p + 1 < end ? p + 1 : p;
  return same(pattern[at]!, byte, ignoreCase) ? at + 1 : -1;
}

/** `p` is behind the opening bracket. */
function bracketMatches(
  pattern: Uint8Array,
  p: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): boolean {
  const negated = p < end && pattern[p] === CARET;
  if (negated) p++;
  let match = false;
  for (; ; p++) {
    if (p >= end) {
      p = end - 1; // an unclosed bracket ends with the pattern
      break;
    }
    if (pattern[p] === BACKSLASH && p + 1 < end) {
      p++;
      if (pattern[p] === byte) match = true; // case counts here, as in Redis
    } else if (pattern[p] === CLOSE) {
      break;
    } else if (p + 2 < end && pattern[p + 1] === DASH) {
      if (inRange(pattern[p]!, pattern[p + 2]!, byte, ignoreCase)) match = true;
      p += 2;
    } else if (same(pattern[p]!, byte, ignoreCase)) {
      match = true;
    }
  }
  bracketEnd = p;
  return match !== negated;
}

/** C's char is signed where Redis runs, so bytes from 0x80 on come before 0. The ends may be swapped. */
function inRange(a: number, b: number, byte: number, ignoreCase: boolean): boolean {
  let low = signed(a);
  let high = signed(b);
  let value = signed(byte);
  if (low > high) [low, high] = [high, low];
  if (ignoreCase) {
    low = lower(low);
    high = lower(high);
    value = lower(value);
  }
  return value >= low && value <= high;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function same(a: number, b: number, ignoreCase: boolean): boolean {
  return a === b || (ignoreCase && lower(a) === lower(b));
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
