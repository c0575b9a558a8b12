// CRC-64 (Jones' polynomial, reflected, starting at 0), which ends Redis's dump payloads: bytes in, eight bytes out.
// Finds accidents, not attacks.

// 0xad93d23594c935a9 with its bits reversed.
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;

export const CRC64_BYTES = 8;

const lows = new Int32Array(256);
const highs = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = (low & 1) !== 0;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      low ^= POLYNOMIAL_LOW;
      high ^= POLYNOMIAL_HIGH;
    }
  }
  lows[byte] = low;
  highs[byte] = high;
}

/** Writes the CRC of bytes[start, end) to target[at, at + 8), little-endian. */
export function writeCrc64(target: Buffer, at: number, bytes: Uint8Array, start: number, end: number): void {
  let low = 0;
  let high = 0;
  for (let i = start; i < end; i++) {
    const index = (low ^ bytes[i]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ lows[index]!;
    high = (high >>> 8) ^ highs[index]!;
  }
  target.writeInt32LE(low, at);
  target.writeInt32LE(high, at + 4);
}
