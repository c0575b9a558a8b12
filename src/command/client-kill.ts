// CLIENT KILL, in its old form (one address) and its new one (pairs of filters, all of which must fit).

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type ClientType, clientType } from "./client-list.ts";
import { replyError } from "./errors.ts";
import { integerArgument } from "./local-arguments.ts";
import type { Client, LocalContext } from "./local-context.ts";
import { localError, noSuchUser, unknownClientType } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const clientKillRow =
  { name: "client|kill", arity: -3, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: kill } as const satisfies CommandRow;

interface KillFilter {
  id: number | undefined;
  type: ClientType | undefined;
  address: string | undefined;
  localAddress: string | undefined;
  skipMe: boolean;
}

const isOldForm = (args: Args): boolean => args.count === 3;

/** Whom of `clients` the command kills; a text is the error. */
export function victimsOf<T extends Client>(args: Args, self: Client, clients: readonly T[]): T[] | string {
  const filter = emptyFilter();
  if (isOldForm(args)) {
    filter.address = args.text(2);
    filter.skipMe = false;
  } else {
    const problem = readFilters(args, filter);
    if (problem !== undefined) return problem;
  }
  return clients.filter((candidate) => fits(candidate, self, filter));
}

function kill({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const victims = victimsOf(args, client, server.clients.list());
  if (typeof victims === "string") return reply.error(victims);
  const oldForm = isOldForm(args);
  if (!oldForm) reply.integer(victims.length);
  else if (victims.length === 0) reply.error(localError.noSuchClient);
  else reply.ok();
  for (const victim of victims) {
    // Our own connection still gets the reply.
    if (victim === client) victim.close(true);
    else victim.kill();
  }
  client.awaitDepartures();
}

function emptyFilter(): KillFilter {
  return { id: undefined, type: undefined, address: undefined, localAddress: undefined, skipMe: true };
}

/** Fills `filter`; returns the error to reply, if any. */
function readFilters(args: Args, filter: KillFilter): string | undefined {
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) return replyError.syntax;
    const value = args.text(i + 1);
    if (args.is(i, "ID")) {
      filter.id = integerArgument(args, i + 1);
      if (filter.id === undefined || filter.id < 1) return localError.clientIdNotPositive;
    } else if (args.is(i, "TYPE")) {
      filter.type = clientType(args, i + 1);
      if (filter.type === undefined) return unknownClientType(value);
    } else if (args.is(i, "ADDR")) {
      filter.address = value;
    } else if (args.is(i, "LADDR")) {
      filter.localAddress = value;
    } else if (args.is(i, "USER")) {
      if (value !== "default") return noSuchUser(value);
    } else if (args.is(i, "SKIPME")) {
      if (!args.is(i + 1, "YES") && !args.is(i + 1, "NO")) return replyError.syntax;
      filter.skipMe = args.is(i + 1, "YES");
    } else {
      return replyError.syntax;
    }
  }
  return undefined;
}

function fits(candidate: Client, self: Client, filter: KillFilter): boolean {
  if (filter.address !== undefined && candidate.address !== filter.address) return false;
  if (filter.localAddress !== undefined && candidate.localAddress !== filter.localAddress) return false;
  if (filter.type !== undefined && candidate.kind !== filter.type) return false;
  if (filter.id !== undefined && candidate.id !== filter.id) return false;
  return !(filter.skipMe && candidate === self);
}
