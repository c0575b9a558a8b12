// The connections to the other members: one outgoing link each, what is to be sent on it this turn, and who
// is at the other end. Frames are made once a turn.
//
//   we dialled:    Raft's messages and requests out, replies to the requests in
//   they dialled:  Raft's messages and requests in, replies to the requests out
//
// A reply takes the link its request came on, so both are lost together, and nothing is lost while that link lives.

import type {
  ClusterTable,
  JoinReply,
  JoinRequest,
  ProxyReply,
  ProxyRequest,
} from "../wire/cluster-messages.ts";
import type { ClusterSetting } from "../wire/cluster-setting.ts";
import { encodePeerFrame, type PeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import type { StateDigest } from "../wire/state-digest.ts";
import type { SubscriptionCount } from "../wire/subscription-counts.ts";
import type { PeerIdentity, PeerLink } from "./ports.ts";

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
  | "clusterSettings"
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
  clusterSettings: [],
  stateDigests: [],
  stateRequests: [],
  freshQuestions: [],
});

type Replies = Parts<"proxyReplies" | "joinReplies" | "freshAnswers">;
const noReplies = (): Replies => ({ proxyReplies: [], joinReplies: [], freshAnswers: [] });

interface Peer {
  readonly link: PeerLink;
  requests: Requests;
  dirty: boolean;
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

  /** The link we opened has shaken hands with `remote`. */
  up(link: PeerLink, remote: PeerIdentity, upMs: number): void {
    const requests = noRequests();
    this.#byMember.set(remote.incarnation, { link, requests, dirty: false, upMs, heardMs: 0 });
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
    this.#callers.set(remote.incarnation, { link, upMs, clusterId: "", replies, dirty: false });
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
    this.#to(message.to)?.raft.push(message);
  }

  request(member: number, request: ProxyRequest): void {
    this.#to(member)?.proxyRequests.push(request);
  }

  /** Dropped when the link of its request is gone: the other side knows that it was. */
  proxyReply(member: number, reply: ProxyReply): void {
    this.#back(member)?.proxyReplies.push(reply);
  }

  joinRequest(member: number, request: JoinRequest): void {
    this.#to(member)?.joinRequests.push(request);
  }

  joinReply(member: number, reply: JoinReply): void {
    this.#back(member)?.joinReplies.push(reply);
  }

  freshQuestion(member: number, round: number): void {
    this.#to(member)?.freshQuestions.push({ round });
  }

  freshAnswer(member: number, round: number): void {
    this.#back(member)?.freshAnswers.push({ round });
  }

  table(member: number, table: ClusterTable): void {
    this.#to(member)?.tables.push(table);
  }

  subscriptions(member: number, counts: readonly SubscriptionCount[]): void {
    this.#to(member)?.subscriptionCounts.push({ counts });
  }

  settings(member: number, settings: readonly ClusterSetting[]): void {
    this.#to(member)?.clusterSettings.push(...settings);
  }

  stateDigest(member: number, digest: StateDigest): void {
    this.#to(member)?.stateDigests.push(digest);
  }

  stateRequest(member: number): void {
    this.#to(member)?.stateRequests.push({});
  }

  /** Bytes on our link to the member that the kernel has not taken. */
  queuedBytes(member: number): number {
    return this.#byMember.get(member)?.link.queuedBytes ?? 0;
  }

  /** One frame to each peer that is to get anything, and one with replies to each that asked. */
  flush(): void {
    for (const peer of this.#dirty) {
      const { link, requests } = peer;
      peer.dirty = false;
      peer.requests = noRequests();
      this.#send(link, requests);
    }
    this.#dirty.length = 0;
    for (const caller of this.#answered) {
      const { link, replies } = caller;
      caller.dirty = false;
      caller.replies = noReplies();
      this.#send(link, replies);
    }
    this.#answered.length = 0;
  }

  /**
   * Frames are made in memory that is used again, as long as links take them at once: new memory for every frame
   * costs a page fault every 4 KiB, more than the copy into it.
   */
  #send(link: PeerLink, parts: Partial<PeerFrame>): void {
    const frame = encodePeerFrame(parts, link.queuedBytes > 0 ? undefined : this.#memory);
    this.sentBytes += frame.length;
    link.send(frame);
    if (link.queuedBytes > 0 && frame.buffer === this.#memory.buffer) {
      this.#memory = Buffer.allocUnsafeSlow(FRAME_MEMORY_BYTES);
    }
  }

  /** Undefined when it cannot be reached: the message is lost, as on any network. */
  #to(member: number): Requests | undefined {
    const peer = this.#byMember.get(member);
    if (peer === undefined) return undefined;
    if (!peer.dirty) this.#dirty.push(peer);
    peer.dirty = true;
    return peer.requests;
  }

  /** Undefined when the link of the request is gone: the other side knows that it was. */
  #back(member: number): Replies | undefined {
    const caller = this.#callers.get(member);
    if (caller === undefined) return undefined;
    if (!caller.dirty) this.#answered.push(caller);
    caller.dirty = true;
    return caller.replies;
  }
}
