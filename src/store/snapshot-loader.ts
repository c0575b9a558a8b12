// Builds a store from the chunks of a snapshot. Chunks come from outside: every length is checked before anything is
// allocated for it, mistakes come back as a code, nothing throws, and memory stays in proportion to what came in.

import type { Keyspace } from "./keyspace.ts";
import { newCollection } from "./new-collection.ts";
import { CollectionAssembly } from "./snapshot-collection.ts";
import * as format from "./snapshot-format.ts";
import { Store } from "./store.ts";
import * as is from "./types.ts";

export type SnapshotError =
  | "short" // fewer bytes than a chunk's header
  | "magic" // not a chunk
  | "version" // of another version of this format
  | "length" // a length that does not fit what came
  | "checksum"
  | "sequence" // a chunk is missing, double or out of place
  | "record" // no such item, type, flag, database or deadline, or not a value of its type
  | "limit" // longer than anything may be
  | "duplicate" // a key came twice
  | "count" // records are missing
  | "incomplete" // no end chunk
  | "afterEnd";

export interface LoaderOptions {
  /** Databases that the snapshot must have; any number if left out. */
  readonly databases?: number;
  /** The access clock that loaded records start with: now, so that none looks idle for years. */
  readonly accessClock?: number;
  readonly lfu?: boolean;
}

export type LoadResult =
  | { readonly ok: true; readonly store: Store; readonly metadata: Buffer }
  | { readonly ok: false; readonly error: SnapshotError };

const TYPES: ReadonlySet<number> = new Set([is.STRING, is.LIST, is.SET, is.ZSET, is.HASH, is.STREAM]);

/** A large record of which some parts came. `content` grows with what came, not with what was promised. */
interface Partial {
  content: Buffer;
  length: number;
  readonly total: number;
  readonly keyLength: number;
  readonly kind: number;
  readonly deadlineMs: number;
  readonly keys: Keyspace;
}

export class SnapshotLoader {
  readonly #options: LoaderOptions;
  #error: SnapshotError | undefined = undefined;
  #store: Store | undefined = undefined;
  #metadata = Buffer.alloc(0);
  #logMs = 0;
  #sequence = 0;
  #ended = false;
  #partial: Partial | undefined = undefined;
  #assembly: CollectionAssembly | undefined = undefined;

  constructor(options: LoaderOptions = {}) {
    this.#options = options;
  }

  /** Takes one whole chunk. After an error every further call gives the same error. */
  accept(chunk: Buffer): SnapshotError | undefined {
    this.#error ??= this.#accept(chunk);
    return this.#error;
  }

  /** The store, if everything came. Its access clocks are new; all else is as it was when the snapshot began. */
  finish(): LoadResult {
    const store = this.#store;
    if (this.#error !== undefined) return { ok: false, error: this.#error };
    if (!this.#ended || store === undefined) return { ok: false, error: "incomplete" };
    store.setTime(this.#logMs, this.#logMs);
    return { ok: true, store, metadata: this.#metadata };
  }

  #accept(chunk: Buffer): SnapshotError | undefined {
    if (chunk.length < format.CHUNK_HEADER_BYTES) return "short";
    const magic = chunk.readUInt32LE(0);
    const isPreamble = magic === format.CHUNK_PREAMBLE;
    if (chunk.length > (isPreamble ? format.PREAMBLE_CHUNK_BYTES_MAX : format.CHUNK_BYTES_MAX))
      return "limit";
    if (magic !== format.CHUNK_PREAMBLE && magic !== format.CHUNK_DATA && magic !== format.CHUNK_END)
      return "magic";
    if (chunk.readUInt32LE(8) !== chunk.length - format.CHUNK_HEADER_BYTES) return "length";
    if (chunk.readUInt32LE(16) !== format.chunkChecksum(chunk)) return "checksum";
    if (this.#ended) return "afterEnd";
    if (chunk.readUInt32LE(4) !== this.#sequence) return "sequence";
    if ((this.#sequence === 0) !== (magic === format.CHUNK_PREAMBLE)) return "sequence";
    this.#sequence++;
    if (magic === format.CHUNK_PREAMBLE) return this.#preamble(chunk);
    const store = this.#store;
    if (store === undefined) return "sequence";
    return magic === format.CHUNK_DATA ? this.#data(chunk, store) : this.#end(chunk, store);
  }

  #preamble(chunk: Buffer): SnapshotError | undefined {
    if (chunk.length < format.CHUNK_HEADER_BYTES + format.PREAMBLE_BYTES) return "length";
    const at = format.CHUNK_HEADER_BYTES;
    if (chunk.readUInt32LE(at) !== format.SNAPSHOT_VERSION) return "version";
    const databases = chunk.readUInt32LE(at + 12);
    if (databases < 1 || databases > format.SNAPSHOT_DATABASES_MAX) return "limit";
    if (this.#options.databases !== undefined && databases !== this.#options.databases) return "limit";
    this.#logMs = chunk.readDoubleLE(at + 16);
    if (!isTime(this.#logMs)) return "record";
    const metadataStart = at + format.PREAMBLE_BYTES;
    if (chunk.readUInt32LE(at + 24) !== chunk.length - metadataStart) return "length";
    this.#metadata = Buffer.from(chunk.subarray(metadataStart));
    // Its time stays 0 while it is loaded, so that no key is dead and every one is counted.
    this.#store = new Store({
      databases,
      hashSeed: [chunk.readUInt32LE(at + 4), chunk.readUInt32LE(at + 8)],
    });
    this.#store.accessClock = this.#options.accessClock ?? 0;
    this.#store.lfu = this.#options.lfu ?? false;
    return undefined;
  }

  #data(chunk: Buffer, store: Store): SnapshotError | undefined {
    let items = chunk.readUInt32LE(12);
    let at = format.CHUNK_HEADER_BYTES;
    for (; items > 0; items--) {
      const tag = at < chunk.length ? chunk[at]! : 0;
      if (tag === format.ITEM_MORE) {
        const error = this.#more(chunk, at + 4);
        if (error !== undefined) return error;
        at += format.ITEM_MORE_HEADER_BYTES + chunk.readUInt32LE(at + 4);
        continue;
      }
      if (tag !== format.ITEM_WHOLE && tag !== format.ITEM_FIRST && tag !== format.ITEM_COLLECTION)
        return "record";
      if (chunk.length - at < format.ITEM_WHOLE_HEADER_BYTES) return "length";
      const keyLength = chunk.readUInt32LE(at + 4);
      const valueLength = chunk.readUInt32LE(at + 8);
      const error = this.#checkRecord(chunk, at, store, keyLength, valueLength);
      if (error !== undefined) return error;
      const keys = store.databases[chunk.readUInt16LE(at + 2)]!;
      const kind = chunk[at + 1]!;
      const deadlineMs = chunk.readDoubleLE(at + 12);
      at += format.ITEM_WHOLE_HEADER_BYTES;
      const total = keyLength + valueLength;
      if (tag === format.ITEM_WHOLE) {
        if (total > chunk.length - at) return "length";
        if (!this.#add(keys, kind, deadlineMs, chunk, at, keyLength, total)) return "duplicate";
        at += total;
      } else {
        if (this.#partial !== undefined || this.#assembly !== undefined) return "sequence";
        if (tag === format.ITEM_COLLECTION) {
          const collection = newCollection(kind & is.TYPE_MASK, [store.hashSeed0, store.hashSeed1]);
          if (collection === undefined) return "record";
          this.#assembly = new CollectionAssembly(keys, kind, deadlineMs, keyLength, valueLength, collection);
        } else {
          this.#partial = { content: Buffer.alloc(0), length: 0, total, keyLength, kind, deadlineMs, keys };
        }
        const partError = this.#more(chunk, at);
        if (partError !== undefined) return partError;
        at += 4 + chunk.readUInt32LE(at);
      }
    }
    return at === chunk.length ? undefined : "length";
  }

  #checkRecord(
    chunk: Buffer,
    at: number,
    store: Store,
    keyLength: number,
    valueLength: number,
  ): SnapshotError | undefined {
    const kind = chunk[at + 1]!;
    const type = kind & is.TYPE_MASK;
    const flags = kind & is.FLAGS_MASK;
    const flagsWanted = chunk[at]! === format.ITEM_COLLECTION ? is.FLAG_OBJECT : 0;
    const isMarked =
      (flags === is.FLAG_RAW && type === is.STRING) || (flags === is.FLAG_INTSET && type === is.SET);
    if (!TYPES.has(type) || (flags !== flagsWanted && (flagsWanted !== 0 || !isMarked))) return "record";
    if (chunk.readUInt16LE(at + 2) >= store.databases.length) return "record";
    const deadlineMs = chunk.readDoubleLE(at + 12);
    if (!isTime(deadlineMs)) return "record";
    return keyLength > is.KEY_BYTES_MAX || valueLength > is.VALUE_BYTES_MAX ? "limit" : undefined;
  }

  /** Takes a part, whose length stands at `at`, of the record under way. */
  #more(chunk: Buffer, at: number): SnapshotError | undefined {
    const partial = this.#partial;
    if (chunk.length - at < 4) return "length";
    const part = chunk.readUInt32LE(at);
    if (part > chunk.length - at - 4) return "length";
    if (this.#assembly !== undefined) return this.#assemble(this.#assembly, chunk, at + 4, at + 4 + part);
    if (partial === undefined) return "sequence";
    if (part > partial.total - partial.length) return "length";
    const length = partial.length + part;
    if (length > partial.content.length) {
      const room = Math.min(partial.total, Math.max(2 * partial.content.length, length));
      const content = Buffer.allocUnsafeSlow(room);
      partial.content.copy(content, 0, 0, partial.length);
      partial.content = content;
    }
    chunk.copy(partial.content, partial.length, at + 4, at + 4 + part);
    partial.length = length;
    if (length < partial.total) return undefined;
    this.#partial = undefined;
    const { keys, kind, deadlineMs, content, keyLength, total } = partial;
    return this.#add(keys, kind, deadlineMs, content, 0, keyLength, total) ? undefined : "duplicate";
  }

  #assemble(
    assembly: CollectionAssembly,
    chunk: Buffer,
    start: number,
    end: number,
  ): SnapshotError | undefined {
    if (!assembly.accept(chunk, start, end)) return "record";
    if (!assembly.isDone) return undefined;
    this.#assembly = undefined;
    return assembly.store() ? undefined : "duplicate";
  }

  /** False: the key is there already. */
  #add(
    keys: Keyspace,
    kind: number,
    deadlineMs: number,
    bytes: Buffer,
    start: number,
    keyLength: number,
    total: number,
  ): boolean {
    const keyEnd = start + keyLength;
    const count = keys.size;
    const handle = keys.putRecord(bytes, start, keyEnd, kind, bytes, keyEnd, start + total, false);
    if (deadlineMs !== 0) keys.setDeadline(handle, deadlineMs);
    return keys.size > count;
  }

  #end(chunk: Buffer, store: Store): SnapshotError | undefined {
    const at = format.CHUNK_HEADER_BYTES;
    const { databases } = store;
    if (chunk.length !== at + 4 + 4 * databases.length || chunk.readUInt32LE(at) !== databases.length)
      return "length";
    if (this.#partial !== undefined || this.#assembly !== undefined) return "incomplete";
    for (const keys of databases) {
      if (chunk.readUInt32LE(at + 4 + 4 * keys.database) !== keys.size) return "count";
    }
    this.#ended = true;
    return undefined;
  }
}

/** Whole milliseconds: commands count with them as with integers. */
function isTime(ms: number): boolean {
  return Number.isInteger(ms) && ms >= 0;
}
