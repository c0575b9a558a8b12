// The snapshot stream's bytes, all little endian. One place for writer and loader.
//
//   stream   preamble chunk, data chunks, end chunk
//   chunk    magic u32 | sequence u32 | payload length u32 | items u32 | CRC32C u32 of all the rest | payload
//   preamble version u32 | hash seed 2 x u32 | databases u32 | log time f64 | metadata length u32 | metadata
//   data     items:
//     whole  tag u8 = 1 | kind u8 | database u16 | key length u32 | value length u32 | deadline f64, 0 = none | content
//     first  tag u8 = 2 | ... as above ... | part length u32 | part of the content
//     more   tag u8 = 3 | 0 u8 | 0 u16 | part length u32 | part of the content
//     coll.  tag u8 = 4 | ... as whole; for the value length: the number of pieces ... | part length u32 | part
//   end      databases u32 | for each: records u32
//
// Content is key bytes, then value bytes; of a collection key bytes, then for each piece its length u32 and its bytes
// (collection.ts). Between a first (or collection) and its last part no other may come.

import { copyBytes } from "../base/copy.ts";
import { crc32c } from "../base/crc32c.ts";
import { SNAPSHOT_METADATA_BYTES_MAX } from "../base/limits.ts";
import { SLAB_BYTES_MAX } from "./size-class.ts";

export const SNAPSHOT_VERSION = 2;

export const CHUNK_PREAMBLE = 0x50_53_53_53; // "SSSP"
export const CHUNK_DATA = 0x44_53_53_53; // "SSSD"
export const CHUNK_END = 0x45_53_53_53; // "SSSE"

export const CHUNK_HEADER_BYTES = 20;
export const PREAMBLE_BYTES = 28;

export const ITEM_WHOLE = 1;
export const ITEM_FIRST = 2;
export const ITEM_MORE = 3;
export const ITEM_COLLECTION = 4;
export const ITEM_WHOLE_HEADER_BYTES = 20;
export const ITEM_FIRST_HEADER_BYTES = 24;
export const ITEM_MORE_HEADER_BYTES = 8;

export const CHUNK_BYTES_MIN = 64 * 1024;
export const CHUNK_BYTES_MAX = 1024 * 1024;
/** The preamble is one chunk, however long its metadata is. */
export const METADATA_BYTES_MAX = SNAPSHOT_METADATA_BYTES_MAX;
export const PREAMBLE_CHUNK_BYTES_MAX = METADATA_BYTES_MAX + CHUNK_HEADER_BYTES + PREAMBLE_BYTES;
export const SNAPSHOT_DATABASES_MAX = 65_536;

if (CHUNK_BYTES_MIN < CHUNK_HEADER_BYTES + ITEM_WHOLE_HEADER_BYTES + SLAB_BYTES_MAX) {
  throw new RangeError("a record that is not split must fit in the smallest chunk");
}

/** One record's content, bytes[start, end), and what is said of it. */
export interface RecordContent {
  bytes: Buffer;
  start: number;
  end: number;
  kind: number;
  database: number;
  keyLength: number;
  valueLength: number;
  /** 0 = none. */
  deadlineMs: number;
}

/** One chunk being written. */
export class ChunkWriter {
  readonly bytes: Buffer;
  /** Where the next item goes. */
  position = CHUNK_HEADER_BYTES;
  items = 0;

  /** @param memory used if it has just that capacity; a buffer of its own */
  constructor(capacity: number, memory?: Buffer) {
    this.bytes = memory?.length === capacity ? memory : Buffer.allocUnsafeSlow(capacity);
  }

  get room(): number {
    return this.bytes.length - this.position;
  }

  /** A fixed part of every record: ITEM_WHOLE_HEADER_BYTES. */
  itemHeader(tag: number, record: RecordContent): void {
    const { bytes } = this;
    const at = this.position;
    bytes[at] = tag;
    bytes[at + 1] = record.kind;
    bytes.writeUInt16LE(record.database, at + 2);
    bytes.writeUInt32LE(record.keyLength, at + 4);
    bytes.writeUInt32LE(record.valueLength, at + 8);
    bytes.writeDoubleLE(record.deadlineMs, at + 12);
    this.position = at + ITEM_WHOLE_HEADER_BYTES;
    this.items++;
  }

  moreHeader(): void {
    this.bytes.writeUInt32LE(ITEM_MORE, this.position);
    this.position += 4;
    this.items++;
  }

  u32(value: number): void {
    this.position = this.bytes.writeUInt32LE(value, this.position);
  }

  f64(value: number): void {
    this.position = this.bytes.writeDoubleLE(value, this.position);
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.position = copyBytes(this.bytes, this.position, source, start, end);
  }

  /** Header and checksum; returns the chunk. The writer is spent. */
  seal(magic: number, sequence: number): Buffer {
    const chunk = this.bytes.subarray(0, this.position);
    chunk.writeUInt32LE(magic, 0);
    chunk.writeUInt32LE(sequence, 4);
    chunk.writeUInt32LE(this.position - CHUNK_HEADER_BYTES, 8);
    chunk.writeUInt32LE(this.items, 12);
    chunk.writeUInt32LE(chunkChecksum(chunk), 16);
    return chunk;
  }
}

export function chunkChecksum(chunk: Buffer): number {
  return crc32c(chunk, CHUNK_HEADER_BYTES, chunk.length, crc32c(chunk, 0, 16));
}
