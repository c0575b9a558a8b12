// LCS: the longest common subsequence of two strings, by the textbook table, walked back exactly as Redis
// walks it, because which of several equal answers comes out depends on that.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";
import type { CommandRow, DataContext } from "./types.ts";

// biome-ignore format: one row a line
export const stringLcsCommands = [
  { name: "lcs", arity: -3, route: "read", flags: ["readonly"], keys: { first: 1, last: 2, step: 1 }, run: lcs },
] as const satisfies readonly CommandRow[];

/**
 * Cells of the table: strings of 2 KiB and 4 KiB. Filling it takes some 40 ms (5 ns a cell), and nothing else
 * runs meanwhile, so it has to stay well below the lease. Redis bounds only the memory.
 */
const LCS_CELLS_MAX = 2049 * 4097;

const EMPTY = Buffer.alloc(0);
const LEN = 1;
const IDX = 2;
const WITHMATCHLEN = 4;

function lcs(context: DataContext, args: Args, reply: ReplyWriter): void {
  const aLength = lengthAt(context, args, 1);
  const bLength = lengthAt(context, args, 2);
  if (aLength === undefined || bLength === undefined) return reply.error(replyError.lcsNotStrings);

  let flags = 0;
  let lengthMin = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "IDX")) flags |= IDX;
    else if (args.is(i, "LEN")) flags |= LEN;
    else if (args.is(i, "WITHMATCHLEN")) flags |= WITHMATCHLEN;
    else if (args.is(i, "MINMATCHLEN") && i + 1 < args.count) {
      const length = integerAt(args, ++i);
      if (length === undefined) return reply.error(replyError.notInteger);
      lengthMin = Number(length);
    } else return reply.error(replyError.syntax);
  }
  if ((flags & IDX) !== 0 && (flags & LEN) !== 0) return reply.error(replyError.lcsLenAndIdx);
  const nothing = aLength === 0 || bLength === 0;
  if (!nothing && (aLength + 1) * (bLength + 1) > LCS_CELLS_MAX) return reply.error(replyError.lcsTooLong);

  const a = nothing ? EMPTY : copyAt(context, args, 1);
  const b = nothing ? EMPTY : copyAt(context, args, 2);
  const table = fillTable(a, b);
  const length = table[table.length - 1]!;
  if ((flags & LEN) !== 0) return reply.integer(length);
  const found = walkBack(a, b, table, lengthMin);
  if ((flags & IDX) !== 0) replyRanges(found.ranges, length, (flags & WITHMATCHLEN) !== 0, reply);
  else reply.bulk(found.text, 0, length);
}

/** Bytes of the string; 0 if there is none; undefined if it is something else. */
function lengthAt(context: DataContext, args: Args, index: number): number | undefined {
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(index), args.end(index));
  if (handle === 0) return 0;
  return keys.typeOf(handle) === STRING ? keys.valueEnd - keys.valueStart : undefined;
}

/** A copy, for there is room for one found value only. */
function copyAt(context: DataContext, args: Args, index: number): Buffer {
  const keys = context.keys;
  keys.find(args.bytes, args.start(index), args.end(index));
  return Buffer.from(keys.valueBytes.subarray(keys.valueStart, keys.valueEnd));
}

/**
 * table[i * (b.length + 1) + j] = length of the LCS of the first i bytes of a and the first j of b.
 * Two bytes a cell: LCS_CELLS_MAX keeps the shorter string, and so every length, below 2,898.
 */
function fillTable(a: Buffer, b: Buffer): Uint16Array {
  if (a.length === 0 || b.length === 0) return new Uint16Array(1);
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1]!;
    let at = i * width + 1;
    // The neighbours of a cell are at hand already, but for the one above it.
    let diagonal = 0;
    let left = 0;
    for (let j = 0; j < b.length; j++, at++) {
      const up = table[at - width]!;
      left = byte === b[j] ? diagonal + 1 : Math.max(up, left);
      table[at] = left;
      diagonal = up;
    }
  }
  return table;
}

/** Ranges are [aStart, aEnd, bStart, bEnd, length], last match first, both ends included. */
interface Found {
  readonly text: Buffer;
  readonly ranges: readonly (readonly [number, number, number, number, number])[];
}

function walkBack(a: Buffer, b: Buffer, table: Uint16Array, lengthMin: number): Found {
  const width = b.length + 1;
  let at = table[table.length - 1]!;
  const text = Buffer.alloc(at);
  const ranges: [number, number, number, number, number][] = [];
  const unset = a.length;
  let aStart = unset;
  let aEnd = 0;
  let bStart = 0;
  let bEnd = 0;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    let rangeEnds = false;
    if (a[i - 1] === b[j - 1]) {
      text[--at] = a[i - 1]!;
      if (aStart === unset) {
        aStart = aEnd = i - 1;
        bStart = bEnd = j - 1;
      } else if (aStart === i && bStart === j) {
        aStart--;
        bStart--;
      } else {
        rangeEnds = true;
      }
      if (aStart === 0 || bStart === 0) rangeEnds = true;
      i--;
      j--;
    } else {
      if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) i--;
      else j--;
      if (aStart !== unset) rangeEnds = true;
    }
    if (!rangeEnds) continue;
    const length = aEnd - aStart + 1;
    if (length >= lengthMin) ranges.push([aStart, aEnd, bStart, bEnd, length]);
    aStart = unset;
  }
  return { text, ranges };
}

function replyRanges(ranges: Found["ranges"], total: number, withLength: boolean, reply: ReplyWriter): void {
  reply.map(2);
  reply.bulkText("matches");
  reply.array(ranges.length);
  for (const [aStart, aEnd, bStart, bEnd, length] of ranges) {
    reply.array(withLength ? 3 : 2);
    reply.array(2);
    reply.integer(aStart);
    reply.integer(aEnd);
    reply.array(2);
    reply.integer(bStart);
    reply.integer(bEnd);
    if (withLength) reply.integer(length);
  }
  reply.bulkText("len");
  reply.integer(total);
}
