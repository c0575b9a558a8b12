// Redis's cells: longitude and latitude each cut in halves up to 26 times, the two numbers' bits interleaved, so that near
// points mostly have near scores in a sorted set. Degrees in, cell numbers and scores out, and back. Scores of any kind are taken.

export const LONGITUDE_MAX = 180;
/** Of the Mercator projection in a square. */
export const LATITUDE_MAX = 85.05112878;
/** Halvings of a point's cell. */
export const STEP_MAX = 26;
const SCORE_BITS = 52;
const HALF = 2 ** 32;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** Degrees; used again and again. */
export interface Point {
  longitude: number;
  latitude: number;
}

/** The number of the cell that a coordinate is in. At the upper end itself one more than there are. */
export function cellOf(degrees: number, max: number, step: number): number {
  return Math.floor(((degrees + max) / (2 * max)) * 2 ** step);
}

/** Where cell `cell` begins; it ends where the next one does. */
export function cellStart(cell: number, max: number, step: number): number {
  return -max + (cell / 2 ** step) * (2 * max);
}

/** The least score in a cell: its bits, longitude's before latitude's. Points of the upper end have more than 52. */
export function scoreOfCell(longitudeCell: number, latitudeCell: number, step: number): number {
  const high = interleave(longitudeCell >>> 16, latitudeCell >>> 16);
  const low = interleave(longitudeCell & 0xffff, latitudeCell & 0xffff);
  return (high * HALF + low) * 2 ** (SCORE_BITS - 2 * step);
}

/** The least score that is beyond a cell. */
export function scoreBehindCell(longitudeCell: number, latitudeCell: number, step: number): number {
  const high = interleave(longitudeCell >>> 16, latitudeCell >>> 16);
  const low = interleave(longitudeCell & 0xffff, latitudeCell & 0xffff);
  return (high * HALF + (low + 1)) * 2 ** (SCORE_BITS - 2 * step);
}

export function scoreOfPoint(longitude: number, latitude: number): number {
  return scoreOfCell(
    cellOf(longitude, LONGITUDE_MAX, STEP_MAX),
    cellOf(latitude, LATITUDE_MAX, STEP_MAX),
    STEP_MAX,
  );
}

/** The middle of the score's cell, kept within the map. Scores that are no cell's are read as C casts them on x86-64. */
export function pointOfScore(score: number, into: Point): void {
  let high: number;
  let low: number;
  if (score >= 0 && score < 2 ** 53) {
    high = Math.floor(score / HALF);
    low = score % HALF;
  } else {
    const bits = castToUnsigned(score);
    high = Number(bits >> 32n);
    low = Number(bits & 0xffff_ffffn);
  }
  into.longitude = middle(compact(high >>> 1) * 0x1_0000 + compact(low >>> 1), LONGITUDE_MAX);
  into.latitude = middle(compact(high) * 0x1_0000 + compact(low), LATITUDE_MAX);
}

function castToUnsigned(score: number): bigint {
  const limit = 2 ** 63;
  if (score < limit) return score < -limit ? 1n << 63n : BigInt(Math.trunc(score)) & MASK_64;
  return score < 2 * limit ? BigInt(score) : 0n;
}

function middle(cell: number, max: number): number {
  const degrees = (cellStart(cell, max, STEP_MAX) + cellStart(cell + 1, max, STEP_MAX)) / 2;
  return Math.min(max, Math.max(-max, degrees));
}

/** 16 bits each, as an unsigned number of 32. */
function interleave(odd: number, even: number): number {
  return ((spread(odd) << 1) | spread(even)) >>> 0;
}

/** Bit n becomes bit 2n. */
function spread(bits: number): number {
  bits = (bits | (bits << 8)) & 0x00ff_00ff;
  bits = (bits | (bits << 4)) & 0x0f0f_0f0f;
  bits = (bits | (bits << 2)) & 0x3333_3333;
  return (bits | (bits << 1)) & 0x5555_5555;
}

/** Bit 2n becomes bit n. */
function compact(bits: number): number {
  bits &= 0x5555_5555;
  bits = (bits | (bits >>> 1)) & 0x3333_3333;
  bits = (bits | (bits >>> 2)) & 0x0f0f_0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff_00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}

const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";
const POLE = 90;
const TEXT_BITS = 5;
const TEXT_LENGTH = 11;

/** The geohash that everybody uses: latitudes from pole to pole, 5 bits a character. The last one has no bits, and is 0. */
export function geohashText({ longitude, latitude }: Point): string {
  const longitudeCell = cellOf(longitude, LONGITUDE_MAX, STEP_MAX);
  const latitudeCell = cellOf(latitude, POLE, STEP_MAX);
  const high = BigInt(interleave(longitudeCell >>> 16, latitudeCell >>> 16));
  const bits = (high << 32n) | BigInt(interleave(longitudeCell & 0xffff, latitudeCell & 0xffff));
  let text = "";
  for (let i = 1; i < TEXT_LENGTH; i++) {
    text += ALPHABET[Number((bits >> BigInt(SCORE_BITS - i * TEXT_BITS)) & 0x1fn)]!;
  }
  return `${text}0`;
}
