// Times to live -> deadlines in ms since the epoch, with Redis's overflow checks (64-bit signed ms).

import type { Args } from "../base/args.ts";
import { addInteger64, INTEGER64_MAX } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { invalidExpireTime, replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";
import { EX, EXAT, PX } from "./parse-string-options.ts";

const SECONDS_MAX = INTEGER64_MAX / 1000n;

/**
 * The deadline that argument `index` sets in unit `unit` (one of EX PX EXAT PXAT) for SET, GETEX and their
 * kin, which allow positive times only. Undefined after an error was replied.
 */
export function positiveDeadline(
  nowMs: number,
  args: Args,
  index: number,
  unit: number,
  commandName: string,
  reply: ReplyWriter,
): number | undefined {
  const time = integerAt(args, index);
  if (time === undefined) {
    reply.error(replyError.notInteger);
    return undefined;
  }
  const inSeconds = (unit & (EX | EXAT)) !== 0;
  const relative = (unit & (EX | PX)) !== 0;
  const deadline = time > 0 ? deadlineOf(time, inSeconds, relative ? nowMs : 0) : undefined;
  if (deadline === undefined) reply.error(invalidExpireTime(commandName));
  return deadline;
}

/**
 * Undefined when the sum leaves the 64-bit range. Negative times give deadlines in the past. Deadlines later
 * than 2^53 ms (the year 287,396) are rounded to the nearest double, which is how the store keeps them.
 */
export function deadlineOf(time: number | bigint, inSeconds: boolean, baseMs: number): number | undefined {
  let timeMs = time;
  if (inSeconds) {
    const exact = Number(time) * 1000;
    if (Number.isSafeInteger(exact)) timeMs = exact;
    else if (time > SECONDS_MAX || time < -SECONDS_MAX) return undefined;
    else timeMs = BigInt(time) * 1000n;
  }
  const deadline = addInteger64(timeMs, baseMs);
  return deadline === undefined ? undefined : Number(deadline);
}
