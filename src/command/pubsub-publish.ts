// PUBLISH and SPUBLISH: messages that go through the log like writes, so that all nodes deliver the same ones in the
// same order, each to its own clients. They change nothing.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type CommandRow, type DataContext, noKeys, oneKey } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const publishCommands = [
  { name: "publish", arity: 3, route: "write", flags: ["pubsub", "loading", "stale", "fast"], keys: noKeys, run: publish },
  { name: "spublish", arity: 3, route: "write", flags: ["pubsub", "loading", "stale", "fast"], keys: oneKey, run: spublish },
] as const satisfies readonly CommandRow[];

function publish(context: DataContext, args: Args, reply: ReplyWriter): void {
  publishTo(context, args, false, reply);
}

function spublish(context: DataContext, args: Args, reply: ReplyWriter): void {
  publishTo(context, args, true, reply);
}

function publishTo({ publications }: DataContext, args: Args, shard: boolean, reply: ReplyWriter): void {
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  publications.publish(shard, bytes, start, end, args.start(2), args.end(2));
  // Counting is not free, and only whoever answers has somebody who asked.
  reply.integer(reply.muted ? 0 : publications.receiverCount(shard, bytes, start, end));
}
