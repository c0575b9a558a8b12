// What a "local" command row may see of the node it runs on: the client's session and the server around it.
// Interfaces only. Sessions implement Client; node/service holds the parts of Server; tests implement both.
//
// Text that clients send (names, command arguments) is kept 1:1 as latin1, so that it goes back out byte for
// byte; configuration values are UTF-8.

import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { ClusterView } from "./cluster-context.ts";
import type { OperatorControl } from "./operator-context.ts";
import type { CommandRow } from "./types.ts";

/** The Redis release whose behaviour clients may expect; they read it from INFO and HELLO. */
export const REDIS_VERSION = "7.2.4";

export interface LocalContext {
  readonly client: Client;
  readonly server: Server;
}

/** "normal" unless it has subscriptions; peers are no clients here, so there is no "master" or "replica". */
export type ClientKind = "normal" | "pubsub";

/** What a client can subscribe to. */
export type TopicKind = "channel" | "pattern" | "shard";

/** "skip": the command now running is not answered. See `advanceReplyMode`. */
export type ReplyMode = "on" | "off" | "skip";

/** One connection. Plain mutable fields, so that commands cost the session nothing. */
export interface Client {
  /** Never reused while the process lives; grows with every connection. */
  readonly id: number;
  /** "ip:port", "[ip6]:port" or "path:0". */
  readonly address: string;
  readonly localAddress: string;
  /** -1 where there is none (virtual sessions, tests). */
  readonly fileDescriptor: number;
  /** Wall clock. */
  readonly connectedAtMs: number;
  /** Wall clock, of the last bytes from the client. */
  readonly lastActiveMs: number;

  /** Latin1; empty for none. */
  name: string;
  libName: string;
  libVersion: string;
  database: number;
  protocol: 2 | 3;
  /** False only while a password is required and was not given. */
  authenticated: boolean;
  noEvict: boolean;
  noTouch: boolean;
  /** READONLY: reads are answered here, never sent to the master. Cluster mode only. */
  readOnly: boolean;
  replyMode: ReplyMode;
  /** CLIENT REPLY SKIP was the last command. */
  skipNextReply: boolean;
  /** MONITOR was sent: gets the feed, may no longer run ordinary commands. */
  monitor: boolean;

  readonly kind: ClientKind;
  /** Waiting in BLPOP, WAIT and the like. */
  readonly blocked: boolean;
  /** Closing once its output is written. */
  readonly closing: boolean;
  readonly inTransaction: boolean;
  /** A watched key was touched: EXEC will fail. */
  readonly watchDirty: boolean;
  readonly queuedCommandCount: number;
  readonly watchedKeyCount: number;
  readonly channelCount: number;
  readonly patternCount: number;
  readonly shardChannelCount: number;
  /** Row name of the last command that was looked up ("client|list"), "NULL" before the first. */
  readonly lastCommandName: string;
  /** Log index of the client's last write that was answered; 0 for none. For WAIT. */
  readonly lastWriteIndex: number;

  readonly inputBytesTotal: number;
  readonly outputBytesTotal: number;
  readonly commandCountTotal: number;
  /** Arguments of the command that runs or waits, without what is around them. */
  readonly argumentBytes: number;
  /** Commands queued since MULTI. */
  readonly queuedBytes: number;
  /** Bytes received and not yet carried out, those of a running command included, and room left behind them. */
  readonly queryBufferBytes: number;
  readonly queryBufferFreeBytes: number;
  /** Bytes of replies not yet taken by the socket. */
  readonly outputBufferBytes: number;

  /** `afterReply`: what was written so far still goes out. Harmless when repeated. */
  close(afterReply: boolean): void;
  /** CLIENT KILL of another: closed at once. What is under way of it may still happen until awaitDepartures() lets go. */
  kill(): void;
  /** What is written to this client goes out when nothing of those who have left can happen any more. */
  awaitDepartures(): void;
  /** RESET: leaves MULTI, WATCH, subscriptions, MONITOR, tracking; the command sets the plain fields itself. */
  reset(): void;
  /** MULTI: what follows is queued. */
  beginTransaction(): void;
  /** DISCARD: the queue goes, and so do watched keys. */
  discardTransaction(): void;
  /** Holds back the client's later commands until the wait ends; `finish` then writes the reply. */
  park(wait: ParkedCommand): void;
  /** CLIENT UNBLOCK: false when it is not blocked by a command that can be unblocked. */
  unblock(withError: boolean): boolean;
  /** Appends bytes that are no reply (MONITOR's feed). */
  push(bytes: Uint8Array): void;
}

/** A local command that waits, WAIT for example. */
export interface ParkedCommand {
  /** Server.monotonicMs at which it gives up; Infinity for never. */
  readonly deadlineMs: number;
  /** Asked once a turn while parked: may it be answered now? */
  readonly ready: () => boolean;
  /** Called once, when ready or too late. */
  readonly finish: (reply: ReplyWriter) => void;
}

/** Call after every command: moves CLIENT REPLY SKIP on by one command, as Redis's resetClient does. */
export function advanceReplyMode(client: Pick<Client, "replyMode" | "skipNextReply">): void {
  if (client.replyMode === "skip") client.replyMode = "on";
  if (client.skipNextReply) {
    client.skipNextReply = false;
    if (client.replyMode === "on") client.replyMode = "skip";
  }
}

export interface Server {
  /** Our own version, "0.1.0"; clients are told REDIS_VERSION as redis_version. */
  readonly seshatVersion: string;
  /** Every row of the command table, each container followed by its subcommands; the index is the row's id. */
  readonly commands: readonly CommandRow[];
  readonly clients: ClientsView;
  readonly config: ConfigAccess;
  readonly pause: PauseControl;
  readonly slowLog: SlowLogView;
  readonly latency: LatencyView;
  readonly monitors: MonitorsControl;
  readonly commandStatistics: CommandStatisticsView;
  readonly pubSub: PubSubControl;

  /** Wall clock. */
  nowMs(): number;
  /** Wall clock in microseconds, as fine as the platform gives it. */
  nowMicroseconds(): number;
  monotonicMs(): number;
  /** Number of logical databases. */
  readonly databaseCount: number;
  /** Bytes of requirepass; empty when no password is set. */
  readonly password: Uint8Array;
  /** May this client use DEBUG (enable-debug-command)? */
  debugAllowed(client: Client): boolean;
  /** Text of INFO. `sections` in lower case, "default" when the client named none. */
  info(sections: readonly string[]): string;
  raft(): RaftView;
  readonly operator: OperatorControl;
  readonly cluster: ClusterView;
  memory(): MemoryFigures;
  /** Gives back what memory can go back to the system now. */
  purgeMemory(): void;
  /** LASTSAVE, INFO persistence: seconds, of the start or of the last snapshot. */
  readonly lastSaveSeconds: number;
  /** CONFIG RESETSTAT. */
  resetStatistics(): void;
  /** Starts the shutdown. An error text, or undefined: then no reply is sent, the connection ends. */
  shutdown(options: ShutdownOptions): string | undefined;
  /** SHUTDOWN ABORT: false when none is under way. */
  abortShutdown(): boolean;
  /** DEBUG SLEEP: stops the whole event loop, as in Redis. */
  sleep(milliseconds: number): void;
  /** DEBUG RELOAD: the store goes through a snapshot and back. An error text, or undefined. */
  reload(): string | undefined;
}

export interface ClientsView {
  readonly count: number;
  /** In order of id. */
  list(): readonly Client[];
  byId(id: number): Client | undefined;
}

export interface ConfigAccess {
  /** Settings whose name matches any of the glob patterns (any case), each once. */
  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[];
  /** All or nothing. Names in the case the client sent them. Undefined when done. */
  set(pairs: readonly (readonly [name: string, value: string])[]): ConfigSetProblem | undefined;
  /** Undefined when done, "no-file" when started without one, else the reason. */
  rewrite(): "no-file" | { readonly reason: string } | undefined;
}

/** `reason` as Redis words it after "CONFIG SET failed (possibly related to argument 'x') - ". */
export type ConfigSetProblem =
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "failed"; readonly name: string; readonly reason: string };

export type PauseMode = "write" | "all";

export interface PauseControl {
  /** Times are Server.monotonicMs. */
  start(mode: PauseMode, untilMs: number, monotonicMs: number): void;
  end(): void;
  /** `transactionWrites`: the row is EXEC and its queue holds a write. */
  blocks(row: CommandRow, monotonicMs: number, transactionWrites?: boolean): boolean;
}

export interface SlowLogEntry {
  readonly id: number;
  readonly timeSeconds: number;
  readonly microseconds: number;
  /** Latin1, shortened as in Redis. */
  readonly args: readonly string[];
  readonly address: string;
  readonly name: string;
}

export interface SlowLogView {
  readonly length: number;
  /** Newest first; at most `count`. */
  latest(count: number): readonly SlowLogEntry[];
  reset(): void;
}

export interface LatencySample {
  readonly timeSeconds: number;
  readonly milliseconds: number;
}

export interface LatencyEvent {
  readonly name: string;
  readonly latest: LatencySample;
  readonly maxMs: number;
}

export interface LatencyView {
  /** By name. */
  latest(): readonly LatencyEvent[];
  /** Oldest first; empty for an event never seen. */
  history(event: string): readonly LatencySample[];
  /** Undefined for all. Returns how many time series were dropped. */
  reset(events: readonly string[] | undefined): number;
  doctor(nowSeconds: number): string;
  /** Undefined for an event never seen. */
  graph(event: string, nowSeconds: number): string | undefined;
}

export interface MonitorsControl {
  add(client: Client): void;
  remove(client: Client): void;
}

/** Subscriptions. Names are latin1; what is counted or listed is of all nodes, as far as they have told each other. */
export interface PubSubControl {
  /** False when this node has no room for it. Harmless when it is subscribed already. */
  subscribe(client: Client, kind: TopicKind, name: string): boolean;
  /** Harmless when it is not subscribed. */
  unsubscribe(client: Client, kind: TopicKind, name: string): void;
  /** What the client itself is subscribed to. */
  subscriptionsOf(client: Client, kind: TopicKind): readonly string[];
  /** Every name of this kind with at least one subscriber. */
  names(kind: TopicKind): ReadonlySet<string>;
  /** Clients subscribed to exactly this name. */
  subscriberCount(kind: TopicKind, name: string): number;
}

export interface CommandHistogram {
  readonly calls: number;
  /** Upper bound of a bucket in microseconds (power of two) and how many calls took at most that long. */
  readonly buckets: readonly (readonly [microseconds: number, callsCumulative: number])[];
}

export interface CommandStatisticsView {
  /** Undefined for a command never called. `name` as in rows: "set", "client|list". */
  histogram(name: string): CommandHistogram | undefined;
}

export interface RaftPeer {
  readonly node: string;
  /** Where clients reach it. */
  readonly host: string;
  readonly port: number;
  readonly role: "voter" | "learner";
  readonly connected: boolean;
  /** Known to the leader only; "unknown" on the others. */
  readonly state: "probe" | "replicate" | "snapshot" | "unknown";
  /** Highest index known to be on its log; 0 when unknown. */
  readonly matchIndex: number;
  /** Time since its last message; -1 for none since it is connected. Only leaders send to everybody. */
  readonly silentMs: number;
}

export interface RaftView {
  readonly role: "leader" | "follower" | "candidate" | "learner";
  readonly node: string;
  readonly incarnation: string;
  readonly clusterId: string;
  readonly term: number;
  /** Undefined while there is none. */
  readonly leader: { readonly node: string; readonly host: string; readonly port: number } | undefined;
  /** Voters and learners, this node included. */
  readonly memberCount: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Only a leader has one. */
  readonly lease: "valid" | "expired" | "none";
  /** For so long, since the start, clients' writes were held up for members that came back. */
  readonly slowedMs: number;
  /** Pulses of members whose event loops were late, since the start (ADR 20). */
  readonly pulsesReceived: number;
  /** Why nobody is served, as the error that clients get; "" while somebody is, or may be soon. */
  readonly problem: string;
  /** The other members, in order of node name. */
  readonly peers: readonly RaftPeer[];
}

export interface DatabaseMemory {
  readonly database: number;
  /** What keys take in the table beside their own bytes and their values'. */
  readonly tableBytes: number;
  readonly deadlineBytes: number;
}

export interface MemoryFigures {
  /** What the store counts, equal on all replicas; `maxmemory` is held against this. Shown as used_memory. */
  readonly logicalBytes: number;
  /** Highest `logicalBytes` since the start or CONFIG RESETSTAT. */
  readonly logicalBytesMax: number;
  /** The part of `logicalBytes` that an empty store takes. */
  readonly startupBytes: number;
  /** The part of `logicalBytes` that is no key or value: tables, headers, deadlines. 0 when not told apart. */
  readonly overheadBytes: number;
  /** What the store holds off the heap: what `logicalBytes` counts, and what is free between. */
  readonly storeBytes: number;
  /** Process: everything Node allocated (heap, arenas, buffers). */
  readonly allocatedBytes: number;
  readonly residentBytes: number;
  readonly systemTotalBytes: number;
  /** Buffers of clients. */
  readonly clientsBytes: number;
  readonly raftLogBytes: number;
  readonly keyCount: number;
  /** Those that hold keys: parts of `overheadBytes`. */
  readonly databases: readonly DatabaseMemory[];
  readonly maxmemoryBytes: number;
  readonly maxmemoryPolicy: string;
}

export interface ShutdownOptions {
  readonly save: boolean | undefined;
  readonly now: boolean;
  readonly force: boolean;
}
