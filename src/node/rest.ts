// How many ticks may pass without a turn while nothing comes in: each wakes the process, and an idle node has nothing to do at
// most of them. Looks at the node, changes nothing. It says one tick as soon as anything is under way, is due, or is not as
// it should be: silence is noticed as fast as ever.

import type { SeshatNode } from "./node.ts";
import { MODE_LEADER, MODE_NONE, type Replica } from "./replica.ts";

/** Less than a heartbeat, so that a turn that is a little late is not taken for a stall (docs/adr/0020). */
const REST_TICKS_MAX = 3;
/** A member that is heard at least so often is well. */
const HEARD_HEARTBEATS = 2;

export function restTicks(node: SeshatNode, heldCount: number): number {
  const { replica, settings, server, shutdownControl, cluster } = node;
  const isBusy =
    heldCount > 0 ||
    replica.mode === MODE_NONE ||
    replica.raft?.transferring !== false ||
    replica.isUnderWay ||
    replica.limit.isOver(replica.machine.store) ||
    server.pause.isActive(replica.monotonicMs) ||
    shutdownControl.underWay ||
    cluster.snapshots.sendingTo !== 0 ||
    server.cluster.slotScans.isBusy;
  if (isBusy || !areHeard(node)) return 1;
  const ticks = Math.min(REST_TICKS_MAX, Math.floor(settings.heartbeatMs / settings.tickMs));
  const untilHeartbeat = replica.mode === MODE_LEADER ? replica.raft!.ticksUntilHeartbeat : ticks;
  const rest = Math.max(1, Math.min(ticks, untilHeartbeat));
  return node.blockedClients.isDueWithin(rest * settings.tickMs) || isKeyDue(replica, rest * settings.tickMs)
    ? 1
    : rest;
}

/** Have all been heard of late whom this node listens to? */
function areHeard({ replica, cluster, settings }: SeshatNode): boolean {
  const self = cluster.membership.self.incarnation;
  const listened = replica.mode === MODE_LEADER ? cluster.membership.incarnations : [replica.leader];
  const sinceMs = replica.monotonicMs - HEARD_HEARTBEATS * settings.heartbeatMs;
  return listened.every((member) => member === self || cluster.links.heardMs(member) >= sinceMs);
}

/** Only the leader removes keys by itself. */
function isKeyDue(replica: Replica, withinMs: number): boolean {
  const { mode, machine } = replica;
  return mode === MODE_LEADER && machine.store.nextDeadlineMs() - replica.runningMs() <= withinMs;
}
