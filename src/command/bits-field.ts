// BITFIELD and BITFIELD_RO: a string as an array of integers of any width. All operations are parsed before the first
// one runs; nothing is changed by a command that has a mistake anywhere.

import type { Args } from "../base/args.ts";
import { type FieldType, fitField, type Overflow, readField, writeField } from "../base/bit-fields.ts";
import { parseInteger64 } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { stringLengthAt } from "./bits.ts";
import { replyError } from "./errors.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import { bitOffsetAt } from "./parse-bit-offset.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const bitFieldCommands = [
  { name: "bitfield",    arity: -2, route: "write", flags: ["write", "denyoom"], keys: oneKey, run: bitfield },
  { name: "bitfield_ro", arity: -2, route: "read",  flags: ["readonly", "fast"], keys: oneKey, run: bitfieldRo },
] as const satisfies readonly CommandRow[];

const OVERFLOWS: readonly Overflow[] = ["WRAP", "SAT", "FAIL"];
const SIGNED = 0x69;
const UNSIGNED = 0x75;
const SIGNED_BITS_MAX = 64;
const UNSIGNED_BITS_MAX = 63;

interface Operation {
  readonly name: "GET" | "SET" | "INCRBY";
  readonly type: FieldType;
  readonly offset: number;
  /** What to set or to add. */
  readonly value: bigint;
  readonly overflow: Overflow;
}

function bitfield(context: DataContext, args: Args, reply: ReplyWriter): void {
  const operations = parseOperations(context, args, reply);
  if (operations === undefined) return;
  const length = stringLengthAt(context, args, 1);
  if (length === undefined) return reply.error(replyError.wrongType);
  const bitsWritten = operations.reduce(
    (bits, { name, offset, type }) => (name === "GET" ? bits : Math.max(bits, offset + type.bits)),
    0,
  );
  // Room is made even if every operation then fails by overflow.
  let handle = 0;
  if (bitsWritten > 0) {
    const bytes = Math.max(length, Math.ceil(bitsWritten / 8));
    handle = context.keys.resizeString(args.bytes, args.start(1), args.end(1), bytes, true);
  }
  const grows = bitsWritten > length * 8;
  const changed = runOperations(context, operations, bitsWritten > 0 || length > 0, grows, reply);
  if (!changed) return;
  context.keys.announce(handle);
  notifyKey(context, args, 1, EVENT_STRING, "setbit");
}

function bitfieldRo(context: DataContext, args: Args, reply: ReplyWriter): void {
  const operations = parseOperations(context, args, reply);
  if (operations === undefined) return;
  if (operations.some(({ name }) => name !== "GET")) return reply.error(replyError.bitfieldReadOnly);
  const length = stringLengthAt(context, args, 1);
  if (length === undefined) return reply.error(replyError.wrongType);
  runOperations(context, operations, length > 0, false, reply);
}

/** Undefined after an error was replied. */
function parseOperations(context: DataContext, args: Args, reply: ReplyWriter): Operation[] | undefined {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  let i = 2;
  while (i < args.count) {
    const left = args.count - i - 1;
    if (args.is(i, "OVERFLOW") && left >= 1) {
      const named = OVERFLOWS.find((each) => args.is(i + 1, each));
      if (named === undefined) return refuse(reply, replyError.bitfieldOverflow);
      overflow = named;
      i += 2;
      continue;
    }
    const name =
      args.is(i, "GET") && left >= 2
        ? "GET"
        : args.is(i, "SET") && left >= 3
          ? "SET"
          : args.is(i, "INCRBY") && left >= 3
            ? "INCRBY"
            : undefined;
    if (name === undefined) return refuse(reply, replyError.syntax);
    const type = fieldTypeAt(args, i + 1);
    if (type === undefined) return refuse(reply, replyError.bitfieldType);
    const offset = bitOffsetAt(context, args, i + 2, reply, type.bits);
    if (offset === undefined) return undefined;
    const value = name === "GET" ? 0 : integerAt(args, i + 3);
    if (value === undefined) return refuse(reply, replyError.notInteger);
    operations.push({ name, type, offset, value: BigInt(value), overflow });
    i += name === "GET" ? 3 : 4;
  }
  return operations;
}

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}

/** "i16", "u8". As in Redis the number ends at a NUL. */
function fieldTypeAt(args: Args, index: number): FieldType | undefined {
  const { bytes } = args;
  const start = args.start(index);
  const letter = args.length(index) > 0 ? bytes[start] : undefined;
  if (letter !== SIGNED && letter !== UNSIGNED) return undefined;
  const nul = bytes.indexOf(0, start);
  const end = args.end(index);
  const bits = parseInteger64(bytes, start + 1, nul >= 0 && nul < end ? nul : end);
  const signed = letter === SIGNED;
  if (typeof bits !== "number" || bits < 1) return undefined;
  return bits <= (signed ? SIGNED_BITS_MAX : UNSIGNED_BITS_MAX) ? { signed, bits } : undefined;
}

/**
 * On the value just found or made; without one, all fields are zero. True if a field became another, or if one was
 * written at all in a value that was made longer for it.
 */
function runOperations(
  context: DataContext,
  operations: readonly Operation[],
  hasValue: boolean,
  grew: boolean,
  reply: ReplyWriter,
): boolean {
  let changed = false;
  const { valueBytes, valueStart } = context.keys;
  const valueEnd = hasValue ? context.keys.valueEnd : valueStart;
  reply.array(operations.length);
  for (const { name, type, offset, value, overflow } of operations) {
    const before = readField(valueBytes, valueStart, valueEnd, offset, type);
    if (name === "GET") {
      reply.integerBig(before);
      continue;
    }
    const after = fitField(name === "SET" ? toSet(value, type) : before + value, type, overflow);
    if (after === undefined) {
      reply.nil();
      continue;
    }
    writeField(valueBytes, valueStart, offset, type, after);
    if (grew || after !== before) changed = true;
    reply.integerBig(name === "SET" ? before : after);
  }
  return changed;
}

/**
 * The number that SET really asks for. In an unsigned field a negative one is read as of 64 bits, and so too large.
 * In a signed field of less than 64 bits, one so low that its distance from the maximum overflows 64 bits counts as
 * too large as well: an accident of Redis's, which shows with OVERFLOW SAT.
 */
function toSet(value: bigint, { signed, bits }: FieldType): bigint {
  if (!signed) return BigInt.asUintN(64, value);
  const isFarBelow = bits < 64 && value < (1n << BigInt(bits - 1)) - (1n << 63n);
  return isFarBelow ? value + (1n << 64n) : value;
}
