// How an idle node saves wake-ups (docs/adr/0025). It tells the event loop how many ticks may pass without a turn while
// nothing comes in, and the core how far apart heartbeats may be. It looks at the node and changes nothing else. It says
// one tick as soon as anything is under way, is due, or is not as it should be.

import type { Settings } from "../config/table.ts";
import type { SeshatNode } from "./node.ts";
import { heartbeatTicksOf } from "./raft-config.ts";
import { MODE_LEADER, MODE_NONE, type Replica } from "./replica.ts";

/** Ticks that a node may rest which clients have used a moment ago. */
const SHORT_REST_TICKS = 3;
/** A node is quiet when no client has sent it anything for so long. */
const QUIET_AFTER_MS = 1000;
/** A member that the leader hears at least so often is well. */
const HEARD_HEARTBEATS = 2;

/** Half of an election timeout: one late heartbeat is no silence yet, as docs/configuration.md promises for any interval. */
function quietHeartbeatTicks({ electionTimeoutMs, heartbeatMs, tickMs }: Settings): number {
  return Math.max(1, Math.floor(Math.max(heartbeatMs, electionTimeoutMs / 2) / tickMs));
}

export class Rest {
  /** A client has sent something since the last tick. */
  isAsked = false;
  readonly #node: SeshatNode;
  readonly #heartbeatTicks: number;
  readonly #quietTicks: number;
  /** Beyond the leader's quiet interval, so that its heartbeats wake a follower before the follower's timer does. */
  readonly #restTicksMax: number;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(node: SeshatNode) {
    this.#node = node;
    const { settings } = node;
    this.#heartbeatTicks = heartbeatTicksOf(settings);
    this.#quietTicks = quietHeartbeatTicks(settings);
    this.#restTicksMax = Math.ceil((this.#quietTicks * 4) / 3);
  }

  /** Before the ticks of a turn. */
  tick(nowMs: number, heldCount: number): void {
    if (this.isAsked) this.#askedMs = nowMs;
    this.isAsked = false;
    const { raft } = this.#node.replica;
    const isQuiet = this.#isUnused && !this.#isBusy(heldCount);
    raft?.setHeartbeatTicks(isQuiet ? this.#quietTicks : this.#heartbeatTicks);
  }

  /** So many ticks from now the node needs its next turn. */
  ticks(heldCount: number): number {
    const { replica, settings, blockedClients } = this.#node;
    if (this.#isBusy(heldCount)) return 1;
    const most = this.#isUnused ? this.#restTicksMax : SHORT_REST_TICKS;
    const rest = Math.min(most, replica.raft!.ticksUntilDue);
    const restMs = rest * settings.tickMs;
    return blockedClients.isDueWithin(restMs) || isKeyDue(replica, restMs) ? 1 : rest;
  }

  get #isUnused(): boolean {
    return !this.isAsked && this.#node.replica.monotonicMs - this.#askedMs >= QUIET_AFTER_MS;
  }

  #isBusy(heldCount: number): boolean {
    const { replica, server, shutdownControl, cluster, memoryReturn } = this.#node;
    return (
      heldCount > 0 ||
      replica.mode === MODE_NONE ||
      replica.raft?.transferring !== false ||
      replica.isUnderWay ||
      memoryReturn.isTidying ||
      replica.limit.isOver(replica.machine.store) ||
      server.pause.isActive(replica.monotonicMs) ||
      shutdownControl.underWay ||
      cluster.snapshots.sendingTo !== 0 ||
      server.cluster.slotScans.isBusy ||
      !this.#areHeard()
    );
  }

  /** Of a leader: are all heard that it has a connection to? A follower that hears nothing is woken by its election timeout. */
  #areHeard(): boolean {
    const { replica, cluster, settings } = this.#node;
    if (replica.mode !== MODE_LEADER) return true;
    const { incarnation } = cluster.membership.self;
    const sinceMs = replica.monotonicMs - HEARD_HEARTBEATS * this.#quietTicks * settings.tickMs;
    return cluster.membership.incarnations.every(
      (member) =>
        member === incarnation || !cluster.reaches(member) || cluster.links.heardMs(member) >= sinceMs,
    );
  }
}

/** Only the leader removes keys by itself. */
function isKeyDue(replica: Replica, withinMs: number): boolean {
  const { mode, machine } = replica;
  return mode === MODE_LEADER && machine.store.nextDeadlineMs() - replica.runningMs() <= withinMs;
}
