// MONITOR's feed: every command that runs on this node, as one line to every client that asked. Called only
// while there are such clients, so that others pay one comparison.

import type { Args } from "../../base/args.ts";
import type { Client, MonitorsControl } from "../../command/local-context.ts";
import type { CommandRow } from "../../command/types.ts";
import { isSecret, REDACTED } from "./redaction.ts";

const MICROSECONDS_PER_SECOND = 1_000_000;

export class Monitors implements MonitorsControl {
  readonly #clients = new Set<Client>();
  /** Plain field, read for every command. */
  active = false;

  add(client: Client): void {
    this.#clients.add(client);
    this.active = true;
  }

  /** For every client that goes, whether it monitored or not. */
  remove(client: Client): void {
    this.#clients.delete(client);
    this.active = this.#clients.size > 0;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Administrative commands are left out of the feed, as in Redis. */
  shows(row: CommandRow): boolean {
    return !row.flags.includes("admin") && !row.flags.includes("skip_monitor");
  }

  /**
   * Sends one line to all monitors, for example `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`.
   * Call after the command ran, as Redis does, a monitor's own commands included.
   */
  feed(client: Pick<Client, "address" | "database">, args: Args, wallMicroseconds: number): void {
    const line = Buffer.from(monitorLine(client, args, wallMicroseconds), "latin1");
    for (const monitor of this.#clients) monitor.push(line);
  }
}

export function monitorLine(
  client: Pick<Client, "address" | "database">,
  args: Args,
  wallMicroseconds: number,
): string {
  const seconds = Math.floor(wallMicroseconds / MICROSECONDS_PER_SECOND);
  const fraction = String(Math.floor(wallMicroseconds % MICROSECONDS_PER_SECOND)).padStart(6, "0");
  const quoted: string[] = [];
  for (let i = 0; i < args.count; i++) quoted.push(quote(isSecret(args, i) ? REDACTED : args.text(i)));
  return `+${seconds}.${fraction} [${client.database} ${client.address}] ${quoted.join(" ")}\r\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\u0007": "\\a",
  "\b": "\\b",
};

/** Quoted as Redis's sdscatrepr: printable ASCII as it is, known escapes, the rest as \xHH. */
export function quote(latin1: string): string {
  let out = '"';
  for (const char of latin1) {
    const escaped = ESCAPES[char];
    if (escaped !== undefined) out += escaped;
    else if (char >= " " && char <= "~") out += char;
    else out += `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  }
  return `${out}"`;
}
