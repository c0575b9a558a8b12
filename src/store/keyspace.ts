// One logical database: keys and values as byte ranges in, record handles and byte ranges out. This half of it makes all
// changes; keyspace-reads.ts has the rest. It decides nothing by itself, and keeps no slice of what it is given.

import { fail } from "../base/assert.ts";
import { copyBytes } from "../base/copy.ts";
import { LFU_COUNTER_INITIAL, newLfuClock } from "./access.ts";
import { Arena } from "./arena.ts";
import { type Collection, CollectionTable } from "./collection.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import { EVENT_EXPIRED, EVENT_NEW } from "./events.ts";
import { HashIndex } from "./hash-index.ts";
import { KeyspaceReads } from "./keyspace-reads.ts";
import { clearBytes } from "./record.ts";
import { roundToClass, sizeClassOf } from "./size-class.ts";
import type { StoreState } from "./state.ts";
import * as is from "./types.ts";

/** Told of changes while a snapshot is being read; see snapshot-section.ts. */
export interface ChangeListener {
  /** The record is about to change or to go. */
  beforeChange(hash: number, ref: number): void;
  /** The record's value bytes are about to be overwritten where they are. */
  beforeWrite(ref: number): void;
  /** The record is new, or moved here after a change. */
  born(hash: number, ref: number): void;
}

export { type Visit, WARM_KEYS_MAX } from "./keyspace-reads.ts";

const NO_BYTES = Buffer.alloc(0);
/** A collection's number, on its way into a record. */
const idBytes = Buffer.alloc(4);

export class Keyspace extends KeyspaceReads {
  /** The snapshot being read, if any, that this database still belongs to. */
  listener: ChangeListener | undefined = undefined;

  /** Inserts or overwrites, whatever type was there; the deadline goes unless kept. Returns the handle. */
  setString(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    bytes: Buffer,
    start: number,
    end: number,
    keepDeadline: boolean,
  ): number {
    return this.putRecord(keyBytes, keyStart, keyEnd, is.STRING, bytes, start, end, keepDeadline);
  }

  /** setString for any kind (type and flags): for values that are compact in the record. */
  putRecord(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    kind: number,
    bytes: Buffer,
    start: number,
    end: number,
    keepDeadline: boolean,
  ): number {
    const hash = this.hash(keyBytes, keyStart, keyEnd);
    let ref = this.#searchForWrite(hash, keyBytes, keyStart, keyEnd);
    if (ref === 0) {
      ref = this.#create(hash, keyBytes, keyStart, keyEnd, kind, end - start);
    } else {
      if (!keepDeadline && this.arena.words[(this.arena.at >>> 2) + is.WORD_DEADLINE] !== 0) {
        this.#forgetDeadline(ref);
        this.arena.locate(ref);
      }
      this.#dropCollection(ref);
      ref = this.#reshape(hash, ref, kind, end - start, 0);
    }
    const { state } = this;
    state.changes++;
    if (state.watcher !== undefined) state.watcher.touched(this.database, hash, keyBytes, keyStart, keyEnd);
    this.exposeValue();
    copyBytes(this.valueBytes, this.valueStart, bytes, start, end);
    return ref;
  }

  /**
   * Creates the string or changes its length: what grows is zero, the deadline stays, the encoding becomes raw.
   * Then valueBytes[valueStart, valueEnd) may be written to until the next call. Not for other types.
   * @param isSilent the caller does not know yet whether anything will change, and calls announce() if it does
   */
  resizeString(keyBytes: Buffer, keyStart: number, keyEnd: number, length: number, isSilent = false): number {
    const hash = this.hash(keyBytes, keyStart, keyEnd);
    const kind = is.STRING | is.FLAG_RAW;
    let ref = this.#searchForWrite(hash, keyBytes, keyStart, keyEnd);
    let kept = 0;
    if (ref === 0) {
      ref = this.#create(hash, keyBytes, keyStart, keyEnd, kind, length);
    } else {
      const type = this.typeOf(ref);
      if (type !== is.STRING) fail(`resizeString of type ${type}`);
      kept = Math.min(length, this.word(ref, is.WORD_VALUE_LENGTH));
      ref = this.#reshape(hash, ref, kind, length, kept);
    }
    if (!isSilent) {
      const { state } = this;
      state.changes++;
      if (state.watcher !== undefined) state.watcher.touched(this.database, hash, keyBytes, keyStart, keyEnd);
    }
    this.exposeValue();
    clearBytes(this.valueBytes, this.valueStart + kept, this.valueEnd);
    return ref;
  }

  /** The ref of an alive key, about to be changed and located, or 0 with the index ready to insert. Reclaims a dead one. */
  #searchForWrite(hash: number, bytes: Buffer, start: number, end: number): number {
    const ref = this.index.search(hash, bytes, start, end);
    if (ref === 0) return 0;
    const position = this.arena.words[(this.arena.at >>> 2) + is.WORD_DEADLINE]!;
    if (position !== 0 && this.deadlines.deadlineAt(position - 1) <= this.state.logMs) {
      this.#expire(hash, ref);
      return this.index.search(hash, bytes, start, end);
    }
    if (this.listener !== undefined) {
      this.listener.beforeChange(hash, ref);
      this.arena.locate(ref);
    }
    return ref;
  }

  /** Gives the key a collection, over whatever is there; the deadline goes unless kept. Returns the handle. */
  putCollection(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    type: is.ValueType,
    collection: Collection,
    keepDeadline: boolean,
  ): number {
    // The record first: what was there before may be a collection, whose number is free again then.
    const kind = type | is.FLAG_OBJECT;
    const handle = this.putRecord(keyBytes, keyStart, keyEnd, kind, idBytes, 0, idBytes.length, keepDeadline);
    this.valueBytes.writeUInt32LE(this.collections.add(collection), this.valueStart);
    collection.accountedBytes = 0;
    this.settle(collection);
    return handle;
  }

  /**
   * The collection of a record with FLAG_OBJECT, to be changed: the snapshot under way keeps what it was. After the
   * change call settle(), and remove the key if nothing is left in it. The handle stays good.
   * @param isSilent those who watch the key are not told (what Redis does not call a modification)
   */
  collectionForWrite(handle: number, isSilent = false): Collection {
    if (this.listener !== undefined) this.listener.beforeChange(this.hashOf(handle), handle);
    if (!isSilent) this.announce(handle);
    const id = this.collectionIdOf(handle);
    const found = this.collections.get(id);
    if (!found.frozen) return found;
    const clone = found.clone();
    clone.accountedBytes = found.accountedBytes;
    this.collections.replace(id, clone);
    return clone;
  }

  /** Accounts for a collection's change. */
  settle(collection: Collection): void {
    this.logicalBytes += collection.logicalBytes - collection.accountedBytes;
    collection.accountedBytes = collection.logicalBytes;
  }

  /** The record's kind is about to change, or the record to go: a collection it refers to goes with it. */
  #dropCollection(ref: number): void {
    if ((this.word(ref, is.WORD_META) & is.FLAG_OBJECT) === 0) return;
    this.logicalBytes -= this.collections.remove(this.collectionIdOf(ref)).accountedBytes;
    this.arena.locate(ref);
  }

  /** Makes a record where the last search ended, and locates it. Its value bytes are undefined. */
  #create(
    hash: number,
    bytes: Buffer,
    start: number,
    end: number,
    kind: number,
    valueLength: number,
  ): number {
    const keyLength = end - start;
    if (keyLength > is.KEY_BYTES_MAX) fail(`key of ${keyLength} bytes`);
    if (valueLength > is.VALUE_BYTES_MAX) fail(`value of ${valueLength} bytes`);
    const arena = this.arena;
    const recordBytes = is.HEADER_BYTES + keyLength + valueLength;
    const ref = arena.allocate(recordBytes);
    const words = arena.words;
    const word = arena.at >>> 2;
    words[word + is.WORD_META] = kind | (newAccessClock(this.state) << is.CLOCK_SHIFT);
    words[word + is.WORD_KEY_LENGTH] = keyLength;
    words[word + is.WORD_VALUE_LENGTH] = valueLength;
    words[word + is.WORD_DEADLINE] = 0;
    copyBytes(arena.bytes, arena.at + is.HEADER_BYTES, bytes, start, end);
    this.index.insert(hash, ref);
    this.logicalBytes += roundToClass(recordBytes) + is.SLOT_LOGICAL_BYTES;
    if (this.listener !== undefined) this.listener.born(hash, ref);
    this.notify(EVENT_NEW, "new", bytes, start, end);
    return ref;
  }

  /** Gives the located record, found by the last search, another kind and length; keeps the first `kept` value bytes. */
  #reshape(hash: number, ref: number, kind: number, valueLength: number, kept: number): number {
    if (valueLength > is.VALUE_BYTES_MAX) fail(`value of ${valueLength} bytes`);
    const arena = this.arena;
    const words = arena.words;
    const word = arena.at >>> 2;
    const state = this.state;
    const keyLength = words[word + is.WORD_KEY_LENGTH]!;
    const bytesBefore = is.HEADER_BYTES + keyLength + words[word + is.WORD_VALUE_LENGTH]!;
    const bytesAfter = is.HEADER_BYTES + keyLength + valueLength;
    // Redis keeps the counter of an overwritten key.
    const clock = state.lfu ? words[word]! >>> is.CLOCK_SHIFT : state.accessClock;
    const meta = kind | (clock << is.CLOCK_SHIFT);
    if (bytesBefore === bytesAfter || sizeClassOf(bytesBefore) === sizeClassOf(bytesAfter)) {
      if (this.listener !== undefined) this.listener.beforeWrite(ref);
      words[word + is.WORD_META] = meta;
      words[word + is.WORD_VALUE_LENGTH] = valueLength;
      return ref;
    }
    const bytes = arena.bytes;
    const at = arena.at;
    const position = words[word + is.WORD_DEADLINE]!;
    const moved = arena.allocate(bytesAfter);
    const movedWord = arena.at >>> 2;
    arena.words[movedWord + is.WORD_META] = meta;
    arena.words[movedWord + is.WORD_KEY_LENGTH] = keyLength;
    arena.words[movedWord + is.WORD_VALUE_LENGTH] = valueLength;
    arena.words[movedWord + is.WORD_DEADLINE] = position;
    const start = at + is.HEADER_BYTES;
    copyBytes(arena.bytes, arena.at + is.HEADER_BYTES, bytes, start, start + keyLength + kept);
    this.index.replace(hash, moved);
    if (position !== 0) this.deadlines.replace(position - 1, moved);
    this.logicalBytes += roundToClass(bytesAfter) - roundToClass(bytesBefore);
    arena.free(ref);
    arena.locate(moved);
    if (this.listener !== undefined) this.listener.born(hash, moved);
    return moved;
  }

  /** Sets or changes a deadline, in ms of cluster time. The handle stays good. */
  setDeadline(handle: number, deadlineMs: number): void {
    if (!(deadlineMs > 0 && deadlineMs < Infinity)) fail(`a deadline of ${deadlineMs} ms`);
    const hash = this.hashOf(handle);
    if (this.listener !== undefined) this.listener.beforeChange(hash, handle);
    this.#changed(hash, handle);
    const position = this.word(handle, is.WORD_DEADLINE);
    if (position !== 0) {
      this.deadlines.update(position - 1, deadlineMs);
    } else {
      this.deadlines.push(deadlineMs, hash, handle);
      this.logicalBytes += is.DEADLINE_LOGICAL_BYTES;
    }
  }

  /** True if there was a deadline. The handle stays good. */
  clearDeadline(handle: number): boolean {
    if (this.word(handle, is.WORD_DEADLINE) === 0) return false;
    if (this.listener !== undefined) this.listener.beforeChange(this.hashOf(handle), handle);
    this.announce(handle);
    this.#forgetDeadline(handle);
    return true;
  }

  /** Who watches the key, or waits for it, is to hear of a change: of a silent one, or of one that leaves everything as it was. */
  announce(handle: number): void {
    this.state.changes++;
    if (this.state.watcher !== undefined) this.#touched(this.hashOf(handle), handle);
  }

  /** announce() for a key that was there for no moment. */
  announceKey(bytes: Buffer, start: number, end: number): void {
    this.state.changes++;
    this.state.watcher?.touched(this.database, this.hash(bytes, start, end), bytes, start, end);
  }

  /** Who waits for the key, and does not only watch it, is to hear of a silent change. */
  announceToWaiters(handle: number): void {
    const { watcher } = this.state;
    if (watcher === undefined) return;
    const hash = this.hashOf(handle);
    this.keyRange(handle);
    watcher.reduced(this.database, hash, this.keyBytes, this.keyStart, this.keyEnd);
  }

  /** announce() where the hash is known. */
  #changed(hash: number, ref: number): void {
    this.state.changes++;
    if (this.state.watcher !== undefined) this.#touched(hash, ref);
  }

  /** Tells the watcher of a change of the record's key. */
  #touched(hash: number, ref: number): void {
    this.keyRange(ref);
    this.state.watcher?.touched(this.database, hash, this.keyBytes, this.keyStart, this.keyEnd);
  }

  #forgetDeadline(ref: number): void {
    const position = this.word(ref, is.WORD_DEADLINE);
    if (position === 0) return;
    this.arena.words[(this.arena.at >>> 2) + is.WORD_DEADLINE] = 0;
    this.deadlines.remove(position - 1);
    this.logicalBytes -= is.DEADLINE_LOGICAL_BYTES;
  }

  /** True if the key was there and alive. A dead one is reclaimed. */
  remove(bytes: Buffer, start: number, end: number): boolean {
    const hash = this.hash(bytes, start, end);
    const ref = this.#searchForWrite(hash, bytes, start, end);
    if (ref === 0) return false;
    this.#drop(hash, ref);
    return true;
  }

  /** Removes the record that the last search found. The one place where a record's memory goes for good. */
  #drop(hash: number, ref: number): void {
    this.#changed(hash, ref);
    this.#forgetDeadline(ref);
    this.#dropCollection(ref);
    this.logicalBytes -= roundToClass(this.recordBytes(ref)) + is.SLOT_LOGICAL_BYTES;
    this.index.remove(hash);
    this.arena.free(ref);
  }

  /** Removes the dead record that the last search found. */
  #expire(hash: number, ref: number): void {
    const state = this.state;
    state.expiredKeys++;
    if (state.onExpired !== undefined) {
      this.keyRange(ref);
      state.onExpired(this.database, this.keyBytes, this.keyStart, this.keyEnd);
      this.index.searchRef(hash, ref); // the hook may have searched for something else
    }
    if ((state.eventClasses & EVENT_EXPIRED) !== 0) {
      this.keyRange(ref);
      this.notify(EVENT_EXPIRED, "expired", this.keyBytes, this.keyStart, this.keyEnd);
    }
    if (this.listener !== undefined) this.listener.beforeChange(hash, ref);
    this.#drop(hash, ref);
  }

  /** Is the key there and alive? A dead one is reclaimed. */
  reclaimDead(bytes: Buffer, start: number, end: number): boolean {
    const hash = this.hash(bytes, start, end);
    const ref = this.index.search(hash, bytes, start, end);
    if (ref === 0) return false;
    const deadlineMs = this.deadlineOf(ref);
    if (deadlineMs === 0 || deadlineMs > this.state.logMs) return true;
    this.#expire(hash, ref);
    return false;
  }

  /** Removes the first key in deadline order, which must be dead. */
  reclaimFirst(): void {
    const hash = this.deadlines.hashAt(0);
    const ref = this.deadlines.refAt(0);
    if (this.deadlines.deadlineAt(0) > this.state.logMs) fail(`key ${ref} is not due at ${this.state.logMs}`);
    this.index.searchRef(hash, ref);
    this.#expire(hash, ref);
  }

  /**
   * Copies value, encoding and deadline to another key, here or in `to`, over whatever is there. False if the source
   * is absent or dead. Copying a key onto itself changes nothing.
   */
  copyKey(
    bytes: Buffer,
    start: number,
    end: number,
    to: Keyspace,
    toBytes: Buffer,
    toStart: number,
    toEnd: number,
  ): boolean {
    return this.#transferKey(bytes, start, end, to, toBytes, toStart, toEnd, false);
  }

  /** copyKey; `isMove` gives a large collection itself away, so that the source must be removed next. */
  #transferKey(
    bytes: Buffer,
    start: number,
    end: number,
    to: Keyspace,
    toBytes: Buffer,
    toStart: number,
    toEnd: number,
    isMove: boolean,
  ): boolean {
    const hash = this.hash(bytes, start, end);
    const ref = this.index.search(hash, bytes, start, end);
    if (ref === 0) return false;
    const meta = this.word(ref, is.WORD_META);
    const deadlineMs = this.deadlineOf(ref);
    if (deadlineMs !== 0 && deadlineMs <= this.state.logMs) return false;
    if (to === this && this.#isKey(ref, toBytes, toStart, toEnd)) return true;
    const kind = meta & is.KIND_MASK;
    let made: number;
    if ((kind & is.FLAG_OBJECT) !== 0) {
      const collection = isMove ? this.#detachCollection(hash, ref) : this.collectionOf(ref).copy();
      made = to.putCollection(toBytes, toStart, toEnd, is.typeOfKind(kind), collection, false);
    } else {
      this.valueOf(ref);
      const { valueBytes, valueStart, valueEnd } = this;
      made = to.putRecord(toBytes, toStart, toEnd, kind, valueBytes, valueStart, valueEnd, false);
    }
    if (deadlineMs !== 0) to.setDeadline(made, deadlineMs);
    // A copy is a new key, as in Redis: only a key that moves keeps what is known of its use.
    to.setAccessClock(made, isMove ? meta >>> is.CLOCK_SHIFT : newAccessClock(this.state));
    to.valueOf(made);
    return true;
  }

  /** Takes the collection away from a record that is about to be removed. */
  #detachCollection(hash: number, ref: number): Collection {
    if (this.listener !== undefined) this.listener.beforeChange(hash, ref);
    const collection = this.collections.remove(this.collectionIdOf(ref));
    this.logicalBytes -= collection.accountedBytes;
    this.arena.locate(ref);
    this.arena.words[(this.arena.at >>> 2) + is.WORD_META]! &= ~is.FLAG_OBJECT;
    return collection;
  }

  /** Is this the record's key? */
  #isKey(ref: number, bytes: Buffer, start: number, end: number): boolean {
    this.keyRange(ref);
    return this.keyBytes.compare(bytes, start, end, this.keyStart, this.keyEnd) === 0;
  }

  /** RENAME: the value, its deadline and its access clock get another key, over whatever is there. */
  renameKey(
    bytes: Buffer,
    start: number,
    end: number,
    toBytes: Buffer,
    toStart: number,
    toEnd: number,
  ): boolean {
    if (!this.#transferKey(bytes, start, end, this, toBytes, toStart, toEnd, true)) return false;
    if (bytes.compare(toBytes, toStart, toEnd, start, end) !== 0) this.remove(bytes, start, end);
    return true;
  }

  /** MOVE: false if the key is absent here or present there. */
  moveKey(bytes: Buffer, start: number, end: number, to: Keyspace): boolean {
    if (to === this) fail(`move of a key within database ${this.database}`);
    const hash = this.hash(bytes, start, end);
    if (to.#searchForWrite(hash, bytes, start, end) !== 0) return false;
    if (!this.#transferKey(bytes, start, end, to, bytes, start, end, true)) return false;
    this.remove(bytes, start, end);
    return true;
  }

  /** Drops everything, in constant time. A snapshot under way keeps the old parts. */
  /**
   * Moves up to about so many records out of sparse memory, which goes back to the system (Arena.evacuate). Handles are good no more.
   * Not while a snapshot reads the database, which knows records by their places. False: nothing to do.
   */
  tidy(records: number): boolean {
    return this.listener === undefined && this.arena.evacuate(records, this.#moved);
  }

  readonly #moved = (from: number, to: number): void => {
    const { arena, index, deadlines } = this;
    arena.locate(to);
    const word = arena.at >>> 2;
    const position = arena.words[word + is.WORD_DEADLINE]!;
    const keyStart = arena.at + is.HEADER_BYTES;
    const hash = this.hash(arena.bytes, keyStart, keyStart + arena.words[word + is.WORD_KEY_LENGTH]!);
    index.searchRef(hash, from);
    index.replace(hash, to);
    if (position !== 0) deadlines.replace(position - 1, to);
  };

  /** Between commands: lets go of the last value and key that were looked up, which may be long, and gone. */
  forgetFound(): void {
    this.valueBytes = NO_BYTES;
    this.keyBytes = NO_BYTES;
    this.arena.forget();
  }

  clear(): void {
    this.state.changes += this.size;
    this.state.watcher?.clearing(this.database);
    this.arena = new Arena();
    this.index = new HashIndex(this.arena);
    this.deadlines = new DeadlineHeap(this.arena);
    this.collections = new CollectionTable();
    this.listener = undefined;
    this.logicalBytes = 0;
    this.forgetFound();
  }
}

/** The access clock of a key that is new. */
function newAccessClock({ lfu, accessClock }: StoreState): number {
  return lfu ? newLfuClock(accessClock, LFU_COUNTER_INITIAL) : accessClock;
}
