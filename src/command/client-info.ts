// One client as a line of CLIENT LIST, and what a client may call itself. Reads the session, changes nothing.

import type { Client } from "./local-context.ts";

/** What a connection costs beside its buffers: session, socket, parser. A rough constant, for tot-mem. */
const SESSION_BYTES = 2048;

/** What a connection takes of memory, for tot-mem and INFO. */
export function clientBytes(client: Client): number {
  return (
    SESSION_BYTES +
    client.queryBufferBytes +
    client.queryBufferFreeBytes +
    client.argumentBytes +
    client.queuedBytes +
    client.outputBufferBytes
  );
}

/** Printable ASCII without spaces; the empty name takes the name away. */
export function validClientName(latin1: string): boolean {
  return /^[!-~]*$/.test(latin1);
}

/** As Redis 7.2 prints it, without a line end. `nowMs` is the wall clock. */
export function clientLine(client: Client, nowMs: number): string {
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["fd", client.fileDescriptor],
    ["name", client.name],
    ["age", wholeSeconds(nowMs - client.connectedAtMs)],
    ["idle", wholeSeconds(nowMs - client.lastActiveMs)],
    ["flags", clientFlags(client)],
    ["db", client.database],
    ["sub", client.channelCount],
    ["psub", client.patternCount],
    ["ssub", client.shardChannelCount],
    ["multi", client.inTransaction ? client.queuedCommandCount : -1],
    ["qbuf", client.queryBufferBytes],
    ["qbuf-free", client.queryBufferFreeBytes],
    ["argv-mem", client.argumentBytes],
    ["multi-mem", client.queuedBytes],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", client.outputBufferBytes > 0 ? 1 : 0],
    ["omem", client.outputBufferBytes],
    ["tot-mem", clientBytes(client)],
    ["events", client.outputBufferBytes > 0 ? "rw" : "r"],
    ["cmd", client.lastCommandName],
    ["user", "default"],
    ["redir", -1],
    ["resp", client.protocol],
    ["lib-name", client.libName],
    ["lib-ver", client.libVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function clientFlags(client: Client): string {
  let flags = "";
  if (client.monitor) flags += "O";
  if (client.kind === "pubsub") flags += "P";
  if (client.inTransaction) flags += "x";
  if (client.blocked) flags += "b";
  if (client.watchDirty) flags += "d";
  if (client.closing) flags += "c";
  if (client.readOnly) flags += "r";
  if (client.noEvict) flags += "e";
  if (client.noTouch) flags += "T";
  return flags === "" ? "N" : flags;
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000));
}
