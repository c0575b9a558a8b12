// The connections to the other members: one outgoing link each, what is to be sent on it this turn, and who
// is at the other end. Frames are made once a turn.

import type { ClusterTable, ProxyReply, ProxyRequest } from "../wire/cluster-messages.ts";
import { encodePeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import type { PeerIdentity, PeerLink } from "./ports.ts";

interface Peer {
  link: PeerLink;
  raft: RaftMessage[];
  proxyRequests: ProxyRequest[];
  proxyReplies: ProxyReply[];
  tables: ClusterTable[];
  dirty: boolean;
}

export class PeerLinks {
  readonly #byMember = new Map<number, Peer>();
  readonly #dirty: Peer[] = [];

  /** The link we opened has shaken hands with `remote`. */
  up(link: PeerLink, remote: PeerIdentity): void {
    this.#byMember.set(remote.incarnation, {
      link,
      raft: [],
      proxyRequests: [],
      proxyReplies: [],
      tables: [],
      dirty: false,
    });
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

  isUp(member: number): boolean {
    return this.#byMember.has(member);
  }

  identities(): PeerIdentity[] {
    const found: PeerIdentity[] = [];
    for (const { link } of this.#byMember.values()) if (link.remote !== undefined) found.push(link.remote);
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

  proxyReply(member: number, reply: ProxyReply): void {
    this.#to(member)?.proxyReplies.push(reply);
  }

  table(member: number, table: ClusterTable): void {
    this.#to(member)?.tables.push(table);
  }

  /** One frame to each peer that is to get anything. */
  flush(): void {
    if (this.#dirty.length === 0) return;
    for (const peer of this.#dirty) {
      peer.dirty = false;
      peer.link.send(encodePeerFrame(peer));
      peer.raft = [];
      peer.proxyRequests = [];
      peer.proxyReplies = [];
      peer.tables = [];
    }
    this.#dirty.length = 0;
  }

  /** Undefined when it cannot be reached: the message is lost, as on any network. */
  #to(member: number): Peer | undefined {
    const peer = this.#byMember.get(member);
    if (peer !== undefined && !peer.dirty) {
      peer.dirty = true;
      this.#dirty.push(peer);
    }
    return peer;
  }
}
