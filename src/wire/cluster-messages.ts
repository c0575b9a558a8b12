// What nodes tell each other beside Raft: proxied clients, who is in the cluster and who wants to be.
// Values in, protobuf objects out, and back with every range checked.

import { bytes, type Decoded, decoded, present, safeInteger } from "./decode.ts";
import { seshat } from "./generated/seshat.js";

/** Commands of one client of a follower, for the leader. Field meanings: proto/seshat.proto. */
export interface ProxyRequest {
  readonly sessionId: number;
  readonly database: number;
  readonly protocol: number;
  readonly commands: Buffer;
  readonly generation: number;
  readonly muted: boolean;
  readonly closed: boolean;
}

export interface ProxyReply {
  readonly sessionId: number;
  readonly generation: number;
  readonly replies: Buffer;
  readonly completed: number;
  readonly notLeader: boolean;
  readonly close: boolean;
}

export interface ClusterMember {
  readonly name: string;
  readonly address: string;
  readonly clientAddress: string;
  readonly incarnation: number;
}

export interface ClusterTable {
  readonly clusterId: string;
  readonly index: number;
  readonly members: readonly ClusterMember[];
}

export interface JoinRequest {
  readonly node: ClusterMember;
}

export interface JoinReply {
  readonly accepted: boolean;
  readonly text: string;
  readonly leader: number;
  readonly table: ClusterTable | undefined;
}

export function proxyRequestFromWire(wire: seshat.ProxyRequest.$Properties): ProxyRequest {
  return {
    sessionId: safeInteger(wire.sessionId, "session"),
    database: wire.database ?? 0,
    protocol: wire.protocol || 2,
    commands: bytes(wire.commands),
    generation: safeInteger(wire.generation, "generation"),
    muted: wire.muted ?? false,
    closed: wire.closed ?? false,
  };
}

export function proxyReplyFromWire(wire: seshat.ProxyReply.$Properties): ProxyReply {
  return {
    sessionId: safeInteger(wire.sessionId, "session"),
    generation: safeInteger(wire.generation, "generation"),
    replies: bytes(wire.replies),
    completed: wire.completed ?? 0,
    notLeader: wire.notLeader ?? false,
    close: wire.close ?? false,
  };
}

/** A member on its own: the context of the configuration change that adds it. */
export function encodeMember(member: ClusterMember): Uint8Array {
  return seshat.ClusterMember.encode({ ...member }).finish();
}

export function decodeMember(encoded: Uint8Array): Decoded<ClusterMember> {
  return decoded(() => memberFromWire(seshat.ClusterMember.decode(encoded)));
}

function memberFromWire(wire: seshat.ClusterMember.$Properties): ClusterMember {
  return {
    name: wire.name ?? "",
    address: wire.address ?? "",
    clientAddress: wire.clientAddress ?? "",
    incarnation: safeInteger(wire.incarnation, "incarnation"),
  };
}

export function tableToWire(table: ClusterTable): seshat.ClusterTable.$Properties {
  return { clusterId: table.clusterId, index: table.index, members: [...table.members] };
}

export function tableFromWire(wire: seshat.ClusterTable.$Properties): ClusterTable {
  return {
    clusterId: wire.clusterId ?? "",
    index: safeInteger(wire.index, "table index"),
    members: (wire.members ?? []).map(memberFromWire),
  };
}

export function joinRequestFromWire(wire: seshat.JoinRequest.$Properties): JoinRequest {
  return {
    node: memberFromWire(present(wire.node, "node")),
  };
}

export function joinReplyToWire(reply: JoinReply): seshat.JoinReply.$Properties {
  return {
    accepted: reply.accepted,
    text: reply.text,
    leader: reply.leader,
    table: reply.table === undefined ? null : tableToWire(reply.table),
  };
}

export function joinReplyFromWire(wire: seshat.JoinReply.$Properties): JoinReply {
  return {
    accepted: wire.accepted ?? false,
    text: wire.text ?? "",
    leader: safeInteger(wire.leader, "leader"),
    table: wire.table ? tableFromWire(wire.table) : undefined,
  };
}
