// MULTI, EXEC, DISCARD, WATCH, UNWATCH (docs/adr/0010). MULTI and DISCARD belong to the session. The other three
// run on the state machine in their log form, which the client's node has made of what the client sent:
//
//   EXEC <owner> <watches> <replies> <arguments> <commands as RESP, back to back>
//   WATCH <owner> <ordinal> key ...
//   UNWATCH <owner>
//
// An owner is "incarnation:session:serial"; `watches` says how many WATCHes of that serial went before, `arguments`
// how many arguments those of the commands have that may need memory, all together.

import type { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { LocalContext } from "./local-context.ts";
import { type CommandRow, type DataContext, noKeys, type ReplicatedSessions } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const transactionCommands = [
  { name: "multi",   arity: 1,  route: "local", flags: ["noscript", "loading", "stale", "fast", "allow_busy"], keys: noKeys, run: multi },
  { name: "exec",    arity: 1,  route: "write", flags: ["noscript", "loading", "stale", "skip_slowlog"], keys: noKeys, run: exec },
  { name: "discard", arity: 1,  route: "local", flags: ["noscript", "loading", "stale", "fast", "allow_busy"], keys: noKeys, run: discard },
  { name: "watch",   arity: -2, route: "write", flags: ["noscript", "loading", "stale", "fast", "allow_busy"], keys: { first: 1, last: -1, step: 1 }, run: watch },
  { name: "unwatch", arity: 1,  route: "write", flags: ["noscript", "loading", "stale", "fast", "allow_busy"], keys: noKeys, run: unwatch },
] as const satisfies readonly CommandRow[];

/** Arguments of EXEC's log form. */
export const EXEC_MEMORY_ARGUMENTS = 4;
export const EXEC_COMMANDS = 5;

export const transactionError = {
  nested: "ERR MULTI calls can not be nested",
  execWithoutMulti: "ERR EXEC without MULTI",
  discardWithoutMulti: "ERR DISCARD without MULTI",
  watchInMulti: "ERR WATCH inside MULTI is not allowed",
  notInMulti: "ERR Command not allowed inside a transaction",
  aborted: "EXECABORT Transaction discarded because of previous errors.",
  tooLong: "ERR the transaction is longer than one command may be (proto-max-bulk-len)",
  tooManyWatched: "ERR too many watched keys",
  notMember: "TRYAGAIN the command was not executed: this node is no member of the cluster yet",
} as const;

/** EXEC that is no EXEC: the transaction goes, and the text says why. `text` is an error with its code. */
export const execAborted = (text: string): string =>
  `EXECABORT Transaction discarded because of: ${text.replace(/^ERR /, "")}`;

function multi({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  if (client.inTransaction) return reply.error(transactionError.nested);
  client.beginTransaction();
  reply.ok();
}

function discard({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  if (!client.inTransaction) return reply.error(transactionError.discardWithoutMulti);
  client.discardTransaction();
  reply.ok();
}

function exec(context: DataContext, args: Args, reply: ReplyWriter): void {
  sessionsOf(context).exec(args, reply);
}

function watch(context: DataContext, args: Args, reply: ReplyWriter): void {
  sessionsOf(context).watch(args, reply);
}

function unwatch(context: DataContext, args: Args, reply: ReplyWriter): void {
  sessionsOf(context).unwatch(args, reply);
}

/** Where entries are applied there are some. */
export function sessionsOf({ sessions }: DataContext): ReplicatedSessions {
  assert(sessions !== undefined, "this context has no sessions");
  return sessions;
}
