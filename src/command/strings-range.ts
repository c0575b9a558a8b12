// Parts of strings.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const stringRangeCommands = [
  { name: "setrange", arity: 4, route: "write", flags: ["write", "denyoom"], keys: oneKey, run: setrange },
  { name: "getrange", arity: 4, route: "read",  flags: ["readonly"],         keys: oneKey, run: getrange },
  { name: "substr",   arity: 4, route: "read",  flags: ["readonly"],         keys: oneKey, run: getrange },
] as const satisfies readonly CommandRow[];

const empty = Buffer.alloc(0);

function setrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const { bytes } = args;
  const offset = integerAt(args, 2);
  if (offset === undefined) return reply.error(replyError.notInteger);
  if (offset < 0) return reply.error(replyError.offsetOutOfRange);

  let oldLength = 0;
  const handle = keys.find(bytes, args.start(1), args.end(1));
  if (handle !== 0) {
    if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
    oldLength = keys.valueEnd - keys.valueStart;
  }
  const patchLength = args.length(3);
  if (patchLength === 0) return reply.integer(oldLength);
  const patchEnd = Number(offset) + patchLength;
  if (patchEnd > context.stringBytesMax) return reply.error(replyError.stringTooLong);
  const length = Math.max(oldLength, patchEnd);
  keys.resizeString(bytes, args.start(1), args.end(1), length);
  bytes.copy(keys.valueBytes, keys.valueStart + Number(offset), args.start(3), args.end(3));
  notifyKey(context, args, 1, EVENT_STRING, "setrange");
  reply.integer(length);
}

function getrange(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const first = integerAt(args, 2);
  const last = integerAt(args, 3);
  if (first === undefined || last === undefined) return reply.error(replyError.notInteger);
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) return reply.bulk(empty, 0, 0);
  if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);

  const length = keys.valueEnd - keys.valueStart;
  if (first < 0 && last < 0 && first > last) return reply.bulk(empty, 0, 0);
  // Rounding a bigint does not matter here: it is far beyond any string's length.
  const from = fromEnd(Number(first), length);
  const to = Math.min(fromEnd(Number(last), length), length - 1);
  if (from > to || length === 0) return reply.bulk(empty, 0, 0);
  reply.bulk(keys.valueBytes, keys.valueStart + from, keys.valueStart + to + 1);
}

/** Redis's negative indexes count from the end; what lies before the start becomes 0. */
export function fromEnd(index: number, length: number): number {
  return index < 0 ? Math.max(0, length + index) : index;
}
