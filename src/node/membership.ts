// Who is in the cluster, who may come in, and how it begins (DESIGN section 8, bootstrap): the first configured member
// founds it, and only when all the others answer that they are fresh too. Every process start is an incarnation of
// its own, and a member is an incarnation: one that was restarted is nobody until it is let in again.
//
// The table has two parts, both a function of the log: members, the incarnations of the configuration, and names,
// under which a process may join. The settings' list is the names of a new cluster; after that the log has the say.

import { formatAddress, type Member } from "../config/special-kinds.ts";
import type { ClusterMember, ClusterTable, MemberName, TableChange } from "../wire/cluster-messages.ts";
import type { PeerIdentity } from "./ports.ts";

/** A table of the founders: it, and no later one, may be started from. */
const FOUNDING_INDEX = 1;

export class Membership {
  /** "" until the cluster is founded or its table arrives. */
  clusterId = "";
  readonly configured: readonly Member[];
  #self: ClusterMember;
  #index = FOUNDING_INDEX;
  /** What the founder decided, as long as this node may have to tell other founders. */
  #hashSeed = "";
  #settings: ClusterTable["settings"] = [];
  readonly #members = new Map<number, ClusterMember>();
  readonly #names = new Map<string, string>();
  /** Where a node that knows no cluster may ask besides: members of one have told it. */
  #hearsay: readonly string[] = [];

  constructor(self: ClusterMember, configured: readonly Member[]) {
    this.#self = self;
    this.configured = configured;
  }

  get self(): ClusterMember {
    return this.#self;
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

  /** In order of name, then of incarnation. */
  list(): ClusterMember[] {
    return [...this.#members.values()].sort((a, b) =>
      a.name === b.name ? a.incarnation - b.incarnation : a.name < b.name ? -1 : 1,
    );
  }

  /** All incarnations of a name: more than one while a new one takes the place of an old one. */
  named(name: string): ClusterMember[] {
    return this.list().filter((member) => member.name === name);
  }

  /** Names that may join, in order. */
  names(): MemberName[] {
    return [...this.#names]
      .map(([name, address]) => ({ name, address }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  addressOf(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** Where other members are, or would be, as far as this node has heard. */
  addresses(): Set<string> {
    const found = new Set(this.#names.values());
    for (const { address } of this.#members.values()) found.add(address);
    if (this.fresh) {
      for (const { host, port } of this.configured) found.add(formatAddress(host, port));
      for (const address of this.#hearsay) found.add(address);
    }
    found.delete(this.#self.address);
    return found;
  }

  /**
   * Those with whom this node would found a cluster, by what they said when they were met; undefined: not all are
   * there, or not all were fresh, or it is another's to found it.
   */
  cofounders(peers: readonly PeerIdentity[]): PeerIdentity[] | undefined {
    if (!this.fresh) return undefined;
    const others = this.configured.filter((member) => member.name !== this.#self.name);
    const first = this.configured[0];
    if (first !== undefined && first.name !== this.#self.name) return undefined;
    // Whoever belongs to one, configured here or not, knows of a cluster that lives.
    if (peers.some(({ clusterId }) => clusterId !== "")) return undefined;
    const found: PeerIdentity[] = [];
    for (const { name } of others) {
      const peer = peers.find((candidate) => candidate.name === name);
      if (peer === undefined) return undefined;
      found.push(peer);
    }
    return found;
  }

  /** The table of a new cluster of this node and these others. */
  foundingTable(
    others: readonly PeerIdentity[],
    clusterId: string,
    { hashSeed, settings }: Pick<ClusterTable, "hashSeed" | "settings">,
  ): ClusterTable {
    const members = [this.#self];
    for (const { name, address, clientAddress, clientHostname, incarnation } of others) {
      members.push({ name, address, clientAddress, clientHostname, incarnation });
    }
    const names = members.map(({ name, address }) => ({ name, address }));
    return { clusterId, index: FOUNDING_INDEX, members, names, hashSeed, settings };
  }

  /** Starts from the founders' table. False when it is of no use: this node has one, or is not in it. */
  adopt(table: ClusterTable): boolean {
    if (!this.fresh || table.index !== FOUNDING_INDEX) return false;
    if (!table.members.some(({ incarnation }) => incarnation === this.#self.incarnation)) return false;
    this.clusterId = table.clusterId;
    this.#hashSeed = table.hashSeed;
    this.#settings = table.settings;
    this.replace(table);
    return true;
  }

  /** The table of a cluster whose leader may not know where this node is, nor this node where the leader is. */
  hear({ members }: ClusterTable): void {
    this.#hearsay = members.map(({ address }) => address);
  }

  /** Becomes part of a cluster that runs: its table, and this node, which is about to be in it. */
  join(table: ClusterTable): void {
    this.clusterId = table.clusterId;
    this.replace(table);
    // With this node in it, it is not the founders' any more.
    this.#index = Math.max(table.index, FOUNDING_INDEX + 1);
    this.#members.set(this.#self.incarnation, this.#self);
  }

  /** Fresh again, under another incarnation. */
  leave(incarnation: number): void {
    this.clusterId = "";
    this.#hashSeed = "";
    this.#settings = [];
    this.#hearsay = [];
    this.#self = { ...this.#self, incarnation };
    this.#index = FOUNDING_INDEX;
    this.#members.clear();
    this.#names.clear();
  }

  /** The table as of a snapshot. */
  replace(table: ClusterTable): void {
    this.#index = table.index;
    this.#members.clear();
    this.#names.clear();
    for (const member of table.members) this.#members.set(member.incarnation, member);
    for (const { name, address } of table.names) this.#names.set(name, address);
  }

  /** A change of the configuration was applied at `index`, which has these incarnations now. */
  apply(change: TableChange, incarnations: ReadonlySet<number>, index: number): void {
    const { joined, nameAdded, nameRemoved } = change;
    this.#index = index;
    if (joined !== undefined) {
      this.#members.set(joined.incarnation, joined);
      // It says itself where it is: its machine may have moved.
      if (this.#names.has(joined.name)) this.#names.set(joined.name, joined.address);
    }
    if (nameAdded !== undefined) this.#names.set(nameAdded.name, nameAdded.address);
    if (nameRemoved !== undefined) this.#names.delete(nameRemoved);
    for (const incarnation of this.#members.keys()) {
      if (!incarnations.has(incarnation)) this.#members.delete(incarnation);
    }
  }

  /** Starts over as the only member of a new cluster, under the same names (recovery). */
  startOver(clusterId: string, incarnation: number, index: number): void {
    this.clusterId = clusterId;
    this.#self = { ...this.#self, incarnation };
    this.#index = index;
    this.#members.clear();
    this.#members.set(incarnation, this.#self);
    this.#names.set(this.#self.name, this.#self.address);
  }

  table(): ClusterTable {
    return {
      clusterId: this.clusterId,
      index: this.#index,
      members: this.list(),
      names: this.names(),
      hashSeed: this.#hashSeed,
      settings: this.#settings,
    };
  }
}
