// A collection on its way through a snapshot: cut into parts that fit chunks, and put together again. The stream is its
// key's bytes, then each piece's length (u32) and bytes; parts end anywhere in it.

import { type Collection, PieceWriter } from "./collection.ts";
import type { Keyspace } from "./keyspace.ts";
import * as format from "./snapshot-format.ts";
import { typeOfKind } from "./types.ts";

const PART_LENGTH_BYTES = 4;

export class CollectionStream {
  /** What its waiting costs. */
  readonly accountedBytes: number;
  readonly #record: format.RecordContent;
  readonly #collection: Collection;
  /** What is to be written next: the key, then one piece after the other. */
  #bytes: Buffer;
  #at = 0;
  #end: number;
  #nextPiece = 0;
  readonly #piece = new PieceWriter();

  /** Freezes the collection until it is sent or release() is called. The record's bytes are copied. */
  constructor(record: format.RecordContent, collection: Collection) {
    collection.frozen = true;
    this.#collection = collection;
    this.#record = { ...record, valueLength: collection.beginPieces() };
    this.#bytes = Buffer.from(record.bytes.subarray(record.start, record.start + record.keyLength));
    this.#end = record.keyLength;
    this.accountedBytes = collection.accountedBytes;
  }

  /** Fills the chunk with one item. True when that was the last. */
  writePart(chunk: format.ChunkWriter, isFirst: boolean): boolean {
    if (isFirst) chunk.itemHeader(format.ITEM_COLLECTION, this.#record);
    else chunk.moreHeader();
    const lengthAt = chunk.position;
    chunk.u32(0);
    let isDone = false;
    while (!isDone && chunk.room > 0) {
      const part = Math.min(chunk.room, this.#end - this.#at);
      chunk.copy(this.#bytes, this.#at, this.#at + part);
      this.#at += part;
      isDone = this.#at === this.#end && !this.#next();
    }
    chunk.bytes.writeUInt32LE(chunk.position - lengthAt - PART_LENGTH_BYTES, lengthAt);
    if (isDone) this.release();
    return isDone;
  }

  /** Nobody reads it any more. */
  release(): void {
    this.#collection.frozen = false;
  }

  #next(): boolean {
    if (this.#nextPiece === this.#record.valueLength) return false;
    const piece = this.#piece;
    piece.begin();
    piece.u32(0);
    this.#collection.writePiece(this.#nextPiece++, piece);
    piece.bytes.writeUInt32LE(piece.length - PART_LENGTH_BYTES, 0);
    this.#bytes = piece.bytes;
    this.#at = 0;
    this.#end = piece.length;
    return true;
  }
}

/** Puts a collection together from its parts. Memory grows with what came, not with what was promised. */
export class CollectionAssembly {
  readonly #keys: Keyspace;
  readonly #kind: number;
  readonly #deadlineMs: number;
  readonly #collection: Collection;
  #key: Buffer | undefined;
  #piecesLeft: number;
  /** Bytes of the key or piece under way. */
  #content = Buffer.alloc(0);
  #length = 0;
  /** How long it will be; of a piece, its length's own bytes included. */
  #wanted: number;

  constructor(
    keys: Keyspace,
    kind: number,
    deadlineMs: number,
    keyLength: number,
    pieces: number,
    collection: Collection,
  ) {
    this.#keys = keys;
    this.#kind = kind;
    this.#deadlineMs = deadlineMs;
    this.#collection = collection;
    this.#piecesLeft = pieces;
    this.#wanted = keyLength;
    if (keyLength === 0) this.#complete();
  }

  get isDone(): boolean {
    return this.#key !== undefined && this.#piecesLeft === 0;
  }

  /** Takes a part; false when it makes no sense. */
  accept(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; ) {
      if (this.isDone) return false;
      const part = Math.min(end - at, this.#wanted - this.#length);
      this.#append(bytes, at, at + part);
      at += part;
      if (this.#length === this.#wanted && !this.#complete()) return false;
    }
    return true;
  }

  /** Stores it. False: the key is there already. */
  store(): boolean {
    const { size } = this.#keys;
    const key = this.#key!;
    const type = typeOfKind(this.#kind);
    const handle = this.#keys.putCollection(key, 0, key.length, type, this.#collection, false);
    if (this.#deadlineMs !== 0) this.#keys.setDeadline(handle, this.#deadlineMs);
    return this.#keys.size > size;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#content.length) {
      const content = Buffer.allocUnsafeSlow(
        Math.min(this.#wanted, Math.max(2 * this.#content.length, length)),
      );
      this.#content.copy(content, 0, 0, this.#length);
      this.#content = content;
    }
    bytes.copy(this.#content, this.#length, start, end);
    this.#length = length;
  }

  #complete(): boolean {
    const content = this.#content;
    if (this.#key === undefined) {
      this.#key = Buffer.from(content.subarray(0, this.#length));
    } else {
      if (this.#wanted === PART_LENGTH_BYTES) {
        // The piece's length is there, its bytes are not.
        this.#wanted += content.readUInt32LE(0);
        if (this.#wanted > PART_LENGTH_BYTES) return true;
      }
      if (!this.#collection.acceptPiece(content, PART_LENGTH_BYTES, this.#length)) return false;
      this.#piecesLeft--;
    }
    this.#length = 0;
    this.#wanted = PART_LENGTH_BYTES;
    return true;
  }
}
