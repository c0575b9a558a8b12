// Positions of bits as arguments: in, an argument; out, a bit number that lies inside the longest string.

import type { Args } from "../base/args.ts";
import { parseInteger64 } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import type { DataContext } from "./types.ts";

const NUMBER_SIGN = 0x23;

/**
 * Argument `index` as the number of a bit, bit 0 being the highest of the first byte. With `fieldBits`, "#3" means the
 * fourth field of so many bits. The last bit touched, `bits` later, must fit too. Undefined after an error was replied.
 */
export function bitOffsetAt(
  context: DataContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
  fieldBits = 0,
): number | undefined {
  const start = args.start(index);
  const inFields = fieldBits > 0 && args.length(index) > 0 && args.bytes[start] === NUMBER_SIGN;
  let offset = parseInteger64(args.bytes, inFields ? start + 1 : start, args.end(index));
  if (offset !== undefined && inFields) offset = timesBits(offset, fieldBits);
  if (offset !== undefined && offset >= 0) {
    const lastBit = Number(offset) + Math.max(fieldBits, 1) - 1;
    // Redis lets a field begin at the last byte and the string grow past the limit; a value here may not.
    if (lastBit / 8 < context.stringBytesMax) return Number(offset);
  }
  reply.error(replyError.bitOffset);
  return undefined;
}

/** In 64 bits that overflow silently, as in Redis. */
function timesBits(offset: number | bigint, bits: number): number | bigint {
  const product = Number(offset) * bits;
  return Number.isSafeInteger(product) ? product : BigInt.asIntN(64, BigInt(offset) * BigInt(bits));
}
