// What all commands that ask a running node share: where it is and its password, found as a node finds its own, and one
// connection that is never tried twice. Words in, a client or one line of what went wrong out.

import { Redis } from "ioredis";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/table.ts";
import { readText } from "./config-file.ts";

const CONNECT_MS_MAX = 2000;
const LOOPBACK = "127.0.0.1";
/** Redis's own clients read it. */
const CLIENT_VARIABLE = "REDISCLI_AUTH";

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
  /** Where the password is from, for errors. */
  readonly passwordFrom?: string;
}

export const TARGET_OPTIONS =
  "[--host <host>] [--port <port>] [--config <file>] [--password <password> | --password-file <file>]";
export const PASSWORD_NOTE = `Without --password it is that of REDISCLI_AUTH, or else the one that a node started here would have: from the
config file that --config names, which says the port too, from SESHAT_REQUIREPASS or from SESHAT_REQUIREPASS_FILE.`;

export interface ParsedWords {
  readonly target: ProbeTarget;
  /** What is not an option of the connection, in order. */
  readonly rest: readonly string[];
}

const OPTIONS: ReadonlySet<string> = new Set([
  "--host",
  "--port",
  "--config",
  "--password",
  "--password-file",
]);

/** Takes the connection's options out; a text says what is wrong with one. */
export function parseTarget(words: readonly string[]): ParsedWords | string {
  const given = new Map<string, string>();
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!OPTIONS.has(word)) {
      rest.push(word);
      continue;
    }
    const value = words[++i];
    if (value === undefined) return `${word} needs a value`;
    given.set(word, value);
  }
  const settings = settingsOf(given);
  if (typeof settings === "string") return settings;
  const { bind, port, requirepass } = settings;
  const portText = given.get("--port") ?? `${port}`;
  if (!/^[0-9]{1,5}$/.test(portText)) return `--port ${portText} is no port`;
  const host = given.get("--host") ?? (given.has("--config") ? reachable(bind[0]) : LOOPBACK);
  const ownPassword = requirepass === "" ? undefined : requirepass;
  const passwordFrom = sourceOf(given, ownPassword);
  const password =
    passwordFrom === "--password"
      ? given.get(passwordFrom)
      : passwordFrom === CLIENT_VARIABLE
        ? process.env[CLIENT_VARIABLE]
        : ownPassword;
  const target = { host, port: Number(portText), password };
  return { target: passwordFrom === undefined ? target : { ...target, passwordFrom }, rest };
}

/** Where the password is taken from; undefined: there is none. */
function sourceOf(given: ReadonlyMap<string, string>, ownPassword: string | undefined): string | undefined {
  if (given.has("--password")) return "--password";
  if (given.has("--password-file")) return "--password-file";
  if (process.env[CLIENT_VARIABLE]) return CLIENT_VARIABLE;
  if (ownPassword === undefined) return undefined;
  const variables = ["SESHAT_REQUIREPASS", "SESHAT_REQUIREPASS_FILE"];
  return variables.find((name) => process.env[name]) ?? "the file of --config";
}

/** As a node would have them that was started here. */
function settingsOf(given: ReadonlyMap<string, string>): Settings | string {
  const path = given.get("--config");
  const file = path === undefined ? undefined : readText(path);
  if (file?.ok === false) return file.error;
  const passwordFile = given.get("--password-file");
  const loaded = loadSettings({
    file: file === undefined || path === undefined ? undefined : { path, text: file.text },
    environment: process.env,
    flags: passwordFile === undefined ? [] : [{ name: "requirepass-file", words: [passwordFile] }],
    readFile: readText,
  });
  return loaded.ok ? loaded.settings : loaded.error;
}

/** Where a node that listens there can be reached from its own machine. */
const reachable = (bind: string | undefined): string =>
  bind === undefined || bind === "*" || bind === "0.0.0.0" || bind.startsWith("-") ? LOOPBACK : bind;

export type Asked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly text: string };

/** The node's words say what a client did wrong, and not what whoever typed the command can do. */
function passwordProblem(text: string, { passwordFrom }: ProbeTarget): string | undefined {
  if (text.startsWith("NOAUTH")) {
    return "this node has a password: give --password-file, REDISCLI_AUTH or --config";
  }
  return text.startsWith("WRONGPASS")
    ? `the password from ${passwordFrom ?? "outside"} is not the one of this node`
    : undefined;
}

/** Connects, does `work`, disconnects. Never throws: an error is its text. */
export async function ask<T>(
  target: ProbeTarget,
  timeoutMs: number,
  work: (client: Redis) => Promise<T>,
): Promise<Asked<T>> {
  const { host, port, password } = target;
  const client = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    connectTimeout: CONNECT_MS_MAX,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
  });
  let connectionError = "";
  client.on("error", (error: Error) => {
    connectionError = error.message;
  });
  try {
    await client.connect();
    return { ok: true, value: await work(client) };
  } catch (error) {
    const text = connectionError || (error instanceof Error ? error.message : String(error));
    return { ok: false, text: passwordProblem(text, target) ?? text };
  } finally {
    client.disconnect();
  }
}
