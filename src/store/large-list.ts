// A large list: nodes of some KiB in a row, as in Redis's quicklist. Elements are pushed and popped at both ends in constant
// time, found by walking over nodes from the nearer end, and changed in the middle by rewriting one node.

import { copyBytes } from "../base/copy.ts";
import type { Collection, PieceWriter } from "./collection.ts";
import {
  EncodedElement,
  fitsNode,
  giveBackRoom,
  type ListNode,
  makeNode,
  makeRoom,
  positionIn,
  pushInPlace,
  withoutEqual,
} from "./list-node.ts";
import { countEntries, nextEntry, previousEntry } from "./listpack.ts";

const COUNT_BYTES = 4;
/** A node that follows a full one gets room for what comes next, at once: this part of the whole list, but no more than a node. */
const NEXT_NODE_PART = 1 / 8;
const NEXT_NODE_BYTES_MAX = 8 * 1024;

/** Used again for each push that cannot be done in place. */
const pushed = new EncodedElement();

export class LargeList implements Collection {
  frozen = false;
  accountedBytes = 0;
  readonly encoding = "quicklist";
  /** Elements in all. */
  count = 0;
  /** Bytes of all entries: a function of the content, however it is cut into nodes. */
  logicalBytes = 0;
  /** None is empty. */
  nodes: ListNode[] = [];

  /** Adds source[start, end) at an end. */
  push(source: Buffer, start: number, end: number, atHead: boolean, listListpackSize: number): void {
    const node = atHead ? this.nodes[0] : this.nodes[this.nodes.length - 1];
    this.count++;
    const inPlace = node === undefined ? 0 : pushInPlace(node, atHead, source, start, end, listListpackSize);
    if (inPlace > 0) {
      this.logicalBytes += inPlace;
      return;
    }
    const { bytes, length } = pushed.encode(source, start, end);
    this.logicalBytes += length;
    if (node === undefined || !fitsNode(listListpackSize, node.count + 1, node.end - node.start + length)) {
      if (node !== undefined) giveBackRoom(node);
      const wanted = Math.min(NEXT_NODE_BYTES_MAX, Math.floor(NEXT_NODE_PART * this.logicalBytes));
      const room = Math.max(0, wanted - length);
      this.#addAtEnd(makeNode(bytes, 0, length, 1, atHead ? room : 0, atHead ? 0 : room), atHead);
      return;
    }
    makeRoom(node, atHead, length);
    if (atHead) node.start -= length;
    copyBytes(node.bytes, atHead ? node.start : node.end, bytes, 0, length);
    if (!atHead) node.end += length;
    node.count++;
  }

  /** Where the first or last entry is: nodes[0] or the last one, at this position. The list is not empty. */
  endPosition(atHead: boolean): number {
    if (atHead) return this.nodes[0]!.start;
    const node = this.nodes[this.nodes.length - 1]!;
    return previousEntry(node.bytes, node.end);
  }

  /** Removes the first or the last element. */
  pop(atHead: boolean): void {
    const at = this.endPosition(atHead);
    const { nodes } = this;
    const node = nodes[atHead ? 0 : nodes.length - 1]!;
    const length = nextEntry(node.bytes, at) - at;
    this.count--;
    this.logicalBytes -= length;
    node.count--;
    if (atHead) {
      node.start += length;
      // Not splice, which moves all the others: V8 takes away the first of many in constant time.
      if (node.count === 0) nodes.shift();
    } else {
      node.end -= length;
      if (node.count === 0) nodes.pop();
    }
  }

  /** The node that has element `index` (0 to count - 1): its number, and the element's index in it in `indexInNode`. */
  nodeOf(index: number): number {
    const { nodes } = this;
    if (2 * index < this.count) {
      let number = 0;
      for (; index >= nodes[number]!.count; number++) index -= nodes[number]!.count;
      this.indexInNode = index;
      return number;
    }
    let left = this.count - index;
    let number = nodes.length - 1;
    for (; left > nodes[number]!.count; number--) left -= nodes[number]!.count;
    this.indexInNode = nodes[number]!.count - left;
    return number;
  }
  indexInNode = 0;

  /** Puts an element in the place of another. */
  set(index: number, element: EncodedElement, listListpackSize: number): void {
    const number = this.nodeOf(index);
    const at = positionIn(this.nodes[number]!, this.indexInNode);
    this.#splice(number, at, nextEntry(this.nodes[number]!.bytes, at), 1, element, listListpackSize);
  }

  /** Puts an element before element `index`. */
  insert(index: number, element: EncodedElement, listListpackSize: number): void {
    const number = this.nodeOf(index);
    const at = positionIn(this.nodes[number]!, this.indexInNode);
    this.#splice(number, at, at, 0, element, listListpackSize);
  }

  /** Removes elements from `index` on. */
  removeRange(index: number, count: number): void {
    for (let left = count; left > 0; ) {
      const number = this.nodeOf(index);
      const node = this.nodes[number]!;
      const first = this.indexInNode;
      const some = Math.min(left, node.count - first);
      left -= some;
      if (some === node.count) {
        this.nodes.splice(number, 1);
        this.count -= some;
        this.logicalBytes -= node.end - node.start;
        continue;
      }
      const from = positionIn(node, first);
      const to = first + some === node.count ? node.end : positionIn(node, first + some);
      this.#cut(node, from, to, some);
    }
  }

  /** Removes the entries [from, to) of a node that keeps others. */
  #cut(node: ListNode, from: number, to: number, count: number): void {
    this.count -= count;
    this.logicalBytes -= to - from;
    node.count -= count;
    if (from === node.start) node.start = to;
    else if (to === node.end) node.end = from;
    else {
      const before = from - node.start;
      makeRoom(node, false, 0); // others may read these bytes
      const at = node.start + before;
      node.bytes.copyWithin(at, at + (to - from), node.end);
      node.end -= to - from;
    }
  }

  /** Removes up to `limit` elements that equal `element`, from the head on or from the tail on; returns how many. */
  removeEqual(element: EncodedElement, limit: number, fromTail: boolean): number {
    const { nodes } = this;
    let removed = 0;
    let kept = 0;
    if (fromTail) nodes.reverse();
    for (const node of nodes) {
      const rest = removed < limit ? withoutEqual(node, element, limit - removed, fromTail) : node;
      removed += node.count - rest.count;
      this.logicalBytes -= node.end - node.start - (rest.end - rest.start);
      if (rest.count > 0) nodes[kept++] = rest;
    }
    nodes.length = kept;
    if (fromTail) nodes.reverse();
    this.count -= removed;
    return removed;
  }

  /** Adds a whole node at the tail. */
  append(node: ListNode): void {
    this.nodes.push(node);
    this.count += node.count;
    this.logicalBytes += node.end - node.start;
  }

  #splice(
    number: number,
    from: number,
    to: number,
    removed: number,
    element: EncodedElement,
    listListpackSize: number,
  ): void {
    const node = this.nodes[number]!;
    const { start, end, count } = node;
    const length = end - start - (to - from) + element.length;
    const before = from - start;
    const whole = Buffer.allocUnsafeSlow(length);
    copyBytes(whole, 0, node.bytes, start, from);
    copyBytes(whole, before, element.bytes, 0, element.length);
    copyBytes(whole, before + element.length, node.bytes, to, end);
    this.count += 1 - removed;
    this.logicalBytes += element.length - (to - from);
    const made = { bytes: whole, start: 0, end: length, count: count + 1 - removed, shared: false };
    this.nodes.splice(number, 1, ...split(made, listListpackSize));
  }

  #addAtEnd(node: ListNode, atHead: boolean): void {
    if (atHead) this.nodes.unshift(node);
    else this.nodes.push(node);
  }

  clone(): LargeList {
    return this.#twin((node) => ({ ...node, shared: true }));
  }

  copy(): LargeList {
    return this.#twin((node) => makeNode(node.bytes, node.start, node.end, node.count, 0, 0));
  }

  #twin(twinOf: (node: ListNode) => ListNode): LargeList {
    const twin = new LargeList();
    twin.count = this.count;
    twin.logicalBytes = this.logicalBytes;
    twin.nodes = this.nodes.map(twinOf);
    return twin;
  }

  beginPieces(): number {
    return this.nodes.length;
  }

  /** A node: its entries as they are. */
  writePiece(index: number, into: PieceWriter): void {
    const node = this.nodes[index]!;
    into.u32(node.count);
    into.copy(node.bytes, node.start, node.end);
  }

  acceptPiece(bytes: Buffer, start: number, end: number): boolean {
    if (end - start <= COUNT_BYTES) return false;
    const first = start + COUNT_BYTES;
    const count = bytes.readUInt32LE(start);
    if (countEntries(bytes, first, end) !== count) return false;
    this.append(makeNode(bytes, first, end, count, 0, 0));
    return true;
  }
}

/** A node that has too much becomes two, or three around an element that fills one by itself. */
function split(node: ListNode, listListpackSize: number): ListNode[] {
  const { bytes, start, end, count } = node;
  if (count === 1 || fitsNode(listListpackSize, count, end - start)) return [node];
  const half = count >>> 1;
  const middle = positionIn(node, half);
  return [
    ...split(makeNode(bytes, start, middle, half, 0, 0), listListpackSize),
    ...split(makeNode(bytes, middle, end, count - half, 0, 0), listListpackSize),
  ];
}
