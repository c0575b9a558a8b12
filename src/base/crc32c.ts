// CRC-32C (Castagnoli, RFC 3720 appendix B.4): bytes in, a u32 out. Finds accidents, not attacks.

const POLYNOMIAL = 0x82f63b78; // reflected
const SLICES = 4;
const TABLES = makeTables();

/** Four tables of 256: table k advances a byte that has k bytes behind it in the same word. */
function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < SLICES * 256; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

/** The CRC of bytes[start, end). `before` is the CRC of what comes before them, to checksum in pieces. */
export function crc32c(bytes: Uint8Array, start: number, end: number, before = 0): number {
  const tables = TABLES;
  let crc = ~before;
  let i = start;
  for (const wordsEnd = end - 3; i < wordsEnd; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      tables[768 + (crc & 0xff)]! ^
      tables[512 + ((crc >>> 8) & 0xff)]! ^
      tables[256 + ((crc >>> 16) & 0xff)]! ^
      tables[crc >>> 24]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
