// INFO: which sections, in which order, and how they are put together. The lines are in info-sections.ts,
// info-raft.ts and info-statistics.ts. In: a source of figures and section names. Out: text.

import type { ClientsView, MemoryFigures, RaftView } from "../../command/local-context.ts";
import type { BlockingKeyCounts } from "../../machine/waiters.ts";
import type { CommandStatistics } from "./command-statistics.ts";
import { raftLines, replicationLines } from "./info-raft.ts";
import {
  clientLines,
  clusterLines,
  cpuLines,
  keyspaceLines,
  memoryLines,
  persistenceLines,
  serverLines,
} from "./info-sections.ts";
import { commandLines, errorLines, latencyLines, statisticsLines } from "./info-statistics.ts";
import type { ServerStatistics } from "./statistics.ts";

/** A line "name:value". */
export type InfoLine = readonly [name: string, value: string | number];

export interface ProcessFigures {
  readonly pid: number;
  /** 40 hexadecimal digits, new with every start. */
  readonly runId: string;
  /** "linux x64" and the like. */
  readonly platform: string;
  readonly architecture: string;
  /** "v20.19.0". */
  readonly runtimeVersion: string;
  readonly executable: string;
  readonly configFile: string;
  readonly userCpuSeconds: number;
  readonly systemCpuSeconds: number;
}

export interface KeyspaceFigures {
  readonly database: number;
  readonly keys: number;
  readonly expires: number;
  /** 0 when unknown. */
  readonly averageTtlMs: number;
}

/** Everything INFO shows. Read while the text is made, so getters may compute. */
export interface InfoSource {
  readonly seshatVersion: string;
  readonly nowMicroseconds: number;
  readonly uptimeSeconds: number;
  readonly port: number;
  /** Addresses that clients are listened for on, as set. */
  readonly bind: readonly string[];
  readonly process: ProcessFigures;
  readonly clients: ClientsView;
  readonly clientsMax: number;
  /** Keys that clients of this node wait for, and those of them whose end the clients hear of. */
  readonly blockingKeys: BlockingKeyCounts;
  readonly memory: MemoryFigures;
  /** True until the node is caught up and serves. */
  readonly isLoading: boolean;
  readonly lastSaveSeconds: number;
  /** Changes of keys since the start: nothing is ever saved. */
  readonly keyChanges: number;
  readonly statistics: ServerStatistics;
  readonly commandStatistics: CommandStatistics;
  readonly channelCount: number;
  readonly patternCount: number;
  readonly shardChannelCount: number;
  readonly raft: RaftView;
  /** Of clients of other members, whose commands run here. */
  readonly proxiedSessions: number;
  /** Databases that hold keys. */
  readonly keyspace: readonly KeyspaceFigures[];
  readonly isClusterEnabled: boolean;
}

interface Section {
  readonly title: string;
  /** Shown when no section is named. */
  readonly isDefault: boolean;
  readonly lines: (source: InfoSource) => readonly InfoLine[];
}

/** Redis's order; Raft is ours. */
const SECTIONS: readonly Section[] = [
  { title: "Server", isDefault: true, lines: serverLines },
  { title: "Clients", isDefault: true, lines: clientLines },
  { title: "Memory", isDefault: true, lines: memoryLines },
  { title: "Persistence", isDefault: true, lines: persistenceLines },
  { title: "Stats", isDefault: true, lines: statisticsLines },
  { title: "Replication", isDefault: true, lines: replicationLines },
  { title: "Raft", isDefault: true, lines: raftLines },
  { title: "CPU", isDefault: true, lines: cpuLines },
  { title: "Modules", isDefault: true, lines: () => [] },
  { title: "Commandstats", isDefault: false, lines: commandLines },
  { title: "Errorstats", isDefault: true, lines: errorLines },
  { title: "Latencystats", isDefault: false, lines: latencyLines },
  { title: "Cluster", isDefault: true, lines: clusterLines },
  { title: "Keyspace", isDefault: true, lines: keyspaceLines },
];

/** `names` in lower case; unknown ones show nothing, as in Redis. */
export function infoText(source: InfoSource, names: readonly string[]): string {
  const everything = names.includes("all") || names.includes("everything");
  const withDefault = names.includes("default");
  return SECTIONS.filter(
    ({ title, isDefault }) => everything || (withDefault && isDefault) || names.includes(title.toLowerCase()),
  )
    .map(({ title, lines }) => sectionText(title, lines(source)))
    .join("\r\n");
}

function sectionText(title: string, lines: readonly InfoLine[]): string {
  return `# ${title}\r\n${lines.map(([name, value]) => `${name}:${value}\r\n`).join("")}`;
}
