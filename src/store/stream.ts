// A stream: entries in nodes by their ids (stream-node.ts), what is to be remembered of those that are gone, and the
// consumer groups. Nodes fill up and go as Redis's do, for approximate trimming drops whole ones.

import type { Args } from "../base/args.ts";
import type { Collection, PieceWriter } from "./collection.ts";
import { StreamCursor } from "./stream-cursor.ts";
import { StreamGroup } from "./stream-group.ts";
import { StreamId, wrappingAdd } from "./stream-id.ts";
import {
  appendEntry,
  copyNode,
  entryAfter,
  entryBefore,
  FLAG_DELETED,
  listpackBytes,
  markDeleted,
  NO_HINT,
  newNode,
  readEntryId,
  type StreamNode,
  shrink,
} from "./stream-node.ts";
import { acceptStreamPiece, beginPiecesOf, PieceState, writeStreamPiece } from "./stream-pieces.ts";
import type { Thresholds } from "./thresholds.ts";

/** Whatever the settings say, a node's listpack is not longer; and no entry is. */
export const NODE_BYTES_MAX = 1 << 30;
/** Measured: what the objects around the bytes take. */
export const STREAM_LOGICAL_BYTES = 1024;
export const NODE_LOGICAL_BYTES = 320;
/** Room that a further node begins with: what Redis's default lets it grow to. */
const NODE_CAPACITY = 4096;

export type Integer64 = number | bigint;

/** Streams made so far, in this process. */
let streams = 0;

export class Stream implements Collection {
  frozen = false;
  accountedBytes = 0;
  readonly encoding = "stream";
  logicalBytes = STREAM_LOGICAL_BYTES;

  /** Entries alive. */
  length = 0;
  /** Entries that ever were, as Redis counts them; 64 bits, signed. */
  entriesAdded: Integer64 = 0;
  readonly lastId = new StreamId();
  /** The first entry's, as it was noted at the last change; zero for none. */
  readonly firstId = new StreamId();
  /** The largest that XDEL removed. */
  readonly maxDeletedId = new StreamId();
  /** In the order of their first ids. One may have deleted entries only. */
  nodes: StreamNode[] = [];
  /** In the order of their names' bytes. */
  groups: StreamGroup[] = [];
  /** Where writing and accepting pieces are: see stream-pieces.ts. */
  readonly pieces = new PieceState();
  readonly #owner = ++streams;

  /** The node where an id is or would be: the last that begins at or before it, or the first. */
  nodeOf(id: StreamId): number {
    const { nodes } = this;
    let low = 0;
    let high = nodes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (probe.read(nodes[middle]!.bytes, 0).compare(id) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Adds an entry behind all others; its id is larger than lastId. Fields and values are arguments first, first + 1, ...,
   * `contentBytes` long in all.
   */
  append(
    id: StreamId,
    args: Args,
    first: number,
    fieldCount: number,
    contentBytes: number,
    thresholds: Thresholds,
  ): void {
    const last = this.nodes.length - 1;
    let node = this.nodes[last];
    if (node === undefined || isFull(node, contentBytes, thresholds)) {
      if (node?.owner === this.#owner) shrink(node);
      node = newNode(id, args, first, fieldCount, node === undefined ? 0 : NODE_CAPACITY, this.#owner);
      this.#addNode(node, id);
    } else {
      node = this.#owned(last);
    }
    const before = node.end;
    appendEntry(node, id, args, first, fieldCount);
    this.logicalBytes += node.end - before;
    this.length++;
    this.entriesAdded = wrappingAdd(this.entriesAdded, 1);
    this.lastId.set(id);
    if (this.length === 1) this.firstId.set(id);
  }

  /** Node `number`, free to change. */
  #owned(number: number): StreamNode {
    const node = this.nodes[number]!;
    if (node.owner === this.#owner) return node;
    const own = copyNode(node, this.#owner);
    this.nodes[number] = own;
    return own;
  }

  appendNode(node: StreamNode): void {
    this.nodes.push(node);
    this.logicalBytes += NODE_LOGICAL_BYTES + node.end;
  }

  /** Of the node's first id. Behind all others, but for a last id that was set back. */
  #addNode(node: StreamNode, id: StreamId): void {
    const { nodes } = this;
    const last = nodes[nodes.length - 1];
    if (last === undefined || probe.read(last.bytes, 0).compare(id) < 0) return this.appendNode(node);
    const place = nodes.findIndex((other) => probe.read(other.bytes, 0).compare(id) >= 0);
    if (probe.read(nodes[place]!.bytes, 0).compare(id) === 0) {
      this.length -= nodes[place]!.alive;
      this.#removeNodes(place, 1);
    }
    nodes.splice(place, 0, node);
    this.logicalBytes += NODE_LOGICAL_BYTES + node.end;
  }

  /** May be before entries that are deleted: then others come behind these, out of their order. */
  setLastId(id: StreamId): void {
    this.lastId.set(id);
    const node = this.nodes[this.nodes.length - 1];
    if (node !== undefined && lastIdOf(node).compare(id) > 0) node.hintAt = NO_HINT;
  }

  has(id: StreamId): boolean {
    probeCursor.open(this, id, id, false);
    return probeCursor.next();
  }

  /** Removes an entry; false if there is none. updateFirstId() must follow. */
  delete(id: StreamId): boolean {
    if (!this.has(id)) return false;
    const { nodeNumber, at } = probeCursor;
    this.length--;
    if (this.nodes[nodeNumber]!.alive > 1) markDeleted(this.#owned(nodeNumber), at);
    else this.#removeNodes(nodeNumber, 1);
    return true;
  }

  #removeNodes(from: number, count: number): void {
    for (const node of this.nodes.splice(from, count)) this.logicalBytes -= NODE_LOGICAL_BYTES + node.end;
  }

  updateFirstId(): void {
    if (!this.edgeId(true, this.firstId)) this.firstId.setNumbers(0, 0);
  }

  /** The id of the first or last entry alive; false if there is none. */
  edgeId(isFirst: boolean, into: StreamId): boolean {
    probeCursor.openAll(this, !isFirst);
    if (this.length === 0 || !probeCursor.next()) return false;
    into.set(probeCursor.id);
    return true;
  }

  /**
   * Removes entries from the front: what is more than `lengthMax`, or, if `minId` is given, what is before it. Returns how many.
   * @param isApproximate whole nodes only
   * @param limit no more than so many; 0 = no limit
   */
  trim(lengthMax: Integer64, minId: StreamId | undefined, isApproximate: boolean, limit: Integer64): number {
    let removed = 0;
    let wholeNodes = 0;
    for (const node of this.nodes) {
      if (minId === undefined && this.length <= lengthMax) break;
      if (limit !== 0 && removed + node.alive > limit) break;
      const isWhole =
        minId === undefined ? this.length - node.alive >= lengthMax : lastIdOf(node).compare(minId) < 0;
      if (isWhole) {
        this.length -= node.alive;
        removed += node.alive;
        wholeNodes++;
        continue;
      }
      if (!isApproximate) removed += this.#trimNode(this.#owned(wholeNodes), lengthMax, minId);
      break;
    }
    this.#removeNodes(0, wholeNodes);
    if (removed > 0 || this.length === 0) this.updateFirstId();
    return removed;
  }

  #trimNode(node: StreamNode, lengthMax: Integer64, minId: StreamId | undefined): number {
    let removed = 0;
    for (let at = node.entriesAt; at < node.end; at = entryAfter(node, at)) {
      if (minId === undefined) {
        if (this.length <= lengthMax) break;
      } else {
        readEntryId(node, at, probe);
        if (probe.compare(minId) >= 0) break;
      }
      if ((node.bytes[at]! & FLAG_DELETED) !== 0) continue;
      markDeleted(node, at);
      this.length--;
      removed++;
    }
    return removed;
  }

  /** The group with the name bytes[start, end), or undefined. */
  group(bytes: Buffer, start: number, end: number): StreamGroup | undefined {
    const found = this.groups[this.#groupPlace(bytes, start, end)];
    return found !== undefined && found.name.compare(bytes, start, end) === 0 ? found : undefined;
  }

  /** Where the group is, or would go. */
  #groupPlace(bytes: Buffer, start: number, end: number): number {
    let low = 0;
    let high = this.groups.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.groups[middle]!.name.compare(bytes, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes a group, or undefined if there is one of that name. It keeps `name`. */
  createGroup(name: Buffer, lastId: StreamId, entriesRead: Integer64): StreamGroup | undefined {
    const place = this.#groupPlace(name, 0, name.length);
    if (this.groups[place]?.name.equals(name) === true) return undefined;
    const group = new StreamGroup(name);
    group.lastId.set(lastId);
    group.entriesRead = entriesRead;
    this.groups.splice(place, 0, group);
    this.logicalBytes += group.logicalBytes;
    return group;
  }

  destroyGroup(group: StreamGroup): void {
    this.groups.splice(this.#groupPlace(group.name, 0, group.name.length), 1);
    this.logicalBytes -= group.logicalBytes;
  }

  /** After a change of the group that was so many logical bytes before. */
  settleGroup(group: StreamGroup, bytesBefore: number): void {
    this.logicalBytes += group.logicalBytes - bytesBefore;
  }

  clone(): Stream {
    const twin = this.#twin((group) => group.clone());
    twin.nodes = this.nodes.slice();
    return twin;
  }

  copy(): Stream {
    const twin = this.#twin((group) => group.copy());
    twin.nodes = this.nodes.map((node) => copyNode(node, twin.#owner));
    return twin;
  }

  /** Without entries. */
  #twin(groupTwin: (group: StreamGroup) => StreamGroup): Stream {
    const twin = new Stream();
    twin.length = this.length;
    twin.logicalBytes = this.logicalBytes;
    twin.entriesAdded = this.entriesAdded;
    twin.lastId.set(this.lastId);
    twin.firstId.set(this.firstId);
    twin.maxDeletedId.set(this.maxDeletedId);
    twin.groups = this.groups.map(groupTwin);
    return twin;
  }

  beginPieces(): number {
    return beginPiecesOf(this);
  }

  writePiece(index: number, into: PieceWriter): void {
    writeStreamPiece(this, index, into);
  }

  acceptPiece(bytes: Buffer, start: number, end: number): boolean {
    return acceptStreamPiece(this, bytes, start, end);
  }
}

const probe = new StreamId();
const probeCursor = new StreamCursor();

function isFull(node: StreamNode, contentBytes: number, thresholds: Thresholds): boolean {
  const { streamNodeBytesMax, streamNodeEntriesMax } = thresholds;
  const bytesMax =
    streamNodeBytesMax === 0 || streamNodeBytesMax > NODE_BYTES_MAX ? NODE_BYTES_MAX : streamNodeBytesMax;
  if (listpackBytes(node) + contentBytes >= bytesMax) return true;
  return streamNodeEntriesMax > 0 && node.alive + node.deleted >= streamNodeEntriesMax;
}

/** Of the last entry, alive or deleted. */
function lastIdOf(node: StreamNode): StreamId {
  readEntryId(node, entryBefore(node, node.end), probe);
  return probe;
}
