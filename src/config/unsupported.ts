// Settings of Redis that Seshat does not have: which may stand in a file without harm, and which would
// promise something that is not so. Names only; a stock redis.conf starts with warnings, not with an error.

/** No meaning here, whatever their value: a warning, and the start goes on. */
const IGNORED: ReadonlySet<string> = new Set(
  `daemonize pidfile supervised always-show-logo set-proc-title proc-title-template crash-log-enabled
  crash-memcheck-enabled dir dbfilename rdbcompression rdbchecksum rdb-del-sync-files rdb-save-incremental-fsync
  stop-writes-on-bgsave-error sanitize-dump-payload appendfilename appenddirname appendfsync
  no-appendfsync-on-rewrite auto-aof-rewrite-percentage auto-aof-rewrite-min-size aof-load-truncated
  aof-use-rdb-preamble aof-timestamp-enabled aof-rewrite-incremental-fsync
  replica-serve-stale-data replica-read-only repl-diskless-sync repl-diskless-sync-delay
  repl-diskless-sync-max-replicas repl-diskless-sync-period repl-diskless-load repl-disable-tcp-nodelay
  repl-backlog-size repl-backlog-ttl repl-timeout repl-ping-replica-period replica-priority replica-lazy-flush
  replica-ignore-maxmemory min-replicas-to-write min-replicas-max-lag
  cluster-config-file cluster-node-timeout cluster-replica-validity-factor cluster-slave-validity-factor
  cluster-migration-barrier cluster-allow-replica-migration cluster-require-full-coverage
  cluster-replica-no-failover cluster-slave-no-failover cluster-allow-reads-when-down
  cluster-allow-pubsubshard-when-down cluster-link-sendbuf-limit cluster-port cluster-announce-bus-port
  cluster-announce-tls-port cluster-announce-human-nodename
  acllog-max-len lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del lazyfree-lazy-user-del
  lazyfree-lazy-user-flush oom-score-adj oom-score-adj-values disable-thp
  list-compress-depth activerehashing hz
  dynamic-hz jemalloc-bg-thread io-threads io-threads-do-reads activedefrag active-expire-effort
  maxmemory-eviction-tenacity latency-tracking latency-tracking-info-percentiles tracking-table-max-keys
  syslog-enabled syslog-ident syslog-facility locale-collate busy-reply-threshold lua-time-limit ignore-warnings
  server_cpulist bio_cpulist aof_rewrite_cpulist bgsave_cpulist shutdown-on-sigint shutdown-on-sigterm`.split(
    /\s+/,
  ),
);

/**
 * Settings of Redis that CONFIG SET can change in no server, and of which one value says how it is here: CONFIG GET shows
 * that value. A value in a file is ignored or refused, as above and below.
 */
export const FIXED: readonly (readonly [name: string, value: string])[] = [
  ["always-show-logo", "no"],
  ["daemonize", "no"],
  ["io-threads", "1"],
  ["io-threads-do-reads", "no"],
  ["pidfile", ""],
  ["supervised", "no"],
  ["syslog-enabled", "no"],
  ["unixsocket", ""],
];

/** The others that CONFIG SET can change in no server; none of their values would say how it is here. */
const IMMUTABLE: ReadonlySet<string> = new Set(
  `aclfile aof_rewrite_cpulist appenddirname appendfilename bgsave_cpulist bio_cpulist cluster-config-file
  cluster-port disable-thp enable-module-command enable-protected-configs rdbchecksum replicaof server_cpulist
  set-proc-title slaveof socket-mark-id syslog-facility syslog-ident unixsocketperm`.split(/\s+/),
);

/** Would Redis say of this setting, which is in no row, that it cannot be changed? In any case. */
export function isImmutable(name: string): boolean {
  const known = name.toLowerCase();
  return IMMUTABLE.has(known) || FIXED.some(([fixed]) => fixed === known);
}

interface Refusal {
  /** The value that says no more than is so. */
  readonly harmless: string;
  readonly why: string;
}

const REFUSED: readonly (readonly [RegExp, Refusal])[] = [
  [/^tls-port$/, { harmless: "0", why: "TLS is not there yet" }],
  [/^tls-/, { harmless: "no", why: "TLS is not there yet" }],
  [
    /^(?:replicaof|slaveof)$/,
    { harmless: "no one", why: "members replicate by Raft: name them with member" },
  ],
  [/^(?:user|aclfile)$/, { harmless: "", why: "ACL users are not there yet: use requirepass" }],
  [/^masterauth$|^masteruser$/, { harmless: "", why: "members know each other by cluster-secret" }],
  [/^unixsocket(?:perm)?$/, { harmless: "", why: "only TCP is listened to" }],
  [/^rename-command$/, { harmless: "", why: "commands cannot be renamed" }],
  [/^loadmodule$/, { harmless: "", why: "modules of Redis cannot be loaded" }],
  [/^enable-(?:protected-configs|module-command)$/, { harmless: "no", why: "there is no such thing here" }],
];

export type Unsupported = { readonly kind: "ignored" } | { readonly kind: "refused"; readonly why: string };

/** What to do with a name that is in no row; undefined when Redis does not know it either. */
export function unsupported(name: string, words: readonly string[]): Unsupported | undefined {
  if (IGNORED.has(name)) return { kind: "ignored" };
  for (const [pattern, { harmless, why }] of REFUSED) {
    if (!pattern.test(name)) continue;
    return words.join(" ").toLowerCase() === harmless ? { kind: "ignored" } : { kind: "refused", why };
  }
  return undefined;
}
