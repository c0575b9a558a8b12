// Bitmaps: single bits of strings, how many are set, where the first one is. Bit 0 is the highest of byte 0.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import { bitOffsetAt } from "./parse-bit-offset.ts";
import { integerAt } from "./parse-integer.ts";
import { fromEnd } from "./strings-range.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const bitCommands = [
  { name: "setbit",   arity: 4,  route: "write", flags: ["write", "denyoom"], keys: oneKey, run: setbit },
  { name: "getbit",   arity: 3,  route: "read",  flags: ["readonly", "fast"], keys: oneKey, run: getbit },
  { name: "bitcount", arity: -2, route: "read",  flags: ["readonly"],         keys: oneKey, run: bitcount },
  { name: "bitpos",   arity: -3, route: "read",  flags: ["readonly"],         keys: oneKey, run: bitpos },
] as const satisfies readonly CommandRow[];

/** Set bits of each byte value. */
const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
});

function setbit(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const offset = bitOffsetAt(context, args, 2, reply);
  if (offset === undefined) return;
  const bit = integerAt(args, 3);
  if (bit !== 0 && bit !== 1) return reply.error(replyError.bitValue);
  const length = stringLengthAt(context, args, 1);
  if (length === undefined) return reply.error(replyError.wrongType);

  const byte = Math.floor(offset / 8);
  const mask = 0x80 >> (offset % 8);
  const handle = keys.resizeString(args.bytes, args.start(1), args.end(1), Math.max(length, byte + 1), true);
  const at = keys.valueStart + byte;
  const before = keys.valueBytes[at] ?? 0;
  keys.valueBytes[at] = bit === 1 ? before | mask : before & ~mask;
  const changed = byte >= length || (before & mask) !== (bit === 1 ? mask : 0);
  if (changed) {
    keys.announce(handle);
    notifyKey(context, args, 1, EVENT_STRING, "setbit");
  }
  reply.integer((before & mask) === 0 ? 0 : 1);
}

function getbit(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const offset = bitOffsetAt(context, args, 2, reply);
  if (offset === undefined) return;
  const length = stringLengthAt(context, args, 1);
  if (length === undefined) return reply.error(replyError.wrongType);
  const byte = Math.floor(offset / 8);
  if (byte >= length) return reply.integer(0);
  const mask = 0x80 >> (offset % 8);
  reply.integer(((keys.valueBytes[keys.valueStart + byte] ?? 0) & mask) === 0 ? 0 : 1);
}

/** Bytes of the string, which is then the found value; 0 if there is none; undefined if it is something else. */
export function stringLengthAt(context: DataContext, args: Args, index: number): number | undefined {
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(index), args.end(index));
  if (handle === 0) return 0;
  return keys.typeOf(handle) === STRING ? keys.valueEnd - keys.valueStart : undefined;
}

/** Bits [first, last] of a string, both included; `first > last` when there are none. */
interface BitRange {
  readonly first: number;
  readonly last: number;
}

/** From `start` to `end`, in bits or bytes, of a string of `length` bytes; negative ones count from the end. */
function bitRange(start: number | bigint, end: number | bigint, inBits: boolean, length: number): BitRange {
  const units = inBits ? length * 8 : length;
  // Rounding a bigint does not matter: it is far beyond any string's length.
  const first = fromEnd(Number(start), units);
  const last = Math.min(fromEnd(Number(end), units), units - 1);
  return inBits ? { first, last } : { first: first * 8, last: last * 8 + 7 };
}

/** Does argument `index` say BIT? Without it the unit is BYTE; undefined when it is neither. */
function isInBits(args: Args, index: number): boolean | undefined {
  if (index >= args.count || args.is(index, "BYTE")) return false;
  return args.is(index, "BIT") ? true : undefined;
}

function bitcount(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  // A key that is not there has none, whatever the other arguments are.
  if (handle === 0) return reply.integer(0);
  if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
  const length = keys.valueEnd - keys.valueStart;
  if (args.count === 2) return reply.integer(countBits(keys.valueBytes, keys.valueStart, 0, length * 8 - 1));
  if (args.count !== 4 && args.count !== 5) return reply.error(replyError.syntax);
  const start = integerAt(args, 2);
  const end = integerAt(args, 3);
  if (start === undefined || end === undefined) return reply.error(replyError.notInteger);
  // Redis looks at this before the unit. In BITPOS two ends before the string both become its first byte.
  if (start < 0 && end < 0 && start > end) return reply.integer(0);
  const inBits = isInBits(args, 4);
  if (inBits === undefined) return reply.error(replyError.syntax);
  const { first, last } = bitRange(start, end, inBits, length);
  reply.integer(countBits(keys.valueBytes, keys.valueStart, first, last));
}

/** Set bits among [first, last] of the string that starts at bytes[start]. */
function countBits(bytes: Buffer, start: number, first: number, last: number): number {
  if (first > last) return 0;
  const firstByte = Math.floor(first / 8);
  const lastByte = Math.floor(last / 8);
  let count = 0;
  for (let at = start + firstByte, end = start + lastByte; at <= end; at++) count += BITS_SET[bytes[at]!]!;
  // Bits of the first byte before the range, and of the last byte behind it.
  count -= BITS_SET[bytes[start + firstByte]! & ~(0xff >> (first % 8)) & 0xff]!;
  count -= BITS_SET[bytes[start + lastByte]! & (0x7f >> (last % 8))]!;
  return count;
}

function bitpos(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const bit = integerAt(args, 2);
  if (bit === undefined) return reply.error(replyError.notInteger);
  if (bit !== 0 && bit !== 1) return reply.error(replyError.bitArgument);
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  // A key that is not there is endless zeros, whatever the other arguments are.
  if (handle === 0) return reply.integer(bit === 1 ? -1 : 0);
  if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
  const length = keys.valueEnd - keys.valueStart;
  if (args.count > 6) return reply.error(replyError.syntax);
  const start = args.count > 3 ? integerAt(args, 3) : 0;
  if (start === undefined) return reply.error(replyError.notInteger);
  const inBits = isInBits(args, 5);
  if (inBits === undefined) return reply.error(replyError.syntax);
  const end = args.count > 4 ? integerAt(args, 4) : -1;
  if (end === undefined) return reply.error(replyError.notInteger);
  const { first, last } = bitRange(start, end, inBits, length);
  if (first > last) return reply.integer(-1);

  const found = findBit(keys.valueBytes, keys.valueStart, first, last, bit);
  if (found <= last) return reply.integer(found);
  // Behind the string there are zeros, unless the client said where to stop.
  reply.integer(bit === 0 && args.count <= 4 ? found : -1);
}

/** The first of bits [first, last] that is `bit`; last + 1 if none is. */
function findBit(bytes: Buffer, start: number, first: number, last: number, bit: number): number {
  const passed = bit === 1 ? 0 : 0xff;
  const lastByte = Math.floor(last / 8);
  let byte = Math.floor(first / 8);
  // What lies before the range looks as if it had been passed.
  const before = 0xff & ~(0xff >> (first % 8));
  let value = (bytes[start + byte]! & ~before) | (passed & before);
  while (value === passed) {
    if (++byte > lastByte) return last + 1;
    value = bytes[start + byte]!;
  }
  const found = byte * 8 + Math.clz32(value ^ passed) - 24;
  return Math.min(found, last + 1);
}
