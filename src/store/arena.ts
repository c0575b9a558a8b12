// Off-heap memory of one database: records in, 32-bit refs out. The garbage collector sees a few large buffers,
// never a record. Dropping the arena frees everything at once. Knows nothing of keys, time or tables.

import { fail } from "../base/assert.ts";
import { roundToClass, SLAB_BYTES_MAX, SLAB_CLASS_BYTES, SLAB_CLASSES, sizeClassOf } from "./size-class.ts";

/**
 * A ref counts 16-byte granules, so 2^31 of them address 32 GiB of small records. With the top bit set it is the
 * number of a large record instead, which has a Buffer of its own. Chunk 0 does not exist: ref 0 means none.
 *
 *   small   | 0 | chunk, 13 bits | page, 6 bits | granule, 12 bits |
 *   large   | 1 | number                                            |
 */
export const LARGE_REF = 0x8000_0000;
const GRANULE_SHIFT = 4;
const PAGE_BYTES = 64 * 1024;
/** ref >>> PAGE_SHIFT is the page, ref & PAGE_GRANULE_MASK the granule in it. */
export const PAGE_SHIFT = 12;
export const PAGE_GRANULES = 1 << PAGE_SHIFT;
const PAGE_GRANULE_MASK = PAGE_GRANULES - 1;
const CHUNK_SHIFT = 18;
const CHUNK_GRANULE_MASK = (1 << CHUNK_SHIFT) - 1;
const CHUNK_PAGES = 1 << (CHUNK_SHIFT - PAGE_SHIFT);
const CHUNKS_MAX = LARGE_REF >>> CHUNK_SHIFT;
/** The first chunks of a database are smaller, so that one with a few keys stays small. */
const FIRST_CHUNK_PAGES = [1, 4, 16];
/** A chunk that becomes free is given back only while this many free pages stay. */
const SPARE_PAGES = CHUNK_PAGES;

/** Records are moved together when so much is unused, and this part; from chunks that are filled to this part at most. */
const UNUSED_BYTES_LEAST = 8 * 1024 * 1024;
const UNUSED_PART = 1 / 4;
const EVACUATED_PART_MAX = 1 / 2;
/** So many chunks in a row that brought nothing, and it rests for so many calls. */
const FRUITLESS_MAX = 4;
const RESTS = 64;
const isFreeGranule = new Uint8Array(PAGE_GRANULES);

// One row of the page table.
const PAGE_FIELDS = 6;
const PAGE_CLASS = 0; // 0 = free
const PAGE_LIVE = 1; // records in use
const PAGE_FREE_HEAD = 2; // first freed slot's granule + 1; the next one stands in the slot's first word
const PAGE_FRESH = 3; // slots from here on were never used
const PAGE_NEXT = 4; // in its list: pages of one class with room, or free pages
const PAGE_PREVIOUS = 5;

const NO_BYTES = Buffer.alloc(0);
const NO_WORDS = new Uint32Array(0);

export class Arena {
  /** Where the last located record is: `bytes[at]` is its first byte, `words[at >>> 2]` its first word. */
  bytes: Buffer = NO_BYTES;
  words: Uint32Array = NO_WORDS;
  at = 0;

  readonly #chunkBytes: Buffer[] = [NO_BYTES];
  readonly #chunkWords: Uint32Array[] = [NO_WORDS];
  /** Pages in use, by chunk. */
  readonly #chunkPagesUsed: number[] = [0];
  /** Numbers of chunks that were given back. */
  readonly #chunksReleased: number[] = [];
  #pages = new Int32Array(0);
  /** Heads of lists, by class: pages with room. Entry 0: the free pages. */
  readonly #pageWithRoom = new Int32Array(SLAB_CLASSES);
  #pagesFree = 0;

  readonly #largeBytes: Buffer[] = [];
  readonly #largeWords: Uint32Array[] = [];
  readonly #largeFree: number[] = [];

  /** Bytes of memory that the arena holds, in use or not. */
  reservedBytes = 0;
  /** The chunk whose records are being moved out of it, and the page they are moved from next; 0 = none. */
  #evacuated = 0;
  #evacuatedPage = 0;
  /** Its records needed a new chunk; how many in a row did. */
  #hasGrown = false;
  #fruitless = 0;

  /** Lets go of the last located record: a large one is memory of its own. */
  forget(): void {
    this.bytes = NO_BYTES;
    this.words = NO_WORDS;
    this.at = 0;
  }

  /** Points `bytes`, `words` and `at` to the record. */
  locate(ref: number): void {
    if (ref < LARGE_REF) {
      const chunk = ref >>> CHUNK_SHIFT;
      this.bytes = this.#chunkBytes[chunk]!;
      this.words = this.#chunkWords[chunk]!;
      this.at = (ref & CHUNK_GRANULE_MASK) << GRANULE_SHIFT;
    } else {
      const number = ref & ~LARGE_REF;
      this.bytes = this.#largeBytes[number]!;
      this.words = this.#largeWords[number]!;
      this.at = 0;
    }
  }

  /** Takes room for a record of that many bytes and locates it. What is in it is undefined. */
  allocate(bytes: number): number {
    if (bytes > SLAB_BYTES_MAX) return this.#allocateLarge(bytes);
    const sizeClass = sizeClassOf(bytes);
    let page = this.#pageWithRoom[sizeClass]!;
    if (page === 0) page = this.#openPage(sizeClass);
    const row = page * PAGE_FIELDS;
    const pages = this.#pages;
    const classBytes = SLAB_CLASS_BYTES[sizeClass]!;
    const freeHead = pages[row + PAGE_FREE_HEAD]!;
    let ref: number;
    if (freeHead !== 0) {
      ref = page * PAGE_GRANULES + freeHead - 1;
      this.locate(ref);
      pages[row + PAGE_FREE_HEAD] = this.words[this.at >>> 2]!;
    } else {
      const slot = pages[row + PAGE_FRESH]!;
      pages[row + PAGE_FRESH] = slot + 1;
      ref = page * PAGE_GRANULES + slot * (classBytes >>> GRANULE_SHIFT);
      this.locate(ref);
    }
    pages[row + PAGE_LIVE]!++;
    if (pages[row + PAGE_FREE_HEAD] === 0 && (pages[row + PAGE_FRESH]! + 1) * classBytes > PAGE_BYTES) {
      this.#unlink(page, sizeClass);
    }
    return ref;
  }

  /** Gives a record's room back. A large record's buffer is only dropped: whoever else holds it may read on. */
  free(ref: number): void {
    if (ref >= LARGE_REF) {
      this.#freeLarge(ref & ~LARGE_REF);
      return;
    }
    const page = ref >>> PAGE_SHIFT;
    const row = page * PAGE_FIELDS;
    const pages = this.#pages;
    const sizeClass = pages[row + PAGE_CLASS]!;
    const live = pages[row + PAGE_LIVE]! - 1;
    if (sizeClass === 0 || live < 0) fail(`free of ref ${ref}: page ${page} is not in use`);
    const classBytes = SLAB_CLASS_BYTES[sizeClass]!;
    const freeHead = pages[row + PAGE_FREE_HEAD]!;
    const wasFull = freeHead === 0 && (pages[row + PAGE_FRESH]! + 1) * classBytes > PAGE_BYTES;
    this.locate(ref);
    this.words[this.at >>> 2] = freeHead;
    pages[row + PAGE_FREE_HEAD] = (ref & PAGE_GRANULE_MASK) + 1;
    pages[row + PAGE_LIVE] = live;
    if (wasFull) this.#link(page, sizeClass);
    if (live === 0) this.#closePage(page, sizeClass);
  }

  /** Bytes of memory that no record is in. Looks at every page. */
  get unusedBytes(): number {
    let bytes = this.reservedBytes;
    for (const large of this.#largeBytes) bytes -= large.length;
    for (let chunk = 1; chunk < this.#chunkBytes.length; chunk++) bytes -= this.#liveBytes(chunk);
    return bytes;
  }

  /**
   * Moves about `records` records out of the sparsest chunk, so that the chunk can go: a step of a work that begins when a quarter of the
   * memory is unused. `moved` changes whatever knows a record by its ref. False: there is nothing to move.
   */
  evacuate(records: number, moved: (from: number, to: number) => void): boolean {
    if (this.#evacuated === 0 && !this.#beginEvacuation()) return false;
    const end = (this.#evacuated + 1) * CHUNK_PAGES;
    for (let left = records; left > 0 && this.#evacuatedPage < end; this.#evacuatedPage++) {
      left -= this.#evacuatePage(this.#evacuatedPage, moved);
    }
    if (this.#evacuatedPage === end) this.#endEvacuation();
    return true;
  }

  #liveBytes(chunk: number): number {
    let bytes = 0;
    const end = (chunk + 1) * CHUNK_PAGES * PAGE_FIELDS;
    for (let row = chunk * CHUNK_PAGES * PAGE_FIELDS; row < end; row += PAGE_FIELDS)
      bytes += SLAB_CLASS_BYTES[this.#pages[row + PAGE_CLASS]!]! * this.#pages[row + PAGE_LIVE]!;
    return bytes;
  }

  #beginEvacuation(): boolean {
    let sparsest = 0;
    let leastBytes = CHUNK_PAGES * PAGE_BYTES * EVACUATED_PART_MAX;
    // The first chunks are small, and stay.
    for (let chunk = FIRST_CHUNK_PAGES.length + 1; chunk < this.#chunkBytes.length; chunk++) {
      if (this.#chunkBytes[chunk] === NO_BYTES) continue;
      const bytes = this.#liveBytes(chunk);
      if (bytes > leastBytes) continue;
      leastBytes = bytes;
      sparsest = chunk;
    }
    const { unusedBytes } = this;
    if (sparsest === 0 || unusedBytes < Math.max(UNUSED_BYTES_LEAST, UNUSED_PART * this.reservedBytes)) {
      return false;
    }
    if (this.#fruitless >= FRUITLESS_MAX) {
      if (++this.#fruitless < FRUITLESS_MAX + RESTS) return false;
      this.#fruitless = 0;
    }
    this.#hasGrown = false;
    for (let page = sparsest * CHUNK_PAGES; page < (sparsest + 1) * CHUNK_PAGES; page++) {
      const sizeClass = this.#pages[page * PAGE_FIELDS + PAGE_CLASS]!;
      if (sizeClass === 0) this.#pagesFree--;
      if (sizeClass === 0 || this.#hasRoom(page, sizeClass)) this.#unlink(page, sizeClass);
    }
    this.#evacuated = sparsest;
    this.#evacuatedPage = sparsest * CHUNK_PAGES;
    return true;
  }

  #endEvacuation(): void {
    const chunk = this.#evacuated;
    this.#evacuated = 0;
    this.#dropChunk(chunk);
    // Records that fit nowhere else went to a new chunk. That makes room for what
    // comes next; again and again, it gains nothing.
    this.#fruitless = this.#hasGrown ? this.#fruitless + 1 : 0;
  }

  #hasRoom(page: number, sizeClass: number): boolean {
    const row = page * PAGE_FIELDS;
    const isAllUsed = (this.#pages[row + PAGE_FRESH]! + 1) * SLAB_CLASS_BYTES[sizeClass]! > PAGE_BYTES;
    return this.#pages[row + PAGE_FREE_HEAD] !== 0 || !isAllUsed;
  }

  /** How many records were moved. */
  #evacuatePage(page: number, moved: (from: number, to: number) => void): number {
    const row = page * PAGE_FIELDS;
    const sizeClass = this.#pages[row + PAGE_CLASS]!;
    if (sizeClass === 0) return 0;
    const classBytes = SLAB_CLASS_BYTES[sizeClass]!;
    const slots = this.#pages[row + PAGE_FRESH]!;
    isFreeGranule.fill(0);
    for (let head = this.#pages[row + PAGE_FREE_HEAD]!; head !== 0; head = this.words[this.at >>> 2]!) {
      isFreeGranule[head - 1] = 1;
      this.locate(page * PAGE_GRANULES + head - 1);
    }
    let count = 0;
    for (let slot = 0; slot < slots; slot++) {
      const granule = slot * (classBytes >>> GRANULE_SHIFT);
      if (isFreeGranule[granule] === 1) continue;
      const from = page * PAGE_GRANULES + granule;
      this.locate(from);
      const { bytes, at } = this;
      this.#hasGrown ||= this.#pageWithRoom[sizeClass] === 0 && this.#pageWithRoom[0] === 0;
      const to = this.allocate(classBytes);
      bytes.copy(this.bytes, this.at, at, at + classBytes);
      moved(from, to);
      this.free(from);
      count++;
    }
    return count;
  }

  #openPage(sizeClass: number): number {
    if (this.#pageWithRoom[0] === 0) this.#addChunk();
    const page = this.#pageWithRoom[0]!;
    this.#unlink(page, 0);
    this.#pagesFree--;
    this.#chunkPagesUsed[Math.floor(page / CHUNK_PAGES)]!++;
    const row = page * PAGE_FIELDS;
    this.#pages[row + PAGE_CLASS] = sizeClass;
    this.#pages[row + PAGE_LIVE] = 0;
    this.#pages[row + PAGE_FREE_HEAD] = 0;
    this.#pages[row + PAGE_FRESH] = 0;
    this.#link(page, sizeClass);
    return page;
  }

  #closePage(page: number, sizeClass: number): void {
    this.#unlink(page, sizeClass);
    this.#pages[page * PAGE_FIELDS + PAGE_CLASS] = 0;
    const chunk = Math.floor(page / CHUNK_PAGES);
    const used = this.#chunkPagesUsed[chunk]! - 1;
    this.#chunkPagesUsed[chunk] = used;
    if (chunk === this.#evacuated) return;
    this.#link(page, 0);
    this.#pagesFree++;
    if (used === 0 && this.#pagesFree >= SPARE_PAGES + CHUNK_PAGES) this.#releaseChunk(chunk);
  }

  #addChunk(): void {
    const chunk = this.#chunksReleased.pop() ?? this.#chunkBytes.length;
    if (chunk >= CHUNKS_MAX) fail(`a database is full: ${chunk} chunks of ${CHUNK_PAGES * PAGE_BYTES} bytes`);
    const pageCount = FIRST_CHUNK_PAGES[chunk - 1] ?? CHUNK_PAGES;
    const bytes = Buffer.allocUnsafeSlow(pageCount * PAGE_BYTES);
    this.#chunkBytes[chunk] = bytes;
    this.#chunkWords[chunk] = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    this.#chunkPagesUsed[chunk] = 0;
    this.reservedBytes += bytes.length;
    const fields = (chunk + 1) * CHUNK_PAGES * PAGE_FIELDS;
    if (this.#pages.length < fields) {
      const grown = new Int32Array(2 * fields);
      grown.set(this.#pages);
      this.#pages = grown;
    }
    for (let i = pageCount - 1; i >= 0; i--) this.#link(chunk * CHUNK_PAGES + i, 0);
    this.#pagesFree += pageCount;
  }

  #releaseChunk(chunk: number): void {
    const bytes = this.#chunkBytes[chunk]!;
    const pageCount = bytes.length / PAGE_BYTES;
    for (let i = 0; i < pageCount; i++) this.#unlink(chunk * CHUNK_PAGES + i, 0);
    this.#pagesFree -= pageCount;
    this.#dropChunk(chunk);
  }

  #dropChunk(chunk: number): void {
    const bytes = this.#chunkBytes[chunk]!;
    this.reservedBytes -= bytes.length;
    this.#chunkBytes[chunk] = NO_BYTES;
    this.#chunkWords[chunk] = NO_WORDS;
    this.#chunksReleased.push(chunk);
  }

  /** A page of the chunk that is being evacuated is in no list: nothing is put there. */
  #link(page: number, list: number): void {
    if (Math.floor(page / CHUNK_PAGES) === this.#evacuated) return;
    const head = this.#pageWithRoom[list]!;
    this.#pages[page * PAGE_FIELDS + PAGE_NEXT] = head;
    this.#pages[page * PAGE_FIELDS + PAGE_PREVIOUS] = 0;
    if (head !== 0) this.#pages[head * PAGE_FIELDS + PAGE_PREVIOUS] = page;
    this.#pageWithRoom[list] = page;
  }

  #unlink(page: number, list: number): void {
    if (Math.floor(page / CHUNK_PAGES) === this.#evacuated) return;
    const next = this.#pages[page * PAGE_FIELDS + PAGE_NEXT]!;
    const previous = this.#pages[page * PAGE_FIELDS + PAGE_PREVIOUS]!;
    if (next !== 0) this.#pages[next * PAGE_FIELDS + PAGE_PREVIOUS] = previous;
    if (previous !== 0) this.#pages[previous * PAGE_FIELDS + PAGE_NEXT] = next;
    else this.#pageWithRoom[list] = next;
  }

  #allocateLarge(size: number): number {
    const number = this.#largeFree.pop() ?? this.#largeBytes.length;
    if (number >= LARGE_REF) fail(`${number} large records in one database`);
    const bytes = Buffer.allocUnsafeSlow(roundToClass(size));
    this.#largeBytes[number] = bytes;
    this.#largeWords[number] = new Uint32Array(bytes.buffer, bytes.byteOffset, 4);
    this.reservedBytes += bytes.length;
    this.bytes = bytes;
    this.words = this.#largeWords[number]!;
    this.at = 0;
    return LARGE_REF + number;
  }

  #freeLarge(number: number): void {
    this.reservedBytes -= this.#largeBytes[number]!.length;
    this.#largeBytes[number] = NO_BYTES;
    this.#largeWords[number] = NO_WORDS;
    this.#largeFree.push(number);
  }
}
