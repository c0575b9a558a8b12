// SPOP, SRANDMEMBER: members by chance, which is the context's: every replica takes the same.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { SetReader } from "../store/set-reader.ts";
import { SetWriter } from "../store/set-writer.ts";
import { SET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_GENERIC, EVENT_SET, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { pickDistinct, randomCount, replyRepeats } from "./random-members.ts";
import { beginSet, closeRemoval, openSet, replyMembers } from "./sets.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const setRandomCommands = [
  { name: "spop",        arity: -2, route: "write", flags: ["write", "fast"], keys: oneKey, run: spop },
  { name: "srandmember", arity: -2, route: "read",  flags: ["readonly"],      keys: oneKey, run: srandmember },
] as const satisfies readonly CommandRow[];

/** Redis makes a new set of what is left when that is less than a fifth of what goes; its form may be another then. */
const REBUILD_FACTOR = 5;

const set = new SetReader();
const writer = new SetWriter();
const rest = new SetWriter();

function spop(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(replyError.syntax);
  if (args.count === 3) return popSeveral(context, args, reply);
  if (!openSet(context, args, reply, set)) return;
  if (set.handle === 0) return reply.nil();
  beginSet(context, set.handle, writer);
  popOne(context, reply);
  closeRemoval(context, args, "spop", writer);
}

/** Answers a member and takes it away. */
function popOne({ random }: DataContext, reply: ReplyWriter): void {
  if (set.table === undefined) {
    set.at(random.below(set.count));
    reply.bulk(set.bytes, set.start, set.end);
    writer.remove(set.bytes, set.start, set.end);
    return;
  }
  const table = writer.openTable();
  const number = random.below(table.count);
  table.locate(number);
  reply.bulk(table.bytes, table.memberStart, table.memberEnd);
  table.remove(number);
}

function popSeveral(context: DataContext, args: Args, reply: ReplyWriter): void {
  const wanted = integerAt(args, 2);
  if (wanted === undefined || wanted < 0) return reply.error(replyError.notPositive);
  const count = Number(wanted);
  if (!openSet(context, args, reply, set)) return;
  if (set.handle === 0 || count === 0) return reply.set(0);
  if (count >= set.count) {
    replyMembers(reply, set);
    context.keys.remove(args.bytes, args.start(1), args.end(1));
    notifyKey(context, args, 1, EVENT_SET, "spop");
    notifyKey(context, args, 1, EVENT_GENERIC, "del");
    return;
  }
  const left = set.count - count;
  reply.set(count);
  beginSet(context, set.handle, writer);
  if (set.table === undefined) {
    for (const number of pickDistinct(context.random, count, set.count)) {
      set.at(number);
      reply.bulk(set.bytes, set.start, set.end);
      writer.remove(set.bytes, set.start, set.end);
    }
  } else if (left * REBUILD_FACTOR <= count) {
    keepSome(context, args, left, reply);
    notifyKey(context, args, 1, EVENT_SET, "spop");
    return;
  } else {
    for (let i = 0; i < count; i++) popOne(context, reply);
  }
  closeRemoval(context, args, "spop", writer);
}

/** Of a large set: `left` random members make a new set, the others are the answer. */
function keepSome(context: DataContext, args: Args, left: number, reply: ReplyWriter): void {
  const { random } = context;
  const table = writer.openTable();
  beginSet(context, 0, rest).preferListpack();
  for (let i = 0; i < left; i++) {
    const number = random.below(table.count);
    table.locate(number);
    rest.add(table.bytes, table.memberStart, table.memberEnd);
    table.remove(number);
  }
  for (let number = 0; number < table.count; number++) {
    table.locate(number);
    reply.bulk(table.bytes, table.memberStart, table.memberEnd);
  }
  writer.forget();
  rest.commit(args.bytes, args.start(1), args.end(1), SET);
}

function srandmember(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(replyError.syntax);
  if (args.count === 3) return several(context, args, reply);
  if (!openSet(context, args, reply, set)) return;
  if (set.handle === 0) return reply.nil();
  set.at(context.random.below(set.count));
  reply.bulk(set.bytes, set.start, set.end);
}

function several(context: DataContext, args: Args, reply: ReplyWriter): void {
  const count = randomCount(args, 2, reply);
  if (count === undefined || !openSet(context, args, reply, set)) return;
  if (set.handle === 0 || count === 0) return reply.array(0);
  const { random } = context;
  const size = set.count;
  const head = (members: number): void => reply.array(members);
  const one = (number: number): void => {
    set.at(number);
    reply.bulk(set.bytes, set.start, set.end);
  };
  if (count < 0) return replyRepeats(reply, random, -count, size, head, one);
  head(Math.min(count, size));
  if (count >= size) while (set.next()) reply.bulk(set.bytes, set.start, set.end);
  else for (const number of pickDistinct(random, count, size)) one(number);
}
