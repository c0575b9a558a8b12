// INFO's sections of counters: stats, commandstats, errorstats, latencystats.

import type { InfoLine, InfoSource } from "./info.ts";

const BYTES_PER_KILOBYTE = 1024;
const PERCENTILES = [50, 99, 99.9];

export function statisticsLines(source: InfoSource): readonly InfoLine[] {
  const statistics = source.statistics;
  const kilobytes = (bytesPerSecond: number): string => (bytesPerSecond / BYTES_PER_KILOBYTE).toFixed(2);
  return [
    ["total_connections_received", statistics.connectionsReceived],
    ["total_commands_processed", statistics.commandsProcessed],
    ["instantaneous_ops_per_sec", Math.floor(statistics.commandRate.perSecond)],
    ["total_net_input_bytes", statistics.clientInputBytes],
    ["total_net_output_bytes", statistics.clientOutputBytes],
    ["total_net_repl_input_bytes", statistics.peerInputBytes],
    ["total_net_repl_output_bytes", statistics.peerOutputBytes],
    ["instantaneous_input_kbps", kilobytes(statistics.inputRate.perSecond)],
    ["instantaneous_output_kbps", kilobytes(statistics.outputRate.perSecond)],
    ["instantaneous_input_repl_kbps", kilobytes(statistics.peerInputRate.perSecond)],
    ["instantaneous_output_repl_kbps", kilobytes(statistics.peerOutputRate.perSecond)],
    ["rejected_connections", statistics.connectionsRejected],
    ["sync_full", statistics.snapshotsSent],
    ["sync_partial_ok", 0],
    ["sync_partial_err", 0],
    ["expired_keys", statistics.expiredKeys],
    ["expired_stale_perc", "0.00"],
    ["expired_time_cap_reached_count", 0],
    ["expire_cycle_cpu_milliseconds", 0],
    ["evicted_keys", statistics.evictedKeys],
    ["evicted_clients", statistics.evictedClients],
    ["total_eviction_exceeded_time", 0],
    ["current_eviction_exceeded_time", 0],
    ["keyspace_hits", statistics.keyspaceHits],
    ["keyspace_misses", statistics.keyspaceMisses],
    ["pubsub_channels", source.channelCount],
    ["pubsub_patterns", source.patternCount],
    ["pubsubshard_channels", source.shardChannelCount],
    ["latest_fork_usec", 0],
    ["total_forks", 0],
    ["migrate_cached_sockets", 0],
    ["slave_expires_tracked_keys", 0],
    ["active_defrag_hits", 0],
    ["active_defrag_misses", 0],
    ["active_defrag_key_hits", 0],
    ["active_defrag_key_misses", 0],
    ["total_active_defrag_time", 0],
    ["current_active_defrag_time", 0],
    ["tracking_total_keys", 0],
    ["tracking_total_items", 0],
    ["tracking_total_prefixes", 0],
    ["unexpected_error_replies", 0],
    ["total_error_replies", statistics.errors.total],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", statistics.readsProcessed],
    ["total_writes_processed", statistics.writesProcessed],
    ["io_threaded_reads_processed", 0],
    ["io_threaded_writes_processed", 0],
    ["client_query_buffer_limit_disconnections", statistics.queryBufferDisconnections],
    ["client_output_buffer_limit_disconnections", statistics.outputBufferDisconnections],
    ["reply_buffer_shrinks", 0],
    ["reply_buffer_expands", 0],
    ["acl_access_denied_auth", statistics.errors.countOf("WRONGPASS")],
    ["commands_forwarded", statistics.commandsForwarded],
    ["uncertain_replies", statistics.uncertainReplies],
    ["snapshots_received", statistics.snapshotsReceived],
  ];
}

export function commandLines({ commandStatistics }: InfoSource): readonly InfoLine[] {
  return commandStatistics
    .figures()
    .map(({ name, calls, microseconds, rejectedCalls, failedCalls }) => [
      `cmdstat_${name}`,
      `calls=${calls},usec=${microseconds},usec_per_call=${(microseconds / Math.max(1, calls)).toFixed(2)},` +
        `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
    ]);
}

export function errorLines({ statistics }: InfoSource): readonly InfoLine[] {
  return statistics.errors.entries().map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

export function latencyLines({ commandStatistics }: InfoSource): readonly InfoLine[] {
  const lines: InfoLine[] = [];
  for (const { name } of commandStatistics.figures()) {
    const parts: string[] = [];
    for (const percent of PERCENTILES) {
      const microseconds = commandStatistics.percentile(name, percent);
      if (microseconds !== undefined) parts.push(`p${percent}=${microseconds.toFixed(3)}`);
    }
    if (parts.length > 0) lines.push([`latency_percentiles_usec_${name}`, parts.join(",")]);
  }
  return lines;
}
