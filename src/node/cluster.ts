// This node among the others: links, founding or joining the cluster, peers' frames, snapshots both ways.
// Everything that Raft decides is the replica's; here is only who can be reached and who is who.

import { assert } from "../base/assert.ts";
import { SNAPSHOT_QUEUED_BYTES_MAX } from "../base/limits.ts";
import type { Settings } from "../config/table.ts";
import type { ConfState, Message, SnapshotMeta } from "../raft/index.ts";
import type { JoinReply, JoinRequest } from "../wire/cluster-messages.ts";
import type { ClusterSetting } from "../wire/cluster-setting.ts";
import { decodePeerFrame } from "../wire/peer-frame.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import { decodeSnapshotHeader } from "../wire/snapshot-header.ts";
import { Admission } from "./admission.ts";
import type { Forwarding } from "./forwarding.ts";
import { Membership } from "./membership.ts";
import { PeerLinks } from "./peer-links.ts";
import type { LinkDown, PeerLink, Ports, SnapshotReceiver, SnapshotStreamIn } from "./ports.ts";
import type { PubSub } from "./publish-subscribe.ts";
import type { Replica } from "./replica.ts";
import type { ClusterSettings } from "./service/cluster-settings.ts";
import { SnapshotReceiving, SnapshotSending, type StagedState } from "./snapshot-transfer.ts";
import type { VirtualSessions } from "./virtual-sessions.ts";

/** How often a node that wants to join asks, and how long it leaves it after a refusal. */
const ASK_INTERVAL_MS = 200;
const ASK_AGAIN_MS = 5000;
/** A snapshot may hold the log back to this many times its budget. */
const SNAPSHOT_LOG_FACTOR = 4;

export interface ClusterParts {
  readonly ports: Ports;
  readonly settings: Settings;
  replica: Replica;
  forwarding: Forwarding;
  virtualSessions: VirtualSessions;
  pubSub: PubSub;
  clusterSettings: ClusterSettings;
  /** A peer's CONFIG SET, to be carried out here. */
  adoptSetting(setting: ClusterSetting): void;
}

export class Cluster {
  readonly membership: Membership;
  readonly links = new PeerLinks();
  readonly admission: Admission;
  readonly #parts: ClusterParts;
  /** Since the start, for INFO. */
  receivedBytes = 0;
  snapshotsSent = 0;
  snapshotsReceived = 0;
  #sending: SnapshotSending | undefined;
  #staged: StagedState | undefined;
  #nextAskMs = 0;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { self } = parts.ports.peers;
    this.membership = new Membership(
      {
        name: self.name,
        address: self.address,
        clientAddress: self.clientAddress,
        incarnation: self.incarnation,
      },
      parts.settings.members,
    );
    this.admission = new Admission(this.membership, parts.ports.log);
  }

  /** Dials the other configured members; a cluster of one founds itself. */
  start(): void {
    const { ports, settings } = this.#parts;
    for (const member of settings.members) {
      if (member.name !== this.membership.self.name) ports.peers.open(`${member.host}:${member.port}`, 0);
    }
    this.#tryToFound();
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
      this.links.up(link, remote);
      pubSub.linkOpened(remote.incarnation);
      this.#parts.clusterSettings.opened(remote.incarnation);
    } else {
      pubSub.peers.forget(remote.incarnation);
      // It dials again only when it has lost its link, and what was asked on it: that we may not know yet.
      const before = this.links.called(link, remote);
      if (before !== undefined) virtualSessions.memberLost(remote.incarnation);
      before?.close();
    }
    ports.log.info({ peer: remote.name, outgoing: link.outgoing }, "peer connected");
    if (this.membership.fresh) this.#tryToFound();
    // Whoever is in it and fresh joins by it; to others it says where we belong, should that be newer than our hello.
    else if (link.outgoing) this.links.table(remote.incarnation, this.membership.table());
    replica.reachabilityChanged();
    ports.scheduler.requestTurn();
  }

  linkDown(link: PeerLink, how: LinkDown): void {
    const { replica, forwarding, virtualSessions, pubSub, ports } = this.#parts;
    const { remote } = link;
    if (remote === undefined) return;
    const member = remote.incarnation;
    ports.log.info({ peer: remote.name, outgoing: link.outgoing, how }, "peer disconnected");
    // What was asked on a link is lost with it: what we asked, or what the other side did.
    if (link.outgoing) {
      if (this.links.down(link) !== undefined) {
        pubSub.peers.closed(member);
        this.#parts.clusterSettings.closed(member);
      }
      forwarding.lost(member);
    } else if (this.links.hungUp(link, member)) {
      virtualSessions.memberLost(member);
      pubSub.peers.forget(member);
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
    this.#parts.ports.log.warn({ peer: link.address, how }, text);
  }

  peerFrame(link: PeerLink, frame: Buffer): void {
    this.receivedBytes += frame.length;
    const from = link.remote?.incarnation ?? 0;
    const decoded = decodePeerFrame(frame);
    const { replica, forwarding, virtualSessions, pubSub, ports } = this.#parts;
    if (!decoded.ok) {
      ports.log.error({ peer: link.remote?.name, problem: decoded.error }, "frame refused");
      link.close();
      return;
    }
    const { raft, proxyRequests, proxyReplies, tables, joinRequests, joinReplies, subscriptionCounts } =
      decoded.value;
    for (const table of tables) {
      this.#adopt(table);
      this.links.introduced(link, from, table.clusterId);
    }
    for (const request of joinRequests) this.#asked(link, request);
    for (const reply of joinReplies) this.#answered(link, reply);
    if (this.#isFellow(link, from))
      for (const message of raft) if (this.#isOurs(message, from)) replica.step(message);
    if (this.links.isCaller(link, from)) {
      for (const request of proxyRequests) virtualSessions.request(from, request);
      for (const { counts } of subscriptionCounts) if (!pubSub.peers.told(from, counts)) link.close();
      for (const setting of decoded.value.clusterSettings) this.#parts.adoptSetting(setting);
    }
    if (this.links.isCurrent(link, from)) for (const reply of proxyReplies) forwarding.reply(from, reply);
    ports.scheduler.requestTurn();
  }

  /**
   * Belongs to this cluster, whether or not this node has heard of it: a leader that joined after the end of our log
   * is known by what it is about to tell us.
   */
  #isFellow(link: PeerLink, member: number): boolean {
    const { clusterId, fresh } = this.membership;
    if (this.membership.member(member) !== undefined) return true;
    return (
      !fresh && (link.remote?.clusterId === clusterId || this.links.clusterOf(link, member) === clusterId)
    );
  }

  /** A message of the core. A "snapshot" goes on a connection of its own, with the state behind it. */
  send(message: Message): void {
    if (message.type !== "snapshot") this.links.message(message);
    else this.#sendSnapshot(message);
  }

  takeStaged(meta: SnapshotMeta): StagedState {
    const staged = this.#staged;
    assert(
      staged !== undefined && staged.meta.index === meta.index && staged.meta.term === meta.term,
      `the core restores ${meta.index}/${meta.term}, staged is ${staged?.meta.index}/${staged?.meta.term}`,
    );
    this.#staged = undefined;
    this.membership.replace(staged.table);
    return staged;
  }

  snapshotOffered(stream: SnapshotStreamIn, encodedHeader: Buffer): SnapshotReceiver | undefined {
    const { ports, replica } = this.#parts;
    const header = decodeSnapshotHeader(encodedHeader);
    if (!header.ok || replica.raft === undefined) return undefined;
    const { raft: message } = header.value;
    if (
      message.snapshot === undefined ||
      !this.#isOurs({ ...message, type: "append" }, stream.remote.incarnation)
    ) {
      return undefined;
    }
    ports.log.info({ from: stream.remote.name, index: message.snapshot.index }, "receiving a snapshot");
    return new SnapshotReceiving(
      stream,
      header.value,
      replica.machine.store,
      (state, received) => this.#stage(state, received),
      ports.log,
    );
  }

  /** A node that does not lead has no business sending its state. */
  stopSending(): void {
    this.#endSending((sending) => sending.abort());
  }

  /** Looks after a snapshot whose receiver is too slow for the writes meanwhile: memory stays bounded. */
  tick(): void {
    const sending = this.#sending;
    const { replica, settings, ports } = this.#parts;
    const { raft } = replica;
    // Until it is in the configuration: the entry that adds it may have been lost together with the leader.
    if (raft === undefined || !isIn(raft.confState, raft.id)) this.#askToJoin();
    else this.admission.promote(raft);
    if (sending === undefined) return;
    const logBytes = replica.storage?.bytes ?? 0;
    if (
      sending.queuedBytes < SNAPSHOT_QUEUED_BYTES_MAX &&
      logBytes < SNAPSHOT_LOG_FACTOR * settings.logBytesMax
    )
      return;
    ports.log.warn(
      { to: sending.member, queuedBytes: sending.queuedBytes, logBytes },
      "snapshot given up: too slow",
    );
    this.stopSending();
    replica.raft?.reportSnapshot(sending.member, false);
  }

  get sendingTo(): number {
    return this.#sending?.member ?? 0;
  }

  #tryToFound(): void {
    const { entropy } = this.#parts.ports;
    const table = this.membership.foundingTable(this.links.identities(), () => entropy.hex(32));
    if (table === undefined) return;
    this.#adopt(table);
    for (const { incarnation } of table.members) this.links.table(incarnation, table);
  }

  #adopt(table: Parameters<Membership["adopt"]>[0]): void {
    if (!this.membership.adopt(table)) return;
    const { ports, replica } = this.#parts;
    ports.peers.update({ ...ports.peers.self, clusterId: table.clusterId });
    ports.log.info({ cluster: table.clusterId, members: table.members.length }, "cluster joined");
    replica.start({ id: this.membership.self.incarnation, voters: this.membership.incarnations });
  }

  /** This process knows nothing, and there is a cluster: whoever leads it lets us in. Asked until answered. */
  #askToJoin(): void {
    const { replica, ports } = this.#parts;
    if (replica.monotonicMs < this.#nextAskMs) return;
    this.#nextAskMs = replica.monotonicMs + ASK_INTERVAL_MS;
    for (const { incarnation, clusterId } of this.links.identities()) {
      if (clusterId === "") continue;
      this.links.joinRequest(incarnation, { node: this.membership.self });
      ports.scheduler.requestTurn();
    }
  }

  #asked(link: PeerLink, request: JoinRequest): void {
    const { raft } = this.#parts.replica;
    const { remote } = link;
    if (raft === undefined || remote === undefined || !this.links.isCaller(link, remote.incarnation)) return;
    const reply = this.admission.request(request, remote, raft, (member) => this.links.isUp(member));
    if (reply !== undefined) this.links.joinReply(remote.incarnation, reply);
  }

  #answered(link: PeerLink, reply: JoinReply): void {
    const { ports, replica } = this.#parts;
    const { raft } = replica;
    if (!reply.accepted || reply.table === undefined) {
      if (reply.accepted) return;
      this.#nextAskMs = replica.monotonicMs + ASK_AGAIN_MS;
      ports.log.warn({ peer: link.remote?.name, reason: reply.text }, "not let in");
      return;
    }
    if (raft !== undefined && isIn(raft.confState, raft.id)) return;
    this.membership.join(reply.table);
    if (raft !== undefined) return;
    ports.peers.update({ ...ports.peers.self, clusterId: reply.table.clusterId });
    for (const { incarnation } of this.links.identities())
      this.links.table(incarnation, this.membership.table());
    ports.log.info({ cluster: reply.table.clusterId }, "joining: waiting for the state");
    replica.start({ id: this.membership.self.incarnation, voters: [] });
  }

  /** Sent by the member at the other end of the link, to this incarnation, and of a kind that travels so. */
  #isOurs(message: RaftMessage, from: number): boolean {
    return (
      message.from === from && message.to === this.membership.self.incarnation && message.type !== "snapshot"
    );
  }

  #sendSnapshot(message: Message): void {
    const { ports, replica, settings } = this.#parts;
    const target = this.links.identityOf(message.to);
    const meta = message.snapshot;
    const storage = replica.storage;
    assert(meta !== undefined && storage !== undefined, "a snapshot message without a snapshot");
    if (target === undefined || this.#sending !== undefined || meta.index !== replica.machine.appliedIndex) {
      replica.raft!.reportSnapshot(message.to, false);
      return;
    }
    storage.snapshotIndexInUse = meta.index;
    ports.log.info({ to: target.name, index: meta.index }, "sending a snapshot");
    this.#sending = new SnapshotSending(
      message,
      target.address,
      {
        store: replica.machine.store,
        metadata: replica.machine.sessions.encode(),
        timeMs: replica.machine.timeMs,
        table: this.membership.table(),
        chunkBytes: settings.snapshotChunkBytes,
      },
      ports.peers,
      (ok, text) => {
        ports.log.info({ to: target.name, index: meta.index, ok, text }, "snapshot sent");
        if (ok) this.snapshotsSent++;
        this.#endSending(() => replica.raft!.reportSnapshot(message.to, ok));
        ports.scheduler.requestTurn();
      },
    );
  }

  #endSending(how: (sending: SnapshotSending) => void): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    this.#sending = undefined;
    this.#parts.replica.storage!.snapshotIndexInUse = 0;
    how(sending);
  }

  #stage(state: StagedState, message: RaftMessage): boolean {
    const { replica, ports } = this.#parts;
    this.#staged = state;
    this.snapshotsReceived++;
    replica.step(message);
    ports.log.info({ index: state.meta.index }, "snapshot received");
    return true;
  }
}

const isIn = (confState: ConfState, id: number): boolean =>
  confState.voters.includes(id) || confState.votersOutgoing.includes(id) || confState.learners.includes(id);
