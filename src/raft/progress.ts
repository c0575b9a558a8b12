// The leader's view of one member: what it has, what was sent, whether more may be sent. Sends nothing itself.
import type { Inflights } from "./inflights.ts";
import type { MemberId, ProgressView } from "./types.ts";

/** A lost append that probes is sent again with the next heartbeat's answer, unless its payload is longer. */
const PROBE_BYTES_RESENT = 256 * 1024;

export type ProgressState = "probe" | "replicate" | "snapshot";

/**
 *   1 ......... match   match+1 ..... next-1   next ......... last
 *   [ known equal  ]    [ sent, no answer  ]   [ not sent yet    ]
 *
 * probe: where the logs meet is not known; one append per answer or heartbeat.
 * replicate: appends are sent ahead of the answers, within the window.
 * snapshot: the member needs a snapshot; nothing is sent.
 */
export class Progress {
  readonly id: MemberId;
  match = 0;
  /** Invariant: match < next. */
  next: number;
  /** The highest commit index sent to it; below `next` it can raise the member's own. */
  sentCommit = 0;
  state: ProgressState = "probe";
  /** In state snapshot: the index of the snapshot that was sent. */
  pendingSnapshot = 0;
  /** Heard of since the last quorum check. */
  recentActive = false;
  /** When its last message to a leader came. */
  heardMs = Number.NEGATIVE_INFINITY;
  /** Nothing more goes out until an answer: a probe is out, or the window was full at the last append. */
  flowPaused = false;
  isLearner = false;
  readonly inflights: Inflights;

  /** The latest of the leader's stamps it has echoed; Infinity for the leader itself. See lease.ts. */
  stampMs = 0;
  /** The latest read position it has confirmed. See read-queue.ts. */
  readPosition = 0;
  /** It acknowledged something new since its last heartbeat response: appends are flowing. */
  acknowledgedSinceHeartbeat = false;
  /** Ticks spent in state snapshot. */
  snapshotTicks = 0;
  /** Ticks since it last acknowledged something, or received bytes of what was sent, while it lacks entries. */
  stalledTicks = 0;
  /** Payload bytes of the append that probes, and ticks since it was sent or more of it was received. */
  #probeBytes = 0;
  #probeTicks = 0;

  constructor(id: MemberId, next: number, inflights: Inflights) {
    this.id = id;
    this.next = next;
    this.inflights = inflights;
  }

  /** Back to knowing nothing, as at the start of a term. */
  forget(next: number): void {
    this.match = 0;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
    this.stampMs = 0;
    this.readPosition = 0;
    this.acknowledgedSinceHeartbeat = false;
    this.stalledTicks = 0;
    this.#enter("probe");
  }

  becomeProbe(): void {
    const afterSnapshot = this.state === "snapshot" ? this.pendingSnapshot + 1 : 0;
    this.#enter("probe");
    this.next = Math.max(this.match + 1, afterSnapshot);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.snapshotTicks = 0;
    this.#probeBytes = 0;
    this.inflights.reset();
  }

  get paused(): boolean {
    return this.flowPaused || this.state === "snapshot";
  }

  /** An append with `count` entries of `bytes` payload went out. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.flowPaused = this.inflights.full;
    } else if (count > 0) {
      this.flowPaused = true;
      this.#probeBytes = bytes;
      this.#probeTicks = 0;
    }
  }

  /**
   * It answered a heartbeat: what was sent may be lost, and goes on. Not a large append that probes and is still arriving: each answer would
   * send it once more.
   */
  heartbeatAnswered(patienceTicks: number): void {
    const isArriving = this.#probeBytes > PROBE_BYTES_RESENT && this.#probeTicks < patienceTicks;
    if (this.state !== "probe" || !isArriving) this.flowPaused = false;
  }

  /** Once a tick of the leader. */
  tick(lastIndex: number): void {
    this.#probeTicks++;
    if (this.match >= lastIndex) this.stalledTicks = 0;
    else this.stalledTicks++;
  }

  /** It received bytes of what was sent. */
  delivered(): void {
    this.stalledTicks = 0;
    this.#probeTicks = 0;
  }

  /** Whether it has `index`, or is on the way there. A snapshot on its way has a time limit of its own. */
  gains(index: number, ticksMax: number): boolean {
    return this.match >= index || this.state === "snapshot" || this.stalledTicks < ticksMax;
  }

  /** Whether telling `commit` can raise the member's commit index: not if it was told up to next-1 already. */
  canRaiseCommit(commit: number): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** The member has everything up to `index`. False if that is not news. */
  acknowledge(index: number): boolean {
    if (index <= this.match) return false;
    this.stalledTicks = 0;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.flowPaused = false;
    return true;
  }

  /**
   * The append after `rejected` was refused; the logs may meet at `hint`. False if the refusal is stale:
   * below what is known to match, or (while one append at a time is out) not the one that was sent last.
   */
  retreat(rejected: number, hint: number): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.#probeBytes = 0;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.flowPaused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  view(): ProgressView {
    return {
      id: this.id,
      match: this.match,
      next: this.next,
      state: this.state,
      pendingSnapshot: this.pendingSnapshot,
      recentActive: this.recentActive,
      paused: this.paused,
      isLearner: this.isLearner,
      inflightCount: this.inflights.count,
      inflightBytes: this.inflights.bytes,
      inflightFull: this.inflights.full,
    };
  }
}
