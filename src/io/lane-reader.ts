// The receiving half of a connection's two lanes (docs/adr/0021): units in, whole frames out, and the word when bytes of long
// frames have been taken. Holds one frame of each lane at most, and checks a length before anything is allocated.

import { FRAME_BYTES_MAX } from "../base/limits.ts";
import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";
import { FrameReader } from "./frame-reader.ts";
import { UNIT_BYTES_MAX, UNIT_FRAME, UNIT_PIECE, UNIT_TAKEN, unitKind, unitNumber } from "./lane-units.ts";

export interface LaneReaderOwner {
  frame(frame: Buffer): void;
  /** The other side has taken so many bytes more of what was sent. Returns what is wrong with that. */
  taken(bytes: number): string | undefined;
}

export class LaneReader {
  /** Bytes of long frames that have arrived and were not reported yet: the owner's to take away. */
  untoldBytes = 0;
  readonly #owner: LaneReaderOwner;
  readonly #short: FrameReader;
  readonly #long: FrameReader;
  readonly #head = Buffer.alloc(FRAME_PREFIX_BYTES);
  #headFilled = 0;
  /** Bytes of the unit that are still to come, and who gets them. */
  #left = 0;
  #reader: FrameReader;
  #isStopped = false;

  constructor(owner: LaneReaderOwner) {
    this.#owner = owner;
    this.#short = new FrameReader(UNIT_BYTES_MAX, (frame) => owner.frame(frame));
    this.#long = new FrameReader(FRAME_BYTES_MAX, (frame) => owner.frame(frame));
    this.#reader = this.#short;
  }

  /** Nothing is delivered any more. */
  stop(): void {
    this.#isStopped = true;
    this.#short.stop();
    this.#long.stop();
  }

  /** chunk[from, to): undefined, or what is wrong with the stream. `chunk` is copied. */
  push(chunk: Buffer, from: number, to: number): string | undefined {
    let at = from;
    while (at < to && !this.#isStopped) {
      if (this.#left === 0) {
        this.#head[this.#headFilled++] = chunk[at++] ?? 0;
        if (this.#headFilled < FRAME_PREFIX_BYTES) continue;
        this.#headFilled = 0;
        const problem = this.#begin(this.#head.readUInt32BE(0));
        if (problem !== undefined) return problem;
        continue;
      }
      const end = Math.min(to, at + this.#left);
      const problem = this.#reader.push(chunk, at, end);
      if (problem !== undefined) return problem;
      if (this.#reader === this.#long) this.untoldBytes += end - at;
      this.#left -= end - at;
      at = end;
    }
    return undefined;
  }

  #begin(word: number): string | undefined {
    const number = unitNumber(word);
    const kind = unitKind(word);
    if (kind === UNIT_TAKEN) return this.#owner.taken(number);
    if (kind !== UNIT_FRAME && kind !== UNIT_PIECE) return `a unit of kind ${kind}`;
    this.#left = number;
    if (kind === UNIT_PIECE) {
      this.#reader = this.#long;
      return number > UNIT_BYTES_MAX ? `a piece of ${number} bytes, ${UNIT_BYTES_MAX} allowed` : undefined;
    }
    this.#reader = this.#short;
    return this.#short.push(this.#head, 0, FRAME_PREFIX_BYTES);
  }
}
