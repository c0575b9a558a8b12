// SET and its older kin. SET with three arguments is the hottest write: it comes first and allocates nothing.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_EXPIRED, EVENT_GENERIC, EVENT_NEW, EVENT_STRING, notifyKey } from "./notify.ts";
import { positiveDeadline } from "./parse-deadline.ts";
import {
  EX,
  EXAT,
  GET,
  KEEPTTL,
  NX,
  PX,
  PXAT,
  parseSetOptions,
  SYNTAX_ERROR,
  timeIndex,
  XX,
} from "./parse-string-options.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const stringSetCommands = [
  { name: "set",    arity: -3, route: "write", flags: ["write", "denyoom"],         keys: oneKey, run: set },
  { name: "setnx",  arity: 3,  route: "write", flags: ["write", "denyoom", "fast"], keys: oneKey, run: setnx },
  { name: "setex",  arity: 4,  route: "write", flags: ["write", "denyoom"],         keys: oneKey, run: setex },
  { name: "psetex", arity: 4,  route: "write", flags: ["write", "denyoom"],         keys: oneKey, run: psetex },
] as const satisfies readonly CommandRow[];

function set(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count !== 3) return setWithOptions(context, args, reply);
  const bytes = args.bytes;
  context.keys.setString(bytes, args.start(1), args.end(1), bytes, args.start(2), args.end(2), false);
  notifyKey(context, args, 1, EVENT_STRING, "set");
  reply.ok();
}

function setWithOptions(context: DataContext, args: Args, reply: ReplyWriter): void {
  const flags = parseSetOptions(args);
  if (flags === SYNTAX_ERROR) return reply.error(replyError.syntax);
  let deadlineMs: number | undefined = 0;
  if ((flags & (EX | PX | EXAT | PXAT)) !== 0) {
    deadlineMs = positiveDeadline(context.nowMs, args, timeIndex, flags, "set", reply);
    if (deadlineMs === undefined) return;
  }

  const keys = context.keys;
  const withGet = (flags & GET) !== 0;
  const found = keys.find(args.bytes, args.start(1), args.end(1));
  if (withGet) {
    if (found === 0) reply.nil();
    else if (keys.typeOf(found) !== STRING) return reply.error(replyError.wrongType);
    else reply.bulk(keys.valueBytes, keys.valueStart, keys.valueEnd);
  }
  const refused = found === 0 ? (flags & XX) !== 0 : (flags & NX) !== 0;
  if (refused) {
    if (!withGet) reply.nil();
    return;
  }
  store(context, args, 2, (flags & KEEPTTL) !== 0, deadlineMs);
  if (!withGet) reply.ok();
}

function setnx(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (context.keys.find(args.bytes, args.start(1), args.end(1)) !== 0) return reply.integer(0);
  store(context, args, 2, false, 0);
  reply.integer(1);
}

function setex(context: DataContext, args: Args, reply: ReplyWriter): void {
  setWithTime(context, args, EX, "setex", reply);
}

function psetex(context: DataContext, args: Args, reply: ReplyWriter): void {
  setWithTime(context, args, PX, "psetex", reply);
}

function setWithTime(context: DataContext, args: Args, unit: number, name: string, reply: ReplyWriter): void {
  const deadlineMs = positiveDeadline(context.nowMs, args, 2, unit, name, reply);
  if (deadlineMs === undefined) return;
  store(context, args, 3, false, deadlineMs);
  reply.ok();
}

/** Key from argument 1, value from argument `valueIndex`; deadline 0 for none. A time gone by deletes. */
function store(
  context: DataContext,
  args: Args,
  valueIndex: number,
  keepDeadline: boolean,
  deadlineMs: number,
): void {
  const keys = context.keys;
  const bytes = args.bytes;
  const start = args.start(1);
  const end = args.end(1);
  if (deadlineMs !== 0 && deadlineMs <= context.nowMs) {
    const wasThere = keys.remove(bytes, start, end);
    if (!wasThere) keys.announceKey(bytes, start, end);
    notifyStillborn(context, args, wasThere);
    return;
  }
  const from = args.start(valueIndex);
  // An old deadline that is about to be replaced stays until then: cheaper than taking it out first.
  const keep = keepDeadline || deadlineMs !== 0;
  const handle = keys.setString(bytes, start, end, bytes, from, args.end(valueIndex), keep);
  if (deadlineMs !== 0) keys.setDeadline(handle, deadlineMs);
  notifyKey(context, args, 1, EVENT_STRING, "set");
  if (deadlineMs !== 0) notifyKey(context, args, 1, EVENT_GENERIC, "expire");
}

/** Redis 7.0 stores such a key, and finds it dead when it next looks. Its events are the same. */
function notifyStillborn(context: DataContext, args: Args, wasThere: boolean): void {
  if (!wasThere) notifyKey(context, args, 1, EVENT_NEW, "new");
  notifyKey(context, args, 1, EVENT_STRING, "set");
  notifyKey(context, args, 1, EVENT_GENERIC, "expire");
  notifyKey(context, args, 1, EVENT_EXPIRED, "expired");
}
