// Lists: popping and moving elements that may not be there yet (blocking.ts has what it means to wait).

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { LIST } from "../store/types.ts";
import { findToTake, firstIsTimeout, lastIsTimeout, timeoutAt, waitFor } from "./blocking.ts";
import { replyError } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { popElements } from "./lists.ts";
import { moveElement, parsePopOptions, popFirst, sideAt } from "./lists-move.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const keysBeforeTimeout = { first: 1, last: -2, step: 1 } as const;
const twoKeys = { first: 1, last: 2, step: 1 } as const;

// biome-ignore format: one row a line
export const listBlockCommands = [
  { name: "blpop",      arity: -3, route: "write", flags: ["write", "noscript", "blocking"],            keys: keysBeforeTimeout, run: blpop, blocking: lastIsTimeout },
  { name: "brpop",      arity: -3, route: "write", flags: ["write", "noscript", "blocking"],            keys: keysBeforeTimeout, run: brpop, blocking: lastIsTimeout },
  { name: "blmove",     arity: 6,  route: "write", flags: ["write", "denyoom", "noscript", "blocking"], keys: twoKeys, run: blmove, blocking: lastIsTimeout },
  { name: "brpoplpush", arity: 4,  route: "write", flags: ["write", "denyoom", "noscript", "blocking"], keys: twoKeys, run: brpoplpush, blocking: lastIsTimeout },
  { name: "blmpop",     arity: -5, route: "write", flags: ["write", "blocking", "movablekeys"],         keys: noKeys, run: blmpop, blocking: firstIsTimeout },
] as const satisfies readonly CommandRow[];

function blpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  pop(context, args, true, reply);
}

function brpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  pop(context, args, false, reply);
}

function pop(context: DataContext, args: Args, atHead: boolean, reply: ReplyWriter): void {
  const last = args.count - 1;
  const timeout = timeoutAt(args, last);
  if (typeof timeout === "string") return reply.error(timeout);
  for (let i = 1; i < last; i++) {
    const handle = findToTake(context, args, i, LIST, reply);
    if (handle === WRONG_TYPE) return;
    if (handle === 0) continue;
    reply.array(2);
    reply.bulk(args.bytes, args.start(i), args.end(i));
    return popElements(context, args, i, handle, atHead, 1, reply);
  }
  if (!waitFor(context, args, 1, last, LIST)) reply.nilArray();
}

function blmove(context: DataContext, args: Args, reply: ReplyWriter): void {
  const fromHead = sideAt(args, 3);
  const toHead = sideAt(args, 4);
  if (fromHead === undefined || toHead === undefined) return reply.error(replyError.syntax);
  move(context, args, fromHead, toHead, reply);
}

function brpoplpush(context: DataContext, args: Args, reply: ReplyWriter): void {
  move(context, args, false, true, reply);
}

function move(
  context: DataContext,
  args: Args,
  fromHead: boolean,
  toHead: boolean,
  reply: ReplyWriter,
): void {
  const timeout = timeoutAt(args, args.count - 1);
  if (typeof timeout === "string") return reply.error(timeout);
  const source = findToTake(context, args, 1, LIST, reply);
  if (source === WRONG_TYPE) return;
  if (source !== 0) return moveElement(context, args, fromHead, toHead, reply);
  if (!waitFor(context, args, 1, 2, LIST)) reply.nil();
}

function blmpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parsePopOptions(args, 2, reply);
  if (options === undefined) return;
  const timeout = timeoutAt(args, 1);
  if (typeof timeout === "string") return reply.error(timeout);
  if (popFirst(context, args, options, reply)) return;
  if (!waitFor(context, args, options.keysStart, options.keysEnd, LIST)) reply.nilArray();
}
