// Raft messages as they travel. The shapes mirror raft/types.ts (siblings do not import each other; a test holds
// them together). Messages in, protobuf objects out, and back with every range checked.

import { assert } from "../base/assert.ts";
import { bytes, finite, kind, namesByNumber, present, safeInteger } from "./decode.ts";
import { copiedBytes } from "./frame-writer.ts";
import type { seshat } from "./generated/seshat.js";

export type RaftMessageType = keyof typeof MESSAGE_NUMBER;
export type RaftEntryType = keyof typeof ENTRY_NUMBER;

export interface RaftConfChange {
  readonly transition: keyof typeof TRANSITION_NUMBER;
  readonly changes: readonly { readonly type: keyof typeof CHANGE_NUMBER; readonly id: number }[];
  readonly context: Uint8Array;
}

export interface RaftEntry {
  readonly term: number;
  readonly index: number;
  readonly type: RaftEntryType;
  readonly data: Uint8Array;
  readonly confChange?: RaftConfChange | undefined;
}

export interface RaftConfState {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
  readonly learners: readonly number[];
  readonly learnersNext: readonly number[];
  readonly autoLeave: boolean;
}

export interface RaftSnapshotMeta {
  readonly index: number;
  readonly term: number;
  readonly confState: RaftConfState;
}

export interface RaftMessage {
  readonly type: RaftMessageType;
  readonly to: number;
  readonly from: number;
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly RaftEntry[];
  readonly commit: number;
  readonly vote: number;
  readonly reject: boolean;
  readonly rejectHint: number;
  readonly snapshot?: RaftSnapshotMeta | undefined;
  readonly context: Uint8Array;
  readonly readPosition: number;
  readonly transfer: boolean;
  readonly stampMs: number;
  /** Never travels: empty after decoding. */
  readonly responses: readonly RaftMessage[];
}

/** Between the core and its own storage only. */
const LOCAL = -1;
const MESSAGE_NUMBER = {
  propose: 1,
  append: 2,
  appendResponse: 3,
  vote: 4,
  voteResponse: 5,
  preVote: 6,
  preVoteResponse: 7,
  snapshot: 8,
  heartbeat: 9,
  heartbeatResponse: 10,
  transferLeader: 11,
  timeoutNow: 12,
  readIndex: 13,
  readIndexResponse: 14,
  storageAppend: LOCAL,
  storageAppendResponse: LOCAL,
  storageApply: LOCAL,
  storageApplyResponse: LOCAL,
} as const;
const ENTRY_NUMBER = { normal: 0, confChange: 1, confChangeV2: 2 } as const;
const TRANSITION_NUMBER = { auto: 0, implicit: 1, explicit: 2 } as const;
const CHANGE_NUMBER = { addVoter: 1, addLearner: 2, remove: 3, update: 4 } as const;

const MESSAGE_NAMES = namesByNumber(MESSAGE_NUMBER);
const ENTRY_NAMES = namesByNumber(ENTRY_NUMBER);
const TRANSITION_NAMES = namesByNumber(TRANSITION_NUMBER);
const CHANGE_NAMES = namesByNumber(CHANGE_NUMBER);

const NO_ENTRIES: readonly RaftEntry[] = Object.freeze([]);
const NO_MESSAGES: readonly RaftMessage[] = Object.freeze([]);

/** Body bytes that `message` takes at most, but for payloads that are not copied. */
export function raftMessageBytesMax(message: RaftMessage): number {
  let bytesMax = 192 + message.context.length;
  for (const entry of message.entries) {
    bytesMax += 48 + copiedBytes(entry.data.length);
    if (entry.confChange !== undefined) {
      bytesMax += 32 + entry.confChange.context.length + 24 * entry.confChange.changes.length;
    }
  }
  if (message.snapshot !== undefined) {
    const { voters, votersOutgoing, learners, learnersNext } = message.snapshot.confState;
    bytesMax += 64 + 8 * (voters.length + votersOutgoing.length + learners.length + learnersNext.length);
  }
  return bytesMax;
}

/** Null where the value is the default: protobufjs leaves it out, and all objects keep one shape. */
const unlessZero = (value: number): number | null => (value === 0 ? null : value);

export function raftMessageToWire(message: RaftMessage): seshat.RaftMessage.$Properties {
  const type = MESSAGE_NUMBER[message.type];
  assert(type !== LOCAL, `a ${message.type} message never leaves its node`);
  return {
    type,
    to: unlessZero(message.to),
    from: unlessZero(message.from),
    term: unlessZero(message.term),
    logTerm: unlessZero(message.logTerm),
    index: unlessZero(message.index),
    entries: message.entries.length === 0 ? null : message.entries.map(entryToWire),
    commit: unlessZero(message.commit),
    vote: unlessZero(message.vote),
    reject: message.reject ? true : null,
    rejectHint: unlessZero(message.rejectHint),
    snapshot: message.snapshot === undefined ? null : snapshotToWire(message.snapshot),
    context: message.context.length === 0 ? null : message.context,
    readPosition: unlessZero(message.readPosition),
    transfer: message.transfer ? true : null,
    stampMs: unlessZero(message.stampMs),
  };
}

function entryToWire(entry: RaftEntry): seshat.Entry.$Properties {
  return {
    term: unlessZero(entry.term),
    index: unlessZero(entry.index),
    type: entry.type === "normal" ? null : ENTRY_NUMBER[entry.type],
    data: entry.data.length === 0 ? null : entry.data,
    confChange: entry.confChange === undefined ? null : confChangeToWire(entry.confChange),
  };
}

function confChangeToWire(change: RaftConfChange): seshat.ConfChange.$Properties {
  return {
    transition: TRANSITION_NUMBER[change.transition],
    changes: change.changes.map((step) => ({ type: CHANGE_NUMBER[step.type], id: step.id })),
    context: change.context,
  };
}

function snapshotToWire(snapshot: RaftSnapshotMeta): seshat.SnapshotMeta.$Properties {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = snapshot.confState;
  return {
    index: snapshot.index,
    term: snapshot.term,
    confState: {
      voters: [...voters],
      votersOutgoing: [...votersOutgoing],
      learners: [...learners],
      learnersNext: [...learnersNext],
      autoLeave,
    },
  };
}

/** Throws what `decoded` catches. */
export function raftMessageFromWire(wire: seshat.RaftMessage.$Properties): RaftMessage {
  const entries = wire.entries ?? [];
  return {
    type: kind(MESSAGE_NAMES, wire.type, "message type"),
    to: safeInteger(wire.to, "to"),
    from: safeInteger(wire.from, "from"),
    term: safeInteger(wire.term, "term"),
    logTerm: safeInteger(wire.logTerm, "logTerm"),
    index: safeInteger(wire.index, "index"),
    entries: entries.length === 0 ? NO_ENTRIES : entries.map(entryFromWire),
    commit: safeInteger(wire.commit, "commit"),
    vote: safeInteger(wire.vote, "vote"),
    reject: wire.reject ?? false,
    rejectHint: safeInteger(wire.rejectHint, "rejectHint"),
    snapshot: wire.snapshot ? snapshotFromWire(wire.snapshot) : undefined,
    context: bytes(wire.context),
    readPosition: safeInteger(wire.readPosition, "readPosition"),
    transfer: wire.transfer ?? false,
    stampMs: finite(wire.stampMs, "stampMs"),
    responses: NO_MESSAGES,
  };
}

function entryFromWire(wire: seshat.Entry.$Properties): RaftEntry {
  return {
    term: safeInteger(wire.term, "entry term"),
    index: safeInteger(wire.index, "entry index"),
    type: kind(ENTRY_NAMES, wire.type, "entry type"),
    data: bytes(wire.data),
    confChange: wire.confChange ? confChangeFromWire(wire.confChange) : undefined,
  };
}

function confChangeFromWire(wire: seshat.ConfChange.$Properties): RaftConfChange {
  return {
    transition: kind(TRANSITION_NAMES, wire.transition, "transition"),
    changes: (wire.changes ?? []).map((step) => ({
      type: kind(CHANGE_NAMES, step.type, "change type"),
      id: safeInteger(step.id, "change id"),
    })),
    context: bytes(wire.context),
  };
}

function snapshotFromWire(wire: seshat.SnapshotMeta.$Properties): RaftSnapshotMeta {
  const state = present(wire.confState, "confState");
  const members = (ids: number[] | null | undefined, field: string): number[] =>
    (ids ?? []).map((id) => safeInteger(id, field));
  return {
    index: safeInteger(wire.index, "snapshot index"),
    term: safeInteger(wire.term, "snapshot term"),
    confState: {
      voters: members(state.voters, "voter"),
      votersOutgoing: members(state.votersOutgoing, "outgoing voter"),
      learners: members(state.learners, "learner"),
      learnersNext: members(state.learnersNext, "next learner"),
      autoLeave: state.autoLeave ?? false,
    },
  };
}
