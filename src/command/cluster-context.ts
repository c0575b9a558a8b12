// What the CLUSTER commands may ask of the node they run on. Interfaces only; node/cluster-view.ts implements them.

/** How nodes are named to clients (cluster-preferred-endpoint-type). */
export type EndpointType = "ip" | "hostname" | "unknown-endpoint";

export interface ClusterNode {
  /** 40 hexadecimal digits. */
  readonly id: string;
  /** Where its clients connect. */
  readonly host: string;
  readonly port: number;
  /** Of its peer port. */
  readonly busPort: number;
  /** cluster-announce-hostname; "" for none. */
  readonly hostname: string;
  readonly isSelf: boolean;
  /** The leader, or while there is none the last one known. */
  readonly isMaster: boolean;
  /** Not caught up yet: it serves nobody. */
  readonly isLearner: boolean;
  readonly isConnected: boolean;
  /** Unix time in ms of its last word; 0 for this node itself. */
  readonly heardMs: number;
  /** As far as this node knows its log to be. */
  readonly replicationOffset: number;
}

/** A connection between this node and another one. */
export interface ClusterLink {
  readonly direction: "to" | "from";
  readonly nodeId: string;
  /** Unix time in ms. */
  readonly createdMs: number;
  readonly queuedBytes: number;
}

/** An answer that takes time: found in steps, beside other work. */
export interface SlotQuestion {
  /** Asked once a turn. When nobody asks any more, the question is forgotten. */
  isAnswered(): boolean;
  readonly keyCount: number;
  readonly keys: readonly Buffer[];
}

export interface ClusterView {
  /** cluster-enabled. */
  readonly isEnabled: boolean;
  readonly endpointType: EndpointType;
  readonly shardId: string;
  /** Raft's term. */
  readonly epoch: number;
  /** There is a leader that this node can reach, or is. */
  readonly isServing: boolean;
  /** There is none, and there may soon be: no longer than an election takes. */
  readonly isElecting: boolean;
  /** In order of name. `localAddress`: what the client that asks has connected to. */
  nodes(localAddress: string): readonly ClusterNode[];
  links(): readonly ClusterLink[];
  /** Keys of this replica in the slot, and their names up to `namesMax`. */
  keysInSlot(slot: number, namesMax: number): SlotQuestion;
}
