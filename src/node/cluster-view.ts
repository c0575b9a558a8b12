// This node's picture of the cluster for cluster-aware clients (command/cluster-context.ts): the members as nodes of one
// shard, with the addresses that clients use. It answers from what membership, links and Raft know, and decides nothing.

import { SHA1_BYTES, sha1 } from "../base/sha1.ts";
import type {
  ClusterLink,
  ClusterNode,
  ClusterView,
  EndpointType,
  SlotQuestion,
} from "../command/cluster-context.ts";
import { endpointOf } from "../command/cluster-topology.ts";
import { parseAddress } from "../config/special-kinds.ts";
import type { ClusterMember } from "../wire/cluster-messages.ts";
import type { SeshatNode } from "./node.ts";
import { MODE_NONE } from "./replica.ts";
import { SlotScans } from "./service/slot-scans.ts";

export class ShardView implements ClusterView {
  readonly slotScans: SlotScans;
  readonly #node: SeshatNode;
  /** Whoever led last, as far as this node knows: the master while there is no other. */
  #lastLeader = 0;

  constructor(node: SeshatNode) {
    this.#node = node;
    this.slotScans = new SlotScans(() => node.replica.machine.store.databases[0]!);
  }

  get isEnabled(): boolean {
    return this.#node.settings.clusterEnabled;
  }

  get endpointType(): EndpointType {
    return this.#node.settings.clusterPreferredEndpointType;
  }

  get shardId(): string {
    return digest(`shard ${this.#node.cluster.membership.clusterId}`);
  }

  get epoch(): number {
    return this.#node.replica.raft?.term ?? 0;
  }

  get isServing(): boolean {
    return this.#node.replica.mode !== MODE_NONE;
  }

  get isElecting(): boolean {
    const { cluster, isLeaderless } = this.#node;
    return !this.isServing && !isLeaderless && !cluster.membership.fresh;
  }

  /** Told whenever it may have changed. */
  leaderChanged(): void {
    const { leader } = this.#node.replica;
    if (leader !== 0) this.#lastLeader = leader;
  }

  /** Where clients of a follower find the leader, and its port; undefined when this node does not know. */
  leaderEndpoint(): { readonly endpoint: string; readonly port: number } | undefined {
    const member = this.#node.cluster.membership.member(this.#node.replica.leader);
    if (member === undefined) return undefined;
    const node = this.#nodeOf(member, "");
    return { endpoint: endpointOf(node, this.endpointType), port: node.port };
  }

  nodes(localAddress: string): readonly ClusterNode[] {
    const { membership } = this.#node.cluster;
    const members = membership.fresh ? [membership.self] : membership.list();
    const byName = new Map<string, ClusterNode>();
    for (const member of members) {
      const node = this.#nodeOf(member, localAddress);
      const other = byName.get(member.name);
      // Two processes of one name while the new one takes the place of the old one: clients find one at the address.
      if (other === undefined || (!other.isMaster && (node.isMaster || !other.isConnected))) {
        byName.set(member.name, node);
      }
    }
    return [...byName.values()];
  }

  links(): readonly ClusterLink[] {
    const { membership, links } = this.#node.cluster;
    const found: ClusterLink[] = [];
    for (const { incarnation, name } of membership.list()) {
      const nodeId = this.#idOf(name);
      const ours = links.linkTo(incarnation);
      const theirs = links.linkFrom(incarnation);
      if (ours !== undefined) found.push({ direction: "to", nodeId, ...ours });
      if (theirs !== undefined) found.push({ direction: "from", nodeId, ...theirs });
    }
    return found;
  }

  keysInSlot(slot: number, namesMax: number): SlotQuestion {
    const question = this.slotScans.ask(slot, namesMax);
    this.#node.requestTurn();
    return question;
  }

  /** A name keeps its id whatever process has it, as a node of a Redis cluster does when it is restarted. */
  #idOf(name: string): string {
    return digest(`node ${this.#node.cluster.membership.clusterId} ${name}`);
  }

  #nodeOf(member: ClusterMember, localAddress: string): ClusterNode {
    const { cluster, replica, settings } = this.#node;
    const { incarnation } = member;
    const isSelf = incarnation === cluster.membership.self.incarnation;
    const at = parseAddress(member.clientAddress);
    // Alone and without a word about its address, it is where its client has found it.
    const isAnywhere = isSelf && settings.members.length === 0 && settings.clusterAnnounceIp === "";
    const found = isAnywhere ? parseAddress(localAddress) : undefined;
    const heardMs = cluster.links.heardMs(incarnation);
    return {
      id: this.#idOf(member.name),
      host: found?.host ?? at?.host ?? "",
      port: at?.port ?? 0,
      busPort: parseAddress(member.address)?.port ?? 0,
      hostname: member.clientHostname,
      isSelf,
      isMaster: incarnation === this.#lastLeader,
      isLearner: replica.raft?.confState.learners.includes(incarnation) === true,
      isConnected: isSelf || cluster.links.isUp(incarnation),
      heardMs: isSelf || heardMs === 0 ? 0 : replica.wallMs - (replica.monotonicMs - heardMs),
      replicationOffset: isSelf
        ? replica.machine.appliedIndex
        : (replica.raft?.progressOf(incarnation)?.match ?? 0),
    };
  }
}

/** 40 hexadecimal digits, as long as Redis's ids. */
function digest(text: string): string {
  const bytes = Buffer.from(text);
  const out = Buffer.alloc(SHA1_BYTES);
  sha1(bytes, 0, bytes.length, out);
  return out.toString("hex");
}
