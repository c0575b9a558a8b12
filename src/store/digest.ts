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
/** Of a longer value a step takes one part of this length. */
const PART_BYTES = 64 << 10;

/** Another 32 bits for every pair: MurmurHash3's last steps. */
function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

export class ContentDigest {
  /** So many were added. */
  records = 0;
  #low = 0;
  #high = 0;
  readonly #piece = new PieceWriter();

  /**
   * Adds one record: database, type, deadline, key and value, and their lengths. Not: encoding, access clock.
   * @param part of a large value only this one, counted round and round; undefined: all of it
   */
  add(keys: Keyspace, ref: number, part?: number): void {
    this.records++;
    const deadlineMs = keys.deadlineOf(ref);
    const { arena } = keys;
    arena.locate(ref);
    const bytes = arena.bytes;
    const word = arena.at >>> 2;
    const keyLength = arena.words[word + WORD_KEY_LENGTH]!;
    const valueLength = arena.words[word + WORD_VALUE_LENGTH]!;
    const type = arena.words[word + WORD_META]! & TYPE_MASK;
    // Lengths are in it, so key and value can be hashed as one; the value's of a collection is always 4.
    const kind = mix(mix(mix(type, keys.database), keyLength), valueLength);
    const head = mix(mix(kind, deadlineMs >>> 0), Math.floor(deadlineMs / 2 ** 32));
    const keyStart = arena.at + HEADER_BYTES;
    const valueStart = keyStart + keyLength;
    const isLarge = (arena.words[word + WORD_META]! & FLAG_OBJECT) !== 0;
    const collection = isLarge ? keys.collections.get(bytes.readUInt32LE(valueStart)) : undefined;
    let laneStart = keyStart;
    let laneEnd = collection === undefined ? valueStart + valueLength : valueStart;
    let low = mix(LOW[0], head);
    let high = mix(HIGH[0], head);
    if (part !== undefined && laneEnd - valueStart > PART_BYTES) {
      low = hashKey(bytes, keyStart, valueStart, low, LOW[1]);
      high = hashKey(bytes, keyStart, valueStart, high, HIGH[1]);
      laneStart = valueStart + PART_BYTES * (part % Math.ceil(valueLength / PART_BYTES));
      laneEnd = Math.min(laneEnd, laneStart + PART_BYTES);
    }
    low = hashKey(bytes, laneStart, laneEnd, low, LOW[1]);
    high = hashKey(bytes, laneStart, laneEnd, high, HIGH[1]);
    if (collection === undefined) this.#sum(low, high);
    else this.#addPieces(collection, low, high, part);
  }

  /** Adds something of the state that is no record. */
  addText(text: Buffer): void {
    this.#sum(hashKey(text, 0, text.length, LOW[0], LOW[1]), hashKey(text, 0, text.length, HIGH[0], HIGH[1]));
  }

  #sum(low: number, high: number): void {
    this.#low = (this.#low + low) >>> 0;
    this.#high = (this.#high + high) >>> 0;
  }

  /** Both chains go on over a collection's pieces, in their order, or over the one that is wanted. */
  #addPieces(collection: Collection, low: number, high: number, part: number | undefined): void {
    const piece = this.#piece;
    const pieceCount = collection.beginPieces();
    const first = part === undefined || pieceCount === 0 ? 0 : part % pieceCount;
    const end = part === undefined ? pieceCount : Math.min(first + 1, pieceCount);
    for (let i = first; i < end; i++) {
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
export function digestStep(
  keys: Keyspace,
  from: number,
  count: number,
  digest: ContentDigest,
  part?: number,
): number {
  const { index } = keys;
  let seen = 0;
  let hashBefore = 0;
  for (index.walkFrom(from); index.walkHash !== 0; index.walkNext()) {
    if (seen >= count && index.walkHash !== hashBefore) return index.walkHash;
    hashBefore = index.walkHash;
    seen++;
    digest.add(keys, index.walkRef, part);
  }
  return 0;
}
