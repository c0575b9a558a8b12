// The payload of one Raft entry: what the leader decided (time, seed, victims of maxmemory) and the
// clients' commands as they came, all of one event-loop turn. Bytes in, bytes out; it never runs a command.
//
//   0        1       2          4       8          16                20               24
//   | version | flags | reserved | seed  | time ms  | command bytes n | eviction count |
//   | u8      | u8    | u16      | u32   | f64      | u32             | u32            |
//   24 .. 24+n       commands: RESP arrays of bulk strings, back to back. The database is 0 at the start;
//                    SELECT switches it for what follows, as in Redis's own replication stream.
//   24+n ..          evictions, if there are any: see eviction-codec.ts.
//
// All numbers are little-endian. An empty payload is Raft's own empty entry of a new leader.

import { fail } from "../base/assert.ts";
import { CLUSTER_TIME_MS_MAX } from "../base/limits.ts";

export const ENTRY_HEADER_BYTES = 24;
const VERSION = 1;
/** Due keys are kept (DEBUG SET-ACTIVE-EXPIRE 0 or CLIENT PAUSE on the leader). */
export const FLAG_KEEP_DUE = 1;
/** Commands remove the dead keys that they are given (DEBUG SET-ACTIVE-EXPIRE 0). */
export const FLAG_REMOVE_MET = 2;

/** Fills in the header in front of commands that are already in place at `start + ENTRY_HEADER_BYTES`. */
export function writeEntryHeader(
  buffer: Buffer,
  start: number,
  timeMs: number,
  seed: number,
  commandBytes: number,
  evictionCount: number,
  flags: number,
): void {
  buffer[start] = VERSION;
  buffer[start + 1] = flags;
  buffer.writeUInt16LE(0, start + 2);
  buffer.writeUInt32LE(seed, start + 4);
  buffer.writeDoubleLE(timeMs, start + 8);
  buffer.writeUInt32LE(commandBytes, start + 16);
  buffer.writeUInt32LE(evictionCount, start + 20);
}

/** Whole milliseconds: handlers count with them as with integers. */
const isClusterTime = (timeMs: number): boolean =>
  Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= CLUSTER_TIME_MS_MAX;

/** What is wrong with the header of a payload that a peer sent; undefined when `read` takes it. */
export function entryHeaderProblem(payload: Buffer): string | undefined {
  if (payload.length < ENTRY_HEADER_BYTES) return `entry payload of ${payload.length} bytes has no header`;
  if (payload[0] !== VERSION) return `entry payload version ${payload[0]}, this node knows ${VERSION}`;
  const commandsEnd = ENTRY_HEADER_BYTES + payload.readUInt32LE(16);
  if (commandsEnd > payload.length) return `entry commands end at ${commandsEnd} of ${payload.length} bytes`;
  const timeMs = payload.readDoubleLE(8);
  return isClusterTime(timeMs) ? undefined : `entry time ${timeMs}`;
}

/** A decoded header; one object is reused, so read it before the next call. */
export class EntryHeader {
  timeMs = 0;
  seed = 0;
  flags = 0;
  commandsStart = 0;
  commandsEnd = 0;
  evictionCount = 0;

  /** Throws InvariantError on bytes no leader of this version wrote: such a replica must not go on. */
  read(payload: Buffer): this {
    const problem = entryHeaderProblem(payload);
    if (problem !== undefined) fail(problem);
    this.flags = payload[1]!;
    this.seed = payload.readUInt32LE(4);
    this.timeMs = payload.readDoubleLE(8);
    this.commandsStart = ENTRY_HEADER_BYTES;
    this.commandsEnd = ENTRY_HEADER_BYTES + payload.readUInt32LE(16);
    this.evictionCount = payload.readUInt32LE(20);
    return this;
  }
}
