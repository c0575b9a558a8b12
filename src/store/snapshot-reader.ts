// Reads a store, while it changes, as it was at one moment: chunks of bytes out, a bounded piece of work for each.
// Writes tell it beforehand what they are about to change (DESIGN section 9); it never stops or slows them otherwise.

import { assert } from "../base/assert.ts";
import { LARGE_REF } from "./arena.ts";
import { CollectionStream } from "./snapshot-collection.ts";
import * as format from "./snapshot-format.ts";
import { ChunkWriter } from "./snapshot-format.ts";
import { type OldStates, SECTION_END, SnapshotSection } from "./snapshot-section.ts";
import type { Store } from "./store.ts";
import {
  FLAG_OBJECT,
  HEADER_BYTES,
  KIND_MASK,
  WORD_DEADLINE,
  WORD_KEY_LENGTH,
  WORD_META,
  WORD_VALUE_LENGTH,
} from "./types.ts";

/** Slots that one chunk's walk may look at; a store of mostly empty or sent slots takes more, emptier chunks. */
const SLOTS_PER_CHUNK_MAX = 65_536;

export class SnapshotReader implements OldStates {
  /** Nothing more comes, and the store can begin another snapshot. */
  done = false;
  /** Bytes of old states that wait to be sent because writes came before the walk. Abort if it gets too much. */
  queuedBytes = 0;

  readonly #sections: SnapshotSection[] = [];
  readonly #databases: number;
  readonly #preamble: ChunkWriter;
  #preambleSent = false;
  #walking = 0;
  #sequence = 0;
  /** The large record whose first part went out and whose last did not. */
  #large: format.RecordContent | undefined = undefined;
  /** Large records that wait, by reference: their buffers are their own, and protect() copies before they change. */
  readonly #largeQueue = new Map<Buffer, format.RecordContent>();
  /** The collection of which some parts went out, and those that wait. They are frozen until they are sent. */
  #stream: CollectionStream | undefined = undefined;
  readonly #streams: CollectionStream[] = [];
  /** Old states of small records, in chunks without their headers. */
  readonly #aside: ChunkWriter[] = [];

  /** Made by Store.beginSnapshot. `metadata` comes back from the loader as it is. */
  constructor(store: Store, metadata: Uint8Array) {
    assert(metadata.length <= format.METADATA_BYTES_MAX, `snapshot metadata of ${metadata.length} bytes`);
    this.#databases = store.databases.length;
    for (const keys of store.databases) {
      if (keys.size > 0) this.#sections.push(new SnapshotSection(keys, this));
    }
    const preamble = new ChunkWriter(format.CHUNK_HEADER_BYTES + format.PREAMBLE_BYTES + metadata.length);
    preamble.u32(format.SNAPSHOT_VERSION);
    preamble.u32(store.hashSeed0 >>> 0);
    preamble.u32(store.hashSeed1 >>> 0);
    preamble.u32(this.#databases);
    preamble.f64(store.logMs);
    preamble.u32(metadata.length);
    preamble.copy(metadata, 0, metadata.length);
    this.#preamble = preamble;
  }

  /**
   * The next chunk, about `maxBytes` (64 KiB to 1 MiB) or less, yours to keep; undefined when all were given.
   * @param memory whole, of a chunk that is not needed any more: may become this one's. Memory that is new to the process costs
   * more than what is copied into it.
   */
  next(maxBytes: number, memory?: Buffer): Buffer | undefined {
    if (this.done) return undefined;
    const capacity = Math.max(format.CHUNK_BYTES_MIN, Math.min(maxBytes, format.CHUNK_BYTES_MAX));
    if (!this.#preambleSent) {
      this.#preambleSent = true;
      return this.#preamble.seal(format.CHUNK_PREAMBLE, this.#sequence++);
    }
    const data =
      this.#collectionPart(capacity, memory) ??
      this.#largePart(capacity, memory) ??
      this.#oldStates() ??
      this.#walk(capacity, memory);
    return data !== undefined ? data.seal(format.CHUNK_DATA, this.#sequence++) : this.#end();
  }

  /** Breaks off. Costs next to nothing; the store is as if there had been no snapshot. */
  abort(): void {
    this.done = true;
    for (const section of this.#sections) section.detach();
    this.#sections.length = 0;
    this.#aside.length = 0;
    this.#largeQueue.clear();
    this.#large = undefined;
    this.#stream?.release();
    for (const stream of this.#streams) stream.release();
    this.#stream = undefined;
    this.#streams.length = 0;
    this.queuedBytes = 0;
  }

  keep(section: SnapshotSection, ref: number): void {
    if (isCollection(section, ref)) {
      this.#queueCollection(section, ref);
      return;
    }
    if (ref >= LARGE_REF) {
      this.#queueLarge(section, ref);
      return;
    }
    let chunk = this.#aside.at(-1);
    const before = chunk?.position ?? 0;
    if (chunk === undefined || !this.#write(chunk, section, ref)) {
      chunk = new ChunkWriter(format.CHUNK_BYTES_MIN);
      this.#aside.push(chunk);
      this.#write(chunk, section, ref);
      this.queuedBytes += chunk.position;
    } else {
      this.queuedBytes += chunk.position - before;
    }
  }

  protect(bytes: Buffer): void {
    const queued = this.#largeQueue.get(bytes);
    const large = queued ?? this.#large;
    if (large === undefined || large.bytes !== bytes) return;
    const copy = Buffer.allocUnsafeSlow(large.end - large.start);
    bytes.copy(copy, 0, large.start, large.end);
    large.bytes = copy;
    large.start = 0;
    large.end = copy.length;
    if (queued === undefined) return;
    this.#largeQueue.delete(bytes);
    this.#largeQueue.set(copy, queued);
  }

  #oldStates(): ChunkWriter | undefined {
    const chunk = this.#aside.shift();
    if (chunk !== undefined) this.queuedBytes -= chunk.position;
    return chunk;
  }

  /** Undefined when every section is done. A chunk may come out empty: then the work for it was bounded by slots. */
  #walk(capacity: number, memory: Buffer | undefined): ChunkWriter | undefined {
    const chunk = new ChunkWriter(capacity, memory);
    for (; this.#walking < this.#sections.length; this.#walking++) {
      const section = this.#sections[this.#walking]!;
      if (!this.#walkSection(section, chunk))
        return chunk.items > 0
          ? chunk
          : (this.#collectionPart(capacity, memory) ?? this.#largePart(capacity, memory) ?? chunk);
      assert(
        section.sent === section.count,
        `snapshot of database ${section.database}: ${section.sent} of ${section.count} records`,
      );
    }
    return chunk.items > 0 ? chunk : undefined;
  }

  /** True if it came to the section's end, false if the chunk is full or had its share of slots. */
  #walkSection(section: SnapshotSection, chunk: ChunkWriter): boolean {
    const { index } = section;
    const slotsEnd = index.walkedSlots + SLOTS_PER_CHUNK_MAX;
    let hashBefore = 0;
    for (index.walkFrom(section.position); index.walkHash !== 0; index.walkNext()) {
      const hash = index.walkHash;
      const ref = index.walkRef;
      if (hash !== hashBefore && index.walkedSlots > slotsEnd) {
        section.position = hash;
        return false;
      }
      hashBefore = hash;
      if (section.isMarked(ref)) continue;
      const isLarge = ref >= LARGE_REF || isCollection(section, ref);
      if (!isLarge && this.#write(chunk, section, ref)) continue;
      if (isLarge && chunk.items === 0) {
        section.mark(ref);
        if (isCollection(section, ref)) this.#queueCollection(section, ref);
        else this.#queueLarge(section, ref);
      }
      section.position = hash;
      // The walk goes on at this hash; what was sent of it already is not sent again.
      for (index.walkFrom(hash); index.walkRef !== ref; index.walkNext()) section.mark(index.walkRef);
      return false;
    }
    section.position = SECTION_END;
    return true;
  }

  /** Appends a small record. False: no room for it. */
  #write(chunk: ChunkWriter, section: SnapshotSection, ref: number): boolean {
    const record = this.#locate(section, ref);
    if (chunk.room < format.ITEM_WHOLE_HEADER_BYTES + record.end - record.start) return false;
    chunk.itemHeader(format.ITEM_WHOLE, record);
    chunk.copy(record.bytes, record.start, record.end);
    section.sent++;
    return true;
  }

  /** The one reused description of a record, for #write. */
  readonly #located: format.RecordContent = {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    kind: 0,
    database: 0,
    keyLength: 0,
    valueLength: 0,
    deadlineMs: 0,
  };

  #locate(section: SnapshotSection, ref: number): format.RecordContent {
    const { arena } = section;
    arena.locate(ref);
    const { words } = arena;
    const word = arena.at >>> 2;
    const position = words[word + WORD_DEADLINE]!;
    const record = this.#located;
    record.kind = words[word + WORD_META]! & KIND_MASK;
    record.database = section.database;
    record.keyLength = words[word + WORD_KEY_LENGTH]!;
    record.valueLength = words[word + WORD_VALUE_LENGTH]!;
    record.deadlineMs = position === 0 ? 0 : section.deadlines.deadlineAt(position - 1);
    record.bytes = arena.bytes;
    record.start = arena.at + HEADER_BYTES;
    record.end = record.start + record.keyLength + record.valueLength;
    return record;
  }

  #queueLarge(section: SnapshotSection, ref: number): void {
    const record = { ...this.#locate(section, ref) };
    this.#largeQueue.set(record.bytes, record);
    this.queuedBytes += record.end - record.start;
    section.sent++;
  }

  #queueCollection(section: SnapshotSection, ref: number): void {
    const record = this.#locate(section, ref);
    const valueStart = record.start + record.keyLength;
    const collection = section.collections.get(record.bytes.readUInt32LE(valueStart));
    const stream = new CollectionStream(record, collection);
    this.#streams.push(stream);
    this.queuedBytes += stream.accountedBytes;
    section.sent++;
  }

  /** The next part of the collection being sent, or of the next one waiting. Not while a large record is half sent. */
  #collectionPart(capacity: number, memory: Buffer | undefined): ChunkWriter | undefined {
    if (this.#large !== undefined) return undefined;
    const stream = this.#stream ?? this.#streams.shift();
    if (stream === undefined) return undefined;
    const chunk = new ChunkWriter(capacity, memory);
    if (stream.writePart(chunk, this.#stream === undefined)) {
      this.#stream = undefined;
      this.queuedBytes -= stream.accountedBytes;
    } else {
      this.#stream = stream;
    }
    return chunk;
  }

  /** The next part of the large record being sent, or of the next one waiting. */
  #largePart(capacity: number, memory: Buffer | undefined): ChunkWriter | undefined {
    let large = this.#large;
    if (large === undefined && this.#largeQueue.size === 0) return undefined;
    const chunk = new ChunkWriter(capacity, memory);
    if (large === undefined) {
      for (const [bytes, first] of this.#largeQueue) {
        this.#largeQueue.delete(bytes);
        large = first;
        break;
      }
      if (large === undefined) return undefined;
      this.#large = large;
      chunk.itemHeader(format.ITEM_FIRST, large);
    } else {
      chunk.moreHeader();
    }
    const part = Math.min(chunk.room - 4, large.end - large.start);
    chunk.u32(part);
    chunk.copy(large.bytes, large.start, large.start + part);
    large.start += part;
    this.queuedBytes -= part;
    if (large.start === large.end) this.#large = undefined;
    return chunk;
  }

  #end(): Buffer {
    const counts = new Array<number>(this.#databases).fill(0);
    for (const section of this.#sections) counts[section.database] = section.count;
    const chunk = new ChunkWriter(format.CHUNK_HEADER_BYTES + 4 + 4 * counts.length);
    chunk.u32(counts.length);
    for (const count of counts) chunk.u32(count);
    this.abort();
    return chunk.seal(format.CHUNK_END, this.#sequence++);
  }
}

function isCollection({ arena }: SnapshotSection, ref: number): boolean {
  arena.locate(ref);
  return (arena.words[(arena.at >>> 2) + WORD_META]! & FLAG_OBJECT) !== 0;
}
