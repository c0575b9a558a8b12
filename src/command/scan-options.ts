// What SCAN, SSCAN, HSCAN and ZSCAN have in common: the cursor, the options, the reply's two parts. The options of one
// command are in one object that is used again.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";

const STAR = 0x2a;
const COUNT_DEFAULT = 10;
/** Largest C unsigned long; Redis refuses cursors beyond it. */
const CURSOR_MAX = 0xffff_ffff_ffff_ffffn;
/** Far more than any cursor has; the rest of a longer text is not looked at. */
const CURSOR_BYTES_MAX = 64;
const CURSOR = /^([+-]?)(\d+)$/;

export class ScanOptions {
  /** COUNT: may be far beyond what there is. */
  count = COUNT_DEFAULT;
  /** TYPE, in lower case. */
  type: string | undefined = undefined;
  /** Argument number of MATCH's pattern; 0: everything matches. */
  #pattern = 0;
  #args: Args | undefined = undefined;

  /** Reads the options from argument `from` on; the error's text if they are wrong. TYPE is SCAN's alone. */
  parse(args: Args, from: number, allowsType: boolean): string | undefined {
    this.count = COUNT_DEFAULT;
    this.type = undefined;
    this.#pattern = 0;
    this.#args = args;
    for (let i = from; i < args.count; i += 2) {
      if (i + 1 >= args.count) return replyError.syntax;
      if (args.is(i, "COUNT")) {
        const value = integerAt(args, i + 1);
        if (value === undefined) return replyError.notInteger;
        if (value < 1) return replyError.syntax;
        this.count = Number(value);
      } else if (args.is(i, "MATCH")) this.#pattern = i + 1;
      else if (allowsType && args.is(i, "TYPE")) this.type = args.text(i + 1).toLowerCase();
      else return replyError.syntax;
    }
    if (this.#pattern !== 0 && isEverything(args, this.#pattern)) this.#pattern = 0;
    return undefined;
  }

  matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.#pattern === 0) return true;
    const args = this.#args!;
    return globMatches(args.bytes, args.start(this.#pattern), args.end(this.#pattern), bytes, start, end);
  }
}

/** As C's strtoul: ends at a NUL, may have a sign, nothing at all is 0. Undefined: no number, or too large. */
export function parseCursor(args: Args, index: number): number | undefined {
  const start = args.start(index);
  const end = Math.min(args.end(index), start + CURSOR_BYTES_MAX);
  const [text] = args.bytes.toString("latin1", start, end).split("\0");
  if (text === undefined || text === "") return 0;
  const parts = CURSOR.exec(text);
  if (parts === null) return undefined;
  const value = BigInt(parts[2]!);
  if (value > CURSOR_MAX) return undefined;
  return Number(parts[1] === "-" ? BigInt.asUintN(64, -value) : value);
}

/** "*" is not matched but skipped over, so that it takes the empty key as well. */
export function isEverything(args: Args, index: number): boolean {
  return args.length(index) === 1 && args.bytes[args.start(index)] === STAR;
}

/**
 * One step over numbered members, of which there are `size`: visits those just below the cursor (0: from the end on)
 * and returns the next cursor. Numbers below the cursor have not been seen yet; whatever moves, moves down.
 */
export function scanNumbers(
  cursor: number,
  size: number,
  count: number,
  visit: (number: number) => void,
): number {
  let number = cursor === 0 ? size : Math.min(cursor, size);
  const next = Math.max(0, number - count);
  while (--number >= next) visit(number);
  return next;
}

/** Closes the reply: `count` items were written from `mark` on, the next step begins at `cursor`. */
export function closeScan(reply: ReplyWriter, mark: number, count: number, cursor: number): void {
  if (reply.muted) return;
  reply.arrayAt(mark, count);
  const end = reply.position;
  reply.array(2);
  reply.bulkLatin1(String(cursor));
  const headBytes = reply.position - end;
  const head = Buffer.from(reply.buffer.subarray(end, reply.position));
  reply.buffer.copyWithin(mark + headBytes, mark, end);
  head.copy(reply.buffer, mark);
}
