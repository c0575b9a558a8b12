// What nodes tell each other beside Raft: proxied clients, who is in the cluster and who wants to be.
// Values in, protobuf objects out, and back with every range checked.

import { bytes, type Decoded, decoded, keepingReader, present, refuse, safeInteger } from "./decode.ts";
import { seshat } from "./generated/seshat.js";
import { type SettingValues, settingValuesFromWire, settingValuesToWire } from "./setting-values.ts";

/** Commands of one client of a follower, for the leader. Field meanings: proto/seshat.proto. */
export interface ProxyRequest {
  readonly sessionId: number;
  readonly database: number;
  readonly protocol: number;
  readonly commands: Buffer;
  readonly generation: number;
  readonly muted: boolean;
  readonly closed: boolean;
  /** Null: as it was. (Null is what the encoder takes.) */
  readonly client: ProxyClient | null;
  /** Null: its WAIT, if there is one, goes on. */
  readonly waitEnd: WaitEnd | null;
  readonly takenBytes: number;
}

/** How a WAIT ends before its time: as if that had run out, or with an error. */
export type WaitEnd = seshat.WaitEnd;
export const { WAIT_END_NONE, WAIT_END_TIMEOUT, WAIT_END_ERROR } = seshat.WaitEnd;

export interface ProxyClient {
  readonly address: string;
  readonly noTouch: boolean;
  readonly lastWriteIndex: number;
  readonly timesAll: boolean;
  readonly reportsTaken: boolean;
}

export interface ProxyReply {
  readonly sessionId: number;
  readonly generation: number;
  readonly replies: Buffer;
  readonly completed: number;
  readonly notLeader: boolean;
  readonly close: boolean;
  readonly lastWriteIndex: number;
  readonly times: ProxyTime[];
  readonly failures: ProxyFailure[];
}

export interface ProxyTime {
  readonly command: number;
  readonly inner: number;
  readonly microseconds: number;
}

export interface ProxyFailure {
  readonly name: string;
  readonly code: string;
  readonly count: number;
  readonly rejected: boolean;
}

export interface ClusterMember {
  readonly name: string;
  readonly address: string;
  readonly clientAddress: string;
  readonly clientHostname: string;
  readonly incarnation: number;
  /** What a later version has to say of it, as it came: passed on with the rest. */
  readonly unknownFields?: readonly Uint8Array[];
}

/** A name that a process may join under, and where its peer port is, "host:port". */
export interface MemberName {
  readonly name: string;
  readonly address: string;
}

export interface ClusterTable {
  readonly clusterId: string;
  /** Log index of the last change of members it reflects; 1 = the founders'. */
  readonly index: number;
  readonly members: readonly ClusterMember[];
  readonly names: readonly MemberName[];
  /** Of the founders' table: 16 hexadecimal digits, else "". Later ones get it with the state. */
  readonly hashSeed: string;
  /** Of the founders' table: the settings that the state begins with, else none. */
  readonly settings: SettingValues;
}

/** The context of a configuration change: what it does to the table beside removing who is in no configuration. */
export interface TableChange {
  /** This process comes in. */
  readonly joined?: ClusterMember;
  readonly nameAdded?: MemberName;
  readonly nameRemoved?: string;
}

export interface JoinRequest {
  readonly node: ClusterMember;
  /** It has been a voter, by what it knows, and hears from no leader. */
  readonly voter: boolean;
}

export interface JoinReply {
  readonly accepted: boolean;
  readonly text: string;
  readonly leader: number;
  readonly table: ClusterTable | undefined;
  /** It was a member, and is none any more. */
  readonly removed: boolean;
  /** Voters, as of the table, that have lost their memory, when there can be no leader any more. Else none. */
  readonly lost: readonly string[];
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
    client: wire.client ? proxyClientFromWire(wire.client) : null,
    waitEnd: wire.waitEnd || null,
    takenBytes: safeInteger(wire.takenBytes, "taken bytes"),
  };
}

/** It is shown to clients, in lines. */
const PRINTABLE = /^[!-~]{0,128}$/;

function proxyClientFromWire(wire: seshat.ProxyClient.$Properties): ProxyClient {
  const address = wire.address ?? "";
  if (!PRINTABLE.test(address)) refuse("malformed", "a client's address");
  return {
    address,
    noTouch: wire.noTouch ?? false,
    lastWriteIndex: safeInteger(wire.lastWriteIndex, "index"),
    timesAll: wire.timesAll ?? false,
    reportsTaken: wire.reportsTaken ?? false,
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
    lastWriteIndex: safeInteger(wire.lastWriteIndex, "index"),
    times: (wire.times ?? []).map(proxyTimeFromWire),
    failures: (wire.failures ?? []).map(proxyFailureFromWire),
  };
}

function proxyTimeFromWire(wire: seshat.ProxyTime.$Properties): ProxyTime {
  const microseconds = wire.microseconds ?? 0;
  if (!(microseconds >= 0 && microseconds < Number.MAX_SAFE_INTEGER))
    refuse("outOfRange", `${microseconds} microseconds`);
  return { command: wire.command ?? 0, inner: wire.inner ?? 0, microseconds };
}

function proxyFailureFromWire(wire: seshat.ProxyFailure.$Properties): ProxyFailure {
  const code = wire.code ?? "";
  if (!PRINTABLE.test(code)) refuse("malformed", "an error's code");
  return { name: wire.name ?? "", code, count: wire.count ?? 0, rejected: wire.rejected ?? false };
}

export function encodeTableChange({ joined, ...names }: TableChange): Uint8Array {
  const wire = joined === undefined ? names : { ...names, joined: memberToWire(joined) };
  return seshat.TableChange.encode(wire).finish();
}

export function decodeTableChange(encoded: Uint8Array): Decoded<TableChange> {
  return decoded(() => {
    const { joined, nameAdded, nameRemoved } = seshat.TableChange.decode(keepingReader(encoded));
    return {
      ...(joined ? { joined: memberFromWire(joined) } : {}),
      ...(nameAdded ? { nameAdded: nameFromWire(nameAdded) } : {}),
      ...(nameRemoved ? { nameRemoved } : {}),
    };
  });
}

function nameFromWire(wire: seshat.MemberName.$Properties): MemberName {
  return { name: wire.name ?? "", address: wire.address ?? "" };
}

/** Of all that later versions may add to a member. */
const UNKNOWN_BYTES_MAX = 1024;

/** Room that the member takes in a frame beyond its known fields. */
export const unknownBytes = ({ unknownFields = [] }: ClusterMember): number =>
  unknownFields.reduce((sum, field) => sum + field.length, 0);

function memberFromWire(wire: seshat.ClusterMember.$Properties): ClusterMember {
  // Copies: what comes in a frame would keep all of it.
  const unknownFields = (wire.$unknowns ?? []).map((field) => Uint8Array.from(field));
  const member = knownFields(wire);
  if (unknownFields.length === 0) return member;
  const whole = { ...member, unknownFields };
  if (unknownBytes(whole) > UNKNOWN_BYTES_MAX)
    refuse("outOfRange", `${unknownBytes(whole)} bytes of unknown fields`);
  return whole;
}

export function memberToWire({ unknownFields, ...known }: ClusterMember): seshat.ClusterMember.$Properties {
  return unknownFields === undefined ? known : { ...known, $unknowns: [...unknownFields] };
}

function knownFields(wire: seshat.ClusterMember.$Properties): ClusterMember {
  return {
    name: wire.name ?? "",
    address: wire.address ?? "",
    clientAddress: wire.clientAddress ?? "",
    clientHostname: wire.clientHostname ?? "",
    incarnation: safeInteger(wire.incarnation, "incarnation"),
  };
}

export function tableToWire(table: ClusterTable): seshat.ClusterTable.$Properties {
  return {
    clusterId: table.clusterId,
    index: table.index,
    members: table.members.map(memberToWire),
    names: [...table.names],
    hashSeed: table.hashSeed,
    settings: settingValuesToWire(table.settings),
  };
}

export function tableFromWire(wire: seshat.ClusterTable.$Properties): ClusterTable {
  return {
    clusterId: wire.clusterId ?? "",
    index: safeInteger(wire.index, "table index"),
    members: (wire.members ?? []).map(memberFromWire),
    names: (wire.names ?? []).map(nameFromWire),
    hashSeed: wire.hashSeed ?? "",
    settings: settingValuesFromWire(wire.settings),
  };
}

export function joinRequestToWire({ node, voter }: JoinRequest): seshat.JoinRequest.$Properties {
  return { node: memberToWire(node), voter };
}

export function joinRequestFromWire(wire: seshat.JoinRequest.$Properties): JoinRequest {
  return {
    node: memberFromWire(present(wire.node, "node")),
    voter: wire.voter ?? false,
  };
}

export function joinReplyToWire(reply: JoinReply): seshat.JoinReply.$Properties {
  return {
    accepted: reply.accepted,
    text: reply.text,
    leader: reply.leader,
    table: reply.table === undefined ? null : tableToWire(reply.table),
    removed: reply.removed,
    lost: [...reply.lost],
  };
}

export function joinReplyFromWire(wire: seshat.JoinReply.$Properties): JoinReply {
  return {
    accepted: wire.accepted ?? false,
    text: wire.text ?? "",
    leader: safeInteger(wire.leader, "leader"),
    table: wire.table ? tableFromWire(wire.table) : undefined,
    removed: wire.removed ?? false,
    lost: wire.lost ?? [],
  };
}
