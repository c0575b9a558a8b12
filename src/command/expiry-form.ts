// The word of the log by which the leader has dead keys removed that a read has met, where nothing else removes them
// (DEBUG SET-ACTIVE-EXPIRE 0); clients cannot send it. Keys that are alive by then stay:
//
//   seshat.expire <key> [<key> ...]

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const expiryForms = [
  { name: "seshat.expire", arity: -2, route: "write", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: expire },
] as const satisfies readonly CommandRow[];

function expire({ keys }: DataContext, args: Args, reply: ReplyWriter): void {
  for (let i = 1; i < args.count; i++) keys.reclaimDead(args.bytes, args.start(i), args.end(i));
  reply.ok();
}
