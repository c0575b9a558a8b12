// INFO's sections about the server, its clients, memory and data. Figures in, lines out; names are Redis's,
// because exporters look for them. What has no counterpart here is 0.

import { REDIS_VERSION } from "../../command/local-context.ts";
import type { InfoLine, InfoSource } from "./info.ts";

const SECONDS_PER_DAY = 86_400;
const LRU_CLOCK_MASK = 0xff_ffff;

export function serverLines(source: InfoSource): readonly InfoLine[] {
  const { pid, runId, platform, architecture, runtimeVersion, executable, configFile } = source.process;
  const nowSeconds = Math.floor(source.nowMicroseconds / 1_000_000);
  return [
    ["redis_version", REDIS_VERSION],
    ["seshat_version", source.seshatVersion],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0"],
    ["redis_mode", source.isClusterEnabled ? "cluster" : "standalone"],
    ["os", platform],
    ["arch_bits", 64],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", "libuv"],
    ["node_version", runtimeVersion],
    ["node_architecture", architecture],
    ["process_id", pid],
    ["process_supervised", "no"],
    ["run_id", runId],
    ["tcp_port", source.port],
    ["server_time_usec", source.nowMicroseconds],
    ["uptime_in_seconds", source.uptimeSeconds],
    ["uptime_in_days", Math.floor(source.uptimeSeconds / SECONDS_PER_DAY)],
    ["hz", 10],
    ["configured_hz", 10],
    ["lru_clock", nowSeconds & LRU_CLOCK_MASK],
    ["executable", executable],
    ["config_file", configFile],
    ["io_threads_active", 0],
    ["listener0", `name=tcp,${source.bind.map((address) => `bind=${address},`).join("")}port=${source.port}`],
  ];
}

export function clientLines({ clients, clientsMax, blockingKeys }: InfoSource): readonly InfoLine[] {
  let blocked = 0;
  let subscribed = 0;
  let watching = 0;
  let watchedKeys = 0;
  let inputMax = 0;
  let outputMax = 0;
  for (const client of clients.list()) {
    if (client.blocked) blocked++;
    if (client.kind === "pubsub") subscribed++;
    if (client.watchedKeyCount > 0) watching++;
    watchedKeys += client.watchedKeyCount;
    inputMax = Math.max(inputMax, client.queryBufferBytes);
    outputMax = Math.max(outputMax, client.outputBufferBytes);
  }
  return [
    ["connected_clients", clients.count],
    ["cluster_connections", 0],
    ["maxclients", clientsMax],
    ["client_recent_max_input_buffer", inputMax],
    ["client_recent_max_output_buffer", outputMax],
    ["blocked_clients", blocked],
    ["tracking_clients", 0],
    ["pubsub_clients", subscribed],
    ["watching_clients", watching],
    ["clients_in_timeout_table", 0],
    ["total_watched_keys", watchedKeys],
    ["total_blocking_keys", blockingKeys.keys],
    ["total_blocking_keys_on_nokey", blockingKeys.evenWithoutKey],
  ];
}

export function memoryLines({ memory, statistics }: InfoSource): readonly InfoLine[] {
  const used = memory.logicalBytes;
  const dataset = Math.max(0, used - memory.overheadBytes);
  const outside = memory.clientsBytes + memory.raftLogBytes;
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", memory.residentBytes],
    ["used_memory_rss_human", humanBytes(memory.residentBytes)],
    ["used_memory_peak", memory.logicalBytesMax],
    ["used_memory_peak_human", humanBytes(memory.logicalBytesMax)],
    ["used_memory_peak_perc", percent(used, memory.logicalBytesMax)],
    ["used_memory_overhead", memory.overheadBytes],
    ["used_memory_startup", memory.startupBytes],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", percent(dataset, used)],
    ["used_memory_store", memory.storeBytes],
    ["allocator_allocated", memory.allocatedBytes],
    ["allocator_active", memory.allocatedBytes],
    ["allocator_resident", memory.residentBytes],
    ["total_system_memory", memory.systemTotalBytes],
    ["total_system_memory_human", humanBytes(memory.systemTotalBytes)],
    ["used_memory_lua", 0],
    ["used_memory_vm_eval", 0],
    ["used_memory_lua_human", humanBytes(0)],
    ["used_memory_scripts_eval", 0],
    ["number_of_cached_scripts", 0],
    ["number_of_functions", 0],
    ["number_of_libraries", 0],
    ["used_memory_vm_functions", 0],
    ["used_memory_vm_total", 0],
    ["used_memory_vm_total_human", humanBytes(0)],
    ["used_memory_functions", 0],
    ["used_memory_scripts", 0],
    ["used_memory_scripts_human", humanBytes(0)],
    ["maxmemory", memory.maxmemoryBytes],
    ["maxmemory_human", humanBytes(memory.maxmemoryBytes)],
    ["maxmemory_policy", memory.maxmemoryPolicy],
    ["allocator_frag_ratio", "1.00"],
    ["allocator_frag_bytes", 0],
    ["allocator_rss_ratio", ratio(memory.residentBytes, memory.allocatedBytes)],
    ["allocator_rss_bytes", memory.residentBytes - memory.allocatedBytes],
    ["rss_overhead_ratio", "1.00"],
    ["rss_overhead_bytes", 0],
    ["mem_fragmentation_ratio", ratio(memory.residentBytes, memory.allocatedBytes)],
    ["mem_fragmentation_bytes", memory.residentBytes - memory.allocatedBytes],
    ["mem_not_counted_for_evict", outside],
    ["mem_replication_backlog", memory.raftLogBytes],
    ["mem_total_replication_buffers", memory.raftLogBytes],
    ["mem_clients_slaves", 0],
    ["mem_clients_normal", memory.clientsBytes],
    ["mem_cluster_links", 0],
    ["mem_aof_buffer", 0],
    ["mem_allocator", "v8"],
    ["active_defrag_running", 0],
    ["lazyfree_pending_objects", 0],
    ["lazyfreed_objects", statistics.lazyFreedKeys],
  ];
}

/** Data is in memory only: the save times are those of the start, and nothing is ever in progress. */
export function persistenceLines(source: InfoSource): readonly InfoLine[] {
  return [
    ["loading", source.isLoading ? 1 : 0],
    ["async_loading", 0],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", "0.00"],
    ["current_save_keys_processed", 0],
    ["current_save_keys_total", 0],
    ["rdb_changes_since_last_save", source.keyChanges],
    ["rdb_bgsave_in_progress", 0],
    ["rdb_last_save_time", source.lastSaveSeconds],
    ["rdb_last_bgsave_status", "ok"],
    ["rdb_last_bgsave_time_sec", -1],
    ["rdb_current_bgsave_time_sec", -1],
    ["rdb_saves", 0],
    ["rdb_last_cow_size", 0],
    ["rdb_last_load_keys_expired", 0],
    ["rdb_last_load_keys_loaded", 0],
    ["aof_enabled", 0],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_rewrite_time_sec", -1],
    ["aof_current_rewrite_time_sec", -1],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_rewrites", 0],
    ["aof_rewrites_consecutive_failures", 0],
    ["aof_last_write_status", "ok"],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
  ];
}

export function cpuLines({ process }: InfoSource): readonly InfoLine[] {
  const { systemCpuSeconds, userCpuSeconds } = process;
  const system = systemCpuSeconds.toFixed(6);
  const user = userCpuSeconds.toFixed(6);
  return [
    ["used_cpu_sys", system],
    ["used_cpu_user", user],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
    ["used_cpu_sys_main_thread", system],
    ["used_cpu_user_main_thread", user],
  ];
}

export function clusterLines(source: InfoSource): readonly InfoLine[] {
  return [["cluster_enabled", source.isClusterEnabled ? 1 : 0]];
}

export function keyspaceLines({ keyspace }: InfoSource): readonly InfoLine[] {
  return keyspace
    .filter(({ keys, expires }) => keys > 0 || expires > 0)
    .map(({ database, keys, expires, averageTtlMs }) => [
      `db${database}`,
      `keys=${keys},expires=${expires},avg_ttl=${Math.floor(averageTtlMs)}`,
    ]);
}

const UNITS = ["B", "K", "M", "G", "T", "P"];

/** 1536 is "1.50K"; bytes have no decimals. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${UNITS[unit] ?? ""}`;
}

function percent(part: number, whole: number): string {
  return `${((part * 100) / Math.max(1, whole)).toFixed(2)}%`;
}

function ratio(part: number, whole: number): string {
  return (part / Math.max(1, whole)).toFixed(2);
}
