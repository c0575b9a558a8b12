// What another node says of itself and of the members, checked before anything is done with it: names, addresses, tables. Values
// in, what is wrong with them out; nothing of this node's state is looked at.

import { asBuffer } from "../base/as-buffer.ts";
import { CLUSTER_TIME_MS_MAX, MEMBERS_MAX } from "../base/limits.ts";
import { NODE_NAME, parseAddress } from "../config/special-kinds.ts";
import type { EntryCheck } from "../machine/entry-check.ts";
import type { ClusterMember, ClusterTable, JoinReply, MemberName } from "../wire/cluster-messages.ts";
import type { RaftMessage, RaftMessageType } from "../wire/raft-message.ts";
import type { SnapshotHeader } from "../wire/snapshot-header.ts";
import type { PeerIdentity } from "./ports.ts";

/** What travels on links. Proposals stay with the leader, and snapshots have a connection of their own. */
const ON_LINKS: ReadonlySet<RaftMessageType> = new Set([
  "append",
  "appendResponse",
  "vote",
  "voteResponse",
  "preVote",
  "preVoteResponse",
  "heartbeat",
  "heartbeatResponse",
  "timeoutNow",
]);
/** Of one change of the members: some come, some go. */
const CHANGE_STEPS_MAX = 6 * MEMBERS_MAX;

/** Fit for a log line, a reply and a word of CLUSTER NODES. */
const WORD = /^[\x21-\x7e]{0,300}$/;
const CLUSTER_ID = /^[0-9A-Za-z.-]{1,64}$/;
const HASH_SEED = /^(?:[0-9a-f]{16})?$/;
/** Incarnations that were replaced may be there beside those that replace them; names never are. */
const TABLE_MEMBERS_MAX = 3 * MEMBERS_MAX;

/** A stranger's text, fit for a log line and for an error. */
export function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, "?");
}

/** Of a list, what is wrong with the first part that is not right. */
export function firstProblem<T>(
  parts: readonly T[],
  problemOf: (part: T) => string | undefined,
): string | undefined {
  for (const part of parts) {
    const problem = problemOf(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Members may have different passwords, and none is ever sent to another member; one without any is a mistake. */
export function passwordCaution(
  isNeededHere: boolean,
  { name, needsPassword }: PeerIdentity,
): string | undefined {
  if (needsPassword === undefined || needsPassword === isNeededHere) return undefined;
  return isNeededHere
    ? `member ${name} asks its clients for no password, and this node does: give all members the same requirepass`
    : `this node asks its clients for no password, and member ${name} does: give all members the same requirepass`;
}

/** Of what a node says of itself, in the handshake or when it joins. */
export function memberProblem(member: Omit<ClusterMember, "unknownFields">): string | undefined {
  const { name, address, clientAddress, clientHostname, incarnation } = member;
  if (!(incarnation > 0)) return "it has no incarnation";
  if (!WORD.test(clientAddress) || !WORD.test(clientHostname))
    return "its clients cannot find it where it says";
  return nameProblem({ name, address });
}

export function nameProblem({ name, address }: MemberName): string | undefined {
  if (!NODE_NAME.test(name)) return `'${printable(name)}' is no name of a member`;
  return parseAddress(address) === undefined
    ? `'${printable(address)}' is no address of a member`
    : undefined;
}

export function tableProblem(table: ClusterTable): string | undefined {
  const { clusterId, index, members, names, hashSeed } = table;
  if (!CLUSTER_ID.test(clusterId)) return `'${printable(clusterId)}' is no cluster's id`;
  if (index < 1) return "a table of no index";
  if (!HASH_SEED.test(hashSeed)) return "its hash seed is none";
  if (members.length > TABLE_MEMBERS_MAX || names.length > TABLE_MEMBERS_MAX) {
    return `a table of ${members.length} members and ${names.length} names`;
  }
  if (new Set(members.map(({ incarnation }) => incarnation)).size < members.length)
    return "a member is in it twice";
  return firstProblem(members, memberProblem) ?? firstProblem(names, nameProblem);
}

export function joinReplyProblem({ table, lost }: JoinReply): string | undefined {
  if (lost.length > TABLE_MEMBERS_MAX || !lost.every((name) => NODE_NAME.test(name)))
    return "names of no members";
  return table === undefined ? undefined : tableProblem(table);
}

/** Of a message by itself; what it says of the log and its terms is for the core to judge. */
export function raftProblem(message: RaftMessage, check: EntryCheck): string | undefined {
  if (!ON_LINKS.has(message.type)) return `a message of the kind ${message.type}`;
  for (const { type, index, data, confChange } of message.entries) {
    const steps = confChange?.changes.length ?? 0;
    const problem = type === "normal" ? entryProblem(data, check) : changeProblem(steps);
    if (problem !== undefined) return `entry ${index}: ${problem}`;
  }
  return undefined;
}

const entryProblem = (data: Uint8Array, check: EntryCheck): string | undefined =>
  data.length === 0 ? undefined : check.problem(asBuffer(data));

const changeProblem = (steps: number): string | undefined =>
  steps > CHANGE_STEPS_MAX ? `a change of ${steps} members at once` : undefined;

/** Of what goes in front of a state; whether the state is one is for the loader to judge, the members for the core. */
export function snapshotProblem(header: SnapshotHeader, clusterId: string): string | undefined {
  const { raft, table, timeMs } = header;
  if (raft.type !== "snapshot" || raft.snapshot === undefined) return `a message of the kind ${raft.type}`;
  if (timeMs < 0 || timeMs > CLUSTER_TIME_MS_MAX) return `its time is ${timeMs}`;
  if (table.clusterId !== clusterId) return `it is of cluster ${printable(table.clusterId)}`;
  return tableProblem(table);
}
