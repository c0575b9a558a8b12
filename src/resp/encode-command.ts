// The other direction of the parser: arguments to the bytes a client would have sent.

import { integerLength, writeInteger } from "../base/integers.ts";

const CR = 0x0d;
const LF = 0x0a;
const STAR = 0x2a;
const DOLLAR = 0x24;

/**
 * One command as a RESP array of bulk strings. Inline commands are brought into this form before they enter
 * the log, so that the log knows one form only. Texts are utf8. Allocates: not for the hot path.
 */
export function encodeCommand(parts: readonly (string | Uint8Array)[]): Buffer {
  const sizes = parts.map((part) => (typeof part === "string" ? Buffer.byteLength(part) : part.length));
  let total = 3 + integerLength(parts.length);
  for (const size of sizes) total += 5 + integerLength(size) + size;
  const out = Buffer.allocUnsafeSlow(total);
  let at = writeCount(out, 0, STAR, parts.length);
  parts.forEach((part, i) => {
    at = writeCount(out, at, DOLLAR, sizes[i]!);
    if (typeof part === "string") out.write(part, at);
    else out.set(part, at);
    at += sizes[i]!;
    out[at++] = CR;
    out[at++] = LF;
  });
  return out;
}

/** Bytes that `encodeArguments` will write. */
export function encodedLength(offsets: Int32Array, base: number, count: number): number {
  let total = 3 + integerLength(count);
  for (let i = base; i < base + 2 * count; i += 2) {
    const size = offsets[i + 1]! - offsets[i]!;
    total += 5 + integerLength(size) + size;
  }
  return total;
}

/** Writes arguments, given as the parser gives them, into `out` at `at`; returns the position after them. */
export function encodeArguments(
  bytes: Buffer,
  offsets: Int32Array,
  base: number,
  count: number,
  out: Buffer,
  at: number,
): number {
  at = writeCount(out, at, STAR, count);
  for (let i = base; i < base + 2 * count; i += 2) {
    const start = offsets[i]!;
    const end = offsets[i + 1]!;
    at = writeCount(out, at, DOLLAR, end - start);
    bytes.copy(out, at, start, end);
    at += end - start;
    out[at++] = CR;
    out[at++] = LF;
  }
  return at;
}

function writeCount(out: Buffer, at: number, mark: number, count: number): number {
  out[at] = mark;
  at = writeInteger(out, at + 1, count);
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}
