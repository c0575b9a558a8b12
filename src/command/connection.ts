// PING, ECHO, SELECT, QUIT, RESET: the session itself. AUTH and HELLO are in connection-auth.ts.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { clusterError } from "./cluster-errors.ts";
import { replyError, wrongArity } from "./errors.ts";
import { int32Argument, integerArgument } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const connectionCommands = [
  { name: "ping", arity: -1, route: "local", flags: ["fast"], keys: noKeys, run: ping },
  { name: "echo", arity: 2, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: echo },
  { name: "select", arity: 2, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: select },
  { name: "quit", arity: -1, route: "local", flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"], keys: noKeys, run: quit },
  { name: "reset", arity: 1, route: "local", flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"], keys: noKeys, run: reset },
] as const satisfies readonly CommandRow[];

function ping({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 2) return reply.error(wrongArity("ping"));
  if (client.kind === "pubsub" && client.protocol === 2) {
    // A subscriber of RESP2 can only tell replies from messages by their shape.
    reply.array(2);
    reply.bulkLatin1("pong");
    if (args.count === 1) reply.bulkLatin1("");
    else reply.bulk(args.bytes, args.start(1), args.end(1));
  } else if (args.count === 1) {
    reply.simple("PONG");
  } else {
    reply.bulk(args.bytes, args.start(1), args.end(1));
  }
}

function echo(_context: LocalContext, args: Args, reply: ReplyWriter): void {
  reply.bulk(args.bytes, args.start(1), args.end(1));
}

function select({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const number = int32Argument(args, 1, reply);
  if (number === undefined) return;
  if (server.cluster.isEnabled && number !== 0) return reply.error(clusterError.selectForbidden);
  const database = selectableDatabase(args, server.databaseCount);
  if (database !== undefined) {
    client.database = database;
    reply.ok();
  } else {
    reply.error(replyError.databaseOutOfRange);
  }
}

/** The database that a SELECT names; undefined when there is none such. */
export function selectableDatabase(args: Args, databaseCount: number): number | undefined {
  const database = integerArgument(args, 1);
  return database !== undefined && database >= 0 && database < databaseCount ? database : undefined;
}

function quit({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.ok();
  client.close(true);
}

/** Back to how the connection began; only what the client told about its library stays. */
function reset({ client, server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  client.reset();
  server.monitors.remove(client);
  client.monitor = false;
  client.database = 0;
  client.name = "";
  client.noEvict = false;
  client.noTouch = false;
  client.readOnly = false;
  client.replyMode = "on";
  client.skipNextReply = false;
  client.authenticated = server.password.length === 0;
  client.protocol = 2;
  reply.protocol = 2;
  reply.simple("RESET");
}
