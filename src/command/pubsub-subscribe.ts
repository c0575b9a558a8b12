// SUBSCRIBE and its kin: which channels, patterns and shard channels this connection listens to. Each name is answered
// by a message of its own, in the shape that messages have.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Client, LocalContext, TopicKind } from "./local-context.ts";
import { localError } from "./local-errors.ts";
import { type CommandRow, type Flag, noKeys } from "./types.ts";

const flags: readonly Flag[] = ["pubsub", "noscript", "loading", "stale"];
const shardNames = { first: 1, last: -1, step: 1 } as const;

// biome-ignore format: a table reads best with one row per line
export const subscribeCommands = [
  { name: "subscribe", arity: -2, route: "local", flags, keys: noKeys, run: subscribe },
  { name: "psubscribe", arity: -2, route: "local", flags, keys: noKeys, run: psubscribe },
  { name: "ssubscribe", arity: -2, route: "local", flags, keys: shardNames, run: ssubscribe },
  { name: "unsubscribe", arity: -1, route: "local", flags, keys: noKeys, run: unsubscribe },
  { name: "punsubscribe", arity: -1, route: "local", flags, keys: noKeys, run: punsubscribe },
  { name: "sunsubscribe", arity: -1, route: "local", flags, keys: shardNames, run: sunsubscribe },
] as const satisfies readonly CommandRow[];

function subscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  subscribeTo(context, "channel", "subscribe", args, reply);
}

function psubscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  subscribeTo(context, "pattern", "psubscribe", args, reply);
}

function ssubscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  subscribeTo(context, "shard", "ssubscribe", args, reply);
}

function unsubscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  unsubscribeFrom(context, "channel", "unsubscribe", args, reply);
}

function punsubscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  unsubscribeFrom(context, "pattern", "punsubscribe", args, reply);
}

function sunsubscribe(context: LocalContext, args: Args, reply: ReplyWriter): void {
  unsubscribeFrom(context, "shard", "sunsubscribe", args, reply);
}

/** What there is no room for is an error in the place of its answer; what came before stays. */
function subscribeTo(
  { client, server }: LocalContext,
  kind: TopicKind,
  word: string,
  args: Args,
  reply: ReplyWriter,
): void {
  for (let i = 1; i < args.count; i++) {
    const name = args.text(i);
    if (!server.pubSub.subscribe(client, kind, name)) return reply.error(localError.tooManySubscriptions);
    answer(client, kind, word, name, reply);
  }
}

/** From the names given, or from all of this kind; from nothing at all is answered once, with a nil. */
function unsubscribeFrom(
  { client, server }: LocalContext,
  kind: TopicKind,
  word: string,
  args: Args,
  reply: ReplyWriter,
): void {
  if (args.count > 1) {
    for (let i = 1; i < args.count; i++) {
      const name = args.text(i);
      server.pubSub.unsubscribe(client, kind, name);
      answer(client, kind, word, name, reply);
    }
    return;
  }
  const names = server.pubSub.subscriptionsOf(client, kind);
  for (const name of names) {
    server.pubSub.unsubscribe(client, kind, name);
    answer(client, kind, word, name, reply);
  }
  if (names.length === 0) answer(client, kind, word, undefined, reply);
}

function answer(
  client: Client,
  kind: TopicKind,
  word: string,
  name: string | undefined,
  reply: ReplyWriter,
): void {
  reply.push(3);
  reply.bulkLatin1(word);
  if (name === undefined) reply.nil();
  else reply.bulkLatin1(name);
  reply.integer(kind === "shard" ? client.shardChannelCount : client.channelCount + client.patternCount);
}
