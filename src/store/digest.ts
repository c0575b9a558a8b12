// A digest of content: a sum over records, so neither order nor history counts, and parts can be compared alone.
// Two replicas that differ in any key, type, value or deadline differ in it (but for a chance of 2^-64). It is no
// defence against somebody who wants two contents of one digest.

import { type Collection, PieceWriter } from "./collection.ts";
import { hashKey } from "./hash.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  FLAG_OBJECT,
  HEADER_BYTES,
  TYPE_MASK,
  WORD_KEY_LENGTH,
  WORD_META,
  WORD_VALUE_LENGTH,
} from "./types.ts";

/** Two lanes of 32 bits, told apart by their starting keys (digits of pi: nothing up the sleeve). */
const LOW = [0x243f6a88, 0x85a308d3] as const;
const HIGH = [0x13198a2e, 0x03707344] as const;
const HEAD_BYTES = 24;

export class ContentDigest {
  #low = 0;
  #high = 0;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  readonly #piece = new PieceWriter();

  /** Adds one record: database, type, deadline, key and value, and their lengths. Not: encoding, access clock. */
  add(keys: Keyspace, ref: number): void {
    const deadlineMs = keys.deadlineOf(ref);
    const { arena } = keys;
    arena.locate(ref);
    const bytes = arena.bytes;
    const word = arena.at >>> 2;
    const keyLength = arena.words[word + WORD_KEY_LENGTH]!;
    const valueLength = arena.words[word + WORD_VALUE_LENGTH]!;
    const head = this.#head;
    head.writeUInt32LE(keys.database, 0);
    head.writeUInt32LE(arena.words[word + WORD_META]! & TYPE_MASK, 4);
    head.writeUInt32LE(keyLength, 8);
    head.writeUInt32LE(valueLength, 12); // of a collection always 4
    head.writeDoubleLE(deadlineMs, 16);
    const keyStart = arena.at + HEADER_BYTES;
    const valueStart = keyStart + keyLength;
    const isLarge = (arena.words[word + WORD_META]! & FLAG_OBJECT) !== 0;
    const collection = isLarge ? keys.collections.get(bytes.readUInt32LE(valueStart)) : undefined;
    const valueEnd = valueStart + valueLength;
    const laneEnd = collection === undefined ? valueEnd : valueStart;
    const low = this.#lane(LOW[0], LOW[1], bytes, keyStart, valueStart, laneEnd);
    const high = this.#lane(HIGH[0], HIGH[1], bytes, keyStart, valueStart, laneEnd);
    if (collection === undefined) this.#sum(low, high);
    else this.#addPieces(collection, low, high);
  }

  #sum(low: number, high: number): void {
    this.#low = (this.#low + low) >>> 0;
    this.#high = (this.#high + high) >>> 0;
  }

  /** A chain: each hash is keyed with the one before. */
  #lane(a: number, b: number, bytes: Buffer, keyStart: number, valueStart: number, valueEnd: number): number {
    const head = hashKey(this.#head, 0, HEAD_BYTES, a, b);
    const key = hashKey(bytes, keyStart, valueStart, head, b);
    return hashKey(bytes, valueStart, valueEnd, key, head);
  }

  /** Both chains go on over a collection's pieces, in their order. */
  #addPieces(collection: Collection, low: number, high: number): void {
    const piece = this.#piece;
    for (let i = 0; i < collection.pieceCount; i++) {
      piece.begin();
      collection.writePiece(i, piece);
      low = hashKey(piece.bytes, 0, piece.length, low, LOW[1]);
      high = hashKey(piece.bytes, 0, piece.length, high, HIGH[1]);
    }
    this.#sum(low, high);
  }

  /** 16 hexadecimal digits. */
  text(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0");
  }
}

/**
 * Adds about `count` records of a database, in hash order from the hash `from` (0 to start) on, dead ones included.
 * Returns the next hash, 0 at the end. Replicas that take the same steps at the same log indexes get the same digests,
 * so a whole store is compared without ever being read at once.
 */
export function digestStep(keys: Keyspace, from: number, count: number, digest: ContentDigest): number {
  const { index } = keys;
  let seen = 0;
  let hashBefore = 0;
  for (index.walkFrom(from); index.walkHash !== 0; index.walkNext()) {
    if (seen >= count && index.walkHash !== hashBefore) return index.walkHash;
    hashBefore = index.walkHash;
    seen++;
    digest.add(keys, index.walkRef);
  }
  return 0;
}
