// The word of the log by which replicas compare their states (docs/adr/0017); clients cannot send it:
//
//   seshat.digest <database> <from hash> <records> <part>

import type { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const digestForms = [
  { name: "seshat.digest", arity: 5, route: "write", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: digest },
] as const satisfies readonly CommandRow[];

function digest({ digests }: DataContext, args: Args, reply: ReplyWriter): void {
  assert(digests !== undefined, "this context takes no digests");
  const [database, from, records, part] = [1, 2, 3, 4].map((i) => Number(args.text(i)));
  digests.take(database!, from!, records!, part!);
  reply.ok();
}
