// Frames of other nodes: read, checked as a whole, and only then handed on, part by part, to whom they concern. What no
// node that follows the protocol sends ends the connection, with a line in the log, and nothing of that frame is done
// (docs/adr/0024).

import type { ClusterTable, JoinReply, JoinRequest } from "../wire/cluster-messages.ts";
import { decodePeerFrame, type PeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import type { ClusterParts } from "./cluster.ts";
import type { Membership } from "./membership.ts";
import {
  firstProblem,
  joinReplyProblem,
  memberProblem,
  printable,
  raftProblem,
  tableProblem,
} from "./peer-checks.ts";
import type { PeerLinks } from "./peer-links.ts";
import type { PeerLink } from "./ports.ts";

/** A peer that goes on breaking the protocol is named in the log so often. */
const SAY_AGAIN_MS = 1000;
/** Peers that are remembered for that. */
const SAID_MAX = 256;

/** What the cluster does about frames. */
export interface FrameSteps {
  tableCame(table: ClusterTable): void;
  /** The link's end has said which cluster it is in. */
  introduced(): void;
  joinAsked(link: PeerLink, request: JoinRequest): void;
  joinAnswered(link: PeerLink, reply: JoinReply): void;
  freshAnswered(from: number, round: number): void;
  /** Somebody wants a vote, perhaps only tentatively. */
  voteAsked(): void;
}

export class PeerFrames {
  receivedBytes = 0;
  readonly #parts: ClusterParts;
  readonly #membership: Membership;
  readonly #links: PeerLinks;
  readonly #steps: FrameSteps;
  /** When each peer that broke the protocol was named last. */
  readonly #saidMs = new Map<string, number>();

  constructor(parts: ClusterParts, membership: Membership, links: PeerLinks, steps: FrameSteps) {
    this.#parts = parts;
    this.#membership = membership;
    this.#links = links;
    this.#steps = steps;
  }

  take(link: PeerLink, frame: Buffer): void {
    this.receivedBytes += frame.length;
    const from = link.remote?.incarnation ?? 0;
    const decoded = decodePeerFrame(frame);
    if (!decoded.ok) return this.reject(link, `${decoded.error}: ${decoded.text}`);
    const problem = this.problem(link, from, decoded.value);
    if (problem === undefined) this.#handOn(link, from, decoded.value);
    else this.reject(link, problem);
  }

  /** The peer broke the protocol: the connection ends, and is made anew, perhaps with a better end to it. */
  reject(link: PeerLink, problem: string): void {
    const { ports, replica } = this.#parts;
    const peer = link.remote?.name ?? link.address;
    link.reject(problem);
    const saidMs = this.#saidMs.get(peer);
    if (saidMs !== undefined && replica.monotonicMs - saidMs < SAY_AGAIN_MS) return;
    if (this.#saidMs.size >= SAID_MAX) this.#saidMs.clear();
    this.#saidMs.set(peer, replica.monotonicMs);
    const fields = { peer, address: link.remote?.address, reason: printable(problem) };
    ports.log.error(fields, "a peer broke the protocol: the connection is closed");
  }

  /** What is wrong with any part of it, by the parts themselves and by what they answer. */
  problem(link: PeerLink, from: number, frame: PeerFrame): string | undefined {
    const { replica, forwarding, virtualSessions } = this.#parts;
    const { check } = replica.machine;
    const isCurrent = this.#links.isCurrent(link, from);
    return (
      firstProblem(frame.raft, (message) =>
        message.from === from ? raftProblem(message, check) : "a message in the name of another node",
      ) ??
      firstProblem(frame.tables, tableProblem) ??
      firstProblem(frame.joinRequests, ({ node }) => memberProblem(node)) ??
      firstProblem(frame.joinReplies, joinReplyProblem) ??
      virtualSessions.problem(from, frame.proxyRequests) ??
      firstProblem(isCurrent ? frame.proxyReplies : [], (reply) => forwarding.replyProblem(from, reply))
    );
  }

  #handOn(link: PeerLink, from: number, frame: PeerFrame): void {
    const { replica, forwarding, virtualSessions, pubSub, ports } = this.#parts;
    this.#links.heard(from, replica.monotonicMs);
    for (const table of frame.tables) {
      this.#steps.tableCame(table);
      this.#links.introduced(link, from, table.clusterId);
      this.#steps.introduced();
    }
    for (const request of frame.joinRequests) this.#steps.joinAsked(link, request);
    for (const { round } of frame.freshQuestions) {
      if (this.#membership.fresh && this.#links.isCaller(link, from)) this.#links.freshAnswer(from, round);
    }
    const isFellow = this.#isFellow(link, from);
    for (const message of isFellow ? frame.raft : []) {
      if (!this.#isForUs(message)) continue;
      if (message.type === "preVote" || message.type === "vote") this.#steps.voteAsked();
      const objection = replica.step(message);
      if (objection !== undefined) return this.reject(link, `${message.type}: ${objection}`);
    }
    if (this.#links.isCaller(link, from)) {
      // Before commands: a PUBLISH does not count who had left when it was sent.
      for (const { counts } of frame.subscriptionCounts) {
        if (!pubSub.peers.told(from, counts)) this.reject(link, "more subscriptions than a node may have");
      }
      for (const request of frame.proxyRequests) virtualSessions.request(from, request);
      for (const digest of frame.stateDigests) this.#parts.digestReported(from, digest);
      if (frame.stateRequests.length > 0 && isFellow) this.#parts.stateRequested(from);
    }
    if (this.#links.isCurrent(link, from)) {
      for (const reply of frame.proxyReplies) forwarding.reply(from, reply);
      for (const { round } of frame.freshAnswers) this.#steps.freshAnswered(from, round);
      // Last: one of them may end what the others came for.
      for (const reply of frame.joinReplies) this.#steps.joinAnswered(link, reply);
    }
    ports.scheduler.requestTurn();
  }

  /**
   * Belongs to this cluster, whether or not this node has heard of it: a leader that joined after the end of our log
   * is known by what it is about to tell us.
   */
  #isFellow(link: PeerLink, member: number): boolean {
    const { clusterId, fresh } = this.#membership;
    if (this.#membership.member(member) !== undefined) return true;
    const itsCluster = link.remote?.clusterId;
    return !fresh && (itsCluster === clusterId || this.#links.clusterOf(link, member) === clusterId);
  }

  /** To this incarnation: this node may have been another when it was sent. */
  #isForUs({ to }: RaftMessage): boolean {
    return to === this.#membership.self.incarnation;
  }
}
