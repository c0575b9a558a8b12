// `seshat ping` and `seshat health`: asks a running node, for containers and scripts. Exit code 0 or 1 is the
// answer, with one line.

import { Redis } from "ioredis";

const TIMEOUT_MS = 2000;

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
}

/** "ping": the process answers. "health": it serves reads, so there is a leader and this node reaches it. */
export type ProbeKind = "ping" | "health";

/** Undefined when all is well, else why not. Never throws. */
export async function probe(kind: ProbeKind, target: ProbeTarget): Promise<string | undefined> {
  const { host, port, password } = target;
  const client = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
  });
  let lastError = "";
  client.on("error", (error: Error) => {
    lastError = error.message;
  });
  try {
    await client.connect();
    const answer = kind === "ping" ? await client.ping() : await client.exists("seshat:health");
    if (kind === "ping" ? answer === "PONG" : typeof answer === "number") return undefined;
    return `unexpected answer ${String(answer)}`;
  } catch (error) {
    return lastError || (error instanceof Error ? error.message : String(error));
  } finally {
    client.disconnect();
  }
}

const USAGE =
  "Usage: seshat ping|health [--host <host>] [--port <port>] [--password <password>]\n" +
  "The password can also be in the environment variable REDISCLI_AUTH.";

export async function probeCommand(kind: ProbeKind, words: readonly string[]): Promise<number> {
  let target: ProbeTarget = { host: "127.0.0.1", port: 6379, password: process.env["REDISCLI_AUTH"] };
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1];
    if (words[i] === "--host" && value !== undefined) target = { ...target, host: value };
    else if (words[i] === "--password" && value !== undefined) target = { ...target, password: value };
    else if (words[i] === "--port" && value !== undefined && /^[0-9]{1,5}$/.test(value)) {
      target = { ...target, port: Number(value) };
    } else {
      process.stderr.write(`${USAGE}\n`);
      return words[i] === "--help" ? 0 : 1;
    }
  }
  const problem = await probe(kind, target);
  if (problem === undefined) {
    process.stdout.write(kind === "ping" ? "PONG\n" : "ok\n");
    return 0;
  }
  process.stderr.write(`seshat ${kind} ${target.host}:${target.port}: ${problem}\n`);
  return 1;
}
