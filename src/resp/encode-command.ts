// The other direction of the parser: arguments to the bytes a client would have sent.

import type { Args } from "../base/args.ts";
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

/** The same for arguments as the parser gives them: an inline command becomes a multibulk one. Allocates. */
export function encodeArguments(args: Args): Buffer {
  let total = 3 + integerLength(args.count);
  for (let i = 0; i < args.count; i++) total += 5 + integerLength(args.length(i)) + args.length(i);
  const out = Buffer.allocUnsafeSlow(total);
  let at = writeCount(out, 0, STAR, args.count);
  for (let i = 0; i < args.count; i++) {
    at = writeCount(out, at, DOLLAR, args.length(i));
    at += args.bytes.copy(out, at, args.start(i), args.end(i));
    out[at++] = CR;
    out[at++] = LF;
  }
  return out;
}

function writeCount(out: Buffer, at: number, mark: number, count: number): number {
  out[at] = mark;
  at = writeInteger(out, at + 1, count);
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}
