// How many clients the system lets this process have: what its limit of open files leaves when all else has its own. Settings in,
// a number out. Where the limit cannot be read, there is none.

import { readFileSync } from "node:fs";
import { MEMBERS_MAX } from "../base/limits.ts";
import type { Settings } from "../config/table.ts";
import { STRANGERS_MAX } from "./strangers.ts";

/** The program's own: modules, the log, timers, listening sockets (Redis: CONFIG_MIN_RESERVED_FDS). */
const OWN_FILES = 32;
/** Of each other member: a link and a pulse both ways, a snapshot, and one that is being made anew. */
const FILES_PER_MEMBER = 6;

/** On one address of the http port. Whoever watches needs a few; more are closed at once. */
export const HTTP_CONNECTIONS_MAX = 64;

/** The limit in force; Node has raised it to the hard one. */
export function openFilesMax(): number | undefined {
  try {
    const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return soft === undefined || soft === "unlimited" ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** What clients must leave free. */
export function reservedFiles({ members, httpPort }: Pick<Settings, "members" | "httpPort">): number {
  const peers = members.length === 0 ? 0 : STRANGERS_MAX + FILES_PER_MEMBER * MEMBERS_MAX;
  return OWN_FILES + peers + (httpPort === 0 ? 0 : HTTP_CONNECTIONS_MAX);
}
