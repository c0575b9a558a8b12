// A stream as pieces, for snapshots and digests, and back. In this order: a head; each node; of each group a head, each
// consumer, and what is pending, some entries a piece. Consumers' own tables are made from the groups'.

import type { PieceWriter } from "./collection.ts";
import type { Stream } from "./stream.ts";
import { checkNode } from "./stream-check.ts";
import { PENDING_CONSUMER, PENDING_WORDS, StreamConsumer, type StreamGroup } from "./stream-group.ts";
import { fromHalves, halves, ID_WORDS, StreamId, split } from "./stream-id.ts";

const PENDING_A_PIECE = 128;
const WORD_BYTES = 4;
const NODE_HEAD_BYTES = 8;
const CONSUMER_HEAD_BYTES = 20;
const HEAD_BYTES = 4 * (3 * ID_WORDS + 2 + 2);
const GROUP_HEAD_BYTES = 4 * (ID_WORDS + 2 + 3);

/** Where a walk over a stream's pieces is, and what is still to come to one that is made of them. */
export class PieceState {
  /** Groups before `group` end with piece `before` - 1. Means nothing once the stream has changed: walks begin at 0. */
  group = 0;
  before = 0;

  isBegun = false;
  nodesLeft = 0;
  groupsLeft = 0;
  consumersLeft = 0;
  pendingLeft = 0;
}

const piecesOfGroup = (group: StreamGroup): number =>
  1 + group.consumers.length + Math.ceil(group.pending.count / PENDING_A_PIECE);

/** Where the last walk over the groups ended counts no more. */
export function beginPiecesOf(stream: Stream): number {
  stream.pieces.before = 0;
  let count = 1 + stream.nodes.length;
  for (const group of stream.groups) count += piecesOfGroup(group);
  return count;
}

const id = new StreamId();
const idWords = new Uint32Array(ID_WORDS);

function writeId(into: PieceWriter, from: StreamId): void {
  from.writeWords(idWords, 0);
  into.words(idWords, 0, ID_WORDS);
}

function write64(into: PieceWriter, value: number | bigint): void {
  split(value);
  const { high, low } = halves;
  into.u32(high);
  into.u32(low);
}

export function writeStreamPiece(stream: Stream, index: number, into: PieceWriter): void {
  const { nodes, pieces } = stream;
  if (index === 0) {
    pieces.group = 0;
    pieces.before = 1 + nodes.length;
    return writeHead(stream, into);
  }
  const node = nodes[index - 1];
  if (node !== undefined) {
    into.u32(node.alive);
    into.u32(node.deleted);
    return into.copy(node.bytes, 0, node.end);
  }
  if (index < pieces.before || pieces.before === 0) {
    pieces.group = 0;
    pieces.before = 1 + nodes.length;
  }
  let group = stream.groups[pieces.group]!;
  for (let count = piecesOfGroup(group); index >= pieces.before + count; count = piecesOfGroup(group)) {
    pieces.before += count;
    group = stream.groups[++pieces.group]!;
  }
  writeGroupPiece(group, index - pieces.before, into);
}

function writeHead(stream: Stream, into: PieceWriter): void {
  writeId(into, stream.lastId);
  writeId(into, stream.firstId);
  writeId(into, stream.maxDeletedId);
  write64(into, stream.entriesAdded);
  into.u32(stream.nodes.length);
  into.u32(stream.groups.length);
}

function writeGroupPiece(group: StreamGroup, index: number, into: PieceWriter): void {
  if (index === 0) {
    writeId(into, group.lastId);
    write64(into, group.entriesRead);
    into.u32(group.nextConsumerNumber);
    into.u32(group.consumers.length);
    into.u32(group.pending.count);
    return into.copy(group.name, 0, group.name.length);
  }
  const consumer = group.consumers[index - 1];
  if (consumer !== undefined) {
    into.u32(consumer.number);
    write64(into, consumer.seenMs);
    write64(into, consumer.activeMs);
    return into.copy(consumer.name, 0, consumer.name.length);
  }
  const { pending } = group;
  const first = (index - 1 - group.consumers.length) * PENDING_A_PIECE;
  let more = pending.seekOrdinal(first);
  for (let left = PENDING_A_PIECE; more && left > 0; left--) {
    into.words(pending.words, pending.at, pending.at + PENDING_WORDS);
    more = pending.next();
  }
}

function readId(bytes: Buffer, at: number, into: StreamId): void {
  for (let i = 0; i < ID_WORDS; i++) idWords[i] = bytes.readUInt32LE(at + i * WORD_BYTES);
  into.readWords(idWords, 0);
}

function read64(bytes: Buffer, at: number): number | bigint {
  return fromHalves(bytes.readUInt32LE(at), bytes.readUInt32LE(at + WORD_BYTES));
}

export function acceptStreamPiece(stream: Stream, bytes: Buffer, start: number, end: number): boolean {
  const { pieces } = stream;
  if (!pieces.isBegun) return acceptHead(stream, bytes, start, end);
  if (pieces.nodesLeft > 0) return acceptNode(stream, bytes, start, end);
  const group = stream.groups[stream.groups.length - 1];
  if (group !== undefined && pieces.consumersLeft > 0)
    return acceptConsumer(stream, group, bytes, start, end);
  if (group !== undefined && pieces.pendingLeft > 0) return acceptPending(stream, group, bytes, start, end);
  return acceptGroup(stream, bytes, start, end);
}

function acceptHead(stream: Stream, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== HEAD_BYTES) return false;
  const { pieces } = stream;
  const idBytes = ID_WORDS * WORD_BYTES;
  readId(bytes, start, stream.lastId);
  readId(bytes, start + idBytes, stream.firstId);
  readId(bytes, start + 2 * idBytes, stream.maxDeletedId);
  stream.entriesAdded = read64(bytes, start + 3 * idBytes);
  pieces.nodesLeft = bytes.readUInt32LE(start + 3 * idBytes + 2 * WORD_BYTES);
  pieces.groupsLeft = bytes.readUInt32LE(start + 3 * idBytes + 3 * WORD_BYTES);
  pieces.isBegun = true;
  return true;
}

function acceptNode(stream: Stream, bytes: Buffer, start: number, end: number): boolean {
  if (end - start < NODE_HEAD_BYTES) return false;
  const content = Buffer.allocUnsafeSlow(end - start - NODE_HEAD_BYTES);
  bytes.copy(content, 0, start + NODE_HEAD_BYTES, end);
  const node = checkNode(content, bytes.readUInt32LE(start), bytes.readUInt32LE(start + WORD_BYTES));
  if (node === undefined) return false;
  const last = stream.nodes[stream.nodes.length - 1];
  if (last !== undefined && id.read(last.bytes, 0).compare(new StreamId().read(content, 0)) >= 0)
    return false;
  stream.pieces.nodesLeft--;
  stream.appendNode(node);
  stream.length += node.alive;
  stream.setLastId(stream.lastId);
  return true;
}

function acceptGroup(stream: Stream, bytes: Buffer, start: number, end: number): boolean {
  const { pieces } = stream;
  if (pieces.groupsLeft === 0 || end - start < GROUP_HEAD_BYTES) return false;
  readId(bytes, start, id);
  const at = start + ID_WORDS * WORD_BYTES;
  const name = Buffer.from(bytes.subarray(start + GROUP_HEAD_BYTES, end));
  const group = stream.createGroup(name, id, read64(bytes, at));
  if (group === undefined || group !== stream.groups[stream.groups.length - 1]) return false;
  group.nextConsumerNumber = bytes.readUInt32LE(at + 2 * WORD_BYTES);
  pieces.consumersLeft = bytes.readUInt32LE(at + 3 * WORD_BYTES);
  pieces.pendingLeft = bytes.readUInt32LE(at + 4 * WORD_BYTES);
  pieces.groupsLeft--;
  return true;
}

function acceptConsumer(
  stream: Stream,
  group: StreamGroup,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  if (end - start < CONSUMER_HEAD_BYTES) return false;
  const number = bytes.readUInt32LE(start);
  if (number >= group.nextConsumerNumber) return false;
  const name = Buffer.from(bytes.subarray(start + CONSUMER_HEAD_BYTES, end));
  const consumer = new StreamConsumer(number, name, read64(bytes, start + WORD_BYTES));
  consumer.activeMs = read64(bytes, start + 3 * WORD_BYTES);
  const bytesBefore = group.logicalBytes;
  if (!group.adopt(consumer)) return false;
  stream.settleGroup(group, bytesBefore);
  stream.pieces.consumersLeft--;
  return true;
}

function acceptPending(
  stream: Stream,
  group: StreamGroup,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  const recordBytes = PENDING_WORDS * WORD_BYTES;
  const count = (end - start) / recordBytes;
  if (count !== Math.min(PENDING_A_PIECE, stream.pieces.pendingLeft)) return false;
  const bytesBefore = group.logicalBytes;
  for (let at = start; at < end; at += recordBytes) {
    readId(bytes, at, id);
    const consumer = group.consumerOf(bytes.readUInt32LE(at + PENDING_CONSUMER * WORD_BYTES));
    if (consumer === undefined || group.pending.find(id)) return false;
    const behind = at + (PENDING_CONSUMER + 1) * WORD_BYTES;
    group.assign(id, consumer, read64(bytes, behind), read64(bytes, behind + 2 * WORD_BYTES));
  }
  stream.settleGroup(group, bytesBefore);
  stream.pieces.pendingLeft -= count;
  return true;
}
