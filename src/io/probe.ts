// `seshat ping` and `seshat health`: asks a running node, for containers and scripts. Exit code 0 or 1 is the
// answer, with one line.

import { ask, PASSWORD_NOTE, type ProbeTarget, parseTarget, TARGET_OPTIONS } from "./command-client.ts";

const TIMEOUT_MS = 2000;

/** "ping": the process answers. "health": it serves reads, so there is a leader and this node reaches it. */
export type ProbeKind = "ping" | "health";

/** Undefined when all is well, else why not. Never throws. */
export async function probe(kind: ProbeKind, target: ProbeTarget): Promise<string | undefined> {
  const asked = await ask<unknown>(target, TIMEOUT_MS, (client) =>
    kind === "ping" ? client.ping() : client.exists("seshat:health"),
  );
  if (!asked.ok) return asked.text;
  const isWell = kind === "ping" ? asked.value === "PONG" : typeof asked.value === "number";
  return isWell ? undefined : `unexpected answer ${String(asked.value)}`;
}

const USAGE = `Usage: seshat ping|health ${TARGET_OPTIONS}\n${PASSWORD_NOTE}`;

export async function probeCommand(kind: ProbeKind, words: readonly string[]): Promise<number> {
  const parsed = parseTarget(words);
  if (typeof parsed === "string" || parsed.rest.length > 0) {
    process.stderr.write(`${USAGE}\n${typeof parsed === "string" ? `seshat ${kind}: ${parsed}\n` : ""}`);
    return typeof parsed !== "string" && parsed.rest[0] === "--help" ? 0 : 1;
  }
  const { target } = parsed;
  const problem = await probe(kind, target);
  if (problem === undefined) {
    process.stdout.write(kind === "ping" ? "PONG\n" : "ok\n");
    return 0;
  }
  process.stderr.write(`seshat ${kind} ${target.host}:${target.port}: ${problem}\n`);
  return 1;
}
