// Lists: from one to another, and from the first of several that has something.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { pushElement, removeElements } from "../store/list-changes.ts";
import { ListCursor, listLength } from "../store/list-cursor.ts";
import { compareBytes } from "../store/record.ts";
import { LIST } from "../store/types.ts";
import { findToTake } from "./blocking.ts";
import { replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { listKey, popElements } from "./lists.ts";
import { EVENT_GENERIC, EVENT_LIST, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const twoKeys = { first: 1, last: 2, step: 1 } as const;

// biome-ignore format: one row a line
export const listMoveCommands = [
  { name: "lmove",     arity: 5,  route: "write", flags: ["write", "denyoom"],    keys: twoKeys, run: lmove },
  { name: "rpoplpush", arity: 3,  route: "write", flags: ["write", "denyoom"],    keys: twoKeys, run: rpoplpush },
  { name: "lmpop",     arity: -4, route: "write", flags: ["write", "movablekeys"], keys: noKeys, run: lmpop },
] as const satisfies readonly CommandRow[];

const cursor = new ListCursor();

function rpoplpush(context: DataContext, args: Args, reply: ReplyWriter): void {
  moveElement(context, args, false, true, reply);
}

function lmove(context: DataContext, args: Args, reply: ReplyWriter): void {
  const fromHead = sideAt(args, 3);
  const toHead = sideAt(args, 4);
  if (fromHead === undefined || toHead === undefined) return reply.error(replyError.syntax);
  moveElement(context, args, fromHead, toHead, reply);
}

/** True for LEFT, false for RIGHT. */
export function sideAt(args: Args, index: number): boolean | undefined {
  if (args.is(index, "LEFT")) return true;
  return args.is(index, "RIGHT") ? false : undefined;
}

/** From the list that is argument 1 to the one that is argument 2; replies with the element, or nil. */
export function moveElement(
  context: DataContext,
  args: Args,
  fromHead: boolean,
  toHead: boolean,
  reply: ReplyWriter,
): void {
  const { keys, store } = context;
  const source = findOfType(context, args, 1, LIST, reply);
  if (source === WRONG_TYPE) return;
  if (source === 0) return reply.nil();
  const target = findOfType(context, args, 2, LIST, reply);
  if (target === WRONG_TYPE) return;
  const length = listLength(keys, source);
  cursor.seek(keys, source, fromHead ? 0 : length - 1);
  const { entry } = cursor;
  reply.bulk(entry.bytes, entry.start, entry.end);
  const { listListpackSize } = store.thresholds;
  const last = fromHead ? 0 : length - 1;
  const { bytes } = args;
  const isSame = compareBytes(bytes, args.start(1), args.end(1), bytes, args.start(2), args.end(2)) === 0;
  // The element lies in a list, which is about to change.
  const element = Buffer.from(entry.bytes.subarray(entry.start, entry.end));
  let rest = source;
  if (isSame) {
    // A list of one that is turned is what it was, its deadline included. It counts as changed, as in Redis.
    if (length === 1) keys.announce(source);
    else {
      rest = removeElements(keys, listKey(args, 1), source, last, 1, listListpackSize);
      pushElement(keys, listKey(args, 1), rest, element, 0, element.length, toHead, listListpackSize);
    }
  } else {
    pushElement(keys, listKey(args, 2), target, element, 0, element.length, toHead, listListpackSize);
    const handle = keys.find(bytes, args.start(1), args.end(1));
    rest = removeElements(keys, listKey(args, 1), handle, last, 1, listListpackSize);
  }
  notifyKey(context, args, 2, EVENT_LIST, toHead ? "lpush" : "rpush");
  notifyKey(context, args, 1, EVENT_LIST, fromHead ? "lpop" : "rpop");
  if (rest === 0) notifyKey(context, args, 1, EVENT_GENERIC, "del");
}

/** `numkeys key... LEFT|RIGHT [COUNT n]` from argument `first` on, of LMPOP and BLMPOP. */
export interface PopOptions {
  readonly keysStart: number;
  readonly keysEnd: number;
  readonly atHead: boolean;
  readonly count: number;
}

/** Undefined: an error has been answered. Of several mistakes it is the one that stands first. */
export function parsePopOptions(args: Args, first: number, reply: ReplyWriter): PopOptions | undefined {
  const problem = (text: string): undefined => {
    reply.error(text);
    return undefined;
  };
  const numkeys = integerAt(args, first);
  const keysStart = first + 1;
  if (numkeys === undefined || numkeys <= 0) return problem(replyError.numkeysNotPositive);
  if (numkeys >= args.count - keysStart) return problem(replyError.syntax);
  const keysEnd = keysStart + Number(numkeys);
  const atHead = sideAt(args, keysEnd);
  if (atHead === undefined) return problem(replyError.syntax);
  let count = 0;
  for (let i = keysEnd + 1; i < args.count; i += 2) {
    if (count > 0 || i + 1 >= args.count || !args.is(i, "COUNT")) return problem(replyError.syntax);
    const wanted = integerAt(args, i + 1);
    if (wanted === undefined || wanted <= 0) return problem(replyError.countNotPositive);
    count = Number(wanted);
  }
  return { keysStart, keysEnd, atHead, count: Math.max(1, count) };
}

function lmpop(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parsePopOptions(args, 1, reply);
  if (options !== undefined && !popFirst(context, args, options, reply)) reply.nilArray();
}

/** Pops from the first list that is there: its key and the elements. False if none is; an error counts as a reply. */
export function popFirst(context: DataContext, args: Args, options: PopOptions, reply: ReplyWriter): boolean {
  for (let i = options.keysStart; i < options.keysEnd; i++) {
    const handle = findToTake(context, args, i, LIST, reply);
    if (handle === WRONG_TYPE) return true;
    if (handle === 0) continue;
    const count = Math.min(options.count, listLength(context.keys, handle));
    reply.array(2);
    reply.bulk(args.bytes, args.start(i), args.end(i));
    reply.array(count);
    popElements(context, args, i, handle, options.atHead, count, reply);
    return true;
  }
  return false;
}
