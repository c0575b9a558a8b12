// Splits one inline command ("SET k 'a b'", typed into telnet) into unquoted arguments, with the quoting
// rules of Redis's sdssplitargs. In: one line without its end. Out: bytes and offsets in the scratch.

import type { ParserScratch } from "./parser-scratch.ts";

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

/** What \n, \r, \t, \b and \a stand for between double quotes; any other escaped byte is itself. */
const ESCAPED = new Uint8Array(256).map((_, byte) => byte);
ESCAPED[0x6e] = 0x0a;
ESCAPED[0x72] = 0x0d;
ESCAPED[0x74] = 0x09;
ESCAPED[0x62] = 0x08;
ESCAPED[0x61] = 0x07;

/** C's isspace. Not all of these end a bare word: see `endsWord`. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d);
}

/** Vertical tab and form feed are blanks before a word but ordinary bytes inside it, as in Redis. */
function endsWord(byte: number): boolean {
  return byte === SPACE || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** Returns the number of arguments, 0 for a blank line, -1 when quotes are not balanced. */
export function splitInline(buffer: Buffer, start: number, end: number, scratch: ParserScratch): number {
  // Unquoting never makes anything longer.
  const out = scratch.ensureLine(end - start);
  scratch.argsBuffer = out;
  let offsets = scratch.offsets;
  let slot = 0;
  let written = 0;
  let at = start;
  for (;;) {
    while (at < end && isSpace(buffer[at]!)) at++;
    if (at >= end) return slot >> 1;
    if (slot + 2 > offsets.length) offsets = scratch.grow();
    offsets[slot] = written;
    while (at < end && !endsWord(buffer[at]!)) {
      const byte = buffer[at]!;
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        out[written++] = byte;
        at++;
        continue;
      }
      // A quoted part may begin inside a word, but it always ends the word.
      const close = closingQuote(buffer, at + 1, end, byte);
      if (close < 0 || (close + 1 < end && !isSpace(buffer[close + 1]!))) return -1;
      written = unquote(buffer, at + 1, close, byte, out, written);
      at = close + 1;
      break;
    }
    offsets[slot + 1] = written;
    slot += 2;
  }
}

/** Position of the quote that closes the part starting at `at`, -1 when there is none. */
function closingQuote(buffer: Buffer, at: number, end: number, quote: number): number {
  for (; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === quote) return at;
    // Between single quotes only \' is an escape.
    if (byte === BACKSLASH && at + 1 < end && (quote === DOUBLE_QUOTE || buffer[at + 1] === SINGLE_QUOTE))
      at++;
  }
  return -1;
}

/** Copies [at, close) to `out` without its escapes; returns the position after it. */
function unquote(
  buffer: Buffer,
  at: number,
  close: number,
  quote: number,
  out: Buffer,
  written: number,
): number {
  while (at < close) {
    const byte = buffer[at]!;
    if (
      byte !== BACKSLASH ||
      at + 1 >= close ||
      (quote === SINGLE_QUOTE && buffer[at + 1] !== SINGLE_QUOTE)
    ) {
      out[written++] = byte;
      at++;
    } else if (quote === DOUBLE_QUOTE && isHexEscape(buffer, at, close)) {
      out[written++] = hexDigit(buffer[at + 2]!) * 16 + hexDigit(buffer[at + 3]!);
      at += 4;
    } else {
      out[written++] = ESCAPED[buffer[at + 1]!]!;
      at += 2;
    }
  }
  return written;
}

function isHexEscape(buffer: Buffer, at: number, close: number): boolean {
  return (
    at + 3 < close &&
    buffer[at + 1] === 0x78 &&
    hexDigit(buffer[at + 2]!) >= 0 &&
    hexDigit(buffer[at + 3]!) >= 0
  );
}
