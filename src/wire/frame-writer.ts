// Writes one frame into one buffer: the u32 length in front, the protobuf body behind it. Payloads are copied
// once, from where they are into the frame. Never grows while the caller's estimate holds.

import protobuf from "protobufjs/minimal.js";
import { assert } from "../base/assert.ts";
import { FRAME_BYTES_MAX } from "../base/limits.ts";

/** Bytes of the length in front of each frame's body. */
export const FRAME_PREFIX_BYTES = 4;
/** Room kept for the length of a nested message: a varint of this many bytes, padded. */
const LENGTH_BYTES = 5;

/**
 * protobufjs keeps one byte for the length of a nested message and moves the whole message when it does not
 * suffice, once per level: an append of 1 MiB would be moved twice. Here the length always takes five bytes; a
 * padded varint is as good as a short one to any protobuf reader.
 */
export class FrameWriter extends protobuf.BufferWriter {
  readonly #open: number[] = [];

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

  override fork(): this {
    this.#open.push(this.pos);
    // Any varint of five bytes reserves the room; ldelim writes over it.
    this.uint32(0xffff_ffff);
    return this;
  }

  override ldelim(): this {
    const start = this.#open.pop();
    assert(start !== undefined, "ldelim without fork");
    let length = this.pos - start - LENGTH_BYTES;
    for (let i = 0; i < LENGTH_BYTES - 1; i++) {
      this.buf[start + i] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    this.buf[start + LENGTH_BYTES - 1] = length;
    return this;
  }

  /** The frame: a view of this writer's buffer, which must not be used any more. */
  frame(): Buffer {
    const bytes = this.pos;
    assert(bytes <= FRAME_BYTES_MAX, `a frame of ${bytes} bytes, ${FRAME_BYTES_MAX} allowed`);
    const frame = Buffer.from(this.buf.buffer, this.buf.byteOffset, bytes);
    frame.writeUInt32BE(bytes - FRAME_PREFIX_BYTES, 0);
    return frame;
  }
}
