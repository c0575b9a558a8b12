// What a core is built with. Checked once; never changes, except the election timeout (RaftCore.setElectionTicks) and the interval of
// heartbeats (RaftCore.setHeartbeatTicks).
import { assert } from "../base/assert.ts";
import type { Prng } from "../base/prng.ts";
import type { MemberId, Trace, TraceLevel } from "./types.ts";

export interface RaftConfig {
  readonly id: MemberId;
  /** Without a leader for [electionTicks, 2 * electionTicks) ticks, drawn anew each time, a voter campaigns. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Bytes of entries per append (entryBytes()); at least one entry always goes. */
  readonly maxSizePerMessage: number;
  readonly maxInflightMessages: number;
  /** Payload bytes under way to one member; 0 = no limit. */
  readonly maxInflightBytes: number;
  /** Payload bytes proposed and not yet applied; 0 = no limit. */
  readonly maxUncommittedBytes: number;
  /** Bytes handed out for applying and not yet applied; 0 = maxSizePerMessage. */
  readonly maxCommittedBytesPerReady: number;
  /** The leader steps down when it has not heard of a majority for electionTicks; voters protect a live leader. */
  readonly checkQuorum: boolean;
  readonly preVote: boolean;
  /** leaseBased: while leaseValid(), reads are answered without a round. */
  readonly readOnly: "safe" | "leaseBased";
  readonly disableProposalForwarding: boolean;
  readonly disableConfChangeValidation: boolean;
  /** A leader that is removed or demoted becomes a follower when it applies that. */
  readonly stepDownOnRemoval: boolean;
  /** Storage work travels as messages to the two storage workers instead of ending with advance(). */
  readonly asyncStorageWrites?: boolean;
  /**
   * Departs from etcd's raft where PAPER.md G.3, G.4, G.7, G.10 and G.11 say it should (default). Off: one voter
   * answers reads before it has committed anything, a removed leader keeps serving, postponed reads outlive the
   * leadership, a probe refused twice moves a member that is waiting for a snapshot, invalid changes are logged.
   */
  readonly strict?: boolean;
  readonly prng: Prng;
  /** The last index that the state machine already holds. */
  readonly applied: number;
  /**
   * How long a follower votes for nobody else after each acknowledgement. The same on all members!
   * 0 = no lease; `readOnly: "leaseBased"` then means the reference's unsafe one.
   */
  readonly leaseDurationMs: number;
  /** Taken off the lease for clocks that run at different speeds. */
  readonly leaseDriftMarginMs: number;
  /**
   * Pulses of a member whose event loop is busy count for so long after its last message (pulse.ts). Default: 0, they
   * count for nothing.
   */
  readonly busyLimitMs?: number;
  /** A member that waits for a snapshot this long, with no report, is probed again; 0 = never. */
  readonly snapshotTimeoutTicks?: number;
  /**
   * A leader with something to agree on steps down when no majority has acknowledged or received anything of it for so long
   * (RaftCore.reportDelivery); 0 or none = never.
   */
  readonly stallTicks?: number;
  /** One round of appends per Ready instead of one per proposal and acknowledgement. */
  readonly batchAppends: boolean;
  readonly trace?: Trace | undefined;
  /** Lines below this level are never built. Default: debug. */
  readonly traceLevel?: TraceLevel;
}

export function checkConfig(config: RaftConfig): void {
  assert(
    Number.isSafeInteger(config.id) && config.id > 0,
    `member id ${config.id} is not a positive integer`,
  );
  assert(config.heartbeatTicks >= 1, "a heartbeat takes at least one tick");
  assert(config.electionTicks > config.heartbeatTicks, "an election timeout is longer than a heartbeat");
  assert(config.maxInflightMessages >= 1, "at least one append must be allowed under way");
  assert(config.maxSizePerMessage >= 0, "maxSizePerMessage is negative");
  assert(config.leaseDurationMs >= 0 && config.leaseDriftMarginMs >= 0, "lease times are negative");
  assert(
    config.leaseDurationMs === 0 || config.leaseDurationMs > config.leaseDriftMarginMs,
    "the lease is shorter than its margin",
  );
  assert(
    config.readOnly === "safe" || config.leaseDurationMs > 0 || config.checkQuorum,
    "lease based reads need a lease, or at least checkQuorum",
  );
}
