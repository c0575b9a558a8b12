// One frame between two nodes: everything a turn has to say to one peer. Parts in, one buffer out (length prefix
// included, as PeerLink.send takes it); a received frame in, checked parts out, payloads as views into the frame.

import {
  type ClusterMember,
  type ClusterTable,
  type JoinReply,
  type JoinRequest,
  joinReplyFromWire,
  joinReplyToWire,
  joinRequestFromWire,
  joinRequestToWire,
  type ProxyReply,
  type ProxyRequest,
  proxyReplyFromWire,
  proxyRequestFromWire,
  tableFromWire,
  tableToWire,
  unknownBytes,
} from "./cluster-messages.ts";
import { type Decoded, decoded, keepingReader, safeInteger } from "./decode.ts";
import { copiedBytes, FRAME_PREFIX_BYTES, FrameWriter } from "./frame-writer.ts";
import { seshat } from "./generated/seshat.js";
import {
  type RaftMessage,
  raftMessageBytesMax,
  raftMessageFromWire,
  raftMessageToWire,
} from "./raft-message.ts";
import { settingValuesBytesMax } from "./setting-values.ts";
import { STATE_DIGEST_BYTES_MAX, type StateDigest, stateDigestFromWire } from "./state-digest.ts";
import {
  type SubscriptionCounts,
  subscriptionCountsBytesMax,
  subscriptionCountsFromWire,
  subscriptionCountsToWire,
} from "./subscription-counts.ts";

export interface PeerFrame {
  readonly raft: readonly RaftMessage[];
  readonly proxyRequests: readonly ProxyRequest[];
  readonly proxyReplies: readonly ProxyReply[];
  readonly tables: readonly ClusterTable[];
  readonly joinRequests: readonly JoinRequest[];
  readonly joinReplies: readonly JoinReply[];
  readonly subscriptionCounts: readonly SubscriptionCounts[];
  readonly stateDigests: readonly StateDigest[];
  readonly stateRequests: readonly StateRequest[];
  readonly freshQuestions: readonly FreshRound[];
  readonly freshAnswers: readonly FreshRound[];
}

/** It says nothing but who sent it. */
export type StateRequest = Readonly<Record<string, never>>;

/** A question of its sender whether the receiver is fresh, or the answer that it is. */
export interface FreshRound {
  readonly round: number;
}

type Wire = seshat.PeerFrame.$Properties;

/** One row per kind of part: a new kind in PeerFrame that is missing here does not compile. */
interface PartCodec<T> {
  /** Bytes of the encoded part at most, a little generous. */
  bytesMax(part: T): number;
  put(wire: Wire, parts: readonly T[]): void;
  take(wire: Wire): T[];
}
type Codecs = { readonly [K in keyof PeerFrame]: PartCodec<PeerFrame[K][number]> };

const MEMBER_BYTES_MAX = 512;
const text = (value: string): number => 8 + 3 * value.length;
const memberBytesMax = (member: ClusterMember): number => MEMBER_BYTES_MAX + unknownBytes(member);
const tableBytesMax = ({ members, names, settings }: ClusterTable): number =>
  members.reduce(
    (sum, member) => sum + memberBytesMax(member),
    128 + MEMBER_BYTES_MAX * names.length + settingValuesBytesMax(settings),
  );

/** Names and codes are short. */
const PROXY_NOTE_BYTES = 160;
const FRESH_ROUND_BYTES_MAX = 16;
const freshRoundFromWire = ({ round }: seshat.FreshQuestion.$Properties): FreshRound => ({
  round: safeInteger(round, "round"),
});

const CODECS: Codecs = {
  raft: {
    bytesMax: raftMessageBytesMax,
    put: (wire, parts) => {
      wire.raft = parts.map(raftMessageToWire);
    },
    take: (wire) => (wire.raft ?? []).map(raftMessageFromWire),
  },
  proxyRequests: {
    bytesMax: (p) =>
      80 + copiedBytes(p.commands.length) + (p.client === null ? 0 : 32 + p.client.address.length),
    put: (wire, parts) => {
      wire.proxyRequests = [...parts];
    },
    take: (wire) => (wire.proxyRequests ?? []).map(proxyRequestFromWire),
  },
  proxyReplies: {
    bytesMax: (p) =>
      96 + copiedBytes(p.replies.length) + PROXY_NOTE_BYTES * (p.times.length + p.failures.length),
    put: (wire, parts) => {
      wire.proxyReplies = [...parts];
    },
    take: (wire) => (wire.proxyReplies ?? []).map(proxyReplyFromWire),
  },
  tables: {
    bytesMax: tableBytesMax,
    put: (wire, parts) => {
      wire.tables = parts.map(tableToWire);
    },
    take: (wire) => (wire.tables ?? []).map(tableFromWire),
  },
  joinRequests: {
    bytesMax: ({ node }) => memberBytesMax(node) + 32,
    put: (wire, parts) => {
      wire.joinRequests = parts.map(joinRequestToWire);
    },
    take: (wire) => (wire.joinRequests ?? []).map(joinRequestFromWire),
  },
  joinReplies: {
    bytesMax: (p) =>
      p.lost.reduce((sum, name) => sum + text(name), 64 + text(p.text)) +
      (p.table === undefined ? 0 : tableBytesMax(p.table)),
    put: (wire, parts) => {
      wire.joinReplies = parts.map(joinReplyToWire);
    },
    take: (wire) => (wire.joinReplies ?? []).map(joinReplyFromWire),
  },
  subscriptionCounts: {
    bytesMax: subscriptionCountsBytesMax,
    put: (wire, parts) => {
      wire.subscriptionCounts = parts.map(subscriptionCountsToWire);
    },
    take: (wire) => (wire.subscriptionCounts ?? []).map(subscriptionCountsFromWire),
  },
  stateDigests: {
    bytesMax: () => STATE_DIGEST_BYTES_MAX,
    put: (wire, parts) => {
      wire.stateDigests = [...parts];
    },
    take: (wire) => (wire.stateDigests ?? []).map(stateDigestFromWire),
  },
  stateRequests: {
    bytesMax: () => 8,
    put: (wire, parts) => {
      wire.stateRequests = [...parts];
    },
    take: (wire) => (wire.stateRequests ?? []).map(() => ({})),
  },
  freshQuestions: {
    bytesMax: () => FRESH_ROUND_BYTES_MAX,
    put: (wire, parts) => {
      wire.freshQuestions = [...parts];
    },
    take: (wire) => (wire.freshQuestions ?? []).map(freshRoundFromWire),
  },
  freshAnswers: {
    bytesMax: () => FRESH_ROUND_BYTES_MAX,
    put: (wire, parts) => {
      wire.freshAnswers = [...parts];
    },
    take: (wire) => (wire.freshAnswers ?? []).map(freshRoundFromWire),
  },
};

/** Adds the bytes of `parts` to the estimate and puts them into `wire`. */
function put<T>(codec: PartCodec<T>, wire: Wire, parts: readonly T[] | undefined): number {
  if (parts === undefined || parts.length === 0) return 0;
  codec.put(wire, parts);
  let bytesMax = 0;
  for (const part of parts) bytesMax += codec.bytesMax(part);
  return bytesMax;
}

/**
 * A frame with these parts, as the memory it consists of, in order. Payloads are copied into it and nothing of the parts is
 * kept, but for payloads of SHARED_BYTES_LEAST and more: those are in it themselves, and must stay as they are until it is sent.
 * @param memory where to put it if it fits
 */
export function encodePeerFrameParts(parts: Partial<PeerFrame>, memory?: Buffer): readonly Uint8Array[] {
  return written(parts, memory).parts();
}

/** The same as one piece of memory, with copies of all payloads. */
export function encodePeerFrame(parts: Partial<PeerFrame>): Buffer {
  return written(parts, undefined).frame();
}

function written(parts: Partial<PeerFrame>, memory: Buffer | undefined): FrameWriter {
  const wire: Wire = {};
  const bytesMax =
    put(CODECS.raft, wire, parts.raft) +
    put(CODECS.proxyRequests, wire, parts.proxyRequests) +
    put(CODECS.proxyReplies, wire, parts.proxyReplies) +
    put(CODECS.tables, wire, parts.tables) +
    put(CODECS.joinRequests, wire, parts.joinRequests) +
    put(CODECS.joinReplies, wire, parts.joinReplies) +
    put(CODECS.subscriptionCounts, wire, parts.subscriptionCounts) +
    put(CODECS.stateDigests, wire, parts.stateDigests) +
    put(CODECS.stateRequests, wire, parts.stateRequests) +
    put(CODECS.freshQuestions, wire, parts.freshQuestions) +
    put(CODECS.freshAnswers, wire, parts.freshAnswers);
  const writer = new FrameWriter(bytesMax, memory);
  seshat.PeerFrame.encode(wire, writer);
  return writer;
}

/** @param frame as it arrived, length prefix included; the result's payloads point into it */
export function decodePeerFrame(frame: Buffer): Decoded<PeerFrame> {
  return decoded(() => {
    const wire: Wire = seshat.PeerFrame.decode(keepingReader(frame.subarray(FRAME_PREFIX_BYTES)));
    return {
      raft: CODECS.raft.take(wire),
      proxyRequests: CODECS.proxyRequests.take(wire),
      proxyReplies: CODECS.proxyReplies.take(wire),
      tables: CODECS.tables.take(wire),
      joinRequests: CODECS.joinRequests.take(wire),
      joinReplies: CODECS.joinReplies.take(wire),
      subscriptionCounts: CODECS.subscriptionCounts.take(wire),
      stateDigests: CODECS.stateDigests.take(wire),
      stateRequests: CODECS.stateRequests.take(wire),
      freshQuestions: CODECS.freshQuestions.take(wire),
      freshAnswers: CODECS.freshAnswers.take(wire),
    };
  });
}
