// HRANDFIELD.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { HashReader } from "../store/hash-reader.ts";
import { replyError } from "./errors.ts";
import { openHash } from "./hashes.ts";
import { pickDistinct, randomCount, replyRepeats } from "./random-members.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const hashRandomCommands = [
  { name: "hrandfield", arity: -2, route: "read", flags: ["readonly"], keys: oneKey, run: hrandfield },
] as const satisfies readonly CommandRow[];

/** As Redis's LONG_MAX / 2: with values the reply has twice as many elements. */
const PAIRS_MAX = 2 ** 62;

const hash = new HashReader();

function hrandfield(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 2) return several(context, args, reply);
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  if (!isThere) return reply.nil();
  hash.at(context.random.below(hash.count));
  reply.bulk(hash.fieldBytes, hash.fieldStart, hash.fieldEnd);
}

function several(context: DataContext, args: Args, reply: ReplyWriter): void {
  const count = randomCount(args, 2, reply);
  if (count === undefined) return;
  if (args.count > 4 || (args.count === 4 && !args.is(3, "WITHVALUES")))
    return reply.error(replyError.syntax);
  const withValues = args.count === 4;
  if (withValues && Math.abs(count) >= PAIRS_MAX) return reply.error(replyError.outOfRange);
  const isThere = openHash(context, args, reply, hash);
  if (isThere === undefined) return;
  if (!isThere || count === 0) return reply.array(0);
  const { random } = context;
  const size = hash.count;
  const head = (pairs: number): void => reply.array(withValues && reply.protocol === 2 ? 2 * pairs : pairs);
  const one = (number: number): void => {
    hash.at(number);
    replyPair(reply, withValues);
  };
  if (count < 0) return replyRepeats(reply, random, -count, size, head, one);
  if (count >= size) {
    head(size);
    while (hash.next()) replyPair(reply, withValues);
    return;
  }
  head(count);
  for (const number of pickDistinct(random, count, size)) one(number);
}

function replyPair(reply: ReplyWriter, withValues: boolean): void {
  if (withValues && reply.protocol === 3) reply.array(2);
  reply.bulk(hash.fieldBytes, hash.fieldStart, hash.fieldEnd);
  if (withValues) reply.bulk(hash.valueBytes, hash.valueStart, hash.valueEnd);
}
