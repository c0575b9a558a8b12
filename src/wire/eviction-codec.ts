// The end of an entry's payload: keys that may be evicted, and the limit. Replicas remove them in this order when the entry's
// commands have run, as long as their logical bytes are above the limit. Which are needed is known only then, and to all alike.
//
//   | limit, logical bytes | database | key length | key | database | ...
//   | f64                  | u16      | u32        |     |
//
// Little-endian, as the rest. Nothing at all when the header's eviction count is 0.

import { assert, fail } from "../base/assert.ts";
import type { EntryHeader } from "./entry-codec.ts";

const LIMIT_BYTES = 8;
const VICTIM_HEADER_BYTES = 6;
const BYTES_INITIAL = 4096;
/** What one entry with very long keys needed is not kept for ever. */
const BYTES_KEPT = 1 << 20;

/** Collects the section of one entry after the other. */
export class EvictionWriter {
  count = 0;
  /** The section is bytes[0, length), length 0 if there is none. */
  bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_INITIAL);
  length = 0;

  clear(): void {
    this.count = 0;
    this.length = 0;
    if (this.bytes.length > BYTES_KEPT) this.bytes = Buffer.allocUnsafeSlow(BYTES_INITIAL);
  }

  add(limitBytes: number, database: number, key: Buffer, keyStart: number, keyEnd: number): void {
    const keyLength = keyEnd - keyStart;
    this.#reserve(LIMIT_BYTES + VICTIM_HEADER_BYTES + keyLength);
    const { bytes } = this;
    if (this.count === 0) {
      bytes.writeDoubleLE(limitBytes, 0);
      this.length = LIMIT_BYTES;
    }
    bytes.writeUInt16LE(database, this.length);
    bytes.writeUInt32LE(keyLength, this.length + 2);
    key.copy(bytes, this.length + VICTIM_HEADER_BYTES, keyStart, keyEnd);
    this.length += VICTIM_HEADER_BYTES + keyLength;
    this.count++;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * needed);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** What is wrong with the evictions of a payload that a peer sent; undefined when EvictionReader takes all of them. */
export function evictionsProblem(
  payload: Buffer,
  header: EntryHeader,
  databases: number,
): string | undefined {
  if (header.evictionCount === 0) return undefined;
  let at = header.commandsEnd + LIMIT_BYTES;
  for (let i = 0; i < header.evictionCount; i++) {
    if (at + VICTIM_HEADER_BYTES > payload.length)
      return `eviction ${i} starts at ${at} of ${payload.length} bytes`;
    const database = payload.readUInt16LE(at);
    if (database >= databases) return `eviction from database ${database} of ${databases}`;
    at += VICTIM_HEADER_BYTES + payload.readUInt32LE(at + 2);
  }
  return at <= payload.length ? undefined : `evictions end at ${at} of ${payload.length} bytes`;
}

const NO_BYTES = Buffer.alloc(0);

/** Goes over the evictions of a payload, one at a time. */
export class EvictionReader {
  limitBytes = 0;
  /** How many next() has given. */
  taken = 0;
  /** Of the last one: the key is payload[keyStart, keyEnd). */
  database = 0;
  keyStart = 0;
  keyEnd = 0;
  #payload: Buffer = NO_BYTES;
  #count = 0;
  #at = 0;

  /** Lets go of the payload: there is none left to give. */
  forget(): void {
    this.#payload = NO_BYTES;
    this.#count = 0;
  }

  open(payload: Buffer, header: EntryHeader): this {
    this.#payload = payload;
    this.#count = header.evictionCount;
    this.taken = 0;
    if (this.#count === 0) return this;
    const at = header.commandsEnd;
    assert(at + LIMIT_BYTES <= payload.length, `eviction limit at ${at} of ${payload.length} bytes`);
    this.limitBytes = payload.readDoubleLE(at);
    this.#at = at + LIMIT_BYTES;
    return this;
  }

  /** False when there is none left. Throws InvariantError on bytes no leader wrote. */
  next(): boolean {
    if (this.taken === this.#count) return false;
    const payload = this.#payload;
    const at = this.#at;
    const keyStart = at + VICTIM_HEADER_BYTES;
    if (keyStart > payload.length) fail(`eviction ${this.taken} starts at ${at} of ${payload.length} bytes`);
    this.database = payload.readUInt16LE(at);
    this.keyStart = keyStart;
    this.keyEnd = keyStart + payload.readUInt32LE(at + 2);
    if (this.keyEnd > payload.length)
      fail(`eviction ${this.taken} ends at ${this.keyEnd} of ${payload.length} bytes`);
    this.#at = this.keyEnd;
    this.taken++;
    return true;
  }
}
