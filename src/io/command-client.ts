// What all commands that ask a running node share: --host, --port and --password, and one connection that is never
// tried twice. Words in, a client or one line of what went wrong out.

import { Redis } from "ioredis";

const CONNECT_MS_MAX = 2000;

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
}

export const TARGET_OPTIONS = "[--host <host>] [--port <port>] [--password <password>]";
export const PASSWORD_NOTE = "The password can also be in the environment variable REDISCLI_AUTH.";

export interface ParsedWords {
  readonly target: ProbeTarget;
  /** What is not an option of the connection, in order. */
  readonly rest: readonly string[];
}

/** Takes the connection's options out; undefined when one has no value or not a port. */
export function parseTarget(words: readonly string[]): ParsedWords | undefined {
  let target: ProbeTarget = { host: "127.0.0.1", port: 6379, password: process.env["REDISCLI_AUTH"] };
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word !== "--host" && word !== "--port" && word !== "--password") {
      rest.push(word);
      continue;
    }
    const value = words[++i];
    if (value === undefined) return undefined;
    if (word === "--host") target = { ...target, host: value };
    else if (word === "--password") target = { ...target, password: value };
    else if (/^[0-9]{1,5}$/.test(value)) target = { ...target, port: Number(value) };
    else return undefined;
  }
  return { target, rest };
}

export type Asked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly text: string };

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
    return { ok: false, text: connectionError || (error instanceof Error ? error.message : String(error)) };
  } finally {
    client.disconnect();
  }
}
