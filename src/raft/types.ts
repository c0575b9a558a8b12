// The vocabulary of the consensus core: what goes in, what comes out. Values only, no behaviour; bytes stay opaque.

/** A safe integer > 0, or one of the constants below. In production a random 48-bit incarnation (DESIGN 8). */
export type MemberId = number;

export const NO_MEMBER: MemberId = 0;
/** Addresses of the two local storage workers; only used with `asyncStorageWrites`. Never on the wire. */
export const APPEND_THREAD: MemberId = -1;
export const APPLY_THREAD: MemberId = -2;

export type EntryType = "normal" | "confChange" | "confChangeV2";

export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly type: EntryType;
  /** Kept by reference from propose() to committedEntries. */
  readonly data: Uint8Array;
  readonly confChange?: ConfChange | undefined;
}

export interface ConfChangeStep {
  readonly type: "addVoter" | "addLearner" | "remove" | "update";
  readonly id: MemberId;
}

/**
 * A change of membership. One step with transition "auto" is applied at once; anything else goes through a joint
 * configuration, left automatically ("auto", "implicit") or by proposing an empty change ("explicit").
 */
export interface ConfChange {
  readonly transition: "auto" | "implicit" | "explicit";
  readonly changes: readonly ConfChangeStep[];
  readonly context: Uint8Array;
}

/** Every list ascending. Joint while `votersOutgoing` is not empty. */
export interface ConfState {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  readonly autoLeave: boolean;
}

/** Metadata only: the bytes of a snapshot travel outside the core. */
export interface SnapshotMeta {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

export interface HardState {
  readonly term: number;
  readonly vote: MemberId;
  readonly commit: number;
}

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

export interface SoftState {
  readonly leader: MemberId;
  readonly role: Role;
}

export type MessageType =
  | "propose"
  | "append"
  | "appendResponse"
  | "vote"
  | "voteResponse"
  | "preVote"
  | "preVoteResponse"
  | "snapshot"
  | "heartbeat"
  | "heartbeatResponse"
  | "transferLeader"
  | "timeoutNow"
  | "readIndex"
  | "readIndexResponse"
  | "storageAppend"
  | "storageAppendResponse"
  | "storageApply"
  | "storageApplyResponse";

/** One flat record for all types: every message has the same hidden class. Unused fields are zero or empty. */
export interface Message {
  readonly type: MessageType;
  readonly to: MemberId;
  readonly from: MemberId;
  /** 0 in "propose" and "readIndex", which count as local input wherever they arrive. */
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly vote: MemberId;
  readonly reject: boolean;
  readonly rejectHint: number;
  readonly snapshot?: SnapshotMeta | undefined;
  /** readIndex, readIndexResponse: the caller's context. */
  readonly context: Uint8Array;
  /** heartbeat and its response: position of the youngest read that this round confirms; 0 = none. */
  readonly readPosition: number;
  /** vote, preVote: this election was ordered by the leader (transfer), so its lease does not stand against it. */
  readonly transfer: boolean;
  /**
   * The leader's monotonic clock. append, heartbeat, snapshot: when it was sent; their responses: echoed;
   * timeoutNow and transfer votes: when the lease was given up. 0 = no lease asked for.
   */
  readonly stampMs: number;
  /** storageAppend, storageApply: what to deliver once the work is durable. */
  readonly responses: readonly Message[];
}

export interface ReadState {
  /** Serve the read once this index is applied. */
  readonly index: number;
  readonly context: Uint8Array;
}

/** One batch of effects. Persist `hardState`, `snapshot`, `entries`, then send `messages`, apply, call advance(). */
export interface Ready {
  readonly softState: SoftState | undefined;
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMeta | undefined;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly mustSync: boolean;
  /** Contexts of this node's readIndex() calls that will never be answered. */
  readonly droppedReads: readonly Uint8Array[];
  /** Forwarded proposals (no term or index yet) that arrived here and were refused. */
  readonly droppedProposals: readonly Entry[];
  /** A broken invariant: the core is halted, with the numbers in the text. */
  readonly fault: string | undefined;
}

export type StepRefusal = "localMessage" | "peerNotFound" | "proposalDropped" | "malformed" | "halted";
export type StepResult = { readonly ok: true } | { readonly ok: false; readonly reason: StepRefusal };

export type ProposeRefusal = "proposalDropped" | "confChangeRefused" | "confChangeInvalid" | "halted";
/** Index 0: forwarded to the leader, its place is not known here. */
export type ProposeResult =
  | { readonly ok: true; readonly term: number; readonly index: number }
  | { readonly ok: false; readonly reason: ProposeRefusal };

export type TraceLevel = "debug" | "info" | "warn" | "error";
export type Trace = (level: TraceLevel, text: string) => void;

/** What the leader knows of one member, for INFO, metrics and tests. A copy. */
export interface ProgressView {
  readonly id: MemberId;
  readonly match: number;
  readonly next: number;
  readonly state: "probe" | "replicate" | "snapshot";
  readonly pendingSnapshot: number;
  readonly recentActive: boolean;
  readonly paused: boolean;
  readonly isLearner: boolean;
  readonly inflightCount: number;
  readonly inflightBytes: number;
  readonly inflightFull: boolean;
}
