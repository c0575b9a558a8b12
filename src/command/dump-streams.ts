// Streams in dump payloads: nodes as listpacks, what is remembered of entries that are gone, and the groups with all that is
// pending. Everything that is read is checked: a pending entry has one consumer, a node what it says it has.

import { Stream } from "../store/stream.ts";
import type { StreamConsumer, StreamGroup } from "../store/stream-group.ts";
import { halves, ID_BYTES, StreamId, split } from "../store/stream-id.ts";
import { countUpTo } from "../store/stream-lag.ts";
import { fromListpack, toListpack } from "../store/stream-listpack.ts";
import { STREAM } from "../store/types.ts";
import type { DumpReader, DumpWriter } from "./dump-format.ts";
import type { DumpCodec } from "./dump-types.ts";
import { streamOf } from "./stream-replies.ts";

// RDB's numbers: of Redis 5, 7.0 and 7.2.
const FORM_LISTPACKS = 15;
const FORM_LISTPACKS_2 = 19;
const FORM_LISTPACKS_3 = 21;

const id = new StreamId();
const otherId = new StreamId();
const idBytes = Buffer.alloc(ID_BYTES);
const timeBytes = Buffer.alloc(8);

type Integer64 = number | bigint;

export const streamCodec: DumpCodec = {
  type: STREAM,
  forms: [FORM_LISTPACKS, FORM_LISTPACKS_2, FORM_LISTPACKS_3],
  encode(keys, handle, writer) {
    const stream = streamOf(keys, handle);
    writer.byte(FORM_LISTPACKS_2);
    writer.size(stream.nodes.length);
    for (const node of stream.nodes) {
      const listpack = toListpack(node);
      writer.size(ID_BYTES);
      writer.raw(node.bytes, 0, ID_BYTES);
      writer.size(listpack.length);
      writer.raw(listpack, 0, listpack.length);
    }
    writer.size(stream.length);
    writeId(writer, stream.lastId);
    writeId(writer, stream.firstId);
    writeId(writer, stream.maxDeletedId);
    writeLong(writer, stream.entriesAdded);
    writer.size(stream.groups.length);
    for (const group of stream.groups) writeGroup(writer, group);
  },
  decode(form, reader) {
    const stream = readStream(form, reader);
    if (stream === undefined) return undefined;
    return (keys, bytes, start, end) => keys.putCollection(bytes, start, end, STREAM, stream, false);
  },
};

function writeLong(writer: DumpWriter, value: Integer64): void {
  split(value);
  writer.long(halves.high, halves.low);
}

function writeId(writer: DumpWriter, from: StreamId): void {
  writer.long(from.msHigh, from.msLow);
  writer.long(from.seqHigh, from.seqLow);
}

function writeTime(writer: DumpWriter, value: Integer64): void {
  timeBytes.writeBigInt64LE(BigInt(value));
  writer.raw(timeBytes, 0, timeBytes.length);
}

function writeRawId(writer: DumpWriter, words: Uint32Array, at: number): void {
  id.readWords(words, at).write(idBytes, 0);
  writer.raw(idBytes, 0, ID_BYTES);
}

function writeGroup(writer: DumpWriter, group: StreamGroup): void {
  const { name, pending, consumers } = group;
  writer.string(name, 0, name.length);
  writeId(writer, group.lastId);
  writeLong(writer, group.entriesRead);
  writer.size(pending.count);
  for (let more = pending.seekOrdinal(0); more; more = pending.next()) {
    writeRawId(writer, pending.words, pending.at);
    writeTime(writer, group.deliveryMs);
    writeLong(writer, group.deliveryCount);
  }
  writer.size(consumers.length);
  for (const { name: who, seenMs, pending: own } of consumers) {
    writer.string(who, 0, who.length);
    writeTime(writer, seenMs);
    writer.size(own.count);
    for (let more = own.seekOrdinal(0); more; more = own.next()) writeRawId(writer, own.words, own.at);
  }
}

function readStream(form: number, reader: DumpReader): Stream | undefined {
  const stream = new Stream();
  const nodes = reader.size();
  for (let left = nodes ?? -1; left > 0; left--) if (!readNode(stream, reader)) return undefined;
  if (nodes === undefined || reader.long() !== stream.length || !readId(reader, id)) return undefined;
  stream.setLastId(id);
  if (form === FORM_LISTPACKS) {
    stream.entriesAdded = stream.length;
    stream.updateFirstId();
  } else {
    if (!readId(reader, stream.firstId) || !readId(reader, stream.maxDeletedId)) return undefined;
    const added = reader.long();
    if (added === undefined) return undefined;
    stream.entriesAdded = added;
  }
  const groups = reader.size();
  for (let left = groups ?? -1; left > 0; left--) if (!readGroup(stream, form, reader)) return undefined;
  return groups === undefined ? undefined : stream;
}

function readId(reader: DumpReader, into: StreamId): boolean {
  const ms = reader.long();
  const seq = ms === undefined ? undefined : reader.long();
  if (ms === undefined || seq === undefined) return false;
  split(ms);
  into.msHigh = halves.high;
  into.msLow = halves.low;
  split(seq);
  into.seqHigh = halves.high;
  into.seqLow = halves.low;
  return true;
}

function readNode(stream: Stream, reader: DumpReader): boolean {
  const key = reader.string();
  const listpack = key === undefined ? undefined : reader.string();
  const node = key === undefined || listpack === undefined ? undefined : fromListpack(key, listpack);
  if (node === undefined) return false;
  const last = stream.nodes[stream.nodes.length - 1];
  if (last !== undefined && otherId.read(last.bytes, 0).compare(id.read(node.bytes, 0)) >= 0) return false;
  stream.appendNode(node);
  stream.length += node.alive;
  return true;
}

/** When an entry that is pending was delivered last, and how often. */
interface Delivery {
  readonly timeMs: Integer64;
  readonly count: Integer64;
}

function readGroup(stream: Stream, form: number, reader: DumpReader): boolean {
  const name = reader.string();
  if (name === undefined || !readId(reader, id)) return false;
  const entriesRead = form === FORM_LISTPACKS ? countUpTo(stream, id) : reader.long();
  if (entriesRead === undefined) return false;
  const group = stream.createGroup(Buffer.from(name), id, entriesRead);
  const pending = group === undefined ? undefined : readPending(reader);
  const consumers = pending === undefined ? undefined : reader.size();
  if (group === undefined || pending === undefined || consumers === undefined) return false;
  const bytesBefore = group.logicalBytes;
  for (let left = consumers; left > 0; left--) {
    const consumer = readConsumer(group, form, reader);
    if (consumer === undefined || !assignPending(group, consumer, pending, reader)) return false;
  }
  stream.settleGroup(group, bytesBefore);
  return pending.size === 0;
}

/** By id, as latin1 text. */
function readPending(reader: DumpReader): Map<string, Delivery> | undefined {
  const count = reader.size();
  if (count === undefined) return undefined;
  const pending = new Map<string, Delivery>();
  for (let left = count; left > 0; left--) {
    const key = reader.raw(ID_BYTES)?.toString("latin1");
    const timeMs = key === undefined ? undefined : reader.fixed();
    const times = timeMs === undefined ? undefined : reader.long();
    if (key === undefined || timeMs === undefined || times === undefined || pending.has(key))
      return undefined;
    pending.set(key, { timeMs, count: times });
  }
  return pending;
}

function readConsumer(group: StreamGroup, form: number, reader: DumpReader): StreamConsumer | undefined {
  const name = reader.string();
  const seenMs = name === undefined ? undefined : reader.fixed();
  if (name === undefined || seenMs === undefined) return undefined;
  if (group.consumer(name, 0, name.length) !== undefined) return undefined;
  const consumer = group.createConsumer(Buffer.from(name), seenMs);
  const activeMs = form === FORM_LISTPACKS_3 ? reader.fixed() : seenMs;
  if (activeMs === undefined) return undefined;
  consumer.activeMs = activeMs;
  return consumer;
}

/** Gives the consumer what it has pending, and takes that out of `pending`. */
function assignPending(
  group: StreamGroup,
  consumer: StreamConsumer,
  pending: Map<string, Delivery>,
  reader: DumpReader,
): boolean {
  const count = reader.size();
  for (let left = count ?? -1; left > 0; left--) {
    const bytes = reader.raw(ID_BYTES);
    const key = bytes?.toString("latin1") ?? "";
    const delivery = pending.get(key);
    if (bytes === undefined || delivery === undefined) return false;
    pending.delete(key);
    group.assign(id.read(bytes, 0), consumer, delivery.timeMs, delivery.count);
  }
  return count !== undefined;
}
