// What INFO, ROLE and MEMORY show of this node, read from the parts that hold it at the moment they are asked.

import { clientBytes } from "../command/client-info.ts";
import type {
  ClientsView,
  DatabaseMemory,
  MemoryFigures,
  RaftPeer,
  RaftView,
} from "../command/local-context.ts";
import { parseAddress } from "../config/special-kinds.ts";
import type { BlockingKeyCounts } from "../machine/waiters.ts";
import { DEADLINE_LOGICAL_BYTES, HEADER_BYTES, SLOT_LOGICAL_BYTES } from "../store/types.ts";
import type { SeshatNode } from "./node.ts";
import type { ServerView } from "./server-view.ts";
import type { CommandStatistics } from "./service/command-statistics.ts";
import type { InfoSource, KeyspaceFigures, ProcessFigures } from "./service/info.ts";
import type { ServerStatistics } from "./service/statistics.ts";

const RUN_ID_DIGITS = 40;
/** What a key takes beside its own bytes and its value's. */
const KEY_OVERHEAD_BYTES = HEADER_BYTES + SLOT_LOGICAL_BYTES;
/** Deadlines that are looked at for the mean of a database. */
const TTL_SAMPLES = 256;

export class NodeFigures implements InfoSource {
  readonly #node: SeshatNode;
  readonly #server: ServerView;
  readonly #startedMs: number;
  readonly #runId: string;
  #logicalBytesMax = 0;

  constructor(node: SeshatNode, server: ServerView) {
    const { ports } = node;
    this.#node = node;
    this.#server = server;
    this.#startedMs = ports.clock.wallMs();
    this.#runId = ports.entropy.hex(RUN_ID_DIGITS);
  }

  get seshatVersion(): string {
    return this.#node.ports.host.version;
  }

  get nowMicroseconds(): number {
    return this.#node.ports.clock.wallUs();
  }

  get clients(): ClientsView {
    return this.#server.clients;
  }

  get statistics(): ServerStatistics {
    return this.#server.statistics;
  }

  get commandStatistics(): CommandStatistics {
    return this.#server.commandStatistics;
  }

  get channelCount(): number {
    return this.#server.pubSub.topicCount("channel");
  }

  get patternCount(): number {
    return this.#server.pubSub.topicCount("pattern");
  }

  get shardChannelCount(): number {
    return this.#server.pubSub.topicCount("shard");
  }

  get lastSaveSeconds(): number {
    return this.#server.lastSaveSeconds;
  }

  get keyChanges(): number {
    return this.#server.keyChanges;
  }

  get blockingKeys(): BlockingKeyCounts {
    const { replica, cluster } = this.#node;
    return replica.machine.sessions.blocking.waiters.keyCountsOf(cluster.membership.self.incarnation);
  }

  get raft(): RaftView {
    return raftView(this.#node);
  }

  get isClusterEnabled(): boolean {
    return this.#node.settings.clusterEnabled;
  }

  notePeak(): void {
    this.#logicalBytesMax = Math.max(this.#logicalBytesMax, this.#node.replica.machine.store.logicalBytes);
  }

  get memory(): MemoryFigures {
    const { replica, ports, settings } = this.#node;
    const { store } = replica.machine;
    let keyCount = 0;
    let overheadBytes = 0;
    const databases: DatabaseMemory[] = [];
    for (const [database, keys] of store.databases.entries()) {
      if (keys.size === 0) continue;
      const tableBytes = keys.size * KEY_OVERHEAD_BYTES;
      const deadlineBytes = keys.expiringCount * DEADLINE_LOGICAL_BYTES;
      databases.push({ database, tableBytes, deadlineBytes });
      keyCount += keys.size;
      overheadBytes += tableBytes + deadlineBytes;
    }
    let clientsBytes = 0;
    for (const session of this.#server.clients.values()) clientsBytes += clientBytes(session);
    const allocatedBytes = ports.host.heapUsedBytes() + ports.host.arrayBytes();
    this.notePeak();
    return {
      logicalBytes: store.logicalBytes,
      logicalBytesMax: this.#logicalBytesMax,
      startupBytes: store.startupBytes,
      overheadBytes: store.startupBytes + overheadBytes,
      storeBytes: store.reservedBytes,
      allocatedBytes,
      residentBytes: ports.host.residentBytes(),
      systemTotalBytes: ports.host.systemBytes,
      clientsBytes,
      raftLogBytes: replica.storage?.bytes ?? 0,
      keyCount,
      databases,
      maxmemoryBytes: settings.maxmemoryBytes,
      maxmemoryPolicy: settings.maxmemoryPolicy,
    };
  }

  get proxiedSessions(): number {
    return this.#node.virtualSessions.count;
  }

  get uptimeSeconds(): number {
    return Math.floor((this.#node.ports.clock.wallMs() - this.#startedMs) / 1000);
  }

  get port(): number {
    return this.#node.settings.port;
  }

  get bind(): readonly string[] {
    return this.#node.settings.bind;
  }

  get clientsMax(): number {
    return this.#node.settings.maxclients;
  }

  get isLoading(): boolean {
    return this.#node.replica.raft === undefined;
  }

  get process(): ProcessFigures {
    const { host } = this.#node.ports;
    const { user, system } = host.cpuSeconds();
    return {
      pid: host.pid,
      runId: this.#runId,
      platform: host.platform,
      architecture: host.architecture,
      runtimeVersion: host.runtimeVersion,
      executable: host.executable,
      configFile: host.configFile,
      userCpuSeconds: user,
      systemCpuSeconds: system,
    };
  }

  get keyspace(): readonly KeyspaceFigures[] {
    const { replica } = this.#node;
    const nowMs = replica.runningMs();
    return replica.machine.store.databases
      .map((keys, database) => ({
        database,
        keys: keys.size,
        expires: keys.expiringCount,
        averageTtlMs: keys.averageTtlMs(nowMs, TTL_SAMPLES),
      }))
      .filter(({ keys }) => keys > 0);
  }
}

export function raftView(node: SeshatNode): RaftView {
  const { replica, cluster } = node;
  const { raft, storage } = replica;
  const { membership, links } = cluster;
  const leader = membership.member(raft?.leader ?? 0);
  const views = raft?.role === "leader" ? raft.progress() : [];
  const peers: RaftPeer[] = [];
  for (const member of membership.list()) {
    if (member.incarnation === membership.self.incarnation) continue;
    const view = views.find(({ id }) => id === member.incarnation);
    // Two followers have nothing to say to each other.
    const isListenedTo = raft?.role === "leader" || raft?.leader === member.incarnation;
    const heardMs = isListenedTo ? links.heardMs(member.incarnation) : 0;
    const { host, port } = splitAddress(member.clientAddress);
    peers.push({
      node: member.name,
      host,
      port,
      role: raft?.confState.learners.includes(member.incarnation) === true ? "learner" : "voter",
      connected: links.isUp(member.incarnation),
      state: view?.state ?? "unknown",
      matchIndex: view?.match ?? 0,
      silentMs: heardMs === 0 ? -1 : Math.max(0, replica.monotonicMs - heardMs),
    });
  }
  return {
    role:
      raft === undefined || raft.role === "preCandidate"
        ? "candidate"
        : // Without any configuration it waits for the state, which has one.
          raft.isLearner || raft.confState.voters.length === 0
          ? "learner"
          : raft.role,
    node: membership.self.name,
    incarnation: String(membership.self.incarnation),
    clusterId: membership.clusterId,
    term: raft?.term ?? 0,
    leader: leader === undefined ? undefined : { node: leader.name, ...splitAddress(leader.clientAddress) },
    memberCount: membership.incarnations.length,
    commitIndex: raft?.commit ?? 0,
    appliedIndex: replica.machine.appliedIndex,
    firstIndex: storage?.firstIndex() ?? 0,
    lastIndex: storage?.lastIndex() ?? 0,
    lease: raft?.role !== "leader" ? "none" : raft.leaseValid() ? "valid" : "expired",
    slowedMs: replica.log.catchUp.slowedMs,
    pulsesReceived: node.pulses.receivedCount,
    problem: node.problem,
    peers,
  };
}

const splitAddress = (address: string): { host: string; port: number } =>
  parseAddress(address) ?? { host: "", port: 0 };
