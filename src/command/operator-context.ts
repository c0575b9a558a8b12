// What the RAFT commands may ask of the node they run on. Interfaces only; node/operator.ts implements them.

export interface MemberStatus {
  readonly name: string;
  /** "absent": the name may join, and nobody has. "candidate" is only ever this node itself. */
  readonly role: "leader" | "follower" | "candidate" | "learner" | "absent";
  /** Of the process; "" for an absent one. */
  readonly incarnation: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly connected: boolean;
  /** Known to the leader only; "unknown" on the others. */
  readonly state: "probe" | "replicate" | "snapshot" | "unknown";
  /** Highest index known to be on its log; 0 when unknown. */
  readonly matchIndex: number;
  /** Entries behind the end of the leader's log; -1 when unknown. */
  readonly lag: number;
}

/** A change that takes time. */
export interface OperatorChange {
  /** Asked at once and then once a turn: undefined = not yet, "" = in force, else the error. */
  poll(): string | undefined;
  /** The error when it is no longer waited for. */
  late(): string;
}

export interface OperatorControl {
  /** In order of name; two of one name while a new process takes the place of an old one. */
  members(): readonly MemberStatus[];
  add(name: string, peerAddress: string): OperatorChange;
  remove(name: string): OperatorChange;
  promote(name: string): OperatorChange;
  transfer(name: string): OperatorChange;
  /** What recover() would do on this node, for people. */
  recoveryNotes(): string;
  recover(): OperatorChange;
}
