// The arguments of one command: byte ranges in somebody else's buffer. One object is reused for every
// command, so nothing here may be kept past the command; copy the bytes into the store instead.

const NO_BYTES = Buffer.alloc(0);

/**
 *   bytes:    * 3 \r \n $ 3 \r \n S E T \r \n $ 1 ...
 *   offsets:  ... [start0, end0, start1, end1, ...] ...      two slots an argument, from `base` on
 */
export class Args {
  bytes: Buffer = NO_BYTES;
  offsets: Int32Array = new Int32Array(0);
  /** Index in `offsets` where argument 0 (the command's name) starts. */
  base = 0;
  /** Number of arguments, the name included. */
  count = 0;

  set(bytes: Buffer, offsets: Int32Array, base: number, count: number): this {
    this.bytes = bytes;
    this.offsets = offsets;
    this.base = base;
    this.count = count;
    return this;
  }

  /** Lets go of the bytes, which may be long: until the next command there are no arguments. */
  forget(): void {
    this.bytes = NO_BYTES;
    this.count = 0;
  }

  /** First byte of argument `index`. */
  start(index: number): number {
    return this.offsets[this.base + 2 * index]!;
  }

  /** One past the last byte of argument `index`. */
  end(index: number): number {
    return this.offsets[this.base + 2 * index + 1]!;
  }

  length(index: number): number {
    const at = this.base + 2 * index;
    return this.offsets[at + 1]! - this.offsets[at]!;
  }

  /** Bytes of all arguments together, the name included. */
  contentBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.count; i++) bytes += this.length(i);
    return bytes;
  }

  /** A copy of argument `index`. Allocates: not for the hot path. */
  copy(index: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.start(index), this.end(index)));
  }

  /** Argument `index` as text, bytes 1:1 as latin1. Allocates: not for the hot path. */
  text(index: number): string {
    return this.bytes.toString("latin1", this.start(index), this.end(index));
  }

  /** Does argument `index` equal `upper` (ASCII, upper case), whatever its case? Allocates nothing. */
  is(index: number, upper: string): boolean {
    const start = this.start(index);
    if (this.end(index) - start !== upper.length) return false;
    for (let i = 0; i < upper.length; i++) {
      let byte = this.bytes[start + i]!;
      if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
      if (byte !== upper.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Makes an Args of its own from texts or bytes; for tests and for commands the server gives itself. */
  static of(...parts: readonly (string | Uint8Array)[]): Args {
    const buffers = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part)));
    const offsets = new Int32Array(2 * parts.length);
    let at = 0;
    buffers.forEach((buffer, i) => {
      offsets[2 * i] = at;
      at += buffer.length;
      offsets[2 * i + 1] = at;
    });
    return new Args().set(Buffer.concat(buffers), offsets, 0, parts.length);
  }
}
