// What a large list, set, sorted set, hash or stream is to the rest of the store: a thing of its own beside the arena, that
// a record refers to by number. It can be read piece by piece for snapshots and digests, and cloned when one of these
// is still reading it and somebody writes. What its elements are is its own business (ADR: docs/adr, collections).

import { fail } from "../base/assert.ts";

/** A piece on its way out: the collection writes, the snapshot or the digest reads bytes[0, length). */
export class PieceWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  length = 0;

  begin(): void {
    this.length = 0;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.length = this.bytes.writeUInt32LE(value, this.length);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  words(source: Uint32Array, start: number, end: number): void {
    this.#reserve(4 * (end - start));
    const { bytes } = this;
    let at = this.length;
    for (let i = start; i < end; i++) at = bytes.writeUInt32LE(source[i]!, at);
    this.length = at;
  }

  copy(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    source.copy(this.bytes, this.length, start, end);
    this.length += end - start;
  }

  /** A length (u32) and the bytes. */
  text(source: Buffer, start: number, end: number): void {
    this.u32(end - start);
    this.copy(source, start, end);
  }

  #reserve(room: number): void {
    if (this.length + room <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + room));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

export interface Collection {
  /** A snapshot is reading it: whoever wants to change it changes a clone. Set by the snapshot. */
  frozen: boolean;
  /** What Keyspace.logicalBytes holds for it. Kept by the Keyspace. */
  accountedBytes: number;
  /** Memory that all replicas agree on: a function of the content, not of history. */
  readonly logicalBytes: number;
  /** OBJECT ENCODING. */
  readonly encoding: string;

  /** Equal now, and free to change while this one is read on and never changed again. Cheap: memory may be shared. */
  clone(): Collection;
  /** Equal, and both free to change (COPY). Linear. */
  copy(): Collection;

  /**
   * The pieces of which the whole is made again, in this order, by a new one's acceptPiece(): a bounded number of bytes
   * each, but for single elements that are large. Equal state gives equal pieces on every replica.
   */
  /** How many there are. Asked before each walk over them; while it lasts nothing changes. */
  beginPieces(): number;
  writePiece(index: number, into: PieceWriter): void;
  /** For a new one: takes the next piece, bytes[start, end). False when it makes no sense. Must not throw. */
  acceptPiece(bytes: Buffer, start: number, end: number): boolean;
}

/** The collections of one database, by number. */
export class CollectionTable {
  readonly #items: (Collection | undefined)[] = [];
  readonly #free: number[] = [];

  get(id: number): Collection {
    const found = this.#items[id];
    if (found === undefined) fail(`no collection ${id} of ${this.#items.length}`);
    return found;
  }

  add(collection: Collection): number {
    const id = this.#free.pop() ?? this.#items.length;
    this.#items[id] = collection;
    return id;
  }

  replace(id: number, by: Collection): void {
    this.#items[id] = by;
  }

  remove(id: number): Collection {
    const found = this.get(id);
    this.#items[id] = undefined;
    this.#free.push(id);
    return found;
  }
}
