// Where a large collection's members lie: segments that are only appended to, so that a clone for a snapshot shares them
// instead of copying. What is removed leaves a hole; a segment that is mostly holes is emptied into the newest one.
//
//   entry, 4-byte aligned:  number u32 | member length | value length | member bytes | value bytes
//   length: one byte below 254; 254, then u32
//   address: | segment, 18 bits | offset / 4, 14 bits |
//
// A large entry has a segment of its own: its address is LARGE_FIRST + a number. So there is room for 15 GiB of small
// entries, and for 268 million large ones.

import { fail } from "../base/assert.ts";
import { copyBytes } from "../base/copy.ts";

const SEGMENT_BYTES_LEAST = 1024;
const SEGMENT_BYTES_MAX = 64 * 1024;
const OFFSET_BITS = 14;
const OFFSET_MASK = (1 << OFFSET_BITS) - 1;
const LARGE_FIRST = 0xf000_0000;
const SEGMENTS_MAX = LARGE_FIRST / 2 ** OFFSET_BITS;
const LARGE_ENTRIES_MAX = 2 ** 32 - LARGE_FIRST;
/** Entries of more bytes are large ones. */
const SMALL_BYTES_MAX = SEGMENT_BYTES_MAX / 4;
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
  #large: (Segment | undefined)[] = [];
  #freeLarge: number[] = [];
  #current = -1;
  readonly #closed: number[] = [];

  /** Points bytes, memberStart, memberEnd (where the value begins) and valueEnd to the entry. */
  locate(address: number): void {
    const isSmall = address < LARGE_FIRST;
    const bytes = (isSmall ? this.#segments[address >>> OFFSET_BITS] : this.#large[address - LARGE_FIRST])!
      .bytes;
    let at = isSmall ? ((address & OFFSET_MASK) << 2) + 4 : 4;
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
    const address = size > SMALL_BYTES_MAX ? this.#largeRoom(size) : this.#room(size);
    const { bytes } = this.#segmentOf(address);
    const offset = offsetOf(address);
    bytes.writeUInt32LE(entry, offset);
    let at = writeLength(bytes, offset + 4, memberEnd - memberStart);
    at = writeLength(bytes, at, valueEnd - valueStart);
    copyBytes(bytes, at, member, memberStart, memberEnd);
    copyBytes(bytes, at + memberEnd - memberStart, value, valueStart, valueEnd);
    return address;
  }

  #segmentOf(address: number): Segment {
    return (
      address < LARGE_FIRST ? this.#segments[address >>> OFFSET_BITS] : this.#large[address - LARGE_FIRST]
    )!;
  }

  /** The entry has another number now. */
  renumber(address: number, entry: number): void {
    this.#segmentOf(address).bytes.writeUInt32LE(entry, offsetOf(address));
  }

  /** Does somebody else read the entry, so that it may not be written over where it is? */
  isShared(address: number): boolean {
    return this.#segmentOf(address).shared;
  }

  /**
   * Gives an entry's room back. If that leaves its segment mostly empty, what lives there moves: `addresses`, by entry
   * number, are corrected. The entry itself must be gone from them, or point elsewhere.
   */
  release(address: number, addresses: Uint32Array, count: number): void {
    if (address >= LARGE_FIRST) {
      const number = address - LARGE_FIRST;
      this.reservedBytes -= this.#large[number]!.bytes.length;
      this.#large[number] = undefined;
      this.#freeLarge.push(number);
      return;
    }
    this.locate(address);
    const number = address >>> OFFSET_BITS;
    const segment = this.#segments[number]!;
    segment.live -= entryBytes(this.memberEnd - this.memberStart, this.valueEnd - this.memberEnd);
    if (number !== this.#current) this.#tidy(number, segment, addresses, count);
  }

  /** Looks after segments that are full now, which release() left alone while they were the newest. */
  tidyClosed(addresses: Uint32Array, count: number): void {
    while (this.#closed.length > 0) {
      const number = this.#closed.pop()!;
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

  /** Takes `size` bytes of the newest segment, or of a new one; where they are. */
  #room(size: number): number {
    let segment = this.#segments[this.#current];
    if (segment === undefined || segment.bytes.length - segment.used < size) {
      const length = Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_LEAST, this.reservedBytes, size));
      const number = this.#free.pop() ?? this.#segments.length;
      if (number >= SEGMENTS_MAX) fail(`a collection of ${number} segments`);
      segment = newSegment(length);
      this.#segments[number] = segment;
      this.reservedBytes += length;
      if (this.#current >= 0) this.#closed.push(this.#current);
      this.#current = number;
    }
    const offset = segment.used;
    segment.used += size;
    segment.live += size;
    return this.#current * 2 ** OFFSET_BITS + (offset >>> 2);
  }

  #largeRoom(size: number): number {
    const number = this.#freeLarge.pop() ?? this.#large.length;
    if (number >= LARGE_ENTRIES_MAX) fail(`a collection of ${number} large entries`);
    this.#large[number] = newSegment(size);
    this.reservedBytes += size;
    return LARGE_FIRST + number;
  }

  /** Reads what this one reads and appends in its own; this one must not be changed any more. */
  clone(): MemberMemory {
    const copy = new MemberMemory();
    copy.#segments = this.#segments.map((it) => (it === undefined ? it : { ...it, shared: true }));
    copy.#large = this.#large.map((it) => (it === undefined ? it : { ...it, shared: true }));
    copy.#free = this.#free.slice();
    copy.#freeLarge = this.#freeLarge.slice();
    copy.#current = this.#current;
    copy.reservedBytes = this.reservedBytes;
    return copy;
  }

  /** Both may be changed. */
  copy(): MemberMemory {
    const copy = this.clone();
    copy.#segments = copy.#segments.map(unshared);
    copy.#large = copy.#large.map(unshared);
    return copy;
  }
}

function newSegment(length: number): Segment {
  return { bytes: Buffer.allocUnsafeSlow(length), used: 0, live: 0, shared: false };
}

function unshared(segment: Segment | undefined): Segment | undefined {
  if (segment === undefined) return undefined;
  const bytes = Buffer.allocUnsafeSlow(segment.bytes.length);
  segment.bytes.copy(bytes, 0, 0, segment.bytes.length);
  return { ...segment, bytes, shared: false };
}

/** In its segment. */
function offsetOf(address: number): number {
  return address < LARGE_FIRST ? (address & OFFSET_MASK) << 2 : 0;
}

function writeLength(bytes: Buffer, at: number, length: number): number {
  if (length < LONG) {
    bytes[at] = length;
    return at + 1;
  }
  bytes[at] = LONG;
  return bytes.writeUInt32LE(length, at + 1);
}
