// Two words of the log for settings that belong to the cluster (docs/adr/0023); clients cannot send them, their CONFIG SET and
// CONFIG GET are translated into them:
//
//   seshat.config <name> <value> [<name> <value> ...]      changes them all, or none
//   seshat.settings                                        answers those in force, a line for each

import type { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { configFailed } from "./local-errors.ts";
import { type CommandRow, type DataContext, noKeys, type ReplicatedSettings } from "./types.ts";

// biome-ignore format: one row a line
export const settingForms = [
  { name: "seshat.config",   arity: -3, route: "write", flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: change },
  { name: "seshat.settings", arity: 1,  route: "read",  flags: ["skip_monitor", "skip_slowlog"], keys: noKeys, run: show },
] as const satisfies readonly CommandRow[];

const NOT_KNOWN = "the cluster knows no such setting or value";

function change(context: DataContext, args: Args, reply: ReplyWriter): void {
  const values: [string, string][] = [];
  for (let i = 1; i + 1 < args.count; i += 2) values.push([args.text(i), args.text(i + 1)]);
  // The node that sent it has checked it, by a table that may be of another version than this one's.
  const wrong = settingsOf(context).change(values);
  if (wrong === undefined) reply.ok();
  else reply.error(configFailed(wrong, NOT_KNOWN));
}

function show(context: DataContext, _args: Args, reply: ReplyWriter): void {
  const { text } = settingsOf(context);
  reply.bulk(text, 0, text.length);
}

function settingsOf({ settings }: DataContext): ReplicatedSettings {
  assert(settings !== undefined, "this context has no settings");
  return settings;
}
