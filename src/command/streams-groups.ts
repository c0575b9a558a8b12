// Consumer groups: made, moved, removed, their consumers, and acknowledging.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type Integer64, Stream } from "../store/stream.ts";
import { UNKNOWN } from "../store/stream-group.ts";
import { StreamId } from "../store/stream-id.ts";
import { STREAM } from "../store/types.ts";
import { noGroup, replyError, unknownSubcommandOrArity } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { helpReply } from "./local-arguments.ts";
import { EVENT_STREAM, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { MISSING_IS_FIRST, parseAnyId, parseStrictId } from "./parse-stream-id.ts";
import { findStream, streamForWrite, streamHandle } from "./stream-replies.ts";
import { type CommandRow, type DataContext, noKeys, oneKey } from "./types.ts";

const row = { route: "write", keys: { first: 2, last: 2, step: 1 } } as const;

// biome-ignore format: one row a line
export const streamGroupCommands = [
  { name: "xack", arity: -4, route: "write", flags: ["write", "fast"], keys: oneKey, run: xack },
  {
    name: "xgroup", arity: -2, route: "container", flags: [], keys: noKeys,
    subcommands: [
      { name: "xgroup|create",         arity: -5, ...row, flags: ["write", "denyoom"], run: create },
      { name: "xgroup|setid",          arity: -5, ...row, flags: ["write"],            run: setId },
      { name: "xgroup|destroy",        arity: 4,  ...row, flags: ["write"],            run: destroy },
      { name: "xgroup|createconsumer", arity: 5,  ...row, flags: ["write", "denyoom"], run: createConsumer },
      { name: "xgroup|delconsumer",    arity: 5,  ...row, flags: ["write"],            run: deleteConsumer },
      { name: "xgroup|help",           arity: 2,  route: "read", flags: ["loading", "stale"], keys: noKeys, run: help },
    ],
  },
] as const satisfies readonly CommandRow[];

const KEY = 2;
const GROUP = 3;
const ID = 4;
const CONSUMER = 4;
const id = new StreamId();

interface GroupOptions {
  makeStream: boolean;
  entriesRead: Integer64;
}

/** The options of CREATE and SETID, or undefined after an error was replied. */
function parseOptions(args: Args, isCreate: boolean, reply: ReplyWriter): GroupOptions | undefined {
  const options: GroupOptions = { makeStream: false, entriesRead: UNKNOWN };
  for (let i = ID + 1; i < args.count; i++) {
    if (isCreate && args.is(i, "MKSTREAM")) {
      options.makeStream = true;
    } else if (args.is(i, "ENTRIESREAD") && i + 1 < args.count) {
      const value = integerAt(args, ++i);
      if (value === undefined || value < UNKNOWN) {
        reply.error(value === undefined ? replyError.notInteger : replyError.entriesRead);
        return undefined;
      }
      options.entriesRead = value;
    } else {
      reply.error(unknownSubcommandOrArity("XGROUP", args.text(1)));
      return undefined;
    }
  }
  return options;
}

/** The id in argument 4: "$" is the stream's last one. False after an error was replied. */
function parseGroupId(
  args: Args,
  stream: Stream | undefined,
  isStrict: boolean,
  reply: ReplyWriter,
): boolean {
  if (args.is(ID, "$")) {
    if (stream === undefined) id.setNumbers(0, 0);
    else id.set(stream.lastId);
    return true;
  }
  if (isStrict ? parseStrictId(args, ID, id) : parseAnyId(args, ID, id, MISSING_IS_FIRST)) return true;
  reply.error(replyError.streamId);
  return false;
}

/** XGROUP CREATE key group id [MKSTREAM] [ENTRIESREAD n] */
function create(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parseOptions(args, true, reply);
  if (options === undefined) return;
  const found = findStream(context, args, KEY, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined && !options.makeStream) return reply.error(replyError.groupKey);
  // As Redis counts arguments: each option once.
  if (args.count > ID + 4) return reply.error(unknownSubcommandOrArity("XGROUP", args.text(1)));
  if (!parseGroupId(args, found, true, reply)) return;
  if (found?.group(args.bytes, args.start(GROUP), args.end(GROUP)) !== undefined)
    return reply.error(replyError.groupBusy);
  const { keys } = context;
  const stream = found === undefined ? new Stream() : streamForWrite(context, streamHandle, true);
  if (found === undefined)
    keys.putCollection(args.bytes, args.start(KEY), args.end(KEY), STREAM, stream, false);
  stream.createGroup(args.copy(GROUP), id, options.entriesRead);
  keys.settle(stream);
  reply.ok();
  notifyKey(context, args, KEY, EVENT_STREAM, "xgroup-create");
}

/** The stream, whose group is there; undefined after an error was replied. */
function findGroup(context: DataContext, args: Args, reply: ReplyWriter): Stream | undefined {
  const found = findStream(context, args, KEY, reply);
  if (found === WRONG_TYPE) return undefined;
  if (found?.group(args.bytes, args.start(GROUP), args.end(GROUP)) !== undefined) return found;
  reply.error(found === undefined ? replyError.groupKey : noGroup(args, KEY, GROUP));
  return undefined;
}

/** XGROUP SETID key group id [ENTRIESREAD n] */
function setId(context: DataContext, args: Args, reply: ReplyWriter): void {
  const options = parseOptions(args, false, reply);
  const found = options === undefined ? undefined : findGroup(context, args, reply);
  if (options === undefined || found === undefined) return;
  // As Redis counts arguments: ENTRIESREAD once.
  if (args.count > ID + 3) return reply.error(unknownSubcommandOrArity("XGROUP", args.text(1)));
  if (!parseGroupId(args, found, false, reply)) return;
  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!;
  group.lastId.set(id);
  group.entriesRead = options.entriesRead;
  reply.ok();
  notifyKey(context, args, KEY, EVENT_STREAM, "xgroup-setid");
}

function destroy(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findStream(context, args, KEY, reply);
  if (found === WRONG_TYPE) return;
  if (found === undefined) return reply.error(replyError.groupKey);
  if (found.group(args.bytes, args.start(GROUP), args.end(GROUP)) === undefined) return reply.integer(0);
  const stream = streamForWrite(context, streamHandle, true);
  stream.destroyGroup(stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!);
  context.keys.settle(stream);
  context.keys.announceToWaiters(streamHandle);
  reply.integer(1);
  notifyKey(context, args, KEY, EVENT_STREAM, "xgroup-destroy");
}

function createConsumer(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findGroup(context, args, reply);
  if (found === undefined) return;
  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!;
  if (group.consumer(args.bytes, args.start(CONSUMER), args.end(CONSUMER)) !== undefined)
    return reply.integer(0);
  const bytesBefore = group.logicalBytes;
  group.createConsumer(args.copy(CONSUMER), context.nowMs);
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
  notifyKey(context, args, KEY, EVENT_STREAM, "xgroup-createconsumer");
  reply.integer(1);
}

function deleteConsumer(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findGroup(context, args, reply);
  if (found === undefined) return;
  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(GROUP), args.end(GROUP))!;
  const consumer = group.consumer(args.bytes, args.start(CONSUMER), args.end(CONSUMER));
  if (consumer === undefined) return reply.integer(0);
  const pending = consumer.pending.count;
  const bytesBefore = group.logicalBytes;
  group.deleteConsumer(consumer);
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
  notifyKey(context, args, KEY, EVENT_STREAM, "xgroup-delconsumer");
  reply.integer(pending);
}

/** XACK key group id ... */
function xack(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findStream(context, args, 1, reply);
  if (found === WRONG_TYPE) return;
  if (found?.group(args.bytes, args.start(2), args.end(2)) === undefined) return reply.integer(0);
  for (let i = 3; i < args.count; i++)
    if (!parseStrictId(args, i, id)) return reply.error(replyError.streamId);
  const stream = streamForWrite(context, streamHandle, true);
  const group = stream.group(args.bytes, args.start(2), args.end(2))!;
  const bytesBefore = group.logicalBytes;
  let acknowledged = 0;
  for (let i = 3; i < args.count; i++) {
    parseStrictId(args, i, id);
    if (group.acknowledge(id)) acknowledged++;
  }
  stream.settleGroup(group, bytesBefore);
  context.keys.settle(stream);
  reply.integer(acknowledged);
}

function help(_context: DataContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "XGROUP", [
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
  ]);
}
