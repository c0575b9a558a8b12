// PUBSUB: who listens to what, on all nodes. Each node knows of the others' clients what they have told it.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { unknownSubcommandOrArity } from "./errors.ts";
import { helpReply, nameArguments } from "./local-arguments.ts";
import type { LocalContext, TopicKind } from "./local-context.ts";
import { type CommandRow, type Flag, noKeys } from "./types.ts";

const flags: readonly Flag[] = ["pubsub", "loading", "stale"];

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "pubsub|channels", arity: -2, route: "local", flags, keys: noKeys, run: channels },
  { name: "pubsub|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "pubsub|numpat", arity: 2, route: "local", flags, keys: noKeys, run: numpat },
  { name: "pubsub|numsub", arity: -2, route: "local", flags, keys: noKeys, run: numsub },
  { name: "pubsub|shardchannels", arity: -2, route: "local", flags, keys: noKeys, run: shardChannels },
  { name: "pubsub|shardnumsub", arity: -2, route: "local", flags, keys: noKeys, run: shardNumsub },
] as const satisfies readonly CommandRow[];

export const pubSubCommands = [
  { name: "pubsub", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

function channels(context: LocalContext, args: Args, reply: ReplyWriter): void {
  replyNames(context, "channel", args, reply);
}

function shardChannels(context: LocalContext, args: Args, reply: ReplyWriter): void {
  replyNames(context, "shard", args, reply);
}

function replyNames({ server }: LocalContext, kind: TopicKind, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(unknownSubcommandOrArity("PUBSUB", args.text(1)));
  const mark = reply.position;
  let count = 0;
  for (const name of server.pubSub.names(kind)) {
    if (args.count === 3) {
      const bytes = Buffer.from(name, "latin1");
      if (!globMatches(args.bytes, args.start(2), args.end(2), bytes, 0, bytes.length)) continue;
    }
    reply.bulkLatin1(name);
    count++;
  }
  reply.arrayAt(mark, count);
}

function numsub(context: LocalContext, args: Args, reply: ReplyWriter): void {
  replyCounts(context, "channel", args, reply);
}

function shardNumsub(context: LocalContext, args: Args, reply: ReplyWriter): void {
  replyCounts(context, "shard", args, reply);
}

function replyCounts({ server }: LocalContext, kind: TopicKind, args: Args, reply: ReplyWriter): void {
  const names = nameArguments(args, 2, reply);
  if (names === undefined) return;
  reply.array(2 * names.length);
  for (const name of names) {
    reply.bulkLatin1(name);
    reply.integer(server.pubSub.subscriberCount(kind, name));
  }
}

/** Patterns, each counted once however many clients have it. */
function numpat({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(server.pubSub.names("pattern").size);
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "PUBSUB", [
    "CHANNELS [<pattern>]",
    "    Channels that somebody is subscribed to, on any node; those that match <pattern>.",
    "NUMPAT",
    "    How many patterns somebody is subscribed to.",
    "NUMSUB [<channel> ...]",
    "    Subscribers of each channel, those by pattern not counted.",
    "SHARDCHANNELS [<pattern>]",
    "    The same as CHANNELS, for shard channels.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    The same as NUMSUB, for shard channels.",
  ]);
}
