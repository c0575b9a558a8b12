// Integer arguments, as Redis's getLongLongFromObject reads them.

import type { Args } from "../base/args.ts";
import { parseInteger64 } from "../base/integers.ts";

/** Argument `index` as a signed 64-bit integer: a number where that is exact; undefined when it is none. */
export function integerAt(args: Args, index: number): number | bigint | undefined {
  return parseInteger64(args.bytes, args.start(index), args.end(index));
}

/** Fits in C's int: database indexes and the like. */
export function isInt32(value: number | bigint): value is number {
  return typeof value === "number" && value >= -0x8000_0000 && value <= 0x7fff_ffff;
}
