// The commands of one turn, from all sessions of this leader, in the order they will be applied: writes,
// whose bytes become one log entry, and what must run or be answered between them (a read behind a
// write of its own connection). It only keeps bytes and places; replica.ts proposes and applies it.

import { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import { SHARED_BYTES_LEAST } from "../base/limits.ts";
import { encodeArguments, encodeCommand } from "../resp/request-parser.ts";
import { ENTRY_HEADER_BYTES, writeEntryHeader } from "../wire/entry-codec.ts";
import type { EvictionWriter } from "../wire/eviction-codec.ts";
import type { EntryMemory } from "./entry-memory.ts";
import type { Session } from "./session.ts";

export const ITEM_WRITE = 0;
/** A read in its place: runs when everything before it has been applied. */
export const ITEM_READ = 1;

const ITEMS_INITIAL = 256;
/** What an argument costs beside its bytes if it becomes a key: its slot, and the rounding up of its size. */
export const ARGUMENT_LOGICAL_BYTES = 16;
const NOTHING = Buffer.alloc(0);
const SIDE_BYTES_KEPT = 1 << 20;

/** What so many bytes of commands may add at most. */
export const growthBytesOf = (commandBytes: number, argumentCount: number): number =>
  1.25 * commandBytes + ARGUMENT_LOGICAL_BYTES * argumentCount;

/** Selecting any of these once is an entry of its own; encoded on first use. */
const selectCommands: Buffer[] = [];
const selectCommand = (database: number): Buffer => {
  const known = selectCommands[database];
  if (known !== undefined) return known;
  const made = encodeCommand(["SELECT", String(database)]);
  selectCommands[database] = made;
  return made;
};

/**
 * Arrays side by side, one slot an item:
 *
 *   kinds      | WRITE | WRITE | READ | ...
 *   argsBase   |   0   |   6   |  12  | ...   where the item's offsets start
 *   offsets    | s0 e0 s1 e1 s2 e2 | ...      relative to the payload (WRITE) or to `side` (READ)
 */
export class TurnBatch {
  count = 0;
  /** Batches of a node are numbered in the order of their commands. */
  serial = 0;
  /** Where the batch stands in the log once proposed; 0 before. */
  index = 0;
  term = 0;
  payload: Buffer = NOTHING;
  /** Keys that the payload names for eviction. */
  victimCount = 0;
  /** Logical bytes of all of them together. */
  victimBytes = 0;
  /** What the payload's commands were taken to add at most, in logical bytes, when it was proposed. */
  growthBytes = 0;
  /** Arguments of commands inside commands (EXEC) that may need memory; and what commands make beside them (row-facts.ts). */
  innerArguments = 0;
  kinds = new Uint8Array(ITEMS_INITIAL);
  protocols = new Uint8Array(ITEMS_INITIAL);
  mutes = new Uint8Array(ITEMS_INITIAL);
  databases = new Uint16Array(ITEMS_INITIAL);
  rowIds = new Uint16Array(ITEMS_INITIAL);
  argsBase = new Int32Array(ITEMS_INITIAL);
  argsCount = new Int32Array(ITEMS_INITIAL);
  offsets = new Int32Array(6 * ITEMS_INITIAL);
  offsetsUsed = 0;
  /** Overwritten in place, as the arrays above: an array that is emptied and filled again grows anew each turn. */
  readonly sessions: (Session | undefined)[] = [];

  readonly #memory: EntryMemory;
  #slab: Buffer;
  #start: number;
  #position: number;
  #database = 0;
  side: Buffer = NOTHING;
  #sideUsed = 0;
  /** The run of commands that still lies in the reader's chunk: [runStart, runEnd) of `runSource`. */
  #runSource: Buffer | undefined;
  #runStart = 0;
  #runEnd = 0;

  constructor(memory: EntryMemory) {
    this.#memory = memory;
    this.#slab = memory.slab;
    this.#start = 0;
    this.#position = 0;
    this.open();
  }

  /** Lets go of everything it points at; to be opened again later. */
  release(): void {
    this.sessions.fill(undefined, 0, this.count);
    this.payload = NOTHING;
    this.#slab = NOTHING;
    if (this.side.length > SIDE_BYTES_KEPT) this.side = NOTHING;
  }

  /** Makes the batch empty again, its payload starting where the log's memory is free. */
  open(): void {
    this.count = 0;
    this.index = 0;
    this.term = 0;
    this.victimCount = 0;
    this.victimBytes = 0;
    this.growthBytes = 0;
    this.innerArguments = 0;
    this.offsetsUsed = 0;
    this.#sideUsed = 0;
    this.#database = 0;
    this.#slab = this.#memory.slab;
    this.#start = this.#memory.position;
    this.#position = this.#start + ENTRY_HEADER_BYTES;
    this.#ensure(0);
  }

  get commandBytes(): number {
    return this.#position - this.#start - ENTRY_HEADER_BYTES + (this.#runEnd - this.#runStart);
  }

  /**
   * The most that its commands can add to the logical bytes, if their values are what comes with them: a quarter more and the header,
   * as size classes have it, and the slot and the rounding for each argument, as if it were a key of its own. What a
   * command makes of what is there already (APPEND, COPY, a hash that becomes a large one) is not in it.
   */
  get growthBytesMax(): number {
    const { commandBytes } = this;
    if (commandBytes === 0) return 0;
    return growthBytesOf(commandBytes, this.offsetsUsed / 2 - this.count + this.innerArguments);
  }

  /**
   * Adds a write whose bytes are source[start, end). Commands that follow one another in the same chunk
   * are copied in one piece, by closeRun(), which the session calls before it gives the chunk back.
   */
  addWrite(session: Session, rowId: number, args: Args, source: Buffer, start: number, end: number): void {
    if (end - start >= SHARED_BYTES_LEAST && this.#adopt(session, source, start, end)) {
      this.#addItem(ITEM_WRITE, session, rowId, args, -this.#start);
      return;
    }
    if (this.#database !== session.database) this.#select(session.database);
    if (this.#runSource !== source || this.#runEnd !== start) {
      this.closeRun();
      this.#runSource = source;
      this.#runStart = start;
    }
    const delta = this.#position - this.#start - this.#runStart;
    this.#runEnd = end;
    this.#addItem(ITEM_WRITE, session, rowId, args, delta);
  }

  /** A long command that comes first: the payload is where its bytes are already. False: it is to be copied. */
  #adopt(session: Session, source: Buffer, start: number, end: number): boolean {
    if (this.commandBytes > 0) return false;
    const select = this.#database === session.database ? NOTHING : selectCommand(session.database);
    const before = ENTRY_HEADER_BYTES + select.length;
    if (start < before) return false;
    const memory = session.lend(source, start, end);
    if (memory === undefined) return false;
    this.#slab = memory;
    this.#start = start - before;
    this.#position = end;
    select.copy(memory, start - select.length);
    this.#database = session.database;
    return true;
  }

  /** Adds a write that has no bytes of its own as a RESP array (an inline command): it is encoded first. */
  addInlineWrite(session: Session, rowId: number, args: Args): void {
    const encoded = encodeArguments(args);
    // The header is as long as the digits need; the arguments' places follow from the encoding.
    const offsets = new Int32Array(2 * args.count);
    let at = 3 + String(args.count).length;
    for (let i = 0; i < args.count; i++) {
      const length = args.length(i);
      at += 3 + String(length).length;
      offsets[2 * i] = at;
      offsets[2 * i + 1] = at + length;
      at += length + 2;
    }
    assert(at === encoded.length, `inline command encoded to ${encoded.length} bytes, laid out ${at}`);
    this.addWrite(
      session,
      rowId,
      new Args().set(encoded, offsets, 0, args.count),
      encoded,
      0,
      encoded.length,
    );
    this.closeRun();
  }

  /** Adds a read that runs in its place. Its arguments are copied to the side. */
  addRead(session: Session, rowId: number, args: Args): void {
    const first = args.start(0);
    const last = args.end(args.count - 1);
    const delta = this.#toSide(args.bytes, first, last) - first;
    this.#addItem(ITEM_READ, session, rowId, args, delta);
  }

  /** Copies the current run out of the reader's chunk, which is about to be overwritten. */
  closeRun(): void {
    const source = this.#runSource;
    if (source === undefined) return;
    const length = this.#runEnd - this.#runStart;
    this.#ensure(length);
    source.copy(this.#slab, this.#position, this.#runStart, this.#runEnd);
    this.#position += length;
    this.#runSource = undefined;
    this.#runStart = 0;
    this.#runEnd = 0;
  }

  /** Finishes the payload. No write can be added after it. */
  seal(timeMs: number, seed: number, flags: number, evictions: EvictionWriter | undefined): Buffer {
    this.closeRun();
    const commandBytes = this.commandBytes;
    const evictionCount = evictions?.count ?? 0;
    if (evictions !== undefined && evictionCount > 0) {
      this.#ensure(evictions.length);
      evictions.bytes.copy(this.#slab, this.#position, 0, evictions.length);
      this.#position += evictions.length;
    }
    writeEntryHeader(this.#slab, this.#start, timeMs, seed, commandBytes, evictionCount, flags);
    this.payload = this.#slab.subarray(this.#start, this.#position);
    return this.payload;
  }

  /** The payload is entry (index, term), or none (0, 0): the memory behind it is free for the next one. */
  proposed(index: number, term: number): void {
    this.index = index;
    this.term = term;
    this.#memory.take(this.#slab, this.#position, index);
  }

  /** Points `args` at the arguments of item `item`. */
  argsOf(item: number, args: Args): Args {
    const bytes = this.kinds[item] === ITEM_WRITE ? this.payload : this.side;
    return args.set(bytes, this.offsets, this.argsBase[item]!, this.argsCount[item]!);
  }

  #select(database: number): void {
    this.closeRun();
    const command = selectCommand(database);
    this.#ensure(command.length);
    command.copy(this.#slab, this.#position);
    this.#position += command.length;
    this.#database = database;
  }

  #addItem(kind: number, session: Session, rowId: number, args: Args, delta: number): void {
    const item = this.#nextItem(kind, session, rowId);
    const slots = 2 * args.count;
    this.#reserveOffsets(slots);
    const { offsets } = this;
    const from = args.offsets;
    const base = args.base;
    const to = this.offsetsUsed;
    this.argsBase[item] = to;
    this.argsCount[item] = args.count;
    for (let i = 0; i < slots; i++) offsets[to + i] = from[base + i]! + delta;
    this.offsetsUsed = to + slots;
  }

  #nextItem(kind: number, session: Session, rowId: number): number {
    const item = this.count++;
    if (item === this.kinds.length) this.#growItems();
    this.kinds[item] = kind;
    this.protocols[item] = session.protocol;
    this.mutes[item] = session.muted ? 1 : 0;
    this.databases[item] = session.database;
    this.sessions[item] = session;
    this.rowIds[item] = rowId;
    session.outstanding++;
    return item;
  }

  #toSide(bytes: Buffer, start: number, end: number): number {
    const at = this.#sideUsed;
    const needed = at + end - start;
    if (needed > this.side.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(4096, 2 * needed));
      this.side.copy(grown, 0, 0, at);
      this.side = grown;
    }
    bytes.copy(this.side, at, start, end);
    this.#sideUsed = needed;
    return at;
  }

  /** Room for `bytes` more at the position; the payload moves to a new slab when this one is full. */
  #ensure(bytes: number): void {
    if (this.#position + bytes <= this.#slab.length) return;
    const used = this.#position - this.#start;
    const slab = this.#memory.fresh(used + bytes);
    if (this.#start < this.#slab.length)
      this.#slab.copy(slab, 0, this.#start, Math.min(this.#position, this.#slab.length));
    this.#slab = slab;
    this.#start = 0;
    this.#position = used;
  }

  #reserveOffsets(slots: number): void {
    const needed = this.offsetsUsed + slots;
    if (needed <= this.offsets.length) return;
    const grown = new Int32Array(2 * needed);
    grown.set(this.offsets.subarray(0, this.offsetsUsed));
    this.offsets = grown;
  }

  #growItems(): void {
    const length = 2 * this.kinds.length;
    this.kinds = widen(this.kinds, new Uint8Array(length));
    this.protocols = widen(this.protocols, new Uint8Array(length));
    this.mutes = widen(this.mutes, new Uint8Array(length));
    this.databases = widen(this.databases, new Uint16Array(length));
    this.rowIds = widen(this.rowIds, new Uint16Array(length));
    this.argsBase = widen(this.argsBase, new Int32Array(length));
    this.argsCount = widen(this.argsCount, new Int32Array(length));
  }
}

function widen<T extends { set(from: ArrayLike<number>): void } & ArrayLike<number>>(from: T, to: T): T {
  to.set(from);
  return to;
}
