// String commands on one key that read it, or read and change it at once.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_GENERIC, EVENT_STRING, notifyKey } from "./notify.ts";
import { positiveDeadline } from "./parse-deadline.ts";
import { EXAT, PERSIST, PXAT, parseGetexOptions, SYNTAX_ERROR, timeIndex } from "./parse-string-options.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const stringCommands = [
  { name: "get",    arity: 2,  route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: get },
  { name: "strlen", arity: 2,  route: "read",  flags: ["readonly", "fast"],         keys: oneKey, run: strlen },
  { name: "getset", arity: 3,  route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: getset },
  { name: "getdel", arity: 2,  route: "write", flags: ["write", "fast"],            keys: oneKey, run: getdel },
  { name: "getex",  arity: -2, route: "write", flags: ["write", "fast"],            keys: oneKey, run: getex },
  { name: "append", arity: 3,  route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: append },
] as const satisfies readonly CommandRow[];

function get(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) reply.nil();
  else if (keys.typeOf(handle) !== STRING) reply.error(replyError.wrongType);
  else reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
}

/** GET's reply for the commands that also change the key. The string's handle; 0 when there is nothing to do. */
export function replyOldString(context: DataContext, args: Args, reply: ReplyWriter): number {
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) reply.nil();
  else if (keys.typeOf(handle) !== STRING) reply.error(replyError.wrongType);
  else {
    reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
    return handle;
  }
  return 0;
}

function strlen(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) reply.integer(0);
  else if (keys.typeOf(handle) !== STRING) reply.error(replyError.wrongType);
  else reply.integer(keys.valueEnd - keys.valueStart);
}

function getset(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) reply.nil();
  else if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
  else reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
  keys.setString(args.bytes, args.start(1), args.end(1), args.bytes, args.start(2), args.end(2), false);
  notifyKey(context, args, 1, EVENT_STRING, "set");
}

function getdel(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (replyOldString(context, args, reply) === 0) return;
  context.keys.remove(args.bytes, args.start(1), args.end(1));
  notifyKey(context, args, 1, EVENT_GENERIC, "del");
}

function getex(context: DataContext, args: Args, reply: ReplyWriter): void {
  const flags = parseGetexOptions(args);
  if (flags === SYNTAX_ERROR) return reply.error(replyError.syntax);
  const keys = context.keys;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  if (handle === 0) return reply.nil();
  if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);

  if (flags === 0 || flags === PERSIST) {
    reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
    if (flags === PERSIST && keys.clearDeadline(handle))
      notifyKey(context, args, 1, EVENT_GENERIC, "persist");
    return;
  }
  const deadlineMs = positiveDeadline(context.nowMs, args, timeIndex, flags, "getex", reply);
  if (deadlineMs === undefined) return;
  reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
  const absolute = (flags & (EXAT | PXAT)) !== 0;
  const isPast = absolute && deadlineMs <= context.nowMs;
  if (isPast) keys.remove(args.bytes, args.start(1), args.end(1));
  else keys.setDeadline(handle, deadlineMs);
  notifyKey(context, args, 1, EVENT_GENERIC, isPast ? "del" : "expire");
}

function append(context: DataContext, args: Args, reply: ReplyWriter): void {
  const keys = context.keys;
  const { bytes } = args;
  const start = args.start(2);
  const end = args.end(2);
  const handle = keys.find(bytes, args.start(1), args.end(1));
  if (handle === 0) {
    keys.setString(bytes, args.start(1), args.end(1), bytes, start, end, false);
    notifyKey(context, args, 1, EVENT_STRING, "append");
    return reply.integer(end - start);
  }
  if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
  const oldLength = keys.valueEnd - keys.valueStart;
  const length = oldLength + end - start;
  if (length > context.stringBytesMax) return reply.error(replyError.stringTooLong);
  keys.resizeString(bytes, args.start(1), args.end(1), length);
  bytes.copy(keys.valueBytes, keys.valueStart + oldLength, start, end);
  notifyKey(context, args, 1, EVENT_STRING, "append");
  reply.integer(length);
}
