// One node of a stream: entries in the layout that Redis keeps and dumps them in, but for what is in front of them.
// The first entry's fields stand there once; an entry with the same ones has only its values.
//
//   bytes:  | first id, 16 bytes big endian | fields n, field ... , 0 | entry ... | free |
//                                                                     entriesAt   end
//   entry:  flags, ms - first ms, seq - first seq, value ... , elements before this one
//           or, without FLAG_SAME_FIELDS: flags, ms, seq, fields n, field, value ... , elements before this one
//
// All but the id are listpack entries. In Redis two numbers are before the fields: entries alive, and entries deleted.

import type { Args } from "../base/args.ts";
import {
  BACKLENGTH_BYTES_MAX,
  ENCODING_BYTES_MAX,
  encodeEntry,
  encodeInteger,
  LISTPACK_BYTES_LEAST,
  ListpackEntry,
  nextEntry,
  previousEntry,
  writeBackLength,
} from "./listpack.ts";
import { compareBytes } from "./record.ts";
import { ID_BYTES, type StreamId } from "./stream-id.ts";

export interface StreamNode {
  bytes: Buffer;
  end: number;
  entriesAt: number;
  /** Fields of the first entry. */
  fieldCount: number;
  /** Entries alive, and entries that are only marked as deleted. */
  alive: number;
  deleted: number;
  /** The stream that may change it. Others that have it, clones and what they are clones of, make one of their own first. */
  readonly owner: number;
  /**
   * An entry where a walk over this one may begin that looks for a later id (stream-seek.ts); 0 for none. Replicas need not
   * have the same. NO_HINT while entries are not in the order of their ids.
   */
  hintAt: number;
}

export const NO_HINT = -1;

export const FLAG_DELETED = 1;
export const FLAG_SAME_FIELDS = 2;
export const ALL_FLAGS = FLAG_DELETED | FLAG_SAME_FIELDS;
/** The number itself and its length. */
export const FLAGS_BYTES = 2;
/** Before an entry's values, and without FLAG_SAME_FIELDS one more. */
export const HEADER_ELEMENTS = 3;

const ELEMENT_BYTES_MORE = ENCODING_BYTES_MAX + BACKLENGTH_BYTES_MAX;
/** Of a number with its length. */
const INTEGER_BYTES_MAX = 10;
const CAPACITY_FIRST = 128;
const CAPACITY_STEP = 4096;

/** Bytes of a small non-negative number as a listpack entry. */
function integerBytes(value: number): number {
  if (value < 0x80) return 2;
  if (value < 0x1000) return 3;
  if (value < 0x8000) return 4;
  return value < 0x80_0000 ? 5 : 6;
}

/** As long as the node's listpack is in Redis. */
export function listpackBytes(node: StreamNode): number {
  return LISTPACK_BYTES_LEAST + integerBytes(node.alive) + integerBytes(node.deleted) + node.end - ID_BYTES;
}

/** A node without entries, whose first will have this id and the fields of arguments first, first + 2, ... */
export function newNode(
  id: StreamId,
  args: Args,
  first: number,
  fieldCount: number,
  capacity: number,
  owner: number,
): StreamNode {
  const node: StreamNode = {
    bytes: Buffer.allocUnsafeSlow(Math.max(capacity, CAPACITY_FIRST)),
    end: 0,
    entriesAt: 0,
    fieldCount,
    alive: 0,
    deleted: 0,
    owner,
    hintAt: 0,
  };
  node.end = id.write(node.bytes, 0);
  let room = 2 * INTEGER_BYTES_MAX;
  for (let i = 0; i < fieldCount; i++) room += args.length(first + 2 * i) + ELEMENT_BYTES_MORE;
  reserve(node, room);
  addInteger(node, fieldCount);
  for (let i = 0; i < fieldCount; i++) addText(node, args, first + 2 * i);
  addInteger(node, 0);
  node.entriesAt = node.end;
  return node;
}

const field = new ListpackEntry();

function hasSameFields(node: StreamNode, args: Args, first: number, fieldCount: number): boolean {
  if (fieldCount !== node.fieldCount) return false;
  let at = nextEntry(node.bytes, ID_BYTES);
  for (let i = 0; i < fieldCount; i++) {
    field.read(node.bytes, at);
    const index = first + 2 * i;
    if (args.length(index) !== field.end - field.start) return false;
    if (
      compareBytes(field.bytes, field.start, field.end, args.bytes, args.start(index), args.end(index)) !== 0
    )
      return false;
    at = nextEntry(node.bytes, at);
  }
  return true;
}

/** Appends an entry: fields and values are arguments first, first + 1, ... */
export function appendEntry(
  node: StreamNode,
  id: StreamId,
  args: Args,
  first: number,
  fieldCount: number,
): void {
  let room = 5 * INTEGER_BYTES_MAX;
  for (let i = first; i < first + 2 * fieldCount; i++) room += args.length(i) + ELEMENT_BYTES_MORE;
  reserve(node, room);
  const same = hasSameFields(node, args, first, fieldCount);
  addInteger(node, same ? FLAG_SAME_FIELDS : 0);
  const { bytes } = node;
  addDifference(node, id.msHigh, id.msLow, bytes.readUInt32BE(0), bytes.readUInt32BE(4));
  addDifference(node, id.seqHigh, id.seqLow, bytes.readUInt32BE(8), bytes.readUInt32BE(12));
  if (!same) addInteger(node, fieldCount);
  for (let i = 0; i < fieldCount; i++) {
    if (!same) addText(node, args, first + 2 * i);
    addText(node, args, first + 2 * i + 1);
  }
  addInteger(node, HEADER_ELEMENTS + (same ? fieldCount : 1 + 2 * fieldCount));
  node.alive++;
}

/** a - b, of 64 bits that wrap around, from halves. */
function addDifference(node: StreamNode, aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const low = (aLow - bLow) >>> 0;
  const high = (aHigh - bHigh - (aLow < bLow ? 1 : 0)) >>> 0;
  // Within 32 bits if the high half is nothing but the sign.
  if (high === 0 && low < 0x8000_0000) return addInteger(node, low);
  if (high === 0xffff_ffff && low >= 0x8000_0000) return addInteger(node, low | 0);
  const { bytes, end } = node;
  bytes[end] = 0xf4;
  bytes.writeUInt32LE(low, end + 1);
  bytes.writeUInt32LE(high, end + 5);
  node.end = writeBackLength(bytes, end + 9, 9);
}

function addInteger(node: StreamNode, value: number): void {
  const { bytes, end } = node;
  const dataEnd = encodeInteger(bytes, end, value);
  node.end = writeBackLength(bytes, dataEnd, dataEnd - end);
}

function addText(node: StreamNode, args: Args, index: number): void {
  const { bytes, end } = node;
  const dataEnd = encodeEntry(bytes, end, args.bytes, args.start(index), args.end(index));
  node.end = writeBackLength(bytes, dataEnd, dataEnd - end);
}

/** Room for so many bytes more. */
function reserve(node: StreamNode, room: number): void {
  const { bytes, end } = node;
  const wanted = end + room;
  if (wanted <= bytes.length) return;
  const grown = Math.min(2 * bytes.length, bytes.length + CAPACITY_STEP);
  moveTo(node, Math.max(wanted, grown));
}

function moveTo(node: StreamNode, capacity: number): void {
  const own = Buffer.allocUnsafeSlow(capacity);
  node.bytes.copy(own, 0, 0, node.end);
  node.bytes = own;
}

/** An equal node that shares nothing. */
export function copyNode(node: StreamNode, owner: number): StreamNode {
  const copy = { ...node, owner };
  moveTo(copy, node.end);
  return copy;
}

/** Gives back what a node that will not grow any more does not need. */
export function shrink(node: StreamNode): void {
  if (node.bytes.length - node.end > node.end >>> 4) moveTo(node, node.end);
}

/** Marks the entry whose flags are at `at`. */
export function markDeleted(node: StreamNode, at: number): void {
  node.bytes[at]! |= FLAG_DELETED;
  node.alive--;
  node.deleted++;
}

/** Where the entry after the one at `at` begins; node.end after the last. */
export function entryAfter(node: StreamNode, at: number): number {
  const { bytes } = node;
  let elements = HEADER_ELEMENTS + 1;
  if ((bytes[at]! & FLAG_SAME_FIELDS) !== 0) {
    elements += node.fieldCount;
  } else {
    for (let i = 0; i < HEADER_ELEMENTS; i++) at = nextEntry(bytes, at);
    elements = 2 + 2 * smallInteger(bytes, at);
  }
  for (; elements > 0; elements--) at = nextEntry(bytes, at);
  return at;
}

/** Where the entry before `at`, an entry's begin or the node's end, begins. Not before the first. */
export function entryBefore(node: StreamNode, at: number): number {
  const { bytes } = node;
  at = previousEntry(bytes, at);
  for (let elements = smallInteger(bytes, at); elements > 0; elements--) at = previousEntry(bytes, at);
  return at;
}

/** The listpack entry at `at`, a number that is not negative and fits in 32 bits. */
export function smallInteger(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  if (first < 0xe0) return ((first & 0x1f) << 8) | bytes[at + 1]!;
  if (first === 0xf1) return bytes.readInt16LE(at + 1);
  return first === 0xf2 ? bytes.readIntLE(at + 1, 3) : bytes.readInt32LE(at + 1);
}

/** The id of the entry at `at`: the node's first one and the differences. Returns where the values begin. */
export function readEntryId(node: StreamNode, at: number, id: StreamId): number {
  const { bytes } = node;
  id.read(bytes, 0);
  at += FLAGS_BYTES;
  readHalves(bytes, at);
  let low = id.msLow + differenceLow;
  id.msHigh = (id.msHigh + differenceHigh + (low > 0xffff_ffff ? 1 : 0)) >>> 0;
  id.msLow = low >>> 0;
  at = nextEntry(bytes, at);
  readHalves(bytes, at);
  low = id.seqLow + differenceLow;
  id.seqHigh = (id.seqHigh + differenceHigh + (low > 0xffff_ffff ? 1 : 0)) >>> 0;
  id.seqLow = low >>> 0;
  return nextEntry(bytes, at);
}

let differenceHigh = 0;
let differenceLow = 0;

function readHalves(bytes: Buffer, at: number): void {
  const first = bytes[at]!;
  let small = first;
  if (first >= 0x80) {
    if (first < 0xe0) small = (((first << 8) | bytes[at + 1]!) << 19) >> 19;
    else if (first === 0xf1) small = bytes.readInt16LE(at + 1);
    else if (first === 0xf2) small = bytes.readIntLE(at + 1, 3);
    else if (first === 0xf3) small = bytes.readInt32LE(at + 1);
    else {
      differenceLow = bytes.readUInt32LE(at + 1);
      differenceHigh = bytes.readUInt32LE(at + 5);
      return;
    }
  }
  differenceLow = small >>> 0;
  differenceHigh = small < 0 ? 0xffff_ffff : 0;
}

/** Is the listpack entry at `at` a number? */
export function isNumber(bytes: Buffer, at: number): boolean {
  const first = bytes[at]!;
  return first < 0x80 || (first >= 0xc0 && first < 0xe0) || first > 0xf0;
}
