// Writes one frame: the u32 length in front, the protobuf body behind it. Payloads are copied once, from where they are
// into the frame; long ones are not copied: the frame then is a list of parts. Never grows while the caller's estimate holds.

import protobuf from "protobufjs/minimal.js";
import { asBuffer } from "../base/as-buffer.ts";
import { assert } from "../base/assert.ts";
import { FRAME_BYTES_MAX, SHARED_BYTES_LEAST } from "../base/limits.ts";

/** Bytes of the length in front of each frame's body. */
export const FRAME_PREFIX_BYTES = 4;
/** Room kept for the length of a nested message: a varint of this many bytes, padded. */
const LENGTH_BYTES = 5;

/** Bytes of the estimate that `length` bytes of payload need in the writer's own buffer. */
export const copiedBytes = (length: number): number => (length >= SHARED_BYTES_LEAST ? 0 : length);

/**
 * protobufjs keeps one byte for the length of a nested message and moves the whole message when it does not
 * suffice, once per level: an append of 1 MiB would be moved twice. Here the length always takes five bytes; a
 * padded varint is as good as a short one to any protobuf reader.
 */
export class FrameWriter extends protobuf.BufferWriter {
  readonly #open: number[] = [];
  /** Of each long payload: where in the buffer it belongs, and the payload. */
  #shared: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #sharedBytes = 0;

  /**
   * @param bytesEstimate of the body; too little costs a copy, too much costs memory while the frame is sent
   * @param memory to write into if it is large enough; new memory otherwise
   */
  constructor(bytesEstimate: number, memory?: Buffer) {
    super();
    const bytes = FRAME_PREFIX_BYTES + bytesEstimate;
    this.buf = memory !== undefined && memory.length >= bytes ? memory : Buffer.allocUnsafe(bytes);
    this.pos = FRAME_PREFIX_BYTES;
  }

  override bytes(value: Uint8Array | string): this {
    if (typeof value === "string" || value.length < SHARED_BYTES_LEAST) {
      super.bytes(value);
      return this;
    }
    this.uint32(value.length);
    this.#shared.push({ at: this.pos, bytes: value });
    this.#sharedBytes += value.length;
    return this;
  }

  override fork(): this {
    this.#open.push(this.pos, this.#sharedBytes);
    // Any varint of five bytes reserves the room; ldelim writes over it.
    this.uint32(0xffff_ffff);
    return this;
  }

  override ldelim(): this {
    const sharedBefore = this.#open.pop();
    const start = this.#open.pop();
    assert(start !== undefined && sharedBefore !== undefined, "ldelim without fork");
    let length = this.pos - start - LENGTH_BYTES + this.#sharedBytes - sharedBefore;
    for (let i = 0; i < LENGTH_BYTES - 1; i++) {
      this.buf[start + i] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    this.buf[start + LENGTH_BYTES - 1] = length;
    return this;
  }

  /** The frame in parts: views of this writer's buffer, which must not be used any more, and the long payloads between them. */
  parts(): readonly Uint8Array[] {
    const bytes = this.pos + this.#sharedBytes;
    assert(bytes <= FRAME_BYTES_MAX, `a frame of ${bytes} bytes, ${FRAME_BYTES_MAX} allowed`);
    const own = Buffer.from(this.buf.buffer, this.buf.byteOffset, this.pos);
    own.writeUInt32BE(bytes - FRAME_PREFIX_BYTES, 0);
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes: shared } of this.#shared) {
      parts.push(own.subarray(from, at), shared);
      from = at;
    }
    if (from < own.length) parts.push(from === 0 ? own : own.subarray(from));
    return parts;
  }

  /** The same in one piece, of which long payloads are copied. */
  frame(): Buffer {
    const parts = this.parts();
    return parts.length === 1 ? asBuffer(parts[0]!) : Buffer.concat(parts);
  }
}
