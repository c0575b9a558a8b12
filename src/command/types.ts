// What a command is: one row that says everything about it, and what its handler may know.

import type { Args } from "../base/args.ts";
import type { Prng } from "../base/prng.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { Store } from "../store/store.ts";
import type { LocalContext } from "./local-context.ts";

/** Redis's command flags, spelled as COMMAND INFO prints them. */
export type Flag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "allow_busy"
  | "movablekeys"
  | "no_multi"
  | "no_async_loading"
  | "no_mandatory_keys";

/** Positions of the keys among the arguments, as COMMAND INFO gives them; 0, 0, 0 for none. */
export interface KeyPositions {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/**
 * Everything a data handler may know. No clock, no global randomness, no session: replicas apply at
 * different moments and must agree (DESIGN section 5).
 */
export interface DataContext {
  /** Cluster time in ms: of the entry for a write, the leader's running cluster time for a read. */
  nowMs: number;
  /** Seeded by the entry for a write. */
  random: Prng;
  /** The selected database. */
  keys: Keyspace;
  /** Index of the selected database. */
  database: number;
  /** All databases: MOVE, COPY, SWAPDB, FLUSHALL. */
  store: Store;
  /** Longest string value, from proto-max-bulk-len. Agreed by the log only if equal on all nodes. */
  readonly stringBytesMax: number;
  /** Where PUBLISH sends to. */
  publications: Publications;
  /** Only where entries are applied. */
  readonly sessions?: ReplicatedSessions;
}

/** What clients have in the replicated state beside data. The arguments are log forms (transactions.ts). */
export interface ReplicatedSessions {
  exec(args: Args, reply: ReplyWriter): void;
  watch(args: Args, reply: ReplyWriter): void;
  unwatch(args: Args, reply: ReplyWriter): void;
}

/** Messages from the log to subscribers of this node. Nothing of it may decide what becomes of any key. */
export interface Publications {
  /** Delivered when the entry has been applied: the bytes stay where they are until then. */
  publish(
    shard: boolean,
    bytes: Buffer,
    channelStart: number,
    channelEnd: number,
    start: number,
    end: number,
  ): void;
  /** Clients of all nodes that such a message reaches: for the reply alone, as replicas do not know the same (ADR 9). */
  receiverCount(shard: boolean, bytes: Buffer, channelStart: number, channelEnd: number): number;
}

export const noPublications: Publications = { publish: () => {}, receiverCount: () => 0 };

interface RowBase {
  /** Lower case, as in Redis; a subcommand's row has the full name, "client|id". */
  readonly name: string;
  /** As in Redis: -n means at least n arguments, the name (and for subcommands the container) included. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  readonly keys: KeyPositions;
}

/** Runs on the state machine. A "write" goes through the log; a "read" may not change anything. */
export interface DataRow extends RowBase {
  readonly route: "read" | "write";
  readonly run: (context: DataContext, args: Args, reply: ReplyWriter) => void;
}

/** Runs on the node that the client is connected to, on its session. */
export interface LocalRow extends RowBase {
  readonly route: "local";
  readonly run: (context: LocalContext, args: Args, reply: ReplyWriter) => void;
}

/** A command that is only a container of subcommands ("client", "config", ...): args[1] selects the row. */
export interface ContainerRow extends RowBase {
  readonly route: "container";
  readonly subcommands: readonly CommandRow[];
  /**
   * Runs locally when no subcommand fits, the unknown ones included: COMMAND does something on its own, DEBUG
   * has an error text of its own. Without it the caller answers Redis's "unknown subcommand".
   */
  readonly run?: LocalRow["run"];
}

export type CommandRow = DataRow | LocalRow | ContainerRow;

export const noKeys: KeyPositions = { first: 0, last: 0, step: 0 };
export const oneKey: KeyPositions = { first: 1, last: 1, step: 1 };
