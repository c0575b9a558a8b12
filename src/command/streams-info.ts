// XINFO: what a stream, its groups and their consumers are like.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Stream } from "../store/stream.ts";
import { StreamCursor } from "../store/stream-cursor.ts";
import { type StreamConsumer, type StreamGroup, UNKNOWN } from "../store/stream-group.ts";
import { StreamId } from "../store/stream-id.ts";
import { lagOf } from "../store/stream-lag.ts";
import { radixNodeCount } from "../store/stream-radix.ts";
import { noGroup, replyError, unknownSubcommandOrArity } from "./errors.ts";
import { WRONG_TYPE } from "./find-typed.ts";
import { helpReply } from "./local-arguments.ts";
import { integerAt } from "./parse-integer.ts";
import { findStream, replyEntries, replyEntry, replyId, replyInteger } from "./stream-replies.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

const row = { route: "read", flags: ["readonly"], keys: { first: 2, last: 2, step: 1 } } as const;

// biome-ignore format: one row a line
export const streamInfoCommands = [
  {
    name: "xinfo", arity: -2, route: "container", flags: [], keys: noKeys,
    subcommands: [
      { name: "xinfo|consumers", arity: 4,  ...row, run: consumers },
      { name: "xinfo|groups",    arity: 3,  ...row, run: groups },
      { name: "xinfo|stream",    arity: -3, ...row, run: stream },
      { name: "xinfo|help",      arity: 2,  route: "read", flags: ["loading", "stale"], keys: noKeys, run: help },
    ],
  },
] as const satisfies readonly CommandRow[];

const KEY = 2;
const FULL_ENTRIES = 10;
const id = new StreamId();
const cursor = new StreamCursor();

/** The stream, or undefined after an error was replied. */
function findKey(context: DataContext, args: Args, reply: ReplyWriter): Stream | undefined {
  const found = findStream(context, args, KEY, reply);
  if (found === undefined) reply.error(replyError.noSuchKey);
  return found === WRONG_TYPE ? undefined : found;
}

function consumers(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findKey(context, args, reply);
  if (found === undefined) return;
  const group = found.group(args.bytes, args.start(3), args.end(3));
  if (group === undefined) return reply.error(noGroup(args, KEY, 3));
  reply.array(group.consumers.length);
  for (const consumer of group.consumers) {
    reply.map(4);
    field(reply, "name").bulk(consumer.name, 0, consumer.name.length);
    field(reply, "pending").integer(consumer.pending.count);
    field(reply, "idle").integer(Math.max(0, context.nowMs - Number(consumer.seenMs)));
    const inactiveMs = consumer.activeMs === -1 ? -1 : Math.max(0, context.nowMs - Number(consumer.activeMs));
    field(reply, "inactive").integer(inactiveMs);
  }
}

function groups(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findKey(context, args, reply);
  if (found === undefined) return;
  reply.array(found.groups.length);
  for (const group of found.groups) {
    reply.map(6);
    field(reply, "name").bulk(group.name, 0, group.name.length);
    field(reply, "consumers").integer(group.consumers.length);
    field(reply, "pending").integer(group.pending.count);
    replyId(field(reply, "last-delivered-id"), group.lastId);
    replyProgress(found, group, reply);
  }
}

/** The name of what is replied next. */
function field(reply: ReplyWriter, name: string): ReplyWriter {
  reply.bulkLatin1(name);
  return reply;
}

/** Two fields: how many entries a group has read, and has still to read. */
function replyProgress(found: Stream, group: StreamGroup, reply: ReplyWriter): void {
  field(reply, "entries-read");
  if (group.entriesRead === UNKNOWN) reply.nil();
  else replyInteger(reply, group.entriesRead);
  const lag = lagOf(found, group);
  field(reply, "lag");
  if (lag === undefined) reply.nil();
  else replyInteger(reply, lag);
}

/** XINFO STREAM key [FULL [COUNT n]] */
function stream(context: DataContext, args: Args, reply: ReplyWriter): void {
  const found = findKey(context, args, reply);
  if (found === undefined) return;
  if (args.count === 3) return replyShort(found, reply);
  let limit = FULL_ENTRIES;
  const isFull = args.is(3, "FULL") && (args.count === 4 || (args.count === 6 && args.is(4, "COUNT")));
  if (!isFull) return reply.error(unknownSubcommandOrArity("XINFO", args.text(1)));
  if (args.count === 6) {
    const count = integerAt(args, 5);
    if (count === undefined) return reply.error(replyError.notInteger);
    limit = count < 0 ? FULL_ENTRIES : count === 0 ? Number.POSITIVE_INFINITY : Number(count);
  }
  replyFull(found, limit, reply);
}

/** Seven fields. */
function replyNumbers(found: Stream, reply: ReplyWriter): void {
  field(reply, "length").integer(found.length);
  field(reply, "radix-tree-keys").integer(found.nodes.length);
  field(reply, "radix-tree-nodes").integer(radixNodeCount(found));
  replyId(field(reply, "last-generated-id"), found.lastId);
  replyId(field(reply, "max-deleted-entry-id"), found.maxDeletedId);
  replyInteger(field(reply, "entries-added"), found.entriesAdded);
  replyId(field(reply, "recorded-first-entry-id"), found.firstId);
}

function replyShort(found: Stream, reply: ReplyWriter): void {
  reply.map(10);
  replyNumbers(found, reply);
  field(reply, "groups").integer(found.groups.length);
  for (const isLast of [false, true]) {
    field(reply, isLast ? "last-entry" : "first-entry");
    cursor.openAll(found, isLast);
    if (cursor.next()) replyEntry(reply, cursor);
    else reply.nil();
  }
}

function replyFull(found: Stream, limit: number, reply: ReplyWriter): void {
  reply.map(9);
  replyNumbers(found, reply);
  field(reply, "entries");
  cursor.openAll(found, false);
  replyEntries(reply, cursor, limit);
  field(reply, "groups").array(found.groups.length);
  for (const group of found.groups) replyGroup(found, group, limit, reply);
}

function replyGroup(found: Stream, group: StreamGroup, limit: number, reply: ReplyWriter): void {
  const { pending } = group;
  reply.map(7);
  field(reply, "name").bulk(group.name, 0, group.name.length);
  replyId(field(reply, "last-delivered-id"), group.lastId);
  replyProgress(found, group, reply);
  field(reply, "pel-count").integer(pending.count);
  const shown = Math.min(limit, pending.count);
  field(reply, "pending").array(shown);
  for (let i = 0, more = pending.seekOrdinal(0); more && i < shown; i++, more = pending.next()) {
    reply.array(4);
    replyId(reply, id.readWords(pending.words, pending.at));
    const { name } = group.owner();
    reply.bulk(name, 0, name.length);
    replyInteger(reply, group.deliveryMs);
    replyInteger(reply, group.deliveryCount);
  }
  field(reply, "consumers").array(group.consumers.length);
  for (const consumer of group.consumers) replyConsumer(group, consumer, limit, reply);
}

function replyConsumer(
  group: StreamGroup,
  consumer: StreamConsumer,
  limit: number,
  reply: ReplyWriter,
): void {
  const { pending } = consumer;
  reply.map(5);
  field(reply, "name").bulk(consumer.name, 0, consumer.name.length);
  replyInteger(field(reply, "seen-time"), consumer.seenMs);
  replyInteger(field(reply, "active-time"), consumer.activeMs);
  field(reply, "pel-count").integer(pending.count);
  const shown = Math.min(limit, pending.count);
  field(reply, "pending").array(shown);
  for (let i = 0, more = pending.seekOrdinal(0); more && i < shown; i++, more = pending.next()) {
    group.pending.find(id.readWords(pending.words, pending.at));
    reply.array(3);
    replyId(reply, id);
    replyInteger(reply, group.deliveryMs);
    replyInteger(reply, group.deliveryCount);
  }
}

function help(_context: DataContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "XINFO", [
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
  ]);
}
