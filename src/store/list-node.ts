// One node of a large list: a run of listpack entries (listpack.ts) without header or end mark, with room on either side
// for more. What may be in one, in bytes and elements, is `list-max-listpack-size`, as in Redis's quicklist.
//
//   bytes:  | free | entry entry ... entry | free |
//                  start                   end

import { copyBytes } from "../base/copy.ts";
import {
  BACKLENGTH_BYTES_MAX,
  ENCODING_BYTES_MAX,
  encodeEntry,
  LISTPACK_BYTES_LEAST,
  nextEntry,
  previousEntry,
  textEntryBytes,
  writeBackLength,
} from "./listpack.ts";

export interface ListNode {
  bytes: Buffer;
  start: number;
  end: number;
  count: number;
  /** A snapshot reads the same bytes: they are copied before they are written to. */
  shared: boolean;
}

const KIB = 1024;
/** By -listListpackSize - 1. */
const SIZE_BYTES = [4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB] as const;
/** Where the setting counts elements, a node may have no more bytes than this. */
const COUNTED_BYTES_MAX = 8 * KIB;

/** May a node, or a small list, have so many elements in so many bytes of entries? One element always may. */
export function fitsNode(listListpackSize: number, count: number, entriesBytes: number): boolean {
  const bytes = entriesBytes + LISTPACK_BYTES_LEAST;
  if (listListpackSize < 0) return bytes <= SIZE_BYTES[Math.min(-listListpackSize, SIZE_BYTES.length) - 1]!;
  return count <= Math.max(1, listListpackSize) && bytes <= COUNTED_BYTES_MAX;
}

/** An element as it stands in a node: bytes[0, length), good until the next encode(). */
export class EncodedElement {
  bytes: Buffer = Buffer.allocUnsafeSlow(256);
  length = 0;

  encode(bytes: Buffer, start: number, end: number): this {
    const room = end - start + ENCODING_BYTES_MAX + BACKLENGTH_BYTES_MAX;
    // A huge element's memory is not kept.
    if (this.bytes.length < room || this.bytes.length > KIB * KIB) {
      this.bytes = Buffer.allocUnsafeSlow(Math.max(256, room));
    }
    const length = encodeEntry(this.bytes, 0, bytes, start, end);
    this.length = writeBackLength(this.bytes, length, length);
    return this;
  }
}

/**
 * Encodes an element straight into the free room of a node that nobody else reads, without a copy on the way; returns its bytes. 0
 * where that is not so, or the room is short, or the node full, or the element may be an integer: EncodedElement is for those.
 */
export function pushInPlace(
  node: ListNode,
  atHead: boolean,
  bytes: Buffer,
  start: number,
  end: number,
  listListpackSize: number,
): number {
  const length = textEntryBytes(bytes, start, end);
  const room = atHead ? node.start : node.bytes.length - node.end;
  if (length === 0 || node.shared || room < length) return 0;
  if (!fitsNode(listListpackSize, node.count + 1, node.end - node.start + length)) return 0;
  const at = atHead ? node.start - length : node.end;
  const encodedEnd = encodeEntry(node.bytes, at, bytes, start, end);
  writeBackLength(node.bytes, encodedEnd, encodedEnd - at);
  if (atHead) node.start = at;
  else node.end = at + length;
  node.count++;
  return length;
}

/** A node with the entries source[start, end), and `headRoom` and `tailRoom` free bytes around them. */
export function makeNode(
  source: Buffer,
  start: number,
  end: number,
  count: number,
  headRoom: number,
  tailRoom: number,
): ListNode {
  const bytes = Buffer.allocUnsafeSlow(headRoom + end - start + tailRoom);
  copyBytes(bytes, headRoom, source, start, end);
  return { bytes, start: headRoom, end: headRoom + end - start, count, shared: false };
}

/** Gives the node that much room on one side, in memory of its own. */
export function makeRoom(node: ListNode, atHead: boolean, room: number): void {
  const { bytes, start, end, shared } = node;
  if (!shared && (atHead ? start : bytes.length - end) >= room) return;
  // As much again: a node that grows is copied a few times in its life.
  const spare = Math.max(room, Math.min(end - start, 8 * KIB));
  const own = makeNode(bytes, start, end, node.count, atHead ? spare : 0, atHead ? 0 : spare);
  node.bytes = own.bytes;
  node.start = own.start;
  node.end = own.end;
  node.shared = false;
}

/** The node is full, and much of what it held for more is left: it goes. */
export function giveBackRoom(node: ListNode): void {
  const { bytes, start, end, shared } = node;
  if (shared || bytes.length - (end - start) <= (end - start) / 8) return;
  const own = makeNode(bytes, start, end, node.count, 0, 0);
  node.bytes = own.bytes;
  node.start = own.start;
  node.end = own.end;
}

/** The position of the node's entry `index`, from 0. */
export function positionIn(node: ListNode, index: number): number {
  const { bytes } = node;
  if (2 * index < node.count) {
    let at = node.start;
    for (; index > 0; index--) at = nextEntry(bytes, at);
    return at;
  }
  let at = node.end;
  for (let left = node.count - index; left > 0; left--) at = previousEntry(bytes, at);
  return at;
}

/** The node without up to `limit` entries that equal `element`, in memory of its own; the node itself if it has none. */
export function withoutEqual(
  node: ListNode,
  element: EncodedElement,
  limit: number,
  fromTail: boolean,
): ListNode {
  const { bytes, start, end } = node;
  const found: number[] = [];
  const isEqual = (at: number): boolean =>
    bytes.compare(element.bytes, 0, element.length, at, at + element.length) === 0;
  const fits = (at: number): boolean => nextEntry(bytes, at) - at === element.length && isEqual(at);
  if (fromTail) {
    for (let at = end; at > start && found.length < limit; ) {
      at = previousEntry(bytes, at);
      if (fits(at)) found.push(at);
    }
    found.reverse();
  } else {
    for (let at = start; at < end && found.length < limit; at = nextEntry(bytes, at))
      if (fits(at)) found.push(at);
  }
  if (found.length === 0) return node;
  const left = Buffer.allocUnsafeSlow(end - start - found.length * element.length);
  let from = start;
  let to = 0;
  for (const at of [...found, end]) {
    copyBytes(left, to, bytes, from, at);
    to += at - from;
    from = at + element.length;
  }
  return { bytes: left, start: 0, end: left.length, count: node.count - found.length, shared: false };
}
