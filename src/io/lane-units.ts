// What travels between two nodes after the handshake: units, each a u32 whose upper two bits are its kind and whose other
// bits are a number (docs/adr/0021). Numbers only; who makes and reads units is in lane-writer and lane-reader.
//
//   FRAME  bytes of a whole frame's body, which follows; 0: a keepalive
//   PIECE  bytes that follow, of the stream of long frames: one after the other, each with its own length in front
//   TAKEN  so many bytes more of the other side's stream have arrived here; nothing follows

import { assert } from "../base/assert.ts";

const KIND_SHIFT = 30;
export const UNIT_FRAME = 0;
export const UNIT_PIECE = 1;
export const UNIT_TAKEN = 2;

/** Of one frame in one unit, prefix included, and of one piece. */
export const UNIT_BYTES_MAX = 256 * 1024;
/** Pieces on their way that the other side has not said it has taken. An urgent frame waits behind no more than these. */
export const LANE_WINDOW_BYTES = 4 * 1024 * 1024;
/** The receiver says so whenever it has taken as much as this. */
export const TAKEN_BYTES_LEAST = 256 * 1024;

assert(
  LANE_WINDOW_BYTES >= UNIT_BYTES_MAX + TAKEN_BYTES_LEAST,
  "what is not yet said to be taken leaves room",
);

export const unitKind = (word: number): number => word >>> KIND_SHIFT;
export const unitNumber = (word: number): number => word & ((1 << KIND_SHIFT) - 1);

/** The four bytes of a unit's head. */
export function unitHead(kind: number, number: number): Buffer {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE(((kind << KIND_SHIFT) | number) >>> 0, 0);
  return head;
}
