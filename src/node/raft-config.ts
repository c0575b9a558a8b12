// The settings in the core's terms: milliseconds become ticks, limits become windows. Settings in, one RaftConfig out.

import { APPEND_BYTES_MAX, APPENDS_IN_FLIGHT_BYTES_MAX, APPENDS_IN_FLIGHT_MAX } from "../base/limits.ts";
import type { Xoshiro } from "../base/prng.ts";
import type { Settings } from "../config/table.ts";
import type { RaftConfig } from "../raft/index.ts";
import type { Log } from "./ports.ts";

const SNAPSHOT_TIMEOUT_MS = 60_000;

/** Between the heartbeats of a leader that clients use. */
export const heartbeatTicksOf = ({ heartbeatMs, tickMs }: Settings): number =>
  Math.max(1, Math.round(heartbeatMs / tickMs));

/** @param appliedIndex what the machine holds already */
export function raftConfigOf(
  settings: Settings,
  id: number,
  appliedIndex: number,
  prng: Xoshiro,
  log: Log,
): RaftConfig {
  const { tickMs } = settings;
  const leaseMs = settings.readMode === "lease" ? settings.leaseMs : 0;
  return {
    id,
    electionTicks: Math.ceil(settings.electionTimeoutMs / tickMs),
    heartbeatTicks: heartbeatTicksOf(settings),
    maxSizePerMessage: APPEND_BYTES_MAX,
    maxInflightMessages: APPENDS_IN_FLIGHT_MAX,
    maxInflightBytes: APPENDS_IN_FLIGHT_BYTES_MAX,
    maxUncommittedBytes: 0, // bounded by the replica's `pressure`: what is not proposed yet waits in its session
    maxCommittedBytesPerReady: 0,
    checkQuorum: true,
    preVote: true,
    readOnly: leaseMs > 0 ? "leaseBased" : "safe",
    disableProposalForwarding: true,
    disableConfChangeValidation: false,
    stepDownOnRemoval: true,
    prng,
    applied: appliedIndex,
    leaseDurationMs: leaseMs,
    // Two monotonic clocks of healthy machines differ by far less over a lease; a tick covers the rest.
    leaseDriftMarginMs: leaseMs > 0 ? Math.min(tickMs, leaseMs / 10) : 0,
    busyLimitMs: settings.busyLimitMs,
    snapshotTimeoutTicks: Math.ceil(SNAPSHOT_TIMEOUT_MS / tickMs),
    stallTicks: Math.ceil(settings.busyLimitMs / tickMs),
    batchAppends: true,
    // How an election went, message by message, is for whoever looks into it; who leads is said elsewhere.
    // The core knows ids only; its own is written as an operator knows this node.
    trace: (level, text) =>
      log[level === "info" ? "debug" : level]({}, text.replaceAll(id.toString(16), settings.nodeName)),
    traceLevel: "info",
  };
}
