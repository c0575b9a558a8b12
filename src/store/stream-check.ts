// Makes stream nodes (stream-node.ts) of bytes from outside: snapshot pieces and dump payloads. Whatever they say, nothing
// that is accepted here can lead a walk astray.

import { countEntries, nextEntry } from "./listpack.ts";
import { ID_BYTES, StreamId } from "./stream-id.ts";
import {
  ALL_FLAGS,
  FLAG_DELETED,
  FLAG_SAME_FIELDS,
  HEADER_ELEMENTS,
  isNumber,
  NO_HINT,
  readEntryId,
  type StreamNode,
  smallInteger,
} from "./stream-node.ts";

const id = new StreamId();
const before = new StreamId();

/**
 * The node with these bytes: an id, and a listpack without header, end mark and its first two numbers, `alive` and
 * `deleted`. Undefined if it makes no sense. Keeps `bytes`.
 */
export function checkNode(bytes: Buffer, alive: number, deleted: number): StreamNode | undefined {
  const end = bytes.length;
  if (end <= ID_BYTES || countEntries(bytes, ID_BYTES, end) < 0) return undefined;
  const fieldCount = countAt(bytes, ID_BYTES, end);
  let at = fieldCount < 0 ? end : nextEntry(bytes, ID_BYTES);
  for (let left = fieldCount; left > 0 && at < end; left--) at = nextEntry(bytes, at);
  if (at >= end || bytes[at] !== 0) return undefined;
  const entriesAt = nextEntry(bytes, at);
  const node = { bytes, end, entriesAt, fieldCount, alive: 0, deleted: 0, owner: 0, hintAt: 0 };
  for (at = entriesAt; at < end; ) {
    const flags = bytes[at]!;
    const entryAt = at;
    at = entryEnd(bytes, at, end, fieldCount);
    if (at < 0) return undefined;
    readEntryId(node, entryAt, id);
    if (entryAt > entriesAt && id.compare(before) <= 0) node.hintAt = NO_HINT;
    before.set(id);
    if ((flags & FLAG_DELETED) !== 0) node.deleted++;
    else node.alive++;
  }
  return node.alive === alive && node.deleted === deleted && alive + deleted > 0 ? node : undefined;
}

/** The number of things before `end` that the entry at `at` says; -1 if it says none, or more than there can be. */
export function countAt(bytes: Buffer, at: number, end: number): number {
  if (at >= end || !isNumber(bytes, at) || bytes[at]! > 0xf3) return -1;
  const count = smallInteger(bytes, at);
  // Each takes two bytes.
  return count >= 0 && count <= (end - at) / 2 ? count : -1;
}

/** Where the entry at `at` ends, all of whose elements are known to be sound; -1 if it is no entry. */
function entryEnd(bytes: Buffer, at: number, end: number, fieldCount: number): number {
  const flags = bytes[at]!;
  if (flags > ALL_FLAGS) return -1;
  for (let i = 0; i < HEADER_ELEMENTS; i++) {
    if (at >= end || !isNumber(bytes, at)) return -1;
    at = nextEntry(bytes, at);
  }
  let elements = fieldCount;
  if ((flags & FLAG_SAME_FIELDS) === 0) {
    const own = countAt(bytes, at, end);
    if (own < 0) return -1;
    elements = 1 + 2 * own;
  }
  for (let left = elements; left > 0; left--) {
    if (at >= end) return -1;
    at = nextEntry(bytes, at);
  }
  if (
    at >= end ||
    !isNumber(bytes, at) ||
    countAt(bytes, at, Number.POSITIVE_INFINITY) !== HEADER_ELEMENTS + elements
  )
    return -1;
  return nextEntry(bytes, at);
}
