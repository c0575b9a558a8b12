// INFO's sections about the group: Replication in Redis's words (the leader is the master), Raft in our own.

import type { RaftPeer } from "../../command/local-context.ts";
import type { InfoLine, InfoSource } from "./info.ts";

const REPLICATION_ID_DIGITS = 40;
const NO_REPLICATION_ID = "0".repeat(REPLICATION_ID_DIGITS);

/** Offsets are log indexes. Followers answer writes too, by passing them on, so none is read only. */
export function replicationLines({ raft }: InfoSource): readonly InfoLine[] {
  const lines: InfoLine[] = [];
  const isLeader = raft.role === "leader";
  lines.push(["role", isLeader ? "master" : "slave"]);
  if (!isLeader) {
    lines.push(
      ["master_host", raft.leader?.host ?? ""],
      ["master_port", raft.leader?.port ?? 0],
      ["master_link_status", raft.leader === undefined ? "down" : "up"],
      [
        "master_last_io_seconds_ago",
        silentSeconds(raft.peers.find((peer) => peer.node === raft.leader?.node)),
      ],
      ["master_sync_in_progress", raft.role === "learner" ? 1 : 0],
      ["slave_read_repl_offset", raft.lastIndex],
      ["slave_repl_offset", raft.appliedIndex],
      ["slave_priority", 100],
      ["slave_read_only", 0],
      ["replica_announced", 1],
    );
  }
  const replicas = isLeader ? raft.peers.filter((peer) => peer.connected) : [];
  lines.push(["connected_slaves", replicas.length]);
  replicas.forEach((peer, i) => {
    lines.push([`slave${i}`, replicaText(peer)]);
  });
  lines.push(
    ["master_failover_state", "no-failover"],
    ["master_replid", replicationId(raft.clusterId)],
    ["master_replid2", NO_REPLICATION_ID],
    ["master_repl_offset", isLeader ? raft.lastIndex : raft.appliedIndex],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 1],
    ["repl_backlog_size", Math.max(0, raft.lastIndex - raft.firstIndex + 1)],
    ["repl_backlog_first_byte_offset", raft.firstIndex],
    ["repl_backlog_histlen", Math.max(0, raft.lastIndex - raft.firstIndex + 1)],
  );
  return lines;
}

/** -1 when nothing was heard, or nobody is there to be heard. */
function silentSeconds(peer: RaftPeer | undefined): number {
  return Math.max(-1, Math.floor((peer?.silentMs ?? -1) / 1000));
}

function replicaText(peer: RaftPeer): string {
  const state = peer.state === "snapshot" ? "send_bulk" : "online";
  return `ip=${peer.host},port=${peer.port},state=${state},offset=${peer.matchIndex},lag=${silentSeconds(peer)}`;
}

/** The cluster's id, in the 40 hexadecimal digits that tools expect. */
function replicationId(clusterId: string): string {
  const digits = clusterId.toLowerCase().replace(/[^0-9a-f]/g, "");
  return digits.slice(0, REPLICATION_ID_DIGITS).padEnd(REPLICATION_ID_DIGITS, "0");
}

export function raftLines({ raft, statistics, proxiedSessions }: InfoSource): readonly InfoLine[] {
  const { leader } = raft;
  const lines: InfoLine[] = [
    ["raft_role", raft.role],
    ["raft_node", raft.node],
    ["raft_incarnation", raft.incarnation],
    ["raft_cluster_id", raft.clusterId],
    ["raft_term", raft.term],
    ["raft_leader", leader?.node ?? ""],
    ["raft_leader_address", leader === undefined ? "" : hostPort(leader.host, leader.port)],
    ["raft_leader_changes", statistics.leaderChanges],
    ["raft_elections", statistics.electionsStarted],
    ["raft_proxied_sessions", proxiedSessions],
    ["raft_members", raft.memberCount],
    ["raft_commit_index", raft.commitIndex],
    ["raft_applied_index", raft.appliedIndex],
    ["raft_first_index", raft.firstIndex],
    ["raft_last_index", raft.lastIndex],
    ["raft_lease", raft.lease],
    ["raft_snapshots_sent", statistics.snapshotsSent],
    ["raft_snapshots_received", statistics.snapshotsReceived],
    ["raft_slowed_ms", Math.round(raft.slowedMs)],
    ["raft_pulses_received", raft.pulsesReceived],
    ["raft_digests_compared", statistics.digestsCompared],
    ["raft_digests_differed", statistics.digestsDiffered],
    ["raft_problem", raft.problem],
  ];
  raft.peers.forEach((peer, i) => {
    lines.push([`raft_peer${i}`, peerText(peer, raft.lastIndex)]);
  });
  return lines;
}

function peerText(peer: RaftPeer, lastIndex: number): string {
  const behind = peer.state === "unknown" ? -1 : Math.max(0, lastIndex - peer.matchIndex);
  return (
    `node=${peer.node},address=${hostPort(peer.host, peer.port)},role=${peer.role},` +
    `connected=${peer.connected ? 1 : 0},state=${peer.state},match=${peer.matchIndex},` +
    `behind=${behind},silent_ms=${Math.floor(peer.silentMs)}`
  );
}

function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
