// Which of Redis Cluster's slots a key is in (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/,
// "Key distribution model"). Bytes in, a number out; which node has the slot is no question here: one group has all.

import { crc16 } from "../base/crc16.ts";

export const SLOT_COUNT = 16384;

const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * The slot of the key bytes[start, end). Only what is between the first '{' and the next '}' counts, if that is there
 * and not empty: keys with the same tag are in the same slot.
 */
export function slotOfKey(bytes: Uint8Array, start: number, end: number): number {
  for (let open = start; open < end; open++) {
    if (bytes[open] !== OPEN) continue;
    for (let close = open + 1; close < end; close++) {
      if (bytes[close] !== CLOSE) continue;
      return close === open + 1
        ? crc16(bytes, start, end) & (SLOT_COUNT - 1)
        : crc16(bytes, open + 1, close) & (SLOT_COUNT - 1);
    }
    break;
  }
  return crc16(bytes, start, end) & (SLOT_COUNT - 1);
}
