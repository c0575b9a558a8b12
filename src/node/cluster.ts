// This node among the others: links, founding or joining the cluster, peers' frames, snapshots both ways.
// Everything that Raft decides is the replica's; here is only who can be reached and who is who.

import { assert } from "../base/assert.ts";
import type { Settings } from "../config/table.ts";
import { type ConfChange, type ConfState, isVoter, type Message, type SnapshotMeta } from "../raft/index.ts";
import type { ClusterTable, JoinReply, JoinRequest } from "../wire/cluster-messages.ts";
import type { StateDigest } from "../wire/state-digest.ts";
import { Admission } from "./admission.ts";
import { Dialled } from "./dialled.ts";
import type { Forwarding } from "./forwarding.ts";
import { Founding, foundedText } from "./founding.ts";
import { Membership } from "./membership.ts";
import { passwordCaution, printable } from "./peer-checks.ts";
import { PeerFrames } from "./peer-frames.ts";
import { PeerLinks } from "./peer-links.ts";
import type { LinkDown, PeerLink, Ports } from "./ports.ts";
import type { PubSub } from "./publish-subscribe.ts";
import { MODE_LEADER, MODE_NONE, type Replica } from "./replica.ts";
import type { StagedState } from "./snapshot-transfer.ts";
import { Snapshots } from "./snapshots.ts";
import { LostMajority, lostProblem, notLetIn, removedReply, removedText, unreachable } from "./standing.ts";
import type { VirtualSessions } from "./virtual-sessions.ts";

const CLUSTER_ID_DIGITS = 32;
/** How often a node that wants to join asks, and how long it leaves it after a refusal. */
const ASK_INTERVAL_MS = 200;
const ASK_AGAIN_MS = 5000;
const LEARNER_ASKS_MS = 1000;
/** A newcomer that was let in and gets neither state nor answers knows nothing yet, and starts anew. */
const NO_STATE_MS = 5000;
/** A voter that has no leader for so many election timeouts asks whether it still is one. */
const VOTER_ASKS_ELECTIONS = 3;
/**
 * A removed node keeps its links for so long: its clients' last answers are still on their way. And again when its vote
 * is asked for: others may not know yet that it is removed, and have no majority without it (of four voters one is
 * removed, and the leader that knew it is lost).
 */
const REMOVED_LINGER_MS = 1000;
/** Addresses with a reason why nobody there wants us, kept for the operator. */
const REFUSALS_MAX = 64;

export interface ClusterParts {
  readonly ports: Ports;
  readonly settings: Settings;
  replica: Replica;
  forwarding: Forwarding;
  virtualSessions: VirtualSessions;
  pubSub: PubSub;
  /** Of the cluster, as this node's file has them. */
  foundingSettings(): ClusterTable["settings"];
  /** A member's digest, or the leader's word that ours is wrong. */
  digestReported(member: number, digest: StateDigest): void;
  /** A member whose state is wrong wants ours. */
  stateRequested(member: number): void;
}

export class Cluster {
  readonly membership: Membership;
  readonly links = new PeerLinks();
  readonly admission: Admission;
  readonly snapshots: Snapshots;
  readonly #parts: ClusterParts;
  readonly #dialled: Dialled;
  readonly #founding = new Founding();
  readonly #frames: PeerFrames;
  /** Why nobody can be served by this node, as an error for clients; undefined while somebody may be. */
  problem: string | undefined;
  #removedMs = 0;
  #acceptedMs = 0;
  readonly #refusals = new Map<string, string>();
  #nextAskMs = 0;
  readonly #lost = new LostMajority();

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { self } = parts.ports.peers;
    this.membership = new Membership(
      {
        name: self.name,
        address: self.address,
        clientAddress: self.clientAddress,
        clientHostname: self.clientHostname,
        incarnation: self.incarnation,
      },
      parts.settings.members,
    );
    this.admission = new Admission(this.membership, parts.ports.log);
    this.#dialled = new Dialled(parts.ports.peers);
    this.snapshots = new Snapshots(parts, this.membership, this.links);
    this.#frames = new PeerFrames(parts, this.membership, this.links, {
      tableCame: (table) => this.#adopt(table),
      // Its sender may have been fresh when it called, and lead by now; it hears only what we send on a link of our own.
      introduced: () => this.#redial(),
      joinAsked: (link, request) => this.#asked(link, request),
      joinAnswered: (link, reply) => this.#answered(link, reply),
      freshAnswered: (from, round) => {
        this.#founding.answered(from, round);
        this.#tryToFound();
      },
      voteAsked: () => {
        if (this.isRemoved) this.#linger();
      },
    });
  }

  /** Bytes of peers' frames since the start, for INFO. */
  get receivedBytes(): number {
    return this.#frames.receivedBytes;
  }

  /** Dials the other configured members; a cluster of one founds itself. */
  start(): void {
    this.#redial();
    this.#tryToFound();
  }

  /** A change of the members has been applied, on whatever node. */
  configurationChanged(change: ConfChange, before: ConfState, after: ConfState, index: number): void {
    const { replica, ports } = this.#parts;
    const { incarnation: self } = this.membership.self;
    const gone = this.membership.list();
    this.admission.applied(change, after, index);
    this.#redial();
    ports.scheduler.requestTurn();
    for (const id of replica.mode === MODE_LEADER ? after.learners : []) {
      const member = this.membership.member(id);
      if (isIn(before, id) || member === undefined) continue;
      this.links.joinReply(id, this.admission.accepted(replica.raft!, member));
    }
    // Those that are none any more may not hear of it by the log.
    for (const { incarnation, name } of gone) {
      if (isIn(after, incarnation) || replica.mode !== MODE_LEADER) continue;
      this.links.joinReply(incarnation, removedReply(name));
    }
    // A learner that was given up asks again; who has been a voter and is not wanted was told to go.
    if (isVoter(before, self) && !isIn(after, self)) this.#removed();
  }

  /** This process has been a member, and will never be one again. */
  get isRemoved(): boolean {
    return this.#removedMs > 0;
  }

  /** Requests go out on our link, and their replies come in on it. */
  reaches(member: number): boolean {
    return this.links.isUp(member);
  }

  linkUp(link: PeerLink): void {
    const { remote } = link;
    assert(remote !== undefined, "a link is up before its handshake");
    const { replica, virtualSessions, pubSub, ports } = this.#parts;
    if (link.outgoing) {
      this.links.up(link, remote, replica.wallMs);
      this.#refusals.delete(link.address);
      pubSub.linkOpened(remote.incarnation);
    } else {
      pubSub.peers.forget(remote.incarnation);
      // It dials again only when it has lost its link, and what was asked on it: that we may not know yet.
      const before = this.links.called(link, remote, replica.wallMs);
      if (before !== undefined) virtualSessions.memberLost(remote.incarnation);
      before?.close();
      this.#redial();
      this.#nextAskMs = 0;
    }
    ports.log.info({ peer: remote.name, outgoing: link.outgoing }, "peer connected");
    const caution = passwordCaution(this.#parts.settings.requirepass !== "", remote);
    if (caution !== undefined && link.outgoing) ports.log.warn({ peer: remote.name }, caution);
    if (this.membership.fresh) this.#tryToFound();
    // Whoever is in it and fresh joins by it; to others it says where we belong, should that be newer than our hello.
    else if (link.outgoing) this.links.table(remote.incarnation, this.membership.table());
    replica.reachabilityChanged();
    ports.scheduler.requestTurn();
  }

  linkDown(link: PeerLink, how: LinkDown, reason?: string): void {
    const { replica, forwarding, virtualSessions, pubSub, ports } = this.#parts;
    const { remote } = link;
    if (remote === undefined) return;
    const member = remote.incarnation;
    ports.log.info({ peer: remote.name, outgoing: link.outgoing, how, reason }, "peer disconnected");
    // What was asked on a link is lost with it: what we asked, or what the other side did.
    if (link.outgoing) {
      if (this.links.down(link) !== undefined) pubSub.peers.closed(member);
      forwarding.lost(member);
    } else if (this.links.hungUp(link, member)) {
      virtualSessions.memberLost(member);
      pubSub.peers.forget(member);
      this.#redial();
    }
    const { raft } = replica;
    if (raft !== undefined) {
      if (link.outgoing) raft.reportUnreachable(member);
      if (how === "reset" || how === "closed") raft.reportConnectionLost(member);
    }
    replica.reachabilityChanged();
    ports.scheduler.requestTurn();
  }

  linkRefused(link: PeerLink, how: LinkDown, text: string): void {
    if (how !== "refused") this.#refusals.delete(link.address);
    else if (this.#refusals.size < REFUSALS_MAX) this.#refusals.set(link.address, text);
    const { log } = this.#parts.ports;
    log.warn({ peer: link.address, how }, `no connection to the member at ${link.address}: ${text}`);
  }

  peerFrame(link: PeerLink, frame: Buffer): void {
    this.#frames.take(link, frame);
  }

  /** What the member asked for on its link breaks the protocol. */
  reject(member: number, problem: string): void {
    const link = this.links.callerOf(member);
    if (link !== undefined) this.#frames.reject(link, problem);
  }

  /** A message of the core. A "snapshot" goes on a connection of its own, with the state behind it. */
  send(message: Message): void {
    if (message.type !== "snapshot") this.links.message(message);
    else this.snapshots.send(message);
  }

  /** The state that belongs to a snapshot the core has accepted, with the table as of then. */
  takeStaged(meta: SnapshotMeta): StagedState {
    const staged = this.snapshots.takeStaged(meta);
    this.membership.replace(staged.table);
    this.#redial();
    return staged;
  }

  tick(): void {
    const { replica } = this.#parts;
    if (this.membership.fresh) this.#tryToFound();
    const { raft } = replica;
    if (this.#removedMs > 0) {
      if (replica.monotonicMs - this.#removedMs > REMOVED_LINGER_MS) this.#dialled.keep(new Set());
    } else if (raft !== undefined && raft.confState.voters.length === 0 && this.#isForgotten) this.#forget();
    // Until it is in the configuration: the entry that adds it may have been lost together with the leader.
    else if (raft === undefined || !isIn(raft.confState, raft.id)) this.#askToJoin(false, ASK_INTERVAL_MS);
    // It does not notice by itself that it was given up.
    else if (raft.isLearner) this.#askToJoin(false, LEARNER_ASKS_MS);
    else if (replica.mode === MODE_LEADER) {
      this.problem = undefined;
      this.admission.tick(raft, replica.monotonicMs, this.snapshots.sendingTo);
    } else this.#reflect(raft.confState);
    this.snapshots.tick();
  }

  /** Voters that cannot be reached, if no majority is left without them. */
  unreachable(): string[] {
    const { raft } = this.#parts.replica;
    const isUp = (member: number): boolean =>
      member === this.membership.self.incarnation || this.reaches(member);
    return raft === undefined ? [] : unreachable(raft.confState, this.membership, isUp);
  }

  /** What refuses this node, for the operator: "address: reason". */
  refusals(): string[] {
    return [...this.#refusals].map(([address, text]) => `${address}: ${text}`).sort();
  }

  /**
   * An operator's word that the others will not come back: this node goes on as the only member of a new cluster, with
   * everything in its log taken as agreed. Others join it empty, under the names they had.
   */
  recover(): void {
    const { ports, replica } = this.#parts;
    const { membership } = this;
    const before = membership.clusterId;
    const incarnation = ports.entropy.identity();
    this.snapshots.stop();
    const index = replica.startOver(incarnation);
    membership.startOver(ports.entropy.hex(CLUSTER_ID_DIGITS), incarnation, index);
    this.problem = undefined;
    ports.peers.update({ ...ports.peers.self, clusterId: membership.clusterId, incarnation });
    this.#redial();
    ports.log.warn(
      { cluster: membership.clusterId, before, index },
      "recovered: this node has started a new cluster from its own state",
    );
  }

  /** Dials whom the table knows, and whoever of this cluster calls from elsewhere. */
  #redial(): void {
    if (!this.isRemoved) this.#dial();
  }

  #dial(): void {
    const { membership } = this;
    const addresses = membership.addresses();
    for (const { address, clusterId } of this.links.callers()) {
      const isOurs = membership.fresh ? clusterId !== "" : clusterId === membership.clusterId;
      if (isOurs && address !== membership.self.address) addresses.add(address);
    }
    this.#dialled.keep(addresses);
  }

  /** A member without a leader: has it been removed, or can there never be one again? */
  #reflect(confState: ConfState): void {
    const { replica, settings, ports } = this.#parts;
    // Whoever refused it as a learner had not heard of it.
    replica.bar(false);
    const isSilent =
      replica.raft!.leader === 0 &&
      replica.monotonicMs - replica.modeSinceMs > VOTER_ASKS_ELECTIONS * settings.electionTimeoutMs;
    if (isSilent) this.#askToJoin(true, ASK_INTERVAL_MS);
    const known = isSilent ? this.links.acquaintances() : [];
    this.#lost.see(confState, this.membership, known);
    const lost = isSilent ? this.#lost.names(replica.monotonicMs) : [];
    const problem = lost.length > 0 ? lostProblem(lost, this.membership, known) : undefined;
    if (problem === this.problem) return;
    this.problem = problem;
    if (problem !== undefined) ports.log.error({ lost: lost.join(",") }, problem);
    else ports.log.info({}, "a majority may be there after all");
  }

  get #isForgotten(): boolean {
    return this.#parts.replica.monotonicMs - this.#acceptedMs > NO_STATE_MS;
  }

  /** Fresh again, as somebody new. */
  #forget(): void {
    const { ports, replica } = this.#parts;
    ports.log.warn(
      { cluster: this.membership.clusterId },
      "the cluster that let this node in is silent: asking anew",
    );
    const incarnation = ports.entropy.identity();
    this.membership.leave(incarnation);
    replica.stop();
    ports.peers.update({ ...ports.peers.self, clusterId: "", incarnation });
    this.#redial();
  }

  #removed(): void {
    const { replica, pubSub, ports } = this.#parts;
    if (this.#removedMs > 0) return;
    this.#linger();
    this.problem = removedText;
    replica.bar(true);
    pubSub.messagesLost();
    ports.log.error({}, removedText);
  }

  #linger(): void {
    this.#removedMs = this.#parts.replica.monotonicMs;
    this.#dial();
  }

  #tryToFound(): void {
    const { replica, ports } = this.#parts;
    const others = this.membership.cofounders(this.links.acquaintances());
    if (others?.every(({ incarnation }) => this.links.isUp(incarnation)) !== true) return;
    if (!this.#founding.haveAnswered(others)) {
      this.#founding.ask(others, replica.monotonicMs, (member, round) =>
        this.links.freshQuestion(member, round),
      );
      ports.scheduler.requestTurn();
      return;
    }
    const clusterId = ports.entropy.hex(CLUSTER_ID_DIGITS);
    const table = this.membership.foundingTable(others, clusterId, {
      hashSeed: textOf(replica.machine.store.hashSeed),
      settings: this.#parts.foundingSettings(),
    });
    this.#adopt(table);
    for (const { incarnation } of table.members) this.links.table(incarnation, table);
  }

  #adopt(table: Parameters<Membership["adopt"]>[0]): void {
    if (!this.membership.adopt(table)) return;
    const { ports, replica } = this.#parts;
    ports.peers.update({ ...ports.peers.self, clusterId: table.clusterId });
    this.#redial();
    // No node can know whether there was one before: a first start and the loss of everything look the same from here.
    ports.log.warn(
      { cluster: table.clusterId, members: table.members.map(({ name }) => name).join(",") },
      foundedText,
    );
    replica.machine.store.reseed(seedOf(table.hashSeed));
    replica.machine.sessions.settings.restore(table.settings);
    replica.start({ id: this.membership.self.incarnation, voters: this.membership.incarnations });
  }

  /** This process knows nothing, and there is a cluster: whoever leads it lets us in. Asked until answered. */
  #askToJoin(voter: boolean, intervalMs: number): void {
    const { replica, ports } = this.#parts;
    if (replica.monotonicMs < this.#nextAskMs) return;
    this.#nextAskMs = replica.monotonicMs + intervalMs;
    // Those that were fresh when we met may be in the cluster by now.
    for (const { incarnation } of this.links.identities()) {
      this.links.joinRequest(incarnation, { node: this.membership.self, voter });
      ports.scheduler.requestTurn();
    }
  }

  #asked(link: PeerLink, request: JoinRequest): void {
    const { raft, mode } = this.#parts.replica;
    const { remote } = link;
    if (raft === undefined || remote === undefined || !this.links.isCaller(link, remote.incarnation)) return;
    // A voter whose log ends before the last change of members cannot see for itself that no majority is left.
    const lost = request.voter ? this.#lost.tell(this.membership) : undefined;
    if (lost !== undefined) this.links.joinReply(remote.incarnation, lost);
    if (mode === MODE_NONE) return;
    const reply = this.admission.request(request, remote, raft, (member) => this.links.isUp(member));
    if (reply !== undefined) this.links.joinReply(remote.incarnation, reply);
  }

  #answered(link: PeerLink, reply: JoinReply): void {
    const reason = printable(reply.text);
    const { ports, replica } = this.#parts;
    const { raft } = replica;
    if (this.#removedMs > 0) return;
    if (reply.lost.length > 0) return this.#lost.told(reply, this.membership, replica.monotonicMs);
    if (reply.removed) {
      // Whoever follows a leader hears that from the leader.
      const isItsToSay = raft?.leader === 0 || raft?.leader === link.remote?.incarnation;
      if (isItsToSay && raft?.confState.voters.includes(raft.id) === true) this.#removed();
      return;
    }
    if (!reply.accepted && reply.text === "") {
      if (!this.membership.fresh || reply.table === undefined) return;
      this.membership.hear(reply.table);
      this.#redial();
      return;
    }
    if (!reply.accepted || reply.table === undefined) {
      // An answer to what it asked before it was a voter, perhaps by somebody who has not heard of it yet.
      if (reply.accepted || (raft !== undefined && isVoter(raft.confState, raft.id))) return;
      this.#nextAskMs = replica.monotonicMs + ASK_AGAIN_MS;
      this.problem = notLetIn(reason);
      replica.bar(true);
      ports.log.warn({ peer: link.remote?.name, reason }, "not let in");
      return;
    }
    this.problem = undefined;
    this.#acceptedMs = replica.monotonicMs;
    replica.bar(false);
    if (raft !== undefined && isIn(raft.confState, raft.id)) return;
    this.membership.join(reply.table);
    this.#redial();
    if (raft !== undefined) return;
    ports.peers.update({ ...ports.peers.self, clusterId: reply.table.clusterId });
    for (const { incarnation } of this.links.identities())
      this.links.table(incarnation, this.membership.table());
    ports.log.info({ cluster: reply.table.clusterId }, "joining: waiting for the state");
    replica.start({ id: this.membership.self.incarnation, voters: [] });
  }
}

/** A hash seed as two times eight hexadecimal digits: the founder's is everybody's. */
const textOf = (seed: readonly [number, number]): string =>
  seed.map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
const seedOf = (digits: string): readonly [number, number] => [
  Number.parseInt(digits.slice(0, 8), 16),
  Number.parseInt(digits.slice(8, 16), 16),
];

const isIn = (confState: ConfState, id: number): boolean =>
  isVoter(confState, id) || confState.learners.includes(id);
