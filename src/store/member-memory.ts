// Where a large collection's members lie: segments that are only appended to, so that a clone for a snapshot shares them
// instead of copying. What is removed leaves a hole; a segment that is mostly holes is emptied into the newest one.
//
//   entry, 4-byte aligned:  number u32 | member length | value length | member bytes | value bytes
//   length: one byte below 254; 254, then u32
//   address: | segment, 18 bits | offset / 4, 14 bits |; an entry that fits no segment has one of its own

import { fail } from "../base/assert.ts";
import { copyBytes } from "./record.ts";

const SEGMENT_BYTES_LEAST = 1024;
export const SEGMENT_BYTES_MAX = 64 * 1024;
const OFFSET_BITS = 14;
const OFFSET_MASK = (1 << OFFSET_BITS) - 1;
const SEGMENTS_MAX = 1 << (32 - OFFSET_BITS);
const LONG = 254;

/** Bytes that an entry takes. A function of the lengths alone: logical bytes are made of it. */
export function entryBytes(memberLength: number, valueLength: number): number {
  const lengths = (memberLength < LONG ? 1 : 5) + (valueLength < LONG ? 1 : 5);
  return (4 + lengths + memberLength + valueLength + 3) & ~3;
}

interface Segment {
  readonly bytes: Buffer;
  used: number;
  live: number;
  /** Others read it: nothing in it may be overwritten. */
  shared: boolean;
}

export class MemberMemory {
  /** The entry that locate() found. */
  bytes: Buffer = Buffer.alloc(0);
  memberStart = 0;
  memberEnd = 0;
  valueEnd = 0;
  reservedBytes = 0;
  #segments: (Segment | undefined)[] = [];
  #free: number[] = [];
  #current = -1;
  readonly #closed: number[] = [];

  /** Points bytes, memberStart, memberEnd (where the value begins) and valueEnd to the entry. */
  locate(address: number): void {
    const bytes = this.#segments[address >>> OFFSET_BITS]!.bytes;
    let at = ((address & OFFSET_MASK) << 2) + 4;
    let memberLength = bytes[at++]!;
    if (memberLength === LONG) {
      memberLength = bytes.readUInt32LE(at);
      at += 4;
    }
    let valueLength = bytes[at++]!;
    if (valueLength === LONG) {
      valueLength = bytes.readUInt32LE(at);
      at += 4;
    }
    this.bytes = bytes;
    this.memberStart = at;
    this.memberEnd = at + memberLength;
    this.valueEnd = this.memberEnd + valueLength;
  }

  /** Appends an entry; returns its address. The sources may lie in this memory. */
  append(
    entry: number,
    member: Buffer,
    memberStart: number,
    memberEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
  ): number {
    const size = entryBytes(memberEnd - memberStart, valueEnd - valueStart);
    const { segment, number } = this.#room(size);
    const { bytes } = segment;
    const offset = segment.used;
    bytes.writeUInt32LE(entry, offset);
    let at = writeLength(bytes, offset + 4, memberEnd - memberStart);
    at = writeLength(bytes, at, valueEnd - valueStart);
    copyBytes(bytes, at, member, memberStart, memberEnd);
    copyBytes(bytes, at + memberEnd - memberStart, value, valueStart, valueEnd);
    segment.used += size;
    segment.live += size;
    return number * 2 ** OFFSET_BITS + (offset >>> 2);
  }

  /** The entry has another number now. */
  renumber(address: number, entry: number): void {
    this.#segments[address >>> OFFSET_BITS]!.bytes.writeUInt32LE(entry, (address & OFFSET_MASK) << 2);
  }

  /** May the located entry's value be written over where it is? */
  isShared(address: number): boolean {
    return this.#segments[address >>> OFFSET_BITS]!.shared;
  }

  /**
   * Gives an entry's room back. If that leaves its segment mostly empty, what lives there moves: `addresses`, by entry
   * number, are corrected. The entry itself must be gone from them, or point elsewhere.
   */
  release(address: number, addresses: Uint32Array, count: number): void {
    this.locate(address);
    const number = address >>> OFFSET_BITS;
    const segment = this.#segments[number]!;
    segment.live -= entryBytes(this.memberEnd - this.memberStart, this.valueEnd - this.memberEnd);
    if (number !== this.#current) this.#tidy(number, segment, addresses, count);
  }

  /** Looks after segments that are full now, which release() left alone while they were the newest. */
  tidyClosed(addresses: Uint32Array, count: number): void {
    for (let number = this.#closed.pop(); number !== undefined; number = this.#closed.pop()) {
      const segment = number === this.#current ? undefined : this.#segments[number];
      if (segment !== undefined) this.#tidy(number, segment, addresses, count);
    }
  }

  #tidy(number: number, segment: Segment, addresses: Uint32Array, count: number): void {
    if (2 * segment.live > segment.used) return;
    const { bytes, used } = segment;
    if (segment.live > 0) {
      for (let offset = 0; offset < used; ) {
        const address = number * 2 ** OFFSET_BITS + (offset >>> 2);
        this.locate(address);
        const { memberStart, memberEnd, valueEnd } = this;
        const entry = bytes.readUInt32LE(offset);
        if (entry < count && addresses[entry] === address) {
          addresses[entry] = this.append(entry, bytes, memberStart, memberEnd, bytes, memberEnd, valueEnd);
        }
        offset += entryBytes(memberEnd - memberStart, valueEnd - memberEnd);
      }
    }
    this.#segments[number] = undefined;
    this.#free.push(number);
    this.reservedBytes -= bytes.length;
  }

  #room(size: number): { segment: Segment; number: number } {
    const current = this.#segments[this.#current];
    if (current !== undefined && current.bytes.length - current.used >= size) {
      return { segment: current, number: this.#current };
    }
    const isOwn = size > SEGMENT_BYTES_MAX / 4;
    const length = isOwn
      ? size
      : Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_LEAST, this.reservedBytes));
    const number = this.#free.pop() ?? this.#segments.length;
    if (number >= SEGMENTS_MAX) fail(`a collection of ${number} segments`);
    const room = isOwn ? size : Math.max(length, size);
    const segment = { bytes: Buffer.allocUnsafeSlow(room), used: 0, live: 0, shared: false };
    this.#segments[number] = segment;
    this.reservedBytes += room;
    if (!isOwn) {
      if (this.#current >= 0) this.#closed.push(this.#current);
      this.#current = number;
    }
    return { segment, number };
  }

  /** Reads what this one reads and appends in its own; this one must not be changed any more. */
  clone(): MemberMemory {
    const copy = new MemberMemory();
    copy.#segments = this.#segments.map((it) => (it === undefined ? it : { ...it, shared: true }));
    copy.#free = [...this.#free];
    copy.#current = this.#current;
    copy.reservedBytes = this.reservedBytes;
    return copy;
  }

  /** Both may be changed. */
  copy(): MemberMemory {
    const copy = this.clone();
    copy.#segments = copy.#segments.map((it) =>
      it === undefined ? it : { ...it, bytes: Buffer.from(it.bytes), shared: false },
    );
    return copy;
  }
}

function writeLength(bytes: Buffer, at: number, length: number): number {
  if (length < LONG) {
    bytes[at] = length;
    return at + 1;
  }
  bytes[at] = LONG;
  return bytes.writeUInt32LE(length, at + 1);
}
