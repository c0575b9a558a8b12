// Record sizes in, size classes out. The class is a function of the content's size alone, so that memory counted
// by classes is the same on every replica, whatever each one's history.

/** Larger records have a buffer of their own. */
export const SLAB_BYTES_MAX = 32 * 1024;

/** Multiples of 16 up to 128, then four steps to each doubling: at most a quarter is lost, an eighth on average. */
export function sizeClassOf(bytes: number): number {
  if (bytes <= 128) return (bytes + 15) >>> 4; // 1..8
  const last = bytes - 1;
  const exponent = 31 - Math.clz32(last); // 7 for 129..256
  return 9 + (exponent - 7) * 4 + ((last >>> (exponent - 2)) & 3);
}

/** Bytes that a record of `bytes` really takes; growing by single bytes meets few steps, so APPEND is amortised. */
export function roundToClass(bytes: number): number {
  if (bytes <= 128) return (bytes + 15) & ~15;
  const last = bytes - 1;
  const shift = 29 - Math.clz32(last);
  return ((last >>> shift) + 1) * (1 << shift);
}

/** One more than the highest class of a slab record. */
export const SLAB_CLASSES = sizeClassOf(SLAB_BYTES_MAX) + 1;

/** Bytes of each slab class, by class; class 0 is not used. */
export const SLAB_CLASS_BYTES: Uint32Array = slabClassBytes();

function slabClassBytes(): Uint32Array {
  const sizes = new Uint32Array(SLAB_CLASSES);
  for (let bytes = 16; bytes <= SLAB_BYTES_MAX; bytes += 16) sizes[sizeClassOf(bytes)] = bytes;
  return sizes;
}
