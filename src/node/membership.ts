// Who is in the cluster, and how it begins (DESIGN section 8, bootstrap): the first configured member founds
// it, and only when all the others answer that they are fresh too. Every process start is an incarnation of
// its own, and a member is an incarnation: one that was restarted is nobody until it is let in again.

import type { Member } from "../config/special-kinds.ts";
import type { ClusterMember, ClusterTable } from "../wire/cluster-messages.ts";
import type { PeerIdentity } from "./ports.ts";

export class Membership {
  /** "" until the cluster is founded or its table arrives. */
  clusterId = "";
  readonly self: ClusterMember;
  readonly configured: readonly Member[];
  readonly #members = new Map<number, ClusterMember>();

  constructor(self: ClusterMember, configured: readonly Member[]) {
    this.self = self;
    this.configured = configured;
  }

  get fresh(): boolean {
    return this.clusterId === "";
  }

  get incarnations(): number[] {
    return [...this.#members.keys()].sort((a, b) => a - b);
  }

  member(incarnation: number): ClusterMember | undefined {
    return this.#members.get(incarnation);
  }

  /** In order of name. */
  list(): ClusterMember[] {
    return [...this.#members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The table of a new cluster, if it is this node's to found it and all the others are there and fresh. */
  foundingTable(peers: readonly PeerIdentity[], newClusterId: () => string): ClusterTable | undefined {
    if (!this.fresh) return undefined;
    const others = this.configured.filter((member) => member.name !== this.self.name);
    const first = this.configured[0];
    if (first !== undefined && first.name !== this.self.name) return undefined;
    const found: ClusterMember[] = [this.self];
    for (const { name } of others) {
      const peer = peers.find((candidate) => candidate.name === name);
      if (peer === undefined || peer.clusterId !== "") return undefined;
      found.push({
        name: peer.name,
        address: peer.address,
        clientAddress: peer.clientAddress,
        incarnation: peer.incarnation,
      });
    }
    return { clusterId: newClusterId(), index: 1, members: found };
  }

  /** Takes a table in. False when it is of no use: this node has one, or is not in it. */
  adopt(table: ClusterTable): boolean {
    if (!this.fresh || !table.members.some(({ incarnation }) => incarnation === this.self.incarnation))
      return false;
    this.clusterId = table.clusterId;
    for (const member of table.members) this.#members.set(member.incarnation, member);
    return true;
  }

  /** Becomes part of a cluster that runs: its table, and this node, which is about to be in it. */
  join(table: ClusterTable): void {
    this.clusterId = table.clusterId;
    this.replace(table);
    this.#members.set(this.self.incarnation, this.self);
  }

  /** The table as of a snapshot. */
  replace(table: ClusterTable): void {
    this.#members.clear();
    for (const member of table.members) this.#members.set(member.incarnation, member);
  }

  add(member: ClusterMember): void {
    this.#members.set(member.incarnation, member);
  }

  /** Forgets members that no configuration knows any more. */
  keepOnly(incarnations: ReadonlySet<number>): void {
    for (const incarnation of this.#members.keys()) {
      if (!incarnations.has(incarnation)) this.#members.delete(incarnation);
    }
  }

  table(): ClusterTable {
    return { clusterId: this.clusterId, index: 1, members: this.list() };
  }
}
