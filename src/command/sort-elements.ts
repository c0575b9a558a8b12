// What SORT sorts: the elements of a list, set or sorted set, as latin1 texts, one character a byte, in the order they are kept in.

import type { Keyspace } from "../store/keyspace.ts";
import { ListCursor, listLength } from "../store/list-cursor.ts";
import { SetReader } from "../store/set-reader.ts";
import { SortedSetReader } from "../store/sorted-set-reader.ts";
import { LIST, SET } from "../store/types.ts";

const cursor = new ListCursor();
const set = new SetReader();
const sortedSet = new SortedSetReader();

/** Of a list, set or sorted set. */
export function elementCount(keys: Keyspace, handle: number): number {
  const type = keys.typeOf(handle);
  if (type === LIST) return listLength(keys, handle);
  return type === SET ? set.open(keys, handle).count : sortedSet.open(keys, handle).count;
}

/** `count` of them from `start` on, counted from the other end if `isReverse`; a set has no other end. There are as many. */
export function elementsOf(
  keys: Keyspace,
  handle: number,
  start: number,
  count: number,
  isReverse: boolean,
): string[] {
  const type = keys.typeOf(handle);
  if (type === LIST) return ofList(keys, handle, start, count, isReverse);
  return type === SET
    ? ofSet(keys, handle, start, count)
    : ofSortedSet(keys, handle, start, count, isReverse);
}

function ofList(keys: Keyspace, handle: number, start: number, count: number, isReverse: boolean): string[] {
  const elements: string[] = [];
  const first = isReverse ? listLength(keys, handle) - 1 - start : start;
  if (count > 0) cursor.seek(keys, handle, first);
  while (elements.length < count) {
    const { bytes, start: from, end } = cursor.entry;
    elements.push(bytes.toString("latin1", from, end));
    if (isReverse) cursor.previous();
    else cursor.next();
  }
  return elements;
}

function ofSet(keys: Keyspace, handle: number, start: number, count: number): string[] {
  const elements: string[] = [];
  set.open(keys, handle);
  for (let number = start; number < start + count; number++) {
    set.at(number);
    elements.push(set.bytes.toString("latin1", set.start, set.end));
  }
  set.close();
  return elements;
}

function ofSortedSet(
  keys: Keyspace,
  handle: number,
  start: number,
  count: number,
  isReverse: boolean,
): string[] {
  const elements: string[] = [];
  sortedSet.open(keys, handle);
  sortedSet.goTo(isReverse ? sortedSet.count - 1 - start : start);
  while (elements.length < count) {
    elements.push(sortedSet.bytes.toString("latin1", sortedSet.start, sortedSet.end));
    if (isReverse) sortedSet.previous();
    else sortedSet.next();
  }
  return elements;
}
