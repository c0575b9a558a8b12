// Key bytes and a secret 64-bit seed in, a 32-bit hash out. Clients choose keys, so the hash is keyed and strong
// enough that they cannot aim for collisions: murmur has collisions that hold for every seed.

/**
 * HalfSipHash-1-3 with 32-bit output (Aumasson and Bernstein; Linux's hsiphash on 32-bit machines), but 0, which
 * marks an empty slot, becomes 1. An int32, not a u32: a u32 above 2^31 would be boxed when it is returned.
 */
export function hashKey(bytes: Uint8Array, start: number, end: number, seed0: number, seed1: number): number {
  let v0 = seed0 | 0;
  let v1 = seed1 | 0;
  let v2 = 0x6c796765 ^ seed0;
  let v3 = 0x74656462 ^ seed1;
  const length = end - start;
  const wordsEnd = start + (length & ~3);
  for (let i = start; i < wordsEnd; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = length << 24;
  if ((length & 3) > 2) last |= bytes[wordsEnd + 2]! << 16;
  if ((length & 3) > 1) last |= bytes[wordsEnd + 1]! << 8;
  if ((length & 3) > 0) last |= bytes[wordsEnd]!;
  v3 ^= last;
  // One compression round and three of finalization: the same four rounds in a row, with the two marks between.
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  const hash = v1 ^ v3;
  return hash === 0 ? 1 : hash;
}

/** One number for a key's hash and its database: an int32, so that none is allocated. Not without collisions. */
export const databaseHash = (database: number, hash: number): number =>
  (hash ^ Math.imul(database, 0x9e3779b1)) | 0;
