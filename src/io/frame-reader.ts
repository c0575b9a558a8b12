// Cuts a byte stream into frames: u32 big-endian length, then the body. Chunks in, whole frames out, each in memory
// of exactly its own size (entries keep references into it), or all in the same. The limit is checked before anything is allocated.

import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";

export class FrameReader {
  /** Longest frame let in, prefix included. Raised when the other side has proved who it is. */
  bytesMax: number;
  /** Frames come in the same memory, one after the other. What is new to a process costs more than the copying into it. */
  reusesMemory = false;
  /** Where push() stopped: the end of what it was given, but for leave(). */
  position = 0;
  #memory = Buffer.alloc(0);
  readonly #onFrame: (frame: Buffer) => void;
  readonly #prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  #prefixFilled = 0;
  /** The frame being filled, undefined between frames. */
  #frame: Buffer | undefined;
  #filled = 0;
  #isStopped = false;

  /** @param onFrame gets each frame, prefix included; empty ones (keepalives) are left out */
  constructor(bytesMax: number, onFrame: (frame: Buffer) => void) {
    this.bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** Nothing is delivered any more, not even from the chunk in hand. */
  stop(): void {
    this.#isStopped = true;
    this.#frame = undefined;
    this.#memory = Buffer.alloc(0);
  }

  /** From inside `onFrame`: what follows this frame is for another reader. */
  leave(): void {
    this.#isStopped = true;
  }

  /** chunk[from, to): undefined, or what is wrong with the stream. `chunk` is copied. */
  push(chunk: Buffer, from: number, to: number): string | undefined {
    let at = from;
    while (at < to && !this.#isStopped) {
      if (this.#frame === undefined) {
        this.#prefix[this.#prefixFilled++] = chunk[at++] ?? 0;
        if (this.#prefixFilled < FRAME_PREFIX_BYTES) continue;
        this.#prefixFilled = 0;
        const bytes = FRAME_PREFIX_BYTES + this.#prefix.readUInt32BE(0);
        if (bytes > this.bytesMax) return `a frame of ${bytes} bytes, ${this.bytesMax} allowed`;
        if (bytes === FRAME_PREFIX_BYTES) continue;
        this.#frame = this.#memoryFor(bytes);
        this.#prefix.copy(this.#frame);
        this.#filled = FRAME_PREFIX_BYTES;
      }
      const end = Math.min(to, at + this.#frame.length - this.#filled);
      chunk.copy(this.#frame, this.#filled, at, end);
      this.#filled += end - at;
      at = end;
      if (this.#filled === this.#frame.length) {
        const frame = this.#frame;
        this.#frame = undefined;
        this.#onFrame(frame);
      }
    }
    this.position = at;
    return undefined;
  }

  #memoryFor(bytes: number): Buffer {
    if (!this.reusesMemory) return Buffer.allocUnsafeSlow(bytes);
    if (this.#memory.length < bytes) this.#memory = Buffer.allocUnsafeSlow(bytes);
    return this.#memory.subarray(0, bytes);
  }
}
