// LZF by Marc Lehmann, the reading side: compressed bytes in, exactly as many plain ones as announced out, or nothing.
//
//   000nnnnn                       n + 1 bytes follow as they are
//   nnnooooo oooooooo              n + 2 bytes again from o + 1 bytes back; n of 1 to 6
//   111ooooo nnnnnnnn oooooooo     n + 9 of them

/** One compressed byte cannot stand for more: 264 bytes in three. */
const EXPANSION_MAX = 88;
const LITERALS_MAX = 32;
const LONG = 7;

/** bytes[start, end) unpacked; undefined when that is no LZF, or not of this length. */
export function unpackLzf(bytes: Buffer, start: number, end: number, length: number): Buffer | undefined {
  // Checked before memory is asked for: the length is the client's word.
  if (length > (end - start) * EXPANSION_MAX) return undefined;
  const plain = Buffer.alloc(length);
  let to = 0;
  let at = start;
  while (at < end) {
    const control = bytes[at++]!;
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (at + count > end || to + count > length) return undefined;
      bytes.copy(plain, to, at, at + count);
      at += count;
      to += count;
      continue;
    }
    let count = control >> 5;
    if (at + (count === LONG ? 2 : 1) > end) return undefined;
    if (count === LONG) count += bytes[at++]!;
    count += 2;
    let from = to - ((control & 0x1f) << 8) - bytes[at++]! - 1;
    if (from < 0 || to + count > length) return undefined;
    // One by one: what is copied may be what was just written.
    for (; count > 0; count--) plain[to++] = plain[from++]!;
  }
  return to === length ? plain : undefined;
}
