// The connections to the other members: one outgoing link each, what is to be sent on it this turn, and who
// is at the other end. Frames are made once a turn; which lane they take is link-frames' business.
//
//   we dialled:    Raft's messages and requests out, replies to the requests in
//   they dialled:  Raft's messages and requests in, replies to the requests out
//
// A reply takes the link its request came on, so both are lost together, and nothing is lost while that link lives.

import { FRAME_PAYLOAD_BYTES } from "../base/limits.ts";
import type {
  ClusterTable,
  JoinReply,
  JoinRequest,
  ProxyReply,
  ProxyRequest,
} from "../wire/cluster-messages.ts";
import { encodePeerFrameParts, type PeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import type { StateDigest } from "../wire/state-digest.ts";
import type { SubscriptionCount } from "../wire/subscription-counts.ts";
import { inLanes, payloadBytesOf } from "./link-frames.ts";
import type { PeerIdentity, PeerLink } from "./ports.ts";

/** With no more payload than this a turn's frame is short: all of it goes together. */
const TOGETHER_BYTES_MAX = FRAME_PAYLOAD_BYTES / 8;
/** A turn's batch, or what a busy follower passes on, fits. */
const FRAME_MEMORY_BYTES = 2 << 20;

/** What is to be said on a link by the end of the turn. */
type Parts<Kind extends keyof PeerFrame> = { readonly [K in Kind]: PeerFrame[K][number][] };

type Requests = Parts<
  | "raft"
  | "proxyRequests"
  | "tables"
  | "joinRequests"
  | "subscriptionCounts"
  | "stateDigests"
  | "stateRequests"
  | "freshQuestions"
>;
const noRequests = (): Requests => ({
  raft: [],
  proxyRequests: [],
  tables: [],
  joinRequests: [],
  subscriptionCounts: [],
  stateDigests: [],
  stateRequests: [],
  freshQuestions: [],
});

type Replies = Parts<"proxyReplies" | "joinReplies" | "freshAnswers">;
const noReplies = (): Replies => ({ proxyReplies: [], joinReplies: [], freshAnswers: [] });

interface Peer {
  readonly link: PeerLink;
  requests: Requests;
  /** Of the requests and appends. */
  payloadBytes: number;
  dirty: boolean;
  /** What the link's `takenBytes` was when it was last looked at. */
  takenBytes: number;
  /** Unix time in ms. */
  readonly upMs: number;
  /** When its last frame came, on whichever link. */
  heardMs: number;
}

interface Caller {
  readonly link: PeerLink;
  /** Unix time in ms. */
  readonly upMs: number;
  /** The cluster it said it was in since the handshake; "" if it said nothing. */
  clusterId: string;
  replies: Replies;
  payloadBytes: number;
  dirty: boolean;
}

export class PeerLinks {
  readonly #byMember = new Map<number, Peer>();
  readonly #dirty: Peer[] = [];
  readonly #callers = new Map<number, Caller>();
  readonly #answered: Caller[] = [];
  /** Bytes of frames made since the start. */
  sentBytes = 0;
  #memory = Buffer.allocUnsafeSlow(FRAME_MEMORY_BYTES);
  #isMemoryUsed = false;

  /** The link we opened has shaken hands with `remote`. */
  up(link: PeerLink, remote: PeerIdentity, upMs: number): void {
    this.#byMember.set(remote.incarnation, {
      link,
      requests: noRequests(),
      payloadBytes: 0,
      dirty: false,
      takenBytes: link.takenBytes,
      upMs,
      heardMs: 0,
    });
  }

  /** A frame came from the member. */
  heard(member: number, nowMs: number): void {
    const peer = this.#byMember.get(member);
    if (peer !== undefined) peer.heardMs = nowMs;
  }

  /** When the last frame came from it; 0 = none yet, or there is no link. */
  heardMs(member: number): number {
    return this.#byMember.get(member)?.heardMs ?? 0;
  }

  /** `remote` has dialled us. The link it used before, which it has given up, or undefined. */
  called(link: PeerLink, remote: PeerIdentity, upMs: number): PeerLink | undefined {
    const before = this.#callers.get(remote.incarnation)?.link;
    const replies = noReplies();
    this.#callers.set(remote.incarnation, {
      link,
      upMs,
      clusterId: "",
      replies,
      payloadBytes: 0,
      dirty: false,
    });
    return before;
  }

  /** A link of theirs is gone; false if it was not in use any more. */
  hungUp(link: PeerLink, member: number): boolean {
    return this.isCaller(link, member) && this.#callers.delete(member);
  }

  /** Is this the link on which the member's requests come now? */
  isCaller(link: PeerLink, member: number): boolean {
    return this.#callers.get(member)?.link === link;
  }

  /** The link on which the member's requests come; undefined = it has none. */
  callerOf(member: number): PeerLink | undefined {
    return this.#callers.get(member)?.link;
  }

  /** The member at its end sent the table of the cluster it is in by now. */
  introduced(link: PeerLink, member: number, clusterId: string): void {
    const caller = this.#callers.get(member);
    if (caller?.link === link) caller.clusterId = clusterId;
  }

  /** What it said on this link; "" if it said nothing. */
  clusterOf(link: PeerLink, member: number): string {
    const caller = this.#callers.get(member);
    return caller?.link === link ? caller.clusterId : "";
  }

  /** Is this the link on which we ask the member? */
  isCurrent(link: PeerLink, member: number): boolean {
    return this.#byMember.get(member)?.link === link;
  }

  /** The member that was at its end, if it was the one in use. */
  down(link: PeerLink): number | undefined {
    for (const [member, peer] of this.#byMember) {
      if (peer.link !== link) continue;
      this.#byMember.delete(member);
      return member;
    }
    return undefined;
  }

  /** Our link to the member, for people to look at. */
  linkTo(member: number): { readonly createdMs: number; readonly queuedBytes: number } | undefined {
    const peer = this.#byMember.get(member);
    return peer && { createdMs: peer.upMs, queuedBytes: peer.link.queuedBytes };
  }

  /** And the member's link to us. */
  linkFrom(member: number): { readonly createdMs: number; readonly queuedBytes: number } | undefined {
    const caller = this.#callers.get(member);
    return caller && { createdMs: caller.upMs, queuedBytes: caller.link.queuedBytes };
  }

  isUp(member: number): boolean {
    return this.#byMember.has(member);
  }

  identities(): PeerIdentity[] {
    const found: PeerIdentity[] = [];
    for (const { link } of this.#byMember.values()) if (link.remote !== undefined) found.push(link.remote);
    return found;
  }

  /** Everybody at the other end of a connection, ours or theirs, each with the cluster it last named. */
  acquaintances(): PeerIdentity[] {
    const found = new Map<number, PeerIdentity>();
    for (const remote of this.identities()) found.set(remote.incarnation, remote);
    for (const caller of this.callers()) {
      const clusterId = caller.clusterId || (found.get(caller.incarnation)?.clusterId ?? "");
      found.set(caller.incarnation, { ...caller, clusterId });
    }
    return [...found.values()];
  }

  /** Those who have dialled us, each with the cluster it last named. */
  callers(): PeerIdentity[] {
    const found: PeerIdentity[] = [];
    for (const { link, clusterId } of this.#callers.values()) {
      if (link.remote !== undefined)
        found.push({ ...link.remote, clusterId: clusterId || link.remote.clusterId });
    }
    return found;
  }

  identityOf(member: number): PeerIdentity | undefined {
    return this.#byMember.get(member)?.link.remote;
  }

  message(message: RaftMessage): void {
    const peer = this.#to(message.to);
    if (peer === undefined) return;
    peer.requests.raft.push(message);
    peer.payloadBytes += payloadBytesOf(message);
  }

  request(member: number, request: ProxyRequest): void {
    const peer = this.#to(member);
    if (peer === undefined) return;
    peer.requests.proxyRequests.push(request);
    peer.payloadBytes += request.commands.length;
  }

  /** Dropped when the link of its request is gone: the other side knows that it was. */
  proxyReply(member: number, reply: ProxyReply): void {
    const caller = this.#back(member);
    if (caller === undefined) return;
    caller.replies.proxyReplies.push(reply);
    caller.payloadBytes += reply.replies.length;
  }

  joinRequest(member: number, request: JoinRequest): void {
    this.#to(member)?.requests.joinRequests.push(request);
  }

  joinReply(member: number, reply: JoinReply): void {
    this.#back(member)?.replies.joinReplies.push(reply);
  }

  freshQuestion(member: number, round: number): void {
    this.#to(member)?.requests.freshQuestions.push({ round });
  }

  freshAnswer(member: number, round: number): void {
    this.#back(member)?.replies.freshAnswers.push({ round });
  }

  table(member: number, table: ClusterTable): void {
    this.#to(member)?.requests.tables.push(table);
  }

  subscriptions(member: number, counts: readonly SubscriptionCount[]): void {
    this.#to(member)?.requests.subscriptionCounts.push({ counts });
  }

  stateDigest(member: number, digest: StateDigest): void {
    this.#to(member)?.requests.stateDigests.push(digest);
  }

  stateRequest(member: number): void {
    this.#to(member)?.requests.stateRequests.push({});
  }

  /** Bytes that wait to go to the member on our link, this turn's included. */
  queuedBytes(member: number): number {
    const peer = this.#byMember.get(member);
    return peer === undefined ? 0 : peer.link.queuedBytes + peer.payloadBytes;
  }

  /** The same on its link to us: replies. */
  queuedReplyBytes(member: number): number {
    const caller = this.#callers.get(member);
    return caller === undefined ? 0 : caller.link.queuedBytes + caller.payloadBytes;
  }

  /** Calls back for each member that has received more of what is under way to it since the last call. */
  deliveries(gained: (member: number) => void): void {
    for (const [member, peer] of this.#byMember) {
      const { takenBytes } = peer.link;
      if (takenBytes === peer.takenBytes) continue;
      peer.takenBytes = takenBytes;
      gained(member);
    }
  }

  /** What is to be said to each peer, and the replies to each that asked. */
  flush(): void {
    for (const peer of this.#dirty) {
      const { link, requests, payloadBytes } = peer;
      peer.dirty = false;
      peer.requests = noRequests();
      peer.payloadBytes = 0;
      this.#send(link, requests, payloadBytes);
    }
    this.#dirty.length = 0;
    for (const caller of this.#answered) {
      const { link, replies, payloadBytes } = caller;
      caller.dirty = false;
      caller.replies = noReplies();
      caller.payloadBytes = 0;
      this.#send(link, replies, payloadBytes);
    }
    this.#answered.length = 0;
  }

  #send(link: PeerLink, parts: Partial<PeerFrame>, payloadBytes: number): void {
    if (payloadBytes <= TOGETHER_BYTES_MAX && link.queuedBytes === 0) {
      link.send(this.#encode(link, parts));
      this.#keepMemory(link);
      return;
    }
    const { urgent, ordered } = inLanes(parts);
    if (urgent !== undefined) {
      for (const frame of this.#encode(link, urgent)) link.sendUrgent(frame);
      this.#keepMemory(link);
    }
    for (const frame of ordered) {
      link.send(this.#encode(link, frame));
      this.#keepMemory(link);
    }
  }

  /**
   * Frames are made in memory that is used again, as long as links take them at once: new memory for every frame
   * costs a page fault every 4 KiB, more than the copy into it.
   */
  #encode(link: PeerLink, parts: Partial<PeerFrame>): readonly Uint8Array[] {
    const frame = encodePeerFrameParts(parts, link.queuedBytes > 0 ? undefined : this.#memory);
    for (const part of frame) {
      this.sentBytes += part.length;
      if (part.buffer === this.#memory.buffer) this.#isMemoryUsed = true;
    }
    return frame;
  }

  /** A frame that waits keeps the memory it is in. */
  #keepMemory(link: PeerLink): void {
    if (this.#isMemoryUsed && link.queuedBytes > 0) this.#memory = Buffer.allocUnsafeSlow(FRAME_MEMORY_BYTES);
    this.#isMemoryUsed = false;
  }

  /** Undefined when it cannot be reached: the message is lost, as on any network. */
  #to(member: number): Peer | undefined {
    const peer = this.#byMember.get(member);
    if (peer === undefined) return undefined;
    if (!peer.dirty) this.#dirty.push(peer);
    peer.dirty = true;
    return peer;
  }

  /** Undefined when the link of the request is gone: the other side knows that it was. */
  #back(member: number): Caller | undefined {
    const caller = this.#callers.get(member);
    if (caller === undefined) return undefined;
    if (!caller.dirty) this.#answered.push(caller);
    caller.dirty = true;
    return caller;
  }
}
