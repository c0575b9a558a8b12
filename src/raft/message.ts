// Builds messages of one shape, and knows their names and kinds. Never sends.
import { assert } from "../base/assert.ts";
import type { Entry, MemberId, Message, MessageType } from "./types.ts";

export const NO_BYTES = new Uint8Array(0);
export const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
export const NO_MESSAGES: readonly Message[] = Object.freeze([]);

/** A message under construction; becomes a `Message` when it is queued and is not touched afterwards. */
export type Draft = { -readonly [Field in keyof Message]: Message[Field] };

/** All fields, always in the same order: one hidden class for V8. */
export function makeMessage(type: MessageType, from: MemberId, to: MemberId, term: number): Draft {
  return {
    type,
    to,
    from,
    term,
    logTerm: 0,
    index: 0,
    entries: NO_ENTRIES,
    commit: 0,
    vote: 0,
    reject: false,
    rejectHint: 0,
    snapshot: undefined,
    context: NO_BYTES,
    readPosition: 0,
    transfer: false,
    stampMs: 0,
    responses: NO_MESSAGES,
  };
}

/** Names as the Raft literature's tools print them; used in log lines only. */
export const MESSAGE_NAME = {
  propose: "MsgProp",
  append: "MsgApp",
  appendResponse: "MsgAppResp",
  vote: "MsgVote",
  voteResponse: "MsgVoteResp",
  preVote: "MsgPreVote",
  preVoteResponse: "MsgPreVoteResp",
  snapshot: "MsgSnap",
  heartbeat: "MsgHeartbeat",
  heartbeatResponse: "MsgHeartbeatResp",
  transferLeader: "MsgTransferLeader",
  timeoutNow: "MsgTimeoutNow",
  readIndex: "MsgReadIndex",
  readIndexResponse: "MsgReadIndexResp",
  storageAppend: "MsgStorageAppend",
  storageAppendResponse: "MsgStorageAppendResp",
  storageApply: "MsgStorageApply",
  storageApplyResponse: "MsgStorageApplyResp",
} as const satisfies Record<MessageType, string>;

/** local: only the storage workers may send it. response: only a known member may. */
export const MESSAGE_KIND = {
  propose: "request",
  append: "request",
  appendResponse: "response",
  vote: "request",
  voteResponse: "response",
  preVote: "request",
  preVoteResponse: "response",
  snapshot: "request",
  heartbeat: "request",
  heartbeatResponse: "response",
  transferLeader: "request",
  timeoutNow: "request",
  readIndex: "request",
  readIndexResponse: "response",
  storageAppend: "local",
  storageAppendResponse: "local",
  storageApply: "local",
  storageApplyResponse: "local",
} as const satisfies Record<MessageType, "request" | "response" | "local">;

/** Whoever takes one of these follows its sender. */
export const namesLeader = ({ type }: Message): boolean =>
  type === "append" || type === "heartbeat" || type === "snapshot";

/** Only the leader of the message's term sends it. */
export const isFromLeader = (m: Message): boolean => namesLeader(m) || m.type === "timeoutNow";

/** Whether a peer's message can be handled at all: numbers in range, entries in one gapless run. */
export function wellFormed(m: Message): boolean {
  if (!isCount(m.term) || !isCount(m.logTerm) || !isCount(m.index) || !isCount(m.commit)) return false;
  if (!isCount(m.rejectHint) || !isCount(m.readPosition) || !(m.stampMs >= 0)) return false;
  if (m.type === "append") return entriesFollow(m);
  if (m.type === "propose") return m.entries.length > 0 && m.entries.every(carriesItsChange);
  if (m.type === "snapshot") return m.snapshot !== undefined && m.snapshot.index > 0;
  return true;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function carriesItsChange(entry: Entry): boolean {
  return (entry.type === "normal") === (entry.confChange === undefined);
}

function entriesFollow(m: Message): boolean {
  let term = m.logTerm;
  for (let i = 0; i < m.entries.length; i++) {
    const entry = m.entries[i];
    if (entry === undefined || entry.index !== m.index + 1 + i || !isCount(entry.term)) return false;
    if (entry.term < term || entry.term > m.term || !carriesItsChange(entry)) return false;
    term = entry.term;
  }
  return true;
}

/** A member's name in log lines. */
export function hex(id: MemberId): string {
  return id.toString(16);
}

export function lastOf<T>(list: readonly T[]): T {
  const last = list[list.length - 1];
  assert(last !== undefined, "the list is not empty");
  return last;
}
