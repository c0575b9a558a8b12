// CRC-16 (XMODEM: polynomial 0x1021, from 0, most significant bit first), by which Redis Cluster spreads keys over
// slots: bytes in, sixteen bits out. Allocates nothing.

const POLYNOMIAL = 0x1021;

const table = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  table[byte] = crc;
}

/** Of bytes[start, end). */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ table[(crc >>> 8) ^ bytes[i]!]!;
  return crc;
}
