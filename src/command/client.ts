// CLIENT: what a connection says about itself and how it wants to be treated. Listing and killing others is in
// client-list.ts and client-kill.ts, the rows of which are joined here.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { validClientName } from "./client-info.ts";
import { clientKillRow } from "./client-kill.ts";
import { clientListRows } from "./client-list.ts";
import { replyError, unknownSubcommandOrArity } from "./errors.ts";
import { helpReply, integerArgument, timeoutArgument, wordArgument } from "./local-arguments.ts";
import type { LocalContext, PauseMode } from "./local-context.ts";
import { libraryFieldInvalid, localError, unrecognizedOption } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "client|caching", arity: 3, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: caching },
  { name: "client|getname", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: getName },
  { name: "client|getredir", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: getRedirection },
  { name: "client|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "client|id", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: id },
  ...clientListRows,
  clientKillRow,
  { name: "client|no-evict", arity: 3, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: noEvict },
  { name: "client|no-touch", arity: 3, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: noTouch },
  { name: "client|pause", arity: -3, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: pause },
  { name: "client|reply", arity: 3, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: replyMode },
  { name: "client|setinfo", arity: 4, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: setInfo },
  { name: "client|setname", arity: 3, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: setName },
  { name: "client|trackinginfo", arity: 2, route: "local", flags: ["noscript", "loading", "stale"], keys: noKeys, run: trackingInfo },
  { name: "client|unblock", arity: -3, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: unblock },
  { name: "client|unpause", arity: 2, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: unpause },
] as const satisfies readonly CommandRow[];

export const clientCommands = [
  { name: "client", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

function id({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(client.id);
}

function getName({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  if (client.name === "") reply.nil();
  else reply.bulkLatin1(client.name);
}

function setName({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  const name = args.text(2);
  if (!validClientName(name)) return reply.error(localError.clientNameInvalid);
  client.name = name;
  reply.ok();
}

function setInfo({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  const field = wordArgument(args, 2);
  const value = args.text(3);
  if (field !== "lib-name" && field !== "lib-ver") return reply.error(unrecognizedOption(args.text(2)));
  if (!validClientName(value)) return reply.error(libraryFieldInvalid(field));
  if (field === "lib-name") client.libName = value;
  else client.libVersion = value;
  reply.ok();
}

function noEvict({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  const on = onOff(args, 2);
  if (on === undefined) return reply.error(replyError.syntax);
  client.noEvict = on;
  reply.ok();
}

function noTouch({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  const on = onOff(args, 2);
  if (on === undefined) return reply.error(replyError.syntax);
  client.noTouch = on;
  reply.ok();
}

function onOff(args: Args, index: number): boolean | undefined {
  if (args.is(index, "ON")) return true;
  return args.is(index, "OFF") ? false : undefined;
}

/** Only ON is answered. The session mutes what comes after OFF and SKIP. */
function replyMode({ client }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.is(2, "ON")) {
    client.replyMode = "on";
    reply.ok();
  } else if (args.is(2, "OFF")) {
    client.replyMode = "off";
  } else if (args.is(2, "SKIP")) {
    if (client.replyMode !== "off") client.skipNextReply = true;
  } else {
    reply.error(replyError.syntax);
  }
}

function pause({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 4) return reply.error(unknownSubcommandOrArity("CLIENT", args.text(1)));
  let mode: PauseMode = "all";
  if (args.count === 4) {
    if (args.is(3, "WRITE")) mode = "write";
    else if (!args.is(3, "ALL")) return reply.error(localError.pauseModeInvalid);
  }
  const timeoutMs = timeoutArgument(args, 2, reply);
  if (timeoutMs === undefined) return;
  const nowMs = server.monotonicMs();
  server.pause.start(mode, nowMs + timeoutMs, nowMs);
  reply.ok();
}

function unpause({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  server.pause.end();
  reply.ok();
}

/** Whom it is about, if it is well formed. */
export const unblockedId = (args: Args): number | undefined =>
  args.count === 3 || (args.count === 4 && (args.is(3, "ERROR") || args.is(3, "TIMEOUT")))
    ? integerArgument(args, 2)
    : undefined;

function unblock({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 4) return reply.error(unknownSubcommandOrArity("CLIENT", args.text(1)));
  let withError = false;
  if (args.count === 4) {
    if (args.is(3, "ERROR")) withError = true;
    else if (!args.is(3, "TIMEOUT")) return reply.error(localError.unblockReasonInvalid);
  }
  const clientId = integerArgument(args, 2);
  if (clientId === undefined) return reply.error(replyError.notInteger);
  const target = server.clients.byId(clientId);
  reply.integer(target?.blocked === true && target.unblock(withError) ? 1 : 0);
  // What the client waited for is not given to it by what comes behind this command.
  client.awaitDepartures();
}

// Client-side caching (CLIENT TRACKING) does not exist here; these three answer as Redis does while it is off.

function getRedirection(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(-1);
}

function caching(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.error(localError.cachingWithoutTracking);
}

function trackingInfo(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.map(3);
  reply.bulkLatin1("flags");
  reply.set(1);
  reply.bulkLatin1("off");
  reply.bulkLatin1("redirect");
  reply.integer(-1);
  reply.bulkLatin1("prefixes");
  reply.array(0);
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "CLIENT", [
    "GETNAME",
    "    The name of this connection.",
    "GETREDIR",
    "    -1: replies are not tracked, so nothing is redirected.",
    "ID",
    "    The id of this connection.",
    "INFO",
    "    The line of CLIENT LIST for this connection.",
    "KILL <ip:port>",
    "    Close the connection from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close all connections that fit. Options are:",
    "    * ADDR <ip:port>",
    "      Connections from this address.",
    "    * ID <client-id>",
    "      The connection of this id.",
    "    * LADDR <ip:port>",
    "      Connections to this local address.",
    "    * SKIPME (YES|NO)",
    "      Spare this connection (default: yes).",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Connections of this type.",
    "    * USER <username>",
    "      Connections of this user.",
    "LIST [options ...]",
    "    One line for each connection. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Only those of this type.",
    "    * ID <client-id> [<client-id> ...]",
    "      Only those of these ids.",
    "NO-EVICT (ON|OFF)",
    "    Never close this connection to save memory.",
    "NO-TOUCH (ON|OFF)",
    "    Commands of this connection do not count as access to keys.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Hold all commands, or only writes, for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Answer this connection, or not, or not the next command.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Tell the name or the version of the client library.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKINGINFO",
    "    Whether this connection's reads are tracked: they are not.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    End the wait of a blocked connection.",
    "UNPAUSE",
    "    End the pause.",
  ]);
}
