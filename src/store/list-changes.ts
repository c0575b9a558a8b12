// Changes of a list, whatever form it has, and the step from a listpack in the record to a LargeList and back. Keys are
// byte ranges, handles are those of a key just found; every change may move the record, so a handle is good for one.

import { Args } from "../base/args.ts";
import type { Keyspace } from "./keyspace.ts";
import { LargeList } from "./large-list.ts";
import { listLength } from "./list-cursor.ts";
import { EncodedElement, fitsNode, type ListNode, makeNode, withoutEqual } from "./list-node.ts";
import {
  entryAt,
  LISTPACK_BYTES_LEAST,
  LISTPACK_HEADER_BYTES,
  listpackCount,
  nextEntry,
} from "./listpack.ts";
import { ListpackBuilder } from "./listpack-builder.ts";
import { FLAG_OBJECT, LIST } from "./types.ts";

const element = new EncodedElement();
const builder = new ListpackBuilder();
const one = new Args();
const oneOffsets = new Int32Array(2);

/** A list's key: bytes[start, end). */
export interface ListKey {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const isLarge = (keys: Keyspace, handle: number): boolean => (keys.kindOf(handle) & FLAG_OBJECT) !== 0;

/** One element, bytes[start, end), as pushElements takes it. The bytes are in no list of this database. */
export function pushElement(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  bytes: Buffer,
  start: number,
  end: number,
  atHead: boolean,
  listListpackSize: number,
): void {
  oneOffsets[0] = start;
  oneOffsets[1] = end;
  pushElements(keys, key, handle, one.set(bytes, oneOffsets, 0, 1), 0, atHead, listListpackSize);
}

/**
 * Adds argument `first` and all after it at an end, one after the other; a small list is written once for all of them. `handle` 0
 * makes the list. Returns how many elements it has then.
 */
export function pushElements(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  args: Args,
  first: number,
  atHead: boolean,
  listListpackSize: number,
): number {
  let next = first;
  let list = handle !== 0 && isLarge(keys, handle) ? changing(keys, handle) : undefined;
  if (list === undefined) {
    let count = 0;
    let entriesBytes = 0;
    if (handle !== 0) {
      keys.valueOf(handle);
      count = listpackCount(keys.valueBytes, keys.valueStart, keys.valueEnd);
      entriesBytes = keys.valueEnd - keys.valueStart - LISTPACK_BYTES_LEAST;
    }
    const before = count;
    for (; next < args.count; next++, count++) {
      entriesBytes += element.encode(args.bytes, args.start(next), args.end(next)).length;
      if (count > 0 && !fitsNode(listListpackSize, count + 1, entriesBytes)) break;
    }
    let last = handle;
    if (next > first) {
      builder.begin();
      if (atHead)
        for (let i = next - 1; i >= first; i--) builder.text(args.bytes, args.start(i), args.end(i));
      if (before > 0) addEntries(keys, keys.valueStart + LISTPACK_HEADER_BYTES, keys.valueEnd - 1, before);
      if (!atHead) for (let i = first; i < next; i++) builder.text(args.bytes, args.start(i), args.end(i));
      last = putSmall(keys, key);
    }
    if (next === args.count) return count;
    list = enlarge(keys, last);
    putLarge(keys, key, list);
  }
  for (; next < args.count; next++) {
    list.push(args.bytes, args.start(next), args.end(next), atHead, listListpackSize);
  }
  keys.settle(list);
  return list.count;
}

/** Removes `count` elements from `index` on. An empty list is removed: then 0, else the handle to go on with. */
export function removeElements(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  index: number,
  count: number,
  listListpackSize: number,
): number {
  const length = listLength(keys, handle);
  if (count >= length) {
    keys.remove(key.bytes, key.start, key.end);
    return 0;
  }
  if (isLarge(keys, handle)) {
    const list = changing(keys, handle);
    if (count === 1 && (index === 0 || index === length - 1)) list.pop(index === 0);
    else list.removeRange(index, count);
    keys.settle(list);
    return shrink(keys, key, handle, list, listListpackSize);
  }
  const { valueBytes, valueStart, valueEnd } = keys;
  const from = entryAt(valueBytes, valueStart, valueEnd, index);
  let to = from;
  for (let i = 0; i < count; i++) to = nextEntry(valueBytes, to);
  builder.begin();
  addEntries(keys, valueStart + LISTPACK_HEADER_BYTES, from, index);
  addEntries(keys, to, valueEnd - 1, length - index - count);
  return putSmall(keys, key);
}

/** Puts an element in the place of element `index`, or before it where `isInsert`. Returns the handle to go on with. */
export function placeElement(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  index: number,
  isInsert: boolean,
  bytes: Buffer,
  start: number,
  end: number,
  listListpackSize: number,
): number {
  element.encode(bytes, start, end);
  if (isLarge(keys, handle)) {
    const list = changing(keys, handle);
    if (isInsert) list.insert(index, element, listListpackSize);
    else list.set(index, element, listListpackSize);
    keys.settle(list);
    return handle;
  }
  keys.valueOf(handle);
  const { valueBytes, valueStart, valueEnd } = keys;
  const count = listpackCount(valueBytes, valueStart, valueEnd);
  const from = entryAt(valueBytes, valueStart, valueEnd, index);
  const to = isInsert ? from : nextEntry(valueBytes, from);
  const entriesBytes = valueEnd - valueStart - LISTPACK_BYTES_LEAST - (to - from) + element.length;
  if (!fitsNode(listListpackSize, isInsert ? count + 1 : count, entriesBytes)) {
    const list = enlarge(keys, handle);
    if (isInsert) list.insert(index, element, listListpackSize);
    else list.set(index, element, listListpackSize);
    return putLarge(keys, key, list);
  }
  builder.begin();
  addEntries(keys, valueStart + LISTPACK_HEADER_BYTES, from, index);
  builder.entries(element.bytes, 0, element.length, 1);
  addEntries(keys, to, valueEnd - 1, isInsert ? count - index : count - index - 1);
  return putSmall(keys, key);
}

/**
 * LREM: removes up to `limit` elements that equal bytes[start, end), from the head on or from the tail on. Returns how
 * many. An empty list is removed; the handle is not good any more.
 */
export function removeEqual(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  bytes: Buffer,
  start: number,
  end: number,
  limit: number,
  fromTail: boolean,
  listListpackSize: number,
): number {
  element.encode(bytes, start, end);
  const length = listLength(keys, handle);
  if (isLarge(keys, handle)) {
    // Who watches the key is not to hear of it when nothing is removed.
    const list = changing(keys, handle, true);
    const removed = list.removeEqual(element, limit, fromTail);
    if (removed === 0) return 0;
    keys.announce(handle);
    keys.settle(list);
    if (removed === length) keys.remove(key.bytes, key.start, key.end);
    else shrink(keys, key, handle, list, listListpackSize);
    return removed;
  }
  const first = keys.valueStart + LISTPACK_HEADER_BYTES;
  const node = makeNode(keys.valueBytes, first, keys.valueEnd - 1, length, 0, 0);
  const kept = withoutEqual(node, element, limit, fromTail);
  if (kept === node) return 0;
  if (kept.count === 0) {
    keys.remove(key.bytes, key.start, key.end);
  } else {
    builder.begin().entries(kept.bytes, kept.start, kept.end, kept.count);
    putSmall(keys, key);
  }
  return length - kept.count;
}

/**
 * Puts a list that was made as a large one at the key, over whatever is there. A small one if it is one node that fits, and
 * `mayBeSmall`. There is at least one element. Returns the handle.
 */
export function putNewList(
  keys: Keyspace,
  key: ListKey,
  list: LargeList,
  mayBeSmall: boolean,
  listListpackSize: number,
): number {
  const node = list.nodes[0]!;
  if (
    !mayBeSmall ||
    list.nodes.length > 1 ||
    !fitsNode(listListpackSize, node.count, node.end - node.start)
  ) {
    return keys.putCollection(key.bytes, key.start, key.end, LIST, list, false);
  }
  builder.begin().entries(node.bytes, node.start, node.end, node.count).finish();
  return keys.putRecord(key.bytes, key.start, key.end, LIST, builder.bytes, 0, builder.length, false);
}

function changing(keys: Keyspace, handle: number, isSilent = false): LargeList {
  return keys.collectionForWrite(handle, isSilent) as LargeList;
}

/** What is in the small list just found, as a large one that is not stored yet. */
function enlarge(keys: Keyspace, handle: number): LargeList {
  keys.valueOf(handle);
  const { valueBytes, valueStart, valueEnd } = keys;
  const list = new LargeList();
  const count = listpackCount(valueBytes, valueStart, valueEnd);
  list.append(makeNode(valueBytes, valueStart + LISTPACK_HEADER_BYTES, valueEnd - 1, count, 0, 0));
  return list;
}

function putLarge(keys: Keyspace, key: ListKey, list: LargeList): number {
  return keys.putCollection(key.bytes, key.start, key.end, LIST, list, true);
}

/** Redis makes a list small again when one node is left, filled by half at most. */
function shrink(
  keys: Keyspace,
  key: ListKey,
  handle: number,
  list: LargeList,
  listListpackSize: number,
): number {
  const node: ListNode | undefined = list.nodes.length === 1 ? list.nodes[0] : undefined;
  if (node === undefined) return handle;
  if (!fitsNode(listListpackSize, 2 * node.count, 2 * (node.end - node.start) + LISTPACK_BYTES_LEAST))
    return handle;
  builder.begin().entries(node.bytes, node.start, node.end, node.count);
  return putSmall(keys, key);
}

function putSmall(keys: Keyspace, key: ListKey): number {
  builder.finish();
  return keys.putRecord(key.bytes, key.start, key.end, LIST, builder.bytes, 0, builder.length, true);
}

function addEntries(keys: Keyspace, from: number, to: number, count: number): void {
  builder.entries(keys.valueBytes, from, to, count);
}
