// What the router asks of every command, taken out of the table's rows into typed arrays, by row id.

import type { Args } from "../base/args.ts";
import type { TopicKind } from "../command/local-context.ts";
import { logRows, rows } from "../command/lookup.ts";
import type { Flag } from "../command/types.ts";
import { NODE_LOGICAL_BYTES, STREAM_LOGICAL_BYTES } from "../store/stream.ts";
import { CONSUMER_LOGICAL_BYTES, GROUP_LOGICAL_BYTES } from "../store/stream-group.ts";
import { ARGUMENT_LOGICAL_BYTES } from "./turn-batch.ts";

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

export const withFlag = (flag: Flag): Uint8Array =>
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
const MADE_BYTES: ReadonlyMap<string, number> = new Map([
  ["xadd", STREAM_LOGICAL_BYTES + NODE_LOGICAL_BYTES],
  ["xgroup|create", STREAM_LOGICAL_BYTES + GROUP_LOGICAL_BYTES],
  ["xgroup|createconsumer", CONSUMER_LOGICAL_BYTES],
  ["xreadgroup", CONSUMER_LOGICAL_BYTES],
  ["xclaim", CONSUMER_LOGICAL_BYTES],
  ["xautoclaim", CONSUMER_LOGICAL_BYTES],
]);
/** What a command may make beside what it brings, for memory limits: as if it had so many arguments more. */
export const madeArguments = Uint16Array.from(rows, ({ name }) =>
  Math.ceil((MADE_BYTES.get(name) ?? 0) / ARGUMENT_LOGICAL_BYTES),
);
/** Not worth a clock each time: Redis's fast commands, and SET, which is as fast and only not called so. */
export const sampled = Uint8Array.from(rows, (row, id) =>
  fast[id] === 1 || row.name === "set" || logRows.includes(row) ? 1 : 0,
);

export const arityFits = (id: number, count: number): boolean => {
  const arity = arities[id]!;
  return arity >= 0 ? count === arity : count >= -arity;
};

const DATA_ANSWERS = new Set(
  "exec getex lmove blmove rpoplpush brpoplpush sort xreadgroup xclaim xautoclaim seshat.try".split(" "),
);
/** Writes that a few bytes can ask again and again for the same long reply. */
export const answersWithData = Uint8Array.from(rows, ({ name }) => (DATA_ANSWERS.has(name) ? 1 : 0));
const LEADER_CHANGES = new Set([
  "raft.member|add",
  "raft.member|promote",
  "raft.member|remove",
  "raft.transfer",
]);
const LEADER_ANSWERS = new Set(["wait", "raft.member|list"]);

/** Local commands that only the leader can answer: a follower passes them on. */
export const leaderOnly = Uint8Array.from(rows, ({ name }) =>
  LEADER_ANSWERS.has(name) || LEADER_CHANGES.has(name) ? 1 : 0,
);
/** Without an answer nobody knows whether it was carried out. */
export const changes = Uint8Array.from(rows, ({ name, route }) =>
  route === "write" || LEADER_CHANGES.has(name) ? 1 : 0,
);
/** Asks a leader to remove itself, perhaps: Dispatch sees to it. */
export const REMOVE_MEMBER_ID = rows.findIndex(({ name }) => name === "raft.member|remove");
const SUBSCRIBE_NAMES = new Set(["", "p", "s"].flatMap((kind) => [`${kind}subscribe`, `${kind}unsubscribe`]));
/** SUBSCRIBE and its kin: their answers are messages, which even a client that wants no replies gets. */
export const subscribes = Uint8Array.from(rows, (row) => (SUBSCRIBE_NAMES.has(row.name) ? 1 : 0));
const CLIENT_SHOWS = new Set(["client|list", "client|info"]);
/** Commands that show what the log has done to clients of this node: that a key they watch has changed. */
export const showsClients = Uint8Array.from(rows, (row) => (CLIENT_SHOWS.has(row.name) ? 1 : 0));
const LEAVING: ReadonlyMap<string, TopicKind | undefined> = new Map([
  ["unsubscribe", "channel"],
  ["punsubscribe", "pattern"],
  ["sunsubscribe", "shard"],
  ["reset", undefined],
  ["quit", undefined],
]);
/** Commands that may end subscriptions; and of which kind, undefined: of all kinds. */
export const leaves = Uint8Array.from(rows, (row) => (LEAVING.has(row.name) ? 1 : 0));
export const leavingKinds = rows.map((row) => LEAVING.get(row.name));
/** What a subscriber of RESP2, who cannot tell replies from messages, may still send. */
export const allowedSubscribed = Uint8Array.from(rows, (row, id) =>
  subscribes[id] === 1 || row.name === "ping" || row.name === "quit" || row.name === "reset" ? 1 : 0,
);

/** Of each row, bits that send a command off the straight way: */
export const SPECIAL_RESTRICTED = 1;
export const SPECIAL_LOG_FORM = 2;
export const SPECIAL_INTERNAL = 4;
export const SPECIAL_BLOCKING = 8;
export const SPECIAL_SETTINGS = 16;
const LOG_FORMS = new Set(["exec", "watch", "unwatch", ...logRows.map(({ name }) => name)]);
const SETTING = new Set(["config|get", "config|set", "debug|set-active-expire"]);
/**
 * RESTRICTED: settings may forbid it; ServerView.restriction() says. LOG_FORM: in the log it looks different
 * (command/transactions.ts), so what a client sends is translated first. INTERNAL: it is a word of the log only.
 * BLOCKING: it may wait (command/blocking.ts). SETTINGS: it may be about settings of the cluster (settings-commands.ts).
 */
export const specials = Uint8Array.from(
  rows,
  (row) =>
    (row.name.startsWith("debug|") ? SPECIAL_RESTRICTED : 0) |
    (LOG_FORMS.has(row.name) ? SPECIAL_LOG_FORM : 0) |
    (logRows.includes(row) ? SPECIAL_INTERNAL : 0) |
    ("blocking" in row ? SPECIAL_BLOCKING : 0) |
    (SETTING.has(row.name) ? SPECIAL_SETTINGS : 0),
);

export const isInternal = (id: number): boolean => (specials[id]! & SPECIAL_INTERNAL) !== 0;

/** How long this call may wait, in ms, 0 = for ever; undefined when it does not. */
export function waitsMs(id: number, args: Args): number | undefined {
  const row = rows[id]!;
  return row.route === "write" || row.route === "read" ? row.blocking?.(args) : undefined;
}

const idOf = (name: string): number => rows.findIndex((row) => row.name === name);
export const rowIds = {
  command: idOf("command"),
  exec: idOf("exec"),
  watch: idOf("watch"),
  unwatch: idOf("unwatch"),
  select: idOf("select"),
  try: idOf("seshat.try"),
  cancel: idOf("seshat.cancel"),
  clientKill: idOf("client|kill"),
  clientUnblock: idOf("client|unblock"),
  expire: idOf("seshat.expire"),
  configGet: idOf("config|get"),
  activeExpire: idOf("debug|set-active-expire"),
  configSet: idOf("config|set"),
  config: idOf("seshat.config"),
  settings: idOf("seshat.settings"),
  wait: idOf("wait"),
} as const;

/** After MULTI these are carried out at once; all others are queued. */
const UNQUEUED = new Set(["multi", "exec", "discard", "watch", "quit", "reset"]);
export const queued = Uint8Array.from(rows, (row) => (UNQUEUED.has(row.name) ? 0 : 1));
export const forbiddenInTransaction = withFlag("no_multi");
/** Queued, they are answered by the client's own node. */
export const isLocalInTransaction = Uint8Array.from(rows, (row, id) =>
  routes[id] === ROUTE_LOCAL || row.name === "unwatch" ? 1 : 0,
);
