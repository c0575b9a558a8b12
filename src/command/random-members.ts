// Random members of a hash, set or sorted set: which ones, and how many. Randomness is the context's.

import type { Args } from "../base/args.ts";
import { OUTPUT_BYTES_MAX, RANDOM_REPEATS_MAX } from "../base/limits.ts";
import type { Prng } from "../base/prng.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";

const INTEGER64_MOST = 2 ** 63;

/** A count that may be negative, as HRANDFIELD and its like read it. Undefined: the error has been answered. */
export function randomCount(args: Args, index: number, reply: ReplyWriter): number | undefined {
  const count = integerAt(args, index);
  if (count === undefined) reply.error(replyError.notInteger);
  else if (count <= -INTEGER64_MOST) reply.error(replyError.notLongInRange);
  else return Number(count);
  return undefined;
}

/** `count` of the numbers below `size` without repeats, each choice as likely as any other; in no order. */
export function pickDistinct(random: Prng, count: number, size: number): Uint32Array {
  // Floyd's: each round one number more to choose from, which takes the place of a choice that was made already.
  const picked = new Set<number>();
  const picks = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const last = size - count + i;
    const wanted = random.below(last + 1);
    const pick = picked.has(wanted) ? last : wanted;
    picked.add(pick);
    picks[i] = pick;
  }
  return picks;
}

/** Answers `count` (with repeats) random picks of `size`: one() answers the one with that number. */
export function replyRepeats(
  reply: ReplyWriter,
  random: Prng,
  count: number,
  size: number,
  head: (count: number) => void,
  one: (number: number) => void,
): void {
  if (count > RANDOM_REPEATS_MAX) return reply.error(replyError.outOfRange);
  const mark = reply.position;
  head(count);
  for (let i = 0; i < count; i++) {
    one(random.below(size));
    if (reply.position - mark <= OUTPUT_BYTES_MAX) continue;
    reply.position = mark;
    return reply.error(replyError.replyTooLong);
  }
}
