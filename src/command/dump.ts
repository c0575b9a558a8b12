// DUMP and RESTORE: a value as bytes that Redis understands, and back. The payload is the value as in an RDB file, the
// file's version in two bytes and a CRC-64 of all that.

import type { Args } from "../base/args.ts";
import { CRC64_BYTES, writeCrc64 } from "../base/crc64.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { newLfuClock } from "../store/access.ts";
import { CLOCK_MASK } from "../store/types.ts";
import { DumpReader, DumpWriter } from "./dump-format.ts";
import { codecOfForm, codecOfType, type StoreValue } from "./dump-types.ts";
import { replyError } from "./errors.ts";
import { EVENT_GENERIC, notifyKey } from "./notify.ts";
import { deadlineOf } from "./parse-deadline.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const restoreRow = { arity: -4, route: "write", keys: oneKey, run: restore } as const;

// biome-ignore format: one row a line
export const dumpCommands = [
  { name: "dump",           arity: 2, route: "read", flags: ["readonly"], keys: oneKey, run: dump },
  { name: "restore",        flags: ["write", "denyoom"],           ...restoreRow },
  { name: "restore-asking", flags: ["write", "denyoom", "asking"], ...restoreRow },
] as const satisfies readonly CommandRow[];

/** Redis 7.0's, so that 7.0 and 7.2 both take what is dumped here. */
const VERSION_WRITTEN = 10;
/** Redis 7.2's. */
const VERSION_READ_MAX = 11;
const VERSION_BYTES = 2;
const FOOTER_BYTES = VERSION_BYTES + CRC64_BYTES;
const FREQUENCY_MAX = 255;

function dump(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) return reply.nil();
  const codec = codecOfType(keys.typeOf(handle));
  const writer = new DumpWriter();
  codec.encode(keys, handle, writer);
  writer.byte(VERSION_WRITTEN & 0xff);
  writer.byte(VERSION_WRITTEN >> 8);
  writer.reserve(CRC64_BYTES);
  writeCrc64(writer.bytes, writer.length, writer.bytes, 0, writer.length);
  reply.bulk(writer.bytes, 0, writer.length + CRC64_BYTES);
}

interface RestoreOptions {
  replace: boolean;
  absolute: boolean;
  /** Seconds since the last access, and the LFU counter; -1 where not given. */
  idleSeconds: number;
  frequency: number;
}

function restore(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const { bytes } = args;
  const options = parseRestoreOptions(args, reply);
  if (options === undefined) return;
  const exists = keys.find(bytes, args.start(1), args.end(1)) !== 0;
  if (exists && !options.replace) return reply.error(replyError.busyKey);
  const time = integerAt(args, 2);
  if (time === undefined) return reply.error(replyError.notInteger);
  if (time < 0) return reply.error(replyError.restoreTime);
  if (!isPayload(bytes, args.start(3), args.end(3))) return reply.error(replyError.dumpChecksum);
  const storeValue = decodePayload(context, args);
  if (storeValue === undefined) return reply.error(replyError.dumpFormat);

  if (exists) keys.remove(bytes, args.start(1), args.end(1));
  if (time !== 0) {
    // As in Redis a sum that overflows is a time before now.
    const deadlineMs = deadlineOf(time, false, options.absolute ? 0 : context.nowMs) ?? 0;
    if (deadlineMs <= context.nowMs) {
      if (exists) notifyKey(context, args, 1, EVENT_GENERIC, "del");
      return reply.ok();
    }
    const handle = storeValue(keys, bytes, args.start(1), args.end(1));
    noteAccess(context, handle, options);
    keys.setDeadline(handle, deadlineMs);
  } else {
    noteAccess(context, storeValue(keys, bytes, args.start(1), args.end(1)), options);
  }
  notifyKey(context, args, 1, EVENT_GENERIC, "restore");
  reply.ok();
}

/** Undefined after an error was replied. IDLETIME and FREQ exclude each other. */
function parseRestoreOptions(args: Args, reply: ReplyWriter): RestoreOptions | undefined {
  const options = { replace: false, absolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < args.count; i++) {
    const hasValue = i + 1 < args.count;
    if (args.is(i, "REPLACE")) options.replace = true;
    else if (args.is(i, "ABSTTL")) options.absolute = true;
    else if (args.is(i, "IDLETIME") && hasValue && options.frequency < 0) {
      const seconds = countAt(args, ++i, Infinity, replyError.restoreIdleTime, reply);
      if (seconds === undefined) return undefined;
      options.idleSeconds = seconds;
    } else if (args.is(i, "FREQ") && hasValue && options.idleSeconds < 0) {
      const frequency = countAt(args, ++i, FREQUENCY_MAX, replyError.restoreFrequency, reply);
      if (frequency === undefined) return undefined;
      options.frequency = frequency;
    } else {
      reply.error(replyError.syntax);
      return undefined;
    }
  }
  return options;
}

/** Argument `index`, 0 to `max`. Undefined after an error was replied. */
function countAt(
  args: Args,
  index: number,
  max: number,
  outOfRange: string,
  reply: ReplyWriter,
): number | undefined {
  const value = integerAt(args, index);
  if (value !== undefined && value >= 0 && value <= max) return Number(value);
  reply.error(value === undefined ? replyError.notInteger : outOfRange);
  return undefined;
}

const checksum = Buffer.alloc(CRC64_BYTES);

function isPayload(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < FOOTER_BYTES) return false;
  if (bytes.readUInt16LE(end - FOOTER_BYTES) > VERSION_READ_MAX) return false;
  writeCrc64(checksum, 0, bytes, start, end - CRC64_BYTES);
  return checksum.compare(bytes, end - CRC64_BYTES, end) === 0;
}

function decodePayload(context: DataContext, args: Args): StoreValue | undefined {
  // As in Redis a value that is cut short goes on in the version and the checksum.
  const reader = new DumpReader(args.bytes, args.start(3), args.end(3));
  const form = reader.byte();
  const codec = form === undefined ? undefined : codecOfForm(form);
  const { thresholds, hashSeed } = context.store;
  return form === undefined ? undefined : codec?.decode(form, reader, thresholds, hashSeed);
}

/** What IDLETIME or FREQ says, if the node keeps that kind of clock. */
function noteAccess(context: DataContext, handle: number, options: RestoreOptions): void {
  const { keys, store } = context;
  const now = store.accessClock;
  if (store.lfu) {
    if (options.frequency >= 0) keys.setAccessClock(handle, newLfuClock(now, options.frequency));
  } else if (options.idleSeconds >= 0) {
    // Longer ago than the clock has been running: half its range, as in Redis.
    const before = now - options.idleSeconds;
    keys.setAccessClock(handle, before >= 0 ? before : (now + (CLOCK_MASK >> 1)) & CLOCK_MASK);
  }
}
