// MurmurHash64A by Austin Appleby (public domain), in 32-bit halves: bytes in, 64 bits out. Not for hash tables that
// clients could attack; it is here because Redis's HyperLogLogs are made with it.

const MULTIPLIER_LOW = 0x5bd1e995;
const MULTIPLIER_HIGH = 0xc6a4a793 | 0;
const MULTIPLIER_LOW_LOW = MULTIPLIER_LOW & 0xffff;
const MULTIPLIER_LOW_HIGH = MULTIPLIER_LOW >>> 16;
const SHIFT_IN_HIGH = 47 - 32;

/** The halves of the last hash, as signed 32-bit integers. */
export let murmurLow = 0;
export let murmurHigh = 0;

// The two numbers that the steps below work on.
let low = 0;
let high = 0;

/** Times the multiplier, in 64 bits. */
function multiply(): void {
  const a = low & 0xffff;
  const b = low >>> 16;
  const least = a * MULTIPLIER_LOW_LOW;
  const middle = a * MULTIPLIER_LOW_HIGH + b * MULTIPLIER_LOW_LOW + Math.floor(least / 0x1_0000);
  const carried = b * MULTIPLIER_LOW_HIGH + Math.floor(middle / 0x1_0000);
  high = (carried + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) | 0;
  low = (middle << 16) | (least & 0xffff);
}

/** x ^= x >> 47 */
function fold(): void {
  low ^= high >>> SHIFT_IN_HIGH;
}

/** Hashes bytes[start, end) into murmurLow and murmurHigh; `seed` is a u32. */
export function murmur64(bytes: Uint8Array, start: number, end: number, seed: number): void {
  low = end - start;
  high = 0;
  multiply();
  let hashLow = low ^ seed;
  let hashHigh = high;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    low = word(bytes, at);
    high = word(bytes, at + 4);
    multiply();
    fold();
    multiply();
    low ^= hashLow;
    high ^= hashHigh;
    multiply();
    hashLow = low;
    hashHigh = high;
  }
  low = hashLow;
  high = hashHigh;
  if (at < end) {
    for (let shift = 0; at < end; at++, shift += 8) {
      if (shift < 32) low ^= bytes[at]! << shift;
      else high ^= bytes[at]! << (shift - 32);
    }
    multiply();
  }
  fold();
  multiply();
  fold();
  murmurLow = low;
  murmurHigh = high;
}

/** Little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
