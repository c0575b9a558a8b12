// Memory for the index's segments: arrays of entries in a few large typed arrays, taken and given back one by one.
// Knows how many entries a segment has, not what they are.

/** Two words an entry: hash, ref. */
const SEGMENT_SHIFT = 7;
const SEGMENT_WORDS = 1 << SEGMENT_SHIFT;
export const SEGMENT_ENTRIES = SEGMENT_WORDS / 2;
const CHUNK_SEGMENTS_SHIFT = 7;
const CHUNK_SEGMENTS = 1 << CHUNK_SEGMENTS_SHIFT;
const NO_WORDS = new Uint32Array(0);

/** Segment 0 is always there and always empty: it stands for all of an empty index. */
export const NO_SEGMENT = 0;

export class SegmentPool {
  /** By segment: entries in use (low byte), and how many top bits of the hash all of them share (high byte). */
  sizes = new Uint16Array(1);
  /** Segment `s` is in chunks[s >>> CHUNK_SEGMENTS_SHIFT], from word `base(s)` on. */
  readonly chunks: Uint32Array[] = [];

  /** By chunk: segments in use, and the first free one + 1; the next one stands in the free segment's first word. */
  readonly #used: number[] = [];
  readonly #freeHeads: number[] = [];
  /** Chunks that may have room, the next one to use last; some may be full or gone by now. */
  readonly #withRoom: number[] = [];
  readonly #gone: number[] = [];
  #chunksHeld = 0;

  get reservedBytes(): number {
    return this.#chunksHeld * CHUNK_SEGMENTS * SEGMENT_WORDS * 4 + this.sizes.byteLength;
  }

  count(segment: number): number {
    return this.sizes[segment]! & 0xff;
  }

  depth(segment: number): number {
    return this.sizes[segment]! >>> 8;
  }

  setSize(segment: number, count: number, depth: number): void {
    this.sizes[segment] = count | (depth << 8);
  }

  /** The words that hold a segment, from `base` of it on. */
  words(segment: number): Uint32Array {
    return this.chunks[segment >>> CHUNK_SEGMENTS_SHIFT]!;
  }

  base(segment: number): number {
    return (segment & (CHUNK_SEGMENTS - 1)) << SEGMENT_SHIFT;
  }

  allocate(depth: number): number {
    const { chunk, head } = this.#chunkWithRoom();
    const segment = chunk * CHUNK_SEGMENTS + head - 1;
    this.#freeHeads[chunk] = this.chunks[chunk]![this.base(segment)]!;
    this.#used[chunk]!++;
    this.sizes[segment] = depth << 8;
    return segment;
  }

  free(segment: number): void {
    const chunk = segment >>> CHUNK_SEGMENTS_SHIFT;
    const head = this.#freeHeads[chunk]!;
    this.chunks[chunk]![this.base(segment)] = head;
    this.#freeHeads[chunk] = (segment & (CHUNK_SEGMENTS - 1)) + 1;
    this.#used[chunk]!--;
    if (head === 0) this.#withRoom.push(chunk);
    // One chunk may stay empty, so that a chunk does not come and go with one segment.
    if (this.#used[chunk] === 0 && this.#withRoom.at(-1) !== chunk) {
      this.chunks[chunk] = NO_WORDS;
      this.#freeHeads[chunk] = 0;
      this.#gone.push(chunk);
      this.#chunksHeld--;
    }
  }

  #chunkWithRoom(): { chunk: number; head: number } {
    for (;;) {
      const chunk = this.#withRoom.at(-1) ?? this.#addChunk();
      const head = this.#freeHeads[chunk]!;
      if (head !== 0) return { chunk, head };
      this.#withRoom.pop();
    }
  }

  #addChunk(): number {
    const chunk = this.#gone.pop() ?? this.chunks.length;
    const words = new Uint32Array(CHUNK_SEGMENTS * SEGMENT_WORDS);
    // Segment 0 is never given out.
    const first = chunk === 0 ? 1 : 0;
    for (let i = first; i < CHUNK_SEGMENTS - 1; i++) words[i * SEGMENT_WORDS] = i + 2;
    this.chunks[chunk] = words;
    this.#freeHeads[chunk] = first + 1;
    this.#used[chunk] = 0;
    this.#withRoom.push(chunk);
    this.#chunksHeld++;
    const segments = (chunk + 1) * CHUNK_SEGMENTS;
    if (this.sizes.length < segments) {
      const longer = new Uint16Array(2 * segments);
      longer.set(this.sizes);
      this.sizes = longer;
    }
    return chunk;
  }
}
