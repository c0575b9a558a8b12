// What a turn has to say on one link, as frames: in one, or, when much is said or much waits there already, in two lanes
// (docs/adr/0021), the ordered one in frames of about FRAME_PAYLOAD_BYTES. Parts in, parts of frames out; encodes nothing.

import { FRAME_PAYLOAD_BYTES } from "../base/limits.ts";
import type { PeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";

type Kind = keyof PeerFrame;
type Lane = "urgent" | "ordered";

/** A new kind that is missing here does not compile. Of Raft's messages only appends are ordered. */
const LANES: Readonly<Record<Exclude<Kind, "raft">, Lane>> = {
  tables: "urgent",
  joinRequests: "urgent",
  joinReplies: "urgent",
  freshQuestions: "urgent",
  freshAnswers: "urgent",
  proxyRequests: "ordered",
  proxyReplies: "ordered",
  subscriptionCounts: "ordered",
  stateDigests: "ordered",
  stateRequests: "ordered",
};

/** One lane's share of a turn. */
type Share = { [K in Kind]?: PeerFrame[K][number][] };

export interface LaneFrames {
  /** Undefined: nothing urgent is to be said. */
  readonly urgent: Partial<PeerFrame> | undefined;
  readonly ordered: readonly Partial<PeerFrame>[];
}

/** Bytes of payload in what can be long. */
export function payloadBytesOf(message: RaftMessage): number {
  let bytes = 0;
  for (const entry of message.entries) bytes += entry.data.length;
  return bytes;
}

export function inLanes(parts: Partial<PeerFrame>): LaneFrames {
  const urgent: Share = {};
  const ordered = new FrameList();
  // Before requests: a PUBLISH must not count who has left.
  for (const kind of Object.keys(LANES) as (keyof typeof LANES)[]) {
    if (kind === "proxyRequests" || kind === "proxyReplies") continue;
    moveAll(parts, kind, LANES[kind] === "urgent" ? urgent : ordered.last);
  }
  const raft = parts.raft ?? [];
  const hurries = raft.filter(({ type }) => type !== "append");
  if (hurries.length > 0) urgent.raft = hurries;
  for (const message of raft)
    if (message.type === "append") ordered.add("raft", message, payloadBytesOf(message));
  for (const request of parts.proxyRequests ?? [])
    ordered.add("proxyRequests", request, request.commands.length);
  for (const reply of parts.proxyReplies ?? []) ordered.add("proxyReplies", reply, reply.replies.length);
  return {
    urgent: Object.keys(urgent).length > 0 ? (urgent as Partial<PeerFrame>) : undefined,
    ordered: ordered.frames.filter((frame) => Object.keys(frame).length > 0) as Partial<PeerFrame>[],
  };
}

function moveAll<K extends Kind>(parts: Partial<PeerFrame>, kind: K, share: Share): void {
  const found: PeerFrame[K] | undefined = parts[kind];
  if (found !== undefined && found.length > 0) share[kind] = [...found] as Share[K];
}

/** Frames that are filled one after the other. */
class FrameList {
  readonly frames: Share[] = [{}];
  #payloadBytes = 0;

  get last(): Share {
    return this.frames.at(-1)!;
  }

  add<K extends Kind>(kind: K, part: PeerFrame[K][number], payloadBytes: number): void {
    if (this.#payloadBytes > 0 && this.#payloadBytes + payloadBytes > FRAME_PAYLOAD_BYTES) {
      this.frames.push({});
      this.#payloadBytes = 0;
    }
    this.#payloadBytes += payloadBytes;
    const list: PeerFrame[K][number][] = this.last[kind] ?? [];
    list.push(part);
    this.last[kind] = list as Share[K];
  }
}
