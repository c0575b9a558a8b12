// CLIENT LIST and CLIENT INFO: connections as lines of text.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { clientLine } from "./client-info.ts";
import { replyError } from "./errors.ts";
import { integerArgument } from "./local-arguments.ts";
import type { Client, ClientKind, LocalContext } from "./local-context.ts";
import { localError, unknownClientType } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const clientListRows = [
  { name: "client|info", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: info },
  { name: "client|list", arity: -2, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: list },
] as const satisfies readonly CommandRow[];

function info({ client, server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", `${clientLine(client, server.nowMs())}\n`);
}

/** What TYPE may name. Peers talk over links of their own, so no client is ever a master or a replica. */
export type ClientType = ClientKind | "master" | "replica";

/** Undefined for a word that is no type. */
export function clientType(args: Args, index: number): ClientType | undefined {
  if (args.is(index, "NORMAL")) return "normal";
  if (args.is(index, "PUBSUB")) return "pubsub";
  if (args.is(index, "MASTER")) return "master";
  return args.is(index, "REPLICA") || args.is(index, "SLAVE") ? "replica" : undefined;
}

function list({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  let chosen: readonly Client[];
  if (args.count === 2) {
    chosen = server.clients.list();
  } else if (args.count === 4 && args.is(2, "TYPE")) {
    const type = clientType(args, 3);
    if (type === undefined) return reply.error(unknownClientType(args.text(3)));
    chosen = server.clients.list().filter((client) => client.kind === type);
  } else if (args.count > 3 && args.is(2, "ID")) {
    // Each once, however often it was named: a line is much longer than an id.
    const found = new Set<Client>();
    for (let i = 3; i < args.count; i++) {
      const id = integerArgument(args, i);
      if (id === undefined) return reply.error(localError.clientIdInvalid);
      const client = server.clients.byId(id);
      if (client !== undefined) found.add(client);
    }
    chosen = [...found];
  } else {
    return reply.error(replyError.syntax);
  }
  const nowMs = server.nowMs();
  reply.verbatim("txt", chosen.map((client) => `${clientLine(client, nowMs)}\n`).join(""));
}
