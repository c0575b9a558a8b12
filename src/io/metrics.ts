// What Prometheus reads: the node's own figures under names of its conventions, read at the moment of the scrape, so
// that nothing is counted twice and commands pay nothing. Everything INFO has under another name agrees with it: both
// read the same source.

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { CommandFigures } from "../node/service/command-statistics.ts";
import type { InfoSource } from "../node/service/info.ts";
import { commandDurationsText } from "./metrics-durations.ts";

/** What no part of the node knows, because it is this side's. */
export interface LoopFigures {
  readonly droppedTicks: number;
}

export interface Metrics {
  readonly contentType: string;
  readonly text: () => Promise<string>;
}

/** What one scrape shows: each part is looked at once, however many metrics are made of it. */
interface Figures
  extends Pick<
    InfoSource,
    | "uptimeSeconds"
    | "clients"
    | "clientsMax"
    | "statistics"
    | "channelCount"
    | "patternCount"
    | "memory"
    | "keyspace"
    | "raft"
    | "proxiedSessions"
  > {
  readonly commands: readonly CommandFigures[];
  readonly droppedTicks: number;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
type Reading = (figures: Figures) => number | readonly Sample[];
type Row = readonly [name: string, help: string, read: Reading, ...labels: string[]];

const ROLES = ["leader", "follower", "candidate", "learner"] as const;
const LEASES = ["valid", "expired", "none"] as const;

const oneOf = (label: string, values: readonly string[], value: string): readonly Sample[] =>
  values.map((each) => [{ [label]: each }, each === value ? 1 : 0]);

const COUNTERS: readonly Row[] = [
  ["connections_received_total", "Client connections accepted.", (s) => s.statistics.connectionsReceived],
  ["connections_rejected_total", "Client connections refused.", (s) => s.statistics.connectionsRejected],
  ["client_input_bytes_total", "Bytes read from clients.", (s) => s.statistics.clientInputBytes],
  ["client_output_bytes_total", "Bytes written to clients.", (s) => s.statistics.clientOutputBytes],
  ["peer_input_bytes_total", "Bytes read from members.", (s) => s.statistics.peerInputBytes],
  ["peer_output_bytes_total", "Bytes written to members.", (s) => s.statistics.peerOutputBytes],
  [
    "commands_processed_total",
    "Commands of this node's clients that were answered.",
    (s) => s.statistics.commandsProcessed,
  ],
  [
    "commands_forwarded_total",
    "Commands of this node's clients that were passed to the leader.",
    (s) => s.statistics.commandsForwarded,
  ],
  [
    "uncertain_replies_total",
    "Commands answered UNCERTAIN: leadership was lost while they were under way.",
    (s) => s.statistics.uncertainReplies,
  ],
  ["keyspace_hits_total", "Reads that found their key.", (s) => s.statistics.keyspaceHits],
  ["keyspace_misses_total", "Reads that did not.", (s) => s.statistics.keyspaceMisses],
  ["expired_keys_total", "Keys removed because their time was over.", (s) => s.statistics.expiredKeys],
  ["evicted_keys_total", "Keys removed because of maxmemory.", (s) => s.statistics.evictedKeys],
  ["evicted_clients_total", "Clients closed for the memory they took.", (s) => s.statistics.evictedClients],
  ["raft_snapshots_sent_total", "Snapshots sent to members.", (s) => s.statistics.snapshotsSent],
  ["raft_snapshots_received_total", "Snapshots taken over.", (s) => s.statistics.snapshotsReceived],
  ["raft_leader_changes_total", "Changes of the leader this node saw.", (s) => s.statistics.leaderChanges],
  [
    "raft_elections_total",
    "Elections this node has started, those that it did not win included.",
    (s) => s.statistics.electionsStarted,
  ],
  [
    "raft_digests_compared_total",
    "At the leader: digests of members' states that were compared with its own.",
    (s) => s.statistics.digestsCompared,
  ],
  [
    "raft_digests_differed_total",
    "How often this node's state was not what the others have.",
    (s) => s.statistics.digestsDiffered,
  ],
  [
    "event_loop_dropped_ticks_total",
    "Ticks that were due while the process stood still.",
    (s) => s.droppedTicks,
  ],
  [
    "commands_total",
    "Calls by command. One that was passed to the leader counts on both nodes.",
    (s) => s.commands.map(({ name, calls }) => [{ command: name }, calls]),
    "command",
  ],
  [
    "commands_rejected_total",
    "Commands refused before they ran.",
    (s) => s.commands.map((each) => [{ command: each.name }, each.rejectedCalls]),
    "command",
  ],
  [
    "commands_failed_total",
    "Commands that answered an error, on the node that executed them.",
    (s) => s.commands.map((each) => [{ command: each.name }, each.failedCalls]),
    "command",
  ],
  [
    "error_replies_total",
    "Error replies by their first word, on the node that executed the command.",
    (s) => s.statistics.errors.entries().map(([code, count]) => [{ code }, count]),
    "code",
  ],
];

const GAUGES: readonly Row[] = [
  ["uptime_seconds", "Since the process started.", (s) => s.uptimeSeconds],
  ["clients_connected", "Clients of this node.", (s) => s.clients.count],
  ["clients_max", "The setting maxclients.", (s) => s.clientsMax],
  [
    "memory_used_bytes",
    "What the store counts, the same on all nodes; maxmemory is held against it.",
    (s) => s.memory.logicalBytes,
  ],
  ["memory_used_peak_bytes", "The highest of it.", (s) => s.memory.logicalBytesMax],
  [
    "memory_store_bytes",
    "What keys and values take off the heap, with what is free between them.",
    (s) => s.memory.storeBytes,
  ],
  ["memory_max_bytes", "The setting maxmemory; 0 is no limit.", (s) => s.memory.maxmemoryBytes],
  ["memory_clients_bytes", "Buffers of clients.", (s) => s.memory.clientsBytes],
  ["raft_log_bytes", "Entries kept in memory.", (s) => s.memory.raftLogBytes],
  [
    "keys",
    "Keys by database.",
    (s) => s.keyspace.map(({ database, keys }) => [{ database: String(database) }, keys]),
    "database",
  ],
  [
    "keys_expiring",
    "Keys with a time to live.",
    (s) => s.keyspace.map(({ database, expires }) => [{ database: String(database) }, expires]),
    "database",
  ],
  ["pubsub_channels", "Channels with subscribers here.", (s) => s.channelCount],
  ["pubsub_patterns", "Patterns with subscribers here.", (s) => s.patternCount],
  ["raft_term", "The current term.", (s) => s.raft.term],
  ["raft_commit_index", "The last entry known to be agreed on.", (s) => s.raft.commitIndex],
  ["raft_applied_index", "The last entry executed.", (s) => s.raft.appliedIndex],
  ["raft_first_index", "The first entry kept.", (s) => s.raft.firstIndex],
  ["raft_last_index", "The last entry of the log.", (s) => s.raft.lastIndex],
  ["raft_proxied_sessions", "Clients of other members whose commands run here.", (s) => s.proxiedSessions],
  ["raft_members", "Voters and learners.", (s) => s.raft.memberCount],
  [
    "raft_cluster",
    "1 for the cluster this node belongs to. Another id is another one: founded empty, or recovered.",
    ({ raft }) => (raft.clusterId === "" ? [] : [[{ cluster_id: raft.clusterId }, 1]]),
    "cluster_id",
  ],
  ["raft_role", "1 for the role this node has.", (s) => oneOf("role", ROLES, s.raft.role), "role"],
  [
    "raft_lease",
    "1 for the state of a leader's lease.",
    (s) => oneOf("state", LEASES, s.raft.lease),
    "state",
  ],
  ["raft_has_leader", "1 while this node knows a leader.", (s) => (s.raft.leader === undefined ? 0 : 1)],
  [
    "raft_problem",
    "1 while nobody can be served (INFO raft: raft_problem).",
    (s) => (s.raft.problem === "" ? 0 : 1),
  ],
  [
    "raft_peer_connected",
    "1 while there is a connection to the member.",
    (s) => s.raft.peers.map(({ node, connected }) => [{ node }, connected ? 1 : 0]),
    "node",
  ],
  [
    "raft_peer_match_index",
    "At the leader: the last entry the member is known to have.",
    (s) => followed(s).map(({ node, matchIndex }) => [{ node }, matchIndex]),
    "node",
  ],
  [
    "raft_peer_lag_entries",
    "At the leader: entries the member is not known to have.",
    (s) => followed(s).map(({ node, matchIndex }) => [{ node }, Math.max(0, s.raft.lastIndex - matchIndex)]),
    "node",
  ],
];

const followed = ({ raft }: Figures): Figures["raft"]["peers"] =>
  raft.peers.filter(({ state }) => state !== "unknown");

/** Also the process's and Node's own metrics (process_*, nodejs_*), of which nodejs_eventloop_lag_* are the delays. */
export function createMetrics(source: InfoSource, loop: LoopFigures): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const shows: ((figures: Figures) => void)[] = [];
  for (const [name, help, read, ...labelNames] of COUNTERS) {
    const counter = new Counter({ name: `seshat_${name}`, help, labelNames, registers });
    shows.push((figures) => {
      counter.reset();
      for (const [labels, value] of samples(read(figures))) counter.inc(labels, value);
    });
  }
  for (const [name, help, read, ...labelNames] of GAUGES) {
    const gauge = new Gauge({ name: `seshat_${name}`, help, labelNames, registers });
    shows.push((figures) => {
      gauge.reset();
      for (const [labels, value] of samples(read(figures))) gauge.set(labels, value);
    });
  }
  collectDefaultMetrics({ register: registry });
  return {
    contentType: registry.contentType,
    text: async () => {
      const figures = figuresOf(source, loop);
      for (const show of shows) show(figures);
      return (await registry.metrics()) + commandDurationsText(source.commandStatistics, figures.commands);
    },
  };
}

function figuresOf(source: InfoSource, { droppedTicks }: LoopFigures): Figures {
  const { uptimeSeconds, clients, clientsMax, statistics, channelCount, patternCount } = source;
  const { memory, keyspace, raft, proxiedSessions } = source;
  const commands = source.commandStatistics.figures();
  return {
    ...{ uptimeSeconds, clients, clientsMax, statistics, channelCount, patternCount },
    ...{ memory, keyspace, raft, proxiedSessions, commands, droppedTicks },
  };
}

const samples = (reading: number | readonly Sample[]): readonly Sample[] =>
  typeof reading === "number" ? [[{}, reading]] : reading;
