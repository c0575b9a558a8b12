// What the router asks of every command, taken out of the table's rows into typed arrays, by row id.

import { rows } from "../command/lookup.ts";
import type { Flag } from "../command/types.ts";

export const ROUTE_READ = 0;
export const ROUTE_WRITE = 1;
export const ROUTE_LOCAL = 2;
export const ROUTE_CONTAINER = 3;

const ROUTES = {
  read: ROUTE_READ,
  write: ROUTE_WRITE,
  local: ROUTE_LOCAL,
  container: ROUTE_CONTAINER,
} as const;

const withFlag = (flag: Flag): Uint8Array =>
  Uint8Array.from(rows, (row) => (row.flags.includes(flag) ? 1 : 0));

/** A container that runs by itself (COMMAND, DEBUG) is a local command to the router. */
export const routes = Uint8Array.from(rows, (row) =>
  row.route === "container" && row.run !== undefined ? ROUTE_LOCAL : ROUTES[row.route],
);
export const arities = Int16Array.from(rows, (row) => row.arity);
export const allowedUnauthenticated = withFlag("no_auth");
export const fast = withFlag("fast");
/** Commands that may need memory: refused when it is used up. */
export const deniedOutOfMemory = withFlag("denyoom");
/** Never worth a clock by itself: Redis's fast commands, and SET, which is as fast and only not called so. */
export const untimed = Uint8Array.from(rows, (row, id) => (fast[id] === 1 || row.name === "set" ? 1 : 0));

export const arityFits = (id: number, count: number): boolean => {
  const arity = arities[id]!;
  return arity >= 0 ? count === arity : count >= -arity;
};

const SUBSCRIBE_NAMES = new Set(["", "p", "s"].flatMap((kind) => [`${kind}subscribe`, `${kind}unsubscribe`]));
/** SUBSCRIBE and its kin: their answers are messages, which even a client that wants no replies gets. */
export const subscribes = Uint8Array.from(rows, (row) => (SUBSCRIBE_NAMES.has(row.name) ? 1 : 0));
/** What a subscriber of RESP2, who cannot tell replies from messages, may still send. */
export const allowedSubscribed = Uint8Array.from(rows, (row, id) =>
  subscribes[id] === 1 || row.name === "ping" || row.name === "quit" || row.name === "reset" ? 1 : 0,
);

/** Local commands that only the leader can answer: a follower passes them on. */
export const leaderOnly = Uint8Array.from(rows, (row) => (row.name === "wait" ? 1 : 0));
/** Commands that settings may forbid; ServerView.restriction() says. */
export const restricted = Uint8Array.from(rows, (row) => (row.name.startsWith("debug|") ? 1 : 0));
