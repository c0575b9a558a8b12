// Do all replicas hold the same (docs/adr/0017)? The leader orders digests through the log, gathers what the members got, and
// tells those that are wrong; a wrong one asks for the state of the leader. Reports and orders in and out; the digests
// are the machine's, the repair is the replica's.

import type { ReplicaDigest } from "../machine/replica-digests.ts";
import { membersOf } from "../raft/index.ts";
import { encodeCommand } from "../resp/request-parser.ts";
import type { StateDigest } from "../wire/state-digest.ts";
import type { SeshatNode } from "./node.ts";
import { isIdle, ownSession } from "./own-session.ts";
import { MODE_LEADER } from "./replica.ts";
import type { Session } from "./session.ts";
import { COMPARISON_SESSION_ID } from "./session-numbers.ts";

/** Between two orders, as long as the log brings anything else. */
const STEP_MS = 50;
/** And while it does not: each is an entry, which wakes every node several times. */
const IDLE_STEP_MS = 2000;
const IDLE_STEP_RECORDS = 2048;
/** In so long every record is looked at once, if there are not too many for the steps' bound. */
const ROUND_MS = 8000;
const STEP_RECORDS_LEAST = 64;
/** About half a ms (bench/micro/digest.ts): a per cent of a core. */
const STEP_RECORDS_MAX = 1024;
const REQUEST_INTERVAL_MS = 500;
/** So long a difference waits for members that might say who is right. */
const PATIENCE_MS = 5000;
/** Digests of which reports may still come. */
const OPEN_MAX = 64;

interface Vote {
  readonly own: string;
  /** By incarnation, this member included. */
  readonly reports: Map<number, string>;
  right: string | undefined;
}

export class Comparison {
  readonly #node: SeshatNode;
  readonly #session: Session;
  /** By index, ascending. */
  readonly #votes = new Map<number, Vote>();
  #nextMs = 0;
  #orderedMs = 0;
  /** Of the last digest: if the log has gone on since, there may be something new to compare. */
  #takenIndex = 0;
  /** Since when members differ and nobody knows who is right; 0 = they do not. */
  #undecidedSinceMs = 0;
  // Where the next order begins.
  #database = 0;
  #from = 0;
  #part = 0;

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#session = ownSession(node, COMPARISON_SESSION_ID, () => {});
    node.replica.machine.digests.onTaken = (digest) => this.#taken(digest);
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    const { replica, cluster, settings } = this.#node;
    if (replica.repair.isUnderWay) {
      this.#nextMs = nowMs + REQUEST_INTERVAL_MS;
      // It leads with a state that is not to be trusted: somebody else should.
      if (replica.raft?.role === "leader") replica.transferAway();
      else if (replica.leader !== 0) cluster.links.stateRequest(replica.leader);
      return;
    }
    this.#nextMs = nowMs + STEP_MS;
    if (replica.mode !== MODE_LEADER) {
      this.#undecidedSinceMs = 0;
      return;
    }
    if (!settings.replicaDigests) return;
    const isIdling = replica.machine.appliedIndex <= this.#takenIndex;
    if (isIdling && nowMs - this.#orderedMs < IDLE_STEP_MS) return;
    if (!isIdle(this.#session) || membersOf(replica.raft!.confState).length < 2) return;
    this.#orderedMs = nowMs;
    this.#order(isIdling);
  }

  /** A member got this digest, or, if it says that we differ, the leader tells us to be wrong. */
  reported(member: number, digest: StateDigest): void {
    const { replica, ports } = this.#node;
    if (digest.differs) {
      if (member === replica.leader) this.#differ(digest.index);
      return;
    }
    const vote = this.#votes.get(digest.index);
    if (vote === undefined || replica.raft?.role !== "leader") return;
    vote.reports.set(member, digest.text);
    this.#node.server.statistics.digestsCompared++;
    if (digest.text !== vote.own && vote.right === undefined && this.#undecidedSinceMs === 0) {
      this.#undecidedSinceMs = replica.monotonicMs;
      const { own } = vote;
      ports.log.error({ index: digest.index, own, theirs: digest.text }, "the states of two members differ");
    }
    this.#judge(digest.index, vote);
  }

  /** A member whose state differs asks for ours. */
  requested(member: number): void {
    const { replica, cluster } = this.#node;
    if (replica.mode === MODE_LEADER) cluster.snapshots.sendState(member);
  }

  /** @param isIdling the next is far off, so this one looks at as much as one may */
  #order(isIdling: boolean): void {
    const { databases } = this.#node.replica.machine.store;
    let keyCount = 0;
    for (const { size } of databases) keyCount += size;
    const records = Math.ceil((keyCount * STEP_MS) / ROUND_MS);
    const bounded = isIdling
      ? IDLE_STEP_RECORDS
      : Math.min(STEP_RECORDS_MAX, Math.max(STEP_RECORDS_LEAST, records));
    const words = [this.#database, this.#from, bounded, this.#part].map(String);
    const order = encodeCommand(["seshat.digest", ...words]);
    this.#session.receive(order, 0, order.length);
  }

  /** On every replica, while the entry is applied. */
  #taken({ index, database, from, nextDatabase, nextFrom, text }: ReplicaDigest): void {
    const { replica, cluster } = this.#node;
    this.#takenIndex = index;
    if (replica.raft?.role !== "leader") {
      if (replica.leader !== 0) cluster.links.stateDigest(replica.leader, { index, text, differs: false });
      return;
    }
    if (database === this.#database && from === this.#from) {
      this.#database = nextDatabase;
      this.#from = nextFrom;
      if (nextDatabase === 0 && nextFrom === 0) this.#part++;
    }
    const { incarnation } = cluster.membership.self;
    this.#votes.set(index, { own: text, reports: new Map([[incarnation, text]]), right: undefined });
    for (const old of this.#votes.keys()) {
      if (this.#votes.size <= OPEN_MAX) break;
      this.#votes.delete(old);
    }
  }

  /** The digest of a majority is right; when all voters have reported and there is none, the leader's. */
  #judge(index: number, vote: Vote): void {
    const { replica, cluster, ports } = this.#node;
    const { voters } = replica.raft!.confState;
    vote.right ??= rightOf(vote, voters);
    const waitedMs = this.#undecidedSinceMs === 0 ? 0 : replica.monotonicMs - this.#undecidedSinceMs;
    if (waitedMs > PATIENCE_MS) vote.right ??= vote.own;
    if (vote.right === undefined) return;
    for (const [member, text] of vote.reports) {
      if (text === vote.right) continue;
      vote.reports.delete(member);
      this.#undecidedSinceMs = 0;
      ports.log.error(
        { index, member: cluster.membership.member(member)?.name },
        "this member's state is wrong",
      );
      if (member === cluster.membership.self.incarnation) this.#differ(index);
      else cluster.links.stateDigest(member, { index, text, differs: true });
    }
  }

  #differ(index: number): void {
    const { replica, ports, server } = this.#node;
    if (replica.repair.isUnderWay) return;
    server.statistics.digestsDiffered++;
    ports.log.error(
      { index },
      "the state of this node differs from that of the others: it serves nobody until it has theirs",
    );
    this.#votes.clear();
    this.#undecidedSinceMs = 0;
    this.#nextMs = 0;
    replica.beginRepair();
  }
}

function rightOf({ own, reports }: Vote, voters: readonly number[]): string | undefined {
  const counts = new Map<string, number>();
  let reported = 0;
  for (const voter of voters) {
    const text = reports.get(voter);
    if (text === undefined) continue;
    reported++;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const [text, count] of counts) if (2 * count > voters.length) return text;
  return reported === voters.length ? own : undefined;
}
