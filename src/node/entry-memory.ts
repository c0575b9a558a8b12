// Where the bytes of log entries live: slabs filled one entry after the other. A slab is garbage once the
// log has dropped all of its entries, so there is nothing to free here.

const SLAB_BYTES = 1 << 20;

export class EntryMemory {
  slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  position = 0;

  /** A slab with room for an entry of `bytes` that outgrew the current one, and as much again. */
  fresh(bytes: number): Buffer {
    return Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * bytes));
  }

  /** The entry that was written into `slab` up to `position` is final; the next starts behind it. */
  take(slab: Buffer, position: number): void {
    this.slab = slab;
    // Aligned, so that copies of whole entries stay on word boundaries.
    this.position = (position + 7) & ~7;
  }
}
