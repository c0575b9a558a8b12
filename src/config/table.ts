// Every setting, one row each: its name, its kind, its default, who may change it and what it is for.
// --help, the file, the flags, CONFIG GET/SET/REWRITE and the Settings type all come from these rows.

import { BULK_BYTES_MAX, BULK_BYTES_MAX_LEAST, QUERY_BUFFER_BYTES_MAX } from "../base/limits.ts";
import { integer, type Kind, memory, oneOf, text, wordList, yesNo } from "./kinds.ts";
import {
  keyspaceEvents,
  type Member,
  members,
  NODE_NAME,
  NODE_NAME_RULE,
  only,
  outputLimits,
} from "./special-kinds.ts";

/** The headings of --help. */
export type Group =
  | "Clients"
  | "Memory"
  | "Members"
  | "Cluster mode"
  | "Raft"
  | "Log and snapshots"
  | "Watching"
  | "Later";

interface RowFields<Name extends string, Field extends string, T> {
  /** As in the file, as a flag and in CONFIG GET. */
  readonly name: Name;
  /** What older versions of Redis called it, and files still do. */
  readonly alias?: string;
  /** The property of Settings; carries the unit. */
  readonly field: Field;
  readonly group: Group;
  /** "redis": the name and its meaning are Redis's. */
  readonly origin: "redis" | "seshat";
  readonly kind: Kind<T>;
  readonly default: NoInfer<T>;
  /** May CONFIG SET change it? Never for a `shared` setting. */
  readonly mutable: boolean;
  /** Must be equal on all nodes, or replicas would disagree or a lease would not hold. Compared when peers meet. */
  readonly shared?: true;
  /**
   * It decides what replicas hold or what data commands answer, so it is the cluster's and not the node's: CONFIG SET goes
   * through the log, the file only counts for the founder (docs/adr/0023). Only a mutable one.
   */
  readonly cluster?: true;
  /** Its value is a secret: never logged or shown to MONITOR and SLOWLOG. */
  readonly secret?: true;
  /** One sentence for --help. */
  readonly help: string;
}

export type Row<T> = RowFields<string, string, T>;

const row = <const Name extends string, const Field extends string, T>(
  fields: RowFields<Name, Field, T>,
): RowFields<Name, Field, T> => fields;

const redis = { origin: "redis", mutable: true } as const;
const redisCluster = { origin: "redis", mutable: true, cluster: true } as const;
const redisFixed = { origin: "redis", mutable: false } as const;
const ours = { origin: "seshat", mutable: true } as const;
const oursCluster = { origin: "seshat", mutable: true, cluster: true } as const;
const oursFixed = { origin: "seshat", mutable: false } as const;
const oursShared = { origin: "seshat", mutable: false, shared: true } as const;

const INT32_MAX = 0x7fff_ffff;
const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
const MIB = 1024 * 1024;

const noMembers: readonly Member[] = [];
const defaultOutputLimits = {
  normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
  replica: { hardBytes: 256 * MIB, softBytes: 64 * MIB, softSeconds: 60 },
  pubsub: { hardBytes: 32 * MIB, softBytes: 8 * MIB, softSeconds: 60 },
};

// biome-ignore format: a table reads best with one row per paragraph
export const TABLE = [
  row({ name: "port", field: "port", group: "Clients", ...redisFixed, kind: integer(0, 65535), default: 6379,
    help: "Port for clients; 0 listens to none." }),
  row({ name: "bind", field: "bind", group: "Clients", ...redisFixed,
    kind: wordList("<address>...", 16, "Too many bind addresses specified."), default: ["*", "-::*"],
    help: "Addresses for clients; one with a leading '-' may be missing on this machine." }),
  row({ name: "tcp-backlog", field: "tcpBacklog", group: "Clients", ...redisFixed, kind: integer(0, INT32_MAX), default: 511,
    help: "Connections the system may hold before they are accepted." }),
  row({ name: "tcp-keepalive", field: "tcpKeepaliveSeconds", group: "Clients", ...redis, kind: integer(0, INT32_MAX), default: 300,
    help: "Seconds of silence before a client's connection is probed; 0 never." }),
  row({ name: "timeout", field: "timeoutSeconds", group: "Clients", ...redis, kind: integer(0, INT32_MAX), default: 0,
    help: "Seconds of idleness after which a client is disconnected; 0 never." }),
  row({ name: "maxclients", field: "maxclients", group: "Clients", ...redis, kind: integer(1, 0xffff_ffff), default: 10000,
    help: "Client connections at once." }),
  row({ name: "requirepass", field: "requirepass", group: "Clients", ...redis, secret: true, kind: text("<password>"), default: "",
    help: "Password that clients must give with AUTH; empty asks for none." }),
  row({ name: "requirepass-file", field: "requirepassFile", group: "Clients", ...oursFixed, kind: text("<path>"), default: "",
    help: "File with the password, read at the start: so the password is in no command line." }),
  row({ name: "protected-mode", field: "protectedMode", group: "Clients", ...redis, kind: yesNo, default: true,
    help: "Without a password, answer only clients of this machine." }),
  row({ name: "databases", field: "databases", group: "Clients", ...redisFixed, shared: true, kind: integer(1, 65536), default: 16,
    help: "Number of databases for SELECT." }),
  row({ name: "proto-max-bulk-len", field: "protoMaxBulkBytes", group: "Clients", ...redisCluster,
    kind: memory(BULK_BYTES_MAX_LEAST, BULK_BYTES_MAX), default: BULK_BYTES_MAX,
    help: "Longest argument that clients may send, and longest string that commands may make." }),
  row({ name: "client-query-buffer-limit", field: "clientQueryBufferBytesMax", group: "Clients", ...redis,
    kind: memory(BULK_BYTES_MAX_LEAST, QUERY_BUFFER_BYTES_MAX), default: QUERY_BUFFER_BYTES_MAX,
    help: "Bytes one client may have sent that are not yet carried out." }),
  row({ name: "maxmemory-clients", field: "clientsMemoryBytesMax", group: "Clients", ...redis,
    kind: memory(), default: 0,
    help: "Memory all clients may take together; whoever takes most is closed. 0 has no limit." }),
  row({ name: "client-output-buffer-limit", field: "clientOutputLimits", group: "Clients", ...redis,
    kind: outputLimits, default: defaultOutputLimits,
    help: "Unread replies at which a client is disconnected: at once, or after some seconds." }),
  row({ name: "enable-debug-command", field: "enableDebugCommand", group: "Clients", ...redisFixed,
    kind: oneOf("no", "yes", "local"), default: "no",
    help: "Who may use DEBUG." }),
  row({ name: "shutdown-timeout", field: "shutdownTimeoutSeconds", group: "Clients", ...redis, kind: integer(0, INT32_MAX), default: 10,
    help: "Seconds that a stopping node takes at most to hand over and answer what it has." }),

  row({ name: "maxmemory", field: "maxmemoryBytes", group: "Memory", ...redisCluster, kind: memory(), default: 0,
    help: "Logical bytes of data at which keys are evicted or writes refused; 0 has no limit." }),
  row({ name: "maxmemory-policy", field: "maxmemoryPolicy", group: "Memory", ...redisCluster,
    kind: oneOf("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
      "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"), default: "noeviction",
    help: "Which keys go first." }),
  row({ name: "maxmemory-samples", field: "maxmemorySamples", group: "Memory", ...redisCluster, kind: integer(1, INT32_MAX), default: 5,
    help: "Keys looked at to find one to evict." }),
  row({ name: "lfu-log-factor", field: "lfuLogFactor", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 10,
    help: "How slowly the use counter of the LFU policies rises." }),
  row({ name: "lfu-decay-time", field: "lfuDecayMinutes", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 1,
    help: "Minutes after which that counter falls by one." }),

  row({ name: "hash-max-listpack-entries", alias: "hash-max-ziplist-entries",
    field: "hashListpackEntriesMax", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 512,
    help: "Fields up to which a hash is one compact run of bytes." }),
  row({ name: "hash-max-listpack-value", alias: "hash-max-ziplist-value",
    field: "hashListpackValueBytesMax", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 64,
    help: "Longest field or value in such a hash." }),
  row({ name: "list-max-listpack-size", alias: "list-max-ziplist-size",
    field: "listListpackSize", group: "Memory", ...redisCluster, kind: integer(-INT32_MAX - 1, INT32_MAX), default: -2,
    help: "Elements of a list kept in one run of bytes; -1 to -5: 4, 8, 16, 32 or 64 KiB, less is -5." }),
  row({ name: "set-max-intset-entries", field: "setIntsetEntriesMax", group: "Memory", ...redisCluster,
    kind: integer(0, INT32_MAX), default: 512,
    help: "Members up to which a set of integers is a sorted run of them." }),
  row({ name: "set-max-listpack-entries", field: "setListpackEntriesMax", group: "Memory", ...redisCluster,
    kind: integer(0, INT32_MAX), default: 128,
    help: "Members up to which a set is one compact run of bytes." }),
  row({ name: "set-max-listpack-value", field: "setListpackValueBytesMax", group: "Memory", ...redisCluster,
    kind: integer(0, INT32_MAX), default: 64,
    help: "Longest member in such a set." }),
  row({ name: "zset-max-listpack-entries", alias: "zset-max-ziplist-entries",
    field: "zsetListpackEntriesMax", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 128,
    help: "Members up to which a sorted set is one compact run of bytes." }),
  row({ name: "zset-max-listpack-value", alias: "zset-max-ziplist-value",
    field: "zsetListpackValueBytesMax", group: "Memory", ...redisCluster, kind: integer(0, INT32_MAX), default: 64,
    help: "Longest member in such a sorted set." }),
  row({ name: "stream-node-max-bytes", field: "streamNodeBytesMax", group: "Memory", ...redisCluster,
    kind: memory(), default: 4096,
    help: "Bytes of a stream's entries kept in one run; 0 has no limit." }),
  row({ name: "stream-node-max-entries", field: "streamNodeEntriesMax", group: "Memory", ...redisCluster,
    kind: integer(0, INT32_MAX), default: 100,
    help: "Entries kept in one run; 0 has no limit." }),
  row({ name: "hll-sparse-max-bytes", field: "hllSparseBytesMax", group: "Memory", ...redisCluster,
    kind: memory(), default: 3000,
    help: "Size up to which a HyperLogLog is kept sparse." }),

  row({ name: "cluster-enabled", field: "clusterEnabled", group: "Cluster mode", ...redisFixed, kind: yesNo, default: false,
    help: "Be a Redis cluster to clients: one shard with all slots, followers answer MOVED." }),
  row({ name: "cluster-announce-ip", field: "clusterAnnounceIp", group: "Cluster mode", ...redisFixed, kind: text("<address>"), default: "",
    help: "Where clients find this node; empty is the host of its member line." }),
  row({ name: "cluster-announce-port", field: "clusterAnnouncePort", group: "Cluster mode", ...redisFixed, kind: integer(0, 65535), default: 0,
    help: "And at which port; 0 is port." }),
  row({ name: "cluster-announce-hostname", field: "clusterAnnounceHostname", group: "Cluster mode", ...redisFixed,
    kind: text("<name>", /^[A-Za-z0-9.-]*$/, "Hostnames may only contain alphanumeric characters, hyphens or dots"), default: "",
    help: "A name for that address." }),
  row({ name: "cluster-preferred-endpoint-type", field: "clusterPreferredEndpointType", group: "Cluster mode", ...redis,
    kind: oneOf("ip", "hostname", "unknown-endpoint"), default: "ip",
    help: "Which of the two clients are to connect to, or the one they have." }),

  row({ name: "node-name", field: "nodeName", group: "Members", ...oursFixed,
    kind: text("<name>", new RegExp(`^$|${NODE_NAME.source}`), NODE_NAME_RULE), default: "",
    help: "This node's name among the members; n1 when there are none." }),
  row({ name: "member", field: "members", group: "Members", ...oursShared, kind: members, default: noMembers,
    help: "One line per founder, the same on all; to join: itself and one that runs. None: a cluster of one." }),
  row({ name: "peer-port", field: "peerPort", group: "Members", ...oursFixed, kind: integer(0, 65535), default: 0,
    help: "Port to listen on for members, who dial the member line's; 0 takes that one, else port + 10000." }),
  row({ name: "peer-bind", field: "peerBind", group: "Members", ...oursFixed,
    kind: wordList("<address>...", 16, "Too many bind addresses specified."), default: [],
    help: "Addresses for the other members; empty is all with a cluster-secret, else loopback." }),
  row({ name: "cluster-secret", field: "clusterSecret", group: "Members", ...oursFixed, secret: true, kind: text("<secret>"), default: "",
    help: "What members prove to each other that they know; needed beyond loopback, and with a password." }),
  row({ name: "cluster-secret-file", field: "clusterSecretFile", group: "Members", ...oursFixed, kind: text("<path>"), default: "",
    help: "File with the cluster-secret, read at the start." }),

  row({ name: "election-timeout", field: "electionTimeoutMs", group: "Raft", ...oursShared, kind: integer(10, 600_000), default: 300,
    help: "Least ms of silence before an election; each is drawn between this and twice this." }),
  row({ name: "lease-duration", field: "leaseMs", group: "Raft", ...oursShared, kind: integer(1, 600_000), default: 150,
    help: "Ms for which a member promises its leader to vote for no other." }),
  row({ name: "busy-limit", field: "busyLimitMs", group: "Raft", ...oursFixed, kind: integer(0, 600_000), default: 5000,
    help: "Longest ms to wait for a member that says that it is busy, before an election; 0 does not wait." }),
  row({ name: "heartbeat-interval", field: "heartbeatMs", group: "Raft", ...oursFixed, kind: integer(1, 60_000), default: 50,
    help: "Ms between a leader's signs of life; half of election-timeout while idle." }),
  row({ name: "tick-interval", field: "tickMs", group: "Raft", ...oursFixed, kind: integer(1, 1000), default: 10,
    help: "Ms of a step of Raft's clock; it divides election-timeout, lease-duration and heartbeat-interval." }),
  row({ name: "read-mode", field: "readMode", group: "Raft", ...oursShared, kind: oneOf("lease", "quorum"), default: "lease",
    help: "Reads rest on the members' promises, or ask a majority each time." }),

  row({ name: "replica-digests", field: "replicaDigests", group: "Raft", ...oursCluster, kind: yesNo, default: true,
    help: "Replicas compare their states in the background; one that differs gets that of the others." }),

  row({ name: "log-max-bytes", field: "logBytesMax", group: "Log and snapshots", ...ours, kind: memory(MIB), default: 64 * MIB,
    help: "Size of the log at which applied entries go. Up to four times as much stays while a member needs it." }),
  row({ name: "log-tail-bytes", field: "logTailBytes", group: "Log and snapshots", ...ours, kind: memory(), default: 16 * MIB,
    help: "Bytes of applied entries kept for members that are behind." }),
  row({ name: "log-tail-entries", field: "logTailEntries", group: "Log and snapshots", ...ours, kind: integer(0, INTEGER_MAX), default: 10_000,
    help: "Entries kept for them at most; whichever of the two is less counts." }),
  row({ name: "snapshot-chunk-bytes", field: "snapshotChunkBytes", group: "Log and snapshots", ...ours,
    kind: memory(4096, 16 * MIB), default: 256 * 1024,
    help: "Size of the pieces in which a snapshot is sent." }),
  row({ name: "snapshot-window-bytes", field: "snapshotWindowBytes", group: "Log and snapshots", ...ours,
    kind: memory(4096, 1024 * MIB), default: 4 * MIB,
    help: "Bytes of a snapshot on the way at once." }),
  row({ name: "snapshot-max-bytes-per-second", field: "snapshotBytesPerSecondMax", group: "Log and snapshots", ...ours,
    kind: memory(), default: 0,
    help: "How fast a snapshot is sent; 0 has no limit." }),

  row({ name: "loglevel", field: "loglevel", group: "Watching", ...redis,
    kind: oneOf("debug", "verbose", "notice", "warning"), default: "notice",
    help: "How much is logged." }),
  row({ name: "logfile", field: "logfile", group: "Watching", ...redisFixed, kind: text("<path>"), default: "",
    help: "Where to; empty is standard output." }),
  row({ name: "slowlog-log-slower-than", field: "slowlogSlowerThanUs", group: "Watching", ...redis,
    kind: integer(-1, INTEGER_MAX), default: 10_000,
    help: "Microseconds above which SLOWLOG keeps a command; -1 keeps none." }),
  row({ name: "slowlog-max-len", field: "slowlogLengthMax", group: "Watching", ...redis, kind: integer(0, INTEGER_MAX), default: 128,
    help: "Commands that SLOWLOG keeps." }),
  row({ name: "latency-monitor-threshold", field: "latencyThresholdMs", group: "Watching", ...redis,
    kind: integer(0, INTEGER_MAX), default: 0,
    help: "Ms above which LATENCY records an event; 0 records none." }),
  row({ name: "http-port", field: "httpPort", group: "Watching", ...oursFixed, kind: integer(0, 65535), default: 0,
    help: "Port for /health, /ready and /metrics; 0 listens to none." }),
  row({ name: "http-bind", field: "httpBind", group: "Watching", ...oursFixed,
    kind: wordList("<address>...", 16, "Too many bind addresses specified."), default: ["127.0.0.1"],
    help: "Addresses for them." }),

  row({ name: "notify-keyspace-events", field: "notifyKeyspaceEvents", group: "Watching", ...redisCluster, kind: keyspaceEvents, default: "",
    help: "Which keyspace events nodes publish to their subscribers, in letters; empty is none." }),
  row({ name: "save", field: "save", group: "Later", ...redis,
    kind: only("", 'nothing is written to disk yet, only save "" is true'), default: "",
    help: "Clients ask for it; there are no snapshots on disk yet." }),
  row({ name: "appendonly", field: "appendonly", group: "Later", ...redis,
    kind: only("no", "nothing is written to disk yet, only appendonly no is true"), default: "no",
    help: "Clients ask for it; there is no log on disk yet." }),
] as const;

type TableRow = (typeof TABLE)[number];

/** All settings with their values, plain fields: hot code reads them directly, CONFIG SET changes them in place. */
export type Settings = {
  -readonly [R in TableRow as R["field"]]: R extends RowFields<string, string, infer T> ? T : never;
};
export type SettingName = TableRow["name"];
export type SettingValue = Settings[keyof Settings];

/** The same rows, for code that goes over all of them whatever their kinds. */
export const ROWS: readonly Row<SettingValue>[] = TABLE;

const rowOf = new Map(ROWS.flatMap((it) => namesOf(it).map((name) => [name, it] as const)));

/** Those that the setting goes by, its own first. */
export function namesOf({ name, alias }: Row<SettingValue>): readonly string[] {
  return alias === undefined ? [name] : [name, alias];
}

/** The row of that name in any case, or undefined. */
export function findRow(name: string): Row<SettingValue> | undefined {
  return rowOf.get(name.toLowerCase());
}

export function defaultSettings(): Settings {
  // fromEntries, not assignments in a loop: V8 keeps such an object fast to read.
  return Object.fromEntries(ROWS.map((it) => [it.field, it.default])) as Settings;
}

export function readSetting(settings: Settings, row: Row<SettingValue>): SettingValue {
  return settings[row.field as keyof Settings];
}

export function writeSetting(settings: Settings, row: Row<SettingValue>, value: SettingValue): void {
  (settings as Record<string, SettingValue>)[row.field] = value;
}
