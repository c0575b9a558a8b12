// The half of a database that answers: finding, listing and describing records. It changes nothing but access clocks
// and metDying. Byte ranges in, handles and byte ranges out; time and randomness come in.

import type { Prng } from "../base/prng.ts";
import { decayedCounter, idleSeconds, touchedClock } from "./access.ts";
import { Arena } from "./arena.ts";
import { type Collection, CollectionTable } from "./collection.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import { EMBEDDED_BYTES_MAX, isInteger } from "./encoding.ts";
import { hashKey } from "./hash.ts";
import { HashIndex } from "./hash-index.ts";
import { roundToClass } from "./size-class.ts";
import type { StoreState } from "./state.ts";
import * as is from "./types.ts";

export type Visit = (bytes: Buffer, keyStart: number, keyEnd: number, handle: number) => void;

const NO_BYTES = Buffer.alloc(0);
/** Dead keys that RANDOMKEY passes over before it gives up. */
const DEAD_TRIES_MAX = 128;
/** A SCAN step looks at no more entries and segments than this for each key it was asked for. */
const SCAN_SLOTS_PER_KEY = 64;
const SCAN_CURSOR_END = 0x1_0000_0000;

/** Keys that warm() takes at once. */
export const WARM_KEYS_MAX = 64;
/** Below so many keys everything is in the processor's caches anyway. */
const WARM_KEYS_LEAST = 4096;
const warmHashes = new Int32Array(WARM_KEYS_MAX);
const warmRefs = new Uint32Array(WARM_KEYS_MAX);

export class KeyspaceReads {
  /** Index in Store.databases; only Store.swap changes it. */
  database: number;

  /** The value of the last find, setString or resizeString: valueBytes[valueStart, valueEnd). Until the next change. */
  valueBytes: Buffer = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;

  /** The key of the last keyRange. Until the next change. */
  keyBytes: Buffer = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;

  /** Memory that all replicas agree on: a function of the content. */
  logicalBytes = 0;

  /** Inner parts, for the other files of this folder. clear() replaces them all. */
  arena = new Arena();
  index = new HashIndex(this.arena);
  deadlines = new DeadlineHeap(this.arena);
  collections = new CollectionTable();

  protected readonly state: StoreState;

  constructor(state: StoreState, database: number) {
    this.state = state;
    this.database = database;
  }

  /**
   * Something happened to the key bytes[start, end). Call it when it has, once for each event of Redis's.
   * @param eventClass one of EVENT_* (events.ts)
   */
  notify(eventClass: number, event: string, bytes: Buffer, start: number, end: number): void {
    const { state } = this;
    if ((state.eventClasses & eventClass) !== 0) state.onEvent(this.database, event, bytes, start, end);
  }

  /**
   * Gets the records of several keys closer to the processor, for finds that follow soon; see HashIndex.warm.
   * @param ranges pairs of start and end in `bytes`, at most WARM_KEYS_MAX of them
   */
  warm(bytes: Buffer, ranges: Int32Array, count: number): void {
    if (this.index.count < WARM_KEYS_LEAST) return;
    for (let i = 0; i < count; i++) warmHashes[i] = this.hash(bytes, ranges[2 * i]!, ranges[2 * i + 1]!);
    this.state.warmed ^= this.index.warm(warmHashes, warmRefs, count);
  }

  /** Keys in the table, dead but unreclaimed ones included, as DBSIZE in Redis. */
  get size(): number {
    return this.index.count;
  }

  /** Keys with a deadline. */
  get expiringCount(): number {
    return this.deadlines.size;
  }

  /**
   * Mean time to live of the keys with a deadline, 0 without any; an estimate by `samples` of them when there are more.
   * Keys that are due and not reclaimed yet count as 0.
   */
  averageTtlMs(nowMs: number, samples: number): number {
    const { deadlines } = this;
    const count = Math.min(deadlines.size, samples);
    let sum = 0;
    // Places in a heap, evenly spaced, take their share of each of its levels.
    for (let i = 0; i < count; i++) {
      sum += Math.max(0, deadlines.deadlineAt(Math.floor((i * deadlines.size) / count)) - nowMs);
    }
    return count === 0 ? 0 : sum / count;
  }

  /** Bytes of memory really held, in use or not: local metadata, for INFO. */
  get reservedBytes(): number {
    return this.arena.reservedBytes + this.index.reservedBytes + this.deadlines.reservedBytes;
  }

  /** By which the table finds the key: 32 bits, signed or not as it comes. */
  hash(bytes: Buffer, start: number, end: number): number {
    return hashKey(bytes, start, end, this.state.hashSeed0, this.state.hashSeed1);
  }

  /** The record's hash, from its key. Leaves the record located. */
  protected hashOf(ref: number): number {
    const arena = this.arena;
    arena.locate(ref);
    const start = arena.at + is.HEADER_BYTES;
    return this.hash(arena.bytes, start, start + arena.words[(arena.at >>> 2) + is.WORD_KEY_LENGTH]!);
  }

  /**
   * A record's handle, or 0 if the key is absent or dead. Sets valueBytes, valueStart, valueEnd; notes the access
   * unless store.noTouch; sets store.metDying if the key is alive by the log but not by the running clock.
   */
  find(bytes: Buffer, start: number, end: number): number {
    const ref = this.index.search(this.hash(bytes, start, end), bytes, start, end);
    this.state.finds++;
    if (ref === 0) return 0;
    const words = this.arena.words;
    const word = this.arena.at >>> 2;
    const position = words[word + is.WORD_DEADLINE]!;
    if (position !== 0) {
      const isAlive = this.#checkAlive(position - 1);
      const { onDead, metDying } = this.state;
      if (onDead !== undefined && (metDying || !isAlive)) onDead(bytes, start, end);
      if (!isAlive) return 0;
    }
    this.state.hits++;
    if (!this.state.noTouch) this.#touch(words, word);
    this.exposeValue();
    return ref;
  }

  #checkAlive(position: number): boolean {
    const deadlineMs = this.deadlines.deadlineAt(position);
    if (deadlineMs <= this.state.logMs) return false;
    if (deadlineMs <= this.state.runningMs) this.state.metDying = true;
    return true;
  }

  #touch(words: Uint32Array, word: number): void {
    const state = this.state;
    const meta = words[word]!;
    const clock = state.lfu
      ? touchedClock(
          meta >>> is.CLOCK_SHIFT,
          state.accessClock,
          state.lfuDecayMinutes,
          state.lfuLogFactor,
          state.accessRandom,
        )
      : state.accessClock;
    words[word] = (meta & is.KIND_MASK) | (clock << is.CLOCK_SHIFT);
  }

  /** Publishes the value of the located record. */
  protected exposeValue(): void {
    const arena = this.arena;
    const word = arena.at >>> 2;
    const start = arena.at + is.HEADER_BYTES + arena.words[word + is.WORD_KEY_LENGTH]!;
    this.valueBytes = arena.bytes;
    this.valueStart = start;
    this.valueEnd = start + arena.words[word + is.WORD_VALUE_LENGTH]!;
  }

  /** Publishes a record's value, as find does, without noting an access. */
  valueOf(handle: number): void {
    this.arena.locate(handle);
    this.exposeValue();
  }

  /** Publishes a record's key: keyBytes, keyStart, keyEnd. */
  keyRange(handle: number): void {
    const arena = this.arena;
    arena.locate(handle);
    this.keyBytes = arena.bytes;
    this.keyStart = arena.at + is.HEADER_BYTES;
    this.keyEnd = this.keyStart + arena.words[(arena.at >>> 2) + is.WORD_KEY_LENGTH]!;
  }

  protected word(handle: number, word: number): number {
    this.arena.locate(handle);
    return this.arena.words[(this.arena.at >>> 2) + word]!;
  }

  typeOf(handle: number): number {
    return this.word(handle, is.WORD_META) & is.TYPE_MASK;
  }

  /** In ms of cluster time; 0 = none. */
  deadlineOf(handle: number): number {
    const position = this.word(handle, is.WORD_DEADLINE);
    return position === 0 ? 0 : this.deadlines.deadlineAt(position - 1);
  }

  /** OBJECT ENCODING. */
  encodingOf(handle: number): string {
    const meta = this.word(handle, is.WORD_META);
    if ((meta & is.FLAG_OBJECT) !== 0) return this.collectionOf(handle).encoding;
    if ((meta & is.TYPE_MASK) !== is.STRING) return (meta & is.FLAG_INTSET) !== 0 ? "intset" : "listpack";
    if ((meta & is.FLAG_RAW) !== 0) return "raw";
    const arena = this.arena;
    const start = arena.at + is.HEADER_BYTES + arena.words[(arena.at >>> 2) + is.WORD_KEY_LENGTH]!;
    const end = start + arena.words[(arena.at >>> 2) + is.WORD_VALUE_LENGTH]!;
    if (isInteger(arena.bytes, start, end)) return "int";
    return end - start <= EMBEDDED_BYTES_MAX ? "embstr" : "raw";
  }

  /** Type and flags (types.ts). */
  kindOf(handle: number): number {
    return this.word(handle, is.WORD_META) & is.KIND_MASK;
  }

  /** The collection that a record with FLAG_OBJECT refers to, to read from; see Keyspace.collectionForWrite. */
  collectionOf(handle: number): Collection {
    return this.collections.get(this.collectionIdOf(handle));
  }

  protected collectionIdOf(handle: number): number {
    const arena = this.arena;
    arena.locate(handle);
    const { bytes } = arena;
    const at = arena.at + is.HEADER_BYTES + arena.words[(arena.at >>> 2) + is.WORD_KEY_LENGTH]!;
    // readUInt32LE costs as much as all else here.
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  /** Logical bytes that the key costs: what removing it would take from logicalBytes. */
  memoryOf(handle: number): number {
    const bytes = this.recordBytes(handle);
    const hasDeadline = this.word(handle, is.WORD_DEADLINE) !== 0;
    const isLarge = (this.kindOf(handle) & is.FLAG_OBJECT) !== 0;
    return (
      roundToClass(bytes) +
      is.SLOT_LOGICAL_BYTES +
      (hasDeadline ? is.DEADLINE_LOGICAL_BYTES : 0) +
      (isLarge ? this.collectionOf(handle).accountedBytes : 0)
    );
  }

  protected recordBytes(ref: number): number {
    this.arena.locate(ref);
    const word = this.arena.at >>> 2;
    const words = this.arena.words;
    return is.HEADER_BYTES + words[word + is.WORD_KEY_LENGTH]! + words[word + is.WORD_VALUE_LENGTH]!;
  }

  /** OBJECT IDLETIME: seconds since the last access. Means something in LRU mode only. */
  idleOf(handle: number): number {
    return idleSeconds(this.word(handle, is.WORD_META) >>> is.CLOCK_SHIFT, this.state.accessClock);
  }

  /** OBJECT FREQ: the logarithmic access counter after decay. Means something in LFU mode only. */
  frequencyOf(handle: number): number {
    const clock = this.word(handle, is.WORD_META) >>> is.CLOCK_SHIFT;
    return decayedCounter(clock, this.state.accessClock, this.state.lfuDecayMinutes);
  }

  /** Sets the raw access clock (u24), for RESTORE's IDLETIME and FREQ. */
  setAccessClock(handle: number, clock: number): void {
    const meta = this.word(handle, is.WORD_META);
    this.arena.words[this.arena.at >>> 2] = (meta & is.KIND_MASK) | (clock << is.CLOCK_SHIFT);
  }

  /** Alive by the log? Sets metDying as find does. */
  #isAlive(ref: number): boolean {
    const position = this.word(ref, is.WORD_DEADLINE);
    if (position === 0) return true;
    const isAlive = this.#checkAlive(position - 1);
    const { onDead, metDying } = this.state;
    if (onDead !== undefined && (metDying || !isAlive)) {
      this.keyRange(ref);
      onDead(this.keyBytes, this.keyStart, this.keyEnd);
    }
    return isAlive;
  }

  /**
   * Visits about `count` keys in hash order from the cursor on and returns the next cursor, 0 at the end. A cursor is
   * a position in hash space, so it means the same on every replica, whatever table it met before. A key that is there
   * from the first step to the last is visited once, exactly. `visit` may not change this database.
   */
  scan(cursor: number, count: number, visit: Visit): number {
    if (!(cursor >= 0 && cursor < SCAN_CURSOR_END)) return 0;
    const index = this.index;
    const slotsEnd = index.walkedSlots + count * SCAN_SLOTS_PER_KEY;
    let seen = 0;
    let hashBefore = 0;
    for (index.walkFrom(cursor); index.walkHash !== 0; index.walkNext()) {
      const hash = index.walkHash;
      const enough = seen >= count || index.walkedSlots > slotsEnd;
      if (enough && seen > 0 && hash !== hashBefore) return hash;
      hashBefore = hash;
      seen++;
      const ref = index.walkRef;
      if (!this.#isAlive(ref)) continue;
      this.keyRange(ref);
      visit(this.keyBytes, this.keyStart, this.keyEnd, ref);
    }
    return 0;
  }

  /** Visits every alive key, in hash order. `visit` may not change this database. */
  forEach(visit: Visit): void {
    this.scan(0, Infinity, visit);
  }

  /**
   * A random key's handle, or 0 if there is none, or if chance met only dead ones. The same on every replica for the
   * same randomness. Keys behind a gap in hash space are somewhat likelier.
   */
  randomKey(random: Prng): number {
    const index = this.index;
    if (index.count === 0) return 0;
    for (let tries = 0; tries < DEAD_TRIES_MAX; tries++) {
      index.walkFrom(random.u32());
      if (index.walkHash === 0) index.walkFrom(0);
      if (this.#isAlive(index.walkRef)) return index.walkRef;
    }
    return 0;
  }

  /**
   * Writes up to `count` random hashes and handles to the arrays (repeats are possible) and returns how many; no key is
   * likelier than another. For eviction: the leader names its victims in the log, so replicas need not agree.
   */
  sample(
    count: number,
    random: Prng,
    onlyWithDeadline: boolean,
    hashes: Uint32Array,
    handles: Uint32Array,
  ): number {
    const wanted = Math.min(count, handles.length);
    if (!onlyWithDeadline) return this.index.sample(wanted, random, hashes, handles);
    const expiring = this.deadlines.size;
    if (expiring === 0) return 0;
    for (let i = 0; i < wanted; i++) {
      const position = random.below(expiring);
      hashes[i] = this.deadlines.hashAt(position);
      handles[i] = this.deadlines.refAt(position);
    }
    return wanted;
  }
}
