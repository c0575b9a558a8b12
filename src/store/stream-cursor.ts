// Walks over a stream's entries between two ids, in either direction, and over the fields and values of each. It reads
// only; the stream must not change meanwhile.
//
//   open() -> next() -> id, then nextPair() up to pairCount times -> next() ... until it says false

import { ListpackEntry, nextEntry } from "./listpack.ts";
import type { Stream } from "./stream.ts";
import { ID_BYTES, StreamId } from "./stream-id.ts";
import {
  entryAfter,
  entryBefore,
  FLAG_DELETED,
  FLAG_SAME_FIELDS,
  readEntryId,
  type StreamNode,
  smallInteger,
} from "./stream-node.ts";
import { seekInNode } from "./stream-seek.ts";

const MIN_ID = new StreamId();
const MAX_ID = new StreamId().setMax();

export class StreamCursor {
  readonly id = new StreamId();
  pairCount = 0;
  /** After nextPair(). Good until the next of them. */
  readonly field = new ListpackEntry();
  readonly value = new ListpackEntry();
  /** Where the entry is: a node's number, and its flags in the node. */
  nodeNumber = 0;
  at = 0;
  #nodes: readonly StreamNode[] = [];
  readonly #first = new StreamId();
  readonly #last = new StreamId();
  #isReverse = false;
  #isBegun = false;
  #isFirstNode = false;
  /** Where the next field and value are; the fields may be those of the node. */
  #fieldAt = 0;
  #valueAt = 0;
  #pairsLeft = 0;
  #hasSameFields = false;

  /** Of the entries from `first` to `last`, both included. */
  open(stream: Stream, first: StreamId, last: StreamId, isReverse: boolean): void {
    this.#nodes = stream.nodes;
    this.#first.set(first);
    this.#last.set(last);
    this.#isReverse = isReverse;
    this.#isBegun = false;
    this.#isFirstNode = true;
    this.nodeNumber = stream.nodeOf(isReverse ? last : first);
  }

  openAll(stream: Stream, isReverse: boolean): void {
    this.open(stream, MIN_ID, MAX_ID, isReverse);
  }

  /** Goes to the next entry alive. */
  next(): boolean {
    const found = this.#isReverse ? this.#backwards() : this.#forwards();
    if (!found) this.#nodes = [];
    return found;
  }

  #forwards(): boolean {
    for (let node = this.#nodes[this.nodeNumber]; node !== undefined; node = this.#nodes[++this.nodeNumber]) {
      let at = this.#isBegun
        ? this.#endOfEntry(node)
        : this.#isFirstNode
          ? seekInNode(node, this.#first)
          : node.entriesAt;
      this.#isBegun = this.#isFirstNode = false;
      for (; at < node.end; at = entryAfter(node, at)) {
        const valuesAt = readEntryId(node, at, this.id);
        if ((node.bytes[at]! & FLAG_DELETED) !== 0 || this.id.compare(this.#first) < 0) continue;
        if (this.id.compare(this.#last) > 0) return false;
        return this.#publish(node, at, valuesAt);
      }
    }
    return false;
  }

  #backwards(): boolean {
    for (let node = this.#nodes[this.nodeNumber]; node !== undefined; node = this.#nodes[--this.nodeNumber]) {
      let at = this.#isBegun ? this.at : node.end;
      this.#isBegun = false;
      while (at > node.entriesAt) {
        at = entryBefore(node, at);
        const valuesAt = readEntryId(node, at, this.id);
        if ((node.bytes[at]! & FLAG_DELETED) !== 0 || this.id.compare(this.#last) > 0) continue;
        if (this.id.compare(this.#first) < 0) return false;
        return this.#publish(node, at, valuesAt);
      }
    }
    return false;
  }

  #publish(node: StreamNode, at: number, valuesAt: number): true {
    const { bytes } = node;
    this.at = at;
    this.#isBegun = true;
    this.#hasSameFields = (bytes[at]! & FLAG_SAME_FIELDS) !== 0;
    if (this.#hasSameFields) {
      this.pairCount = node.fieldCount;
      this.#fieldAt = nextEntry(bytes, ID_BYTES);
      this.#valueAt = valuesAt;
    } else {
      this.pairCount = smallInteger(bytes, valuesAt);
      this.#valueAt = nextEntry(bytes, valuesAt);
    }
    this.#pairsLeft = this.pairCount;
    return true;
  }

  nextPair(): void {
    const { bytes } = this.#nodes[this.nodeNumber]!;
    this.#pairsLeft--;
    if (this.#hasSameFields) {
      this.field.read(bytes, this.#fieldAt);
      this.#fieldAt = nextEntry(bytes, this.#fieldAt);
    } else {
      this.field.read(bytes, this.#valueAt);
      this.#valueAt = nextEntry(bytes, this.#valueAt);
    }
    this.value.read(bytes, this.#valueAt);
    this.#valueAt = nextEntry(bytes, this.#valueAt);
  }

  /** Behind the entry that was published: what nextPair() has passed over is not walked again. */
  #endOfEntry(node: StreamNode): number {
    let at = this.#valueAt;
    for (let left = this.#pairsLeft * (this.#hasSameFields ? 1 : 2) + 1; left > 0; left--)
      at = nextEntry(node.bytes, at);
    return at;
  }
}
