// The options behind SET and GETEX: in, the arguments; out, flags and where the time stands. Which options
// exclude each other is Redis's parseExtendedStringArgumentsOrReply, repeats included ("EX 5 EX 6" is fine).

import type { Args } from "../base/args.ts";

export const NX = 1;
export const XX = 2;
export const GET = 4;
export const KEEPTTL = 8;
export const PERSIST = 16;
export const EX = 32;
export const PX = 64;
export const EXAT = 128;
export const PXAT = 256;
export const SYNTAX_ERROR = -1;

const TIMES = EX | PX | EXAT | PXAT;

/** Index of the argument that holds the time, when the last parse returned one of EX PX EXAT PXAT. */
export let timeIndex = 0;

/** SET key value [options]: flags, or SYNTAX_ERROR. */
export function parseSetOptions(args: Args): number {
  let flags = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX") && (flags & XX) === 0) flags |= NX;
    else if (args.is(i, "XX") && (flags & NX) === 0) flags |= XX;
    else if (args.is(i, "GET")) flags |= GET;
    else if (args.is(i, "KEEPTTL") && (flags & TIMES) === 0) flags |= KEEPTTL;
    else {
      const unit = timeUnit(args, i, flags);
      if (unit === 0) return SYNTAX_ERROR;
      flags |= unit;
      timeIndex = ++i;
    }
  }
  return flags;
}

/** GETEX key [options]: flags, or SYNTAX_ERROR. */
export function parseGetexOptions(args: Args): number {
  let flags = 0;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "PERSIST") && (flags & TIMES) === 0) flags |= PERSIST;
    else {
      const unit = timeUnit(args, i, flags);
      if (unit === 0) return SYNTAX_ERROR;
      flags |= unit;
      timeIndex = ++i;
    }
  }
  return flags;
}

/** The flag of a time option that has its value behind it and may stand beside `flags`; 0 otherwise. */
function timeUnit(args: Args, index: number, flags: number): number {
  if (index + 1 >= args.count || (flags & (KEEPTTL | PERSIST)) !== 0) return 0;
  const unit = args.is(index, "EX")
    ? EX
    : args.is(index, "PX")
      ? PX
      : args.is(index, "EXAT")
        ? EXAT
        : args.is(index, "PXAT")
          ? PXAT
          : 0;
  return (flags & TIMES & ~unit) === 0 ? unit : 0;
}
