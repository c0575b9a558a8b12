// What a command is: one row that says everything about it, and what its handler may know.

import type { Args } from "../base/args.ts";
import type { Prng } from "../base/prng.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { Store } from "../store/store.ts";
import type { ValueType } from "../store/types.ts";
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
  /** Longest string value: proto-max-bulk-len, which is the cluster's. */
  stringBytesMax: number;
  /** Where PUBLISH sends to. */
  publications: Publications;
  /** Only where entries are applied. */
  readonly sessions?: ReplicatedSessions;
  readonly digests?: ReplicaDigests;
  /** Only where reads run. */
  readonly progress?: { readonly appliedIndex: number };
  readonly settings?: ReplicatedSettings;
  /** Only while a command runs that may wait (blocking.ts). */
  attempt?: Attempt | undefined;
}

/** One try of a command that waits when it finds nothing. */
export interface Attempt {
  /** It waits already: what is no mistake of the client any more, a key of another type, is nothing. */
  readonly isRetry: boolean;
  /** Nothing is answered and nothing was changed: the command waits, or goes on waiting. */
  wait(wish: Wish): void;
}

/** What a command waits for. */
export interface Wish {
  readonly args: Args;
  /** Its keys are the arguments [first, last) of the selected database. */
  readonly first: number;
  readonly last: number;
  /** It is tried again when one of them holds a value of this type and was changed. */
  readonly type: ValueType;
  /** And when one of them has gone, or has become of another type (XREADGROUP answers an error then). */
  readonly evenWithoutKey?: boolean;
  /** What is tried again instead of the command as it came, as RESP (XREAD with its $ replaced). Only the first time. */
  readonly command?: Uint8Array;
}

/** What clients have in the replicated state beside data. The arguments are log forms (transactions.ts, blocking.ts). */
export interface ReplicatedSessions {
  exec(args: Args, reply: ReplyWriter): void;
  watch(args: Args, reply: ReplyWriter): void;
  unwatch(args: Args, reply: ReplyWriter): void;
  tryBlocking(args: Args, reply: ReplyWriter): void;
  cancelBlocking(args: Args, reply: ReplyWriter): void;
}

/** The cluster's settings in force (cluster-settings.ts). */
export interface ReplicatedSettings {
  /** All or nothing; the first name that is wrong, or undefined when done. */
  change(values: readonly (readonly [name: string, value: string])[]): string | undefined;
  /** A line for each: a name, a space, a value. */
  readonly text: Buffer;
}

/** Where a replica's digests go (replica-digest.ts). */
export interface ReplicaDigests {
  /** Takes one over `records` records of the database, from the hash `from` on. */
  take(database: number, from: number, records: number, part: number): void;
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
  /**
   * Of a command that can wait (blocking.ts): how long this call of it may, in ms, 0 = for ever. Undefined when it does not
   * wait, or its timeout is wrong: then it runs like any other, and answers at once.
   */
  readonly blocking?: (args: Args) => number | undefined;
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
