// Walks over a list's elements, whatever form it has: a listpack in the record, or a LargeList. It reads only.
//
//   seek(keys, handle, index) -> entry -> next() or previous() -> entry ... until it says false

import type { KeyspaceReads } from "./keyspace-reads.ts";
import { LargeList } from "./large-list.ts";
import type { ListNode } from "./list-node.ts";
import { positionIn } from "./list-node.ts";
import { LISTPACK_HEADER_BYTES, ListpackEntry, listpackCount, nextEntry, previousEntry } from "./listpack.ts";
import { FLAG_OBJECT } from "./types.ts";

/** Elements of the list that was just found. */
export function listLength(keys: KeyspaceReads, handle: number): number {
  if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) return largeListOf(keys, handle).count;
  keys.valueOf(handle);
  return listpackCount(keys.valueBytes, keys.valueStart, keys.valueEnd);
}

function largeListOf(keys: KeyspaceReads, handle: number): LargeList {
  const collection = keys.collectionOf(handle);
  if (!(collection instanceof LargeList)) throw new TypeError(`${collection.encoding} is no list`);
  return collection;
}

export class ListCursor {
  /** The element's bytes, once seek(), next() or previous() said true. Good until the next of them. */
  readonly entry = new ListpackEntry();
  #nodes: readonly ListNode[] = [];
  #number = 0;
  #node: ListNode;
  #at = 0;
  /** The one node of a small list. */
  readonly #small: ListNode = { bytes: Buffer.alloc(0), start: 0, end: 0, count: 0, shared: true };
  readonly #onlySmall = [this.#small];

  constructor() {
    this.#node = this.#small;
  }

  /** Goes to element `index` of the list; false if there is none: it is in [0, length). */
  seek(keys: KeyspaceReads, handle: number, index: number): boolean {
    let inNode = index;
    if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) {
      const list = largeListOf(keys, handle);
      if (index < 0 || index >= list.count) return false;
      this.#nodes = list.nodes;
      this.#number = list.nodeOf(index);
      inNode = list.indexInNode;
    } else {
      keys.valueOf(handle);
      const small = this.#small;
      small.bytes = keys.valueBytes;
      small.start = keys.valueStart + LISTPACK_HEADER_BYTES;
      small.end = keys.valueEnd - 1;
      small.count = listpackCount(keys.valueBytes, keys.valueStart, keys.valueEnd);
      if (index < 0 || index >= small.count) return false;
      this.#nodes = this.#onlySmall;
      this.#number = 0;
    }
    this.#node = this.#nodes[this.#number]!;
    this.#at = positionIn(this.#node, inNode);
    this.entry.read(this.#node.bytes, this.#at);
    return true;
  }

  next(): boolean {
    let node = this.#node;
    let at = nextEntry(node.bytes, this.#at);
    if (at === node.end) {
      if (this.#number + 1 === this.#nodes.length) return false;
      node = this.#nodes[++this.#number]!;
      this.#node = node;
      at = node.start;
    }
    this.#at = at;
    this.entry.read(node.bytes, at);
    return true;
  }

  previous(): boolean {
    let node = this.#node;
    let at = this.#at;
    if (at === node.start) {
      if (this.#number === 0) return false;
      node = this.#nodes[--this.#number]!;
      this.#node = node;
      at = node.end;
    }
    at = previousEntry(node.bytes, at);
    this.#at = at;
    this.entry.read(node.bytes, at);
    return true;
  }
}
