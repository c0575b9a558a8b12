// The word by which a node asks how far the log goes that has been agreed on; clients cannot send it:
//
//   seshat.applied
//
// Answered as any read is, so with at least the index of all that was answered to anybody before it was asked.

import type { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const appliedForms = [
  { name: "seshat.applied", arity: 1, route: "read", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: applied },
] as const satisfies readonly CommandRow[];

function applied({ progress }: DataContext, _args: Args, reply: ReplyWriter): void {
  assert(progress !== undefined, "this context does not know how far it is");
  reply.integer(progress.appliedIndex);
}
