// What settings must be to each other, and the values that follow from others when they are left out.
// Settings in, one line out for the first thing that is wrong. Pure.

import { formatAddress, isLoopback, type Member } from "./special-kinds.ts";
import type { Settings } from "./table.ts";

const PEER_PORT_OFFSET = 10_000;

type Check = (s: Settings) => string | undefined;

function multipleOfTick(name: string, ms: (s: Settings) => number): Check {
  return (s) =>
    ms(s) % s.tickMs === 0
      ? undefined
      : `${name} (${ms(s)} ms) must be a multiple of tick-interval (${s.tickMs} ms)`;
}

const atMost = (name: string, value: number, limitName: string, limit: number, why: string) =>
  value <= limit ? undefined : `${name} (${value}) must not exceed ${limitName} (${limit}): ${why}`;

/** Whoever connects to the peer port is a member, and members need no password. */
const openDoor: Check = ({ requirepass, members }) =>
  requirepass === "" || members.length === 0
    ? undefined
    : "requirepass needs a cluster-secret, or anybody on this machine gets past it through the peer port: " +
      "start all members with the same cluster-secret-file or SESHAT_CLUSTER_SECRET";

const CHECKS: readonly Check[] = [
  multipleOfTick("heartbeat-interval", (s) => s.heartbeatMs),
  multipleOfTick("lease-duration", (s) => s.leaseMs),
  multipleOfTick("election-timeout", (s) => s.electionTimeoutMs),
  (s) =>
    atMost(
      "lease-duration",
      s.leaseMs,
      "election-timeout",
      s.electionTimeoutMs,
      "a member could be elected while the old leader still answers reads",
    ),
  (s) =>
    atMost(
      "heartbeat-interval",
      s.heartbeatMs,
      "half of election-timeout",
      s.electionTimeoutMs / 2,
      "one lost heartbeat would cause an election",
    ),
  (s) =>
    s.readMode === "quorum"
      ? undefined
      : atMost(
          "heartbeat-interval",
          s.heartbeatMs,
          "half of lease-duration",
          s.leaseMs / 2,
          "the lease of a quiet leader would run out between heartbeats",
        ),
  (s) =>
    atMost("log-tail-bytes", s.logTailBytes, "log-max-bytes", s.logBytesMax, "the tail is a part of the log"),
  (s) =>
    atMost(
      "snapshot-chunk-bytes",
      s.snapshotChunkBytes,
      "snapshot-window-bytes",
      s.snapshotWindowBytes,
      "not one chunk could be sent",
    ),
  (s) => {
    if (s.members.length === 0 || ownMember(s) !== undefined) return undefined;
    const names = s.members.map((member) => member.name).join(", ");
    return s.nodeName === ""
      ? `node-name is missing: say which of the members this node is (${names})`
      : `node-name ${s.nodeName} is not among the members (${names})`;
  },
  (s) =>
    s.members.length > 0 && s.port === s.peerPort && s.port !== 0
      ? `port and peer-port are both ${s.port}: clients and members need a port each`
      : undefined,
  (s) => {
    if (s.clusterSecret !== "") return undefined;
    const open = s.peerBind.find((host) => !isLoopback(host.replace(/^-/, "")));
    if (open !== undefined) return `peer-bind ${open} needs a cluster-secret: anybody could join as a member`;
    const far = s.members.find((member) => !isLoopback(member.host));
    if (far === undefined) return openDoor(s);
    return `member ${far.name} at ${formatAddress(far.host, far.port)} is another machine: give all a cluster-secret`;
  },
];

/** Whoever a member proves its secret to may try out secrets of their own (docs/adr/0024). */
const SECRET_CHARACTERS_SAFE = 16;

/** What works and is not wise, a line each. */
export function cautions({ clusterSecret }: Settings): readonly string[] {
  const { length } = clusterSecret;
  if (length === 0 || length >= SECRET_CHARACTERS_SAFE) return [];
  return [
    `cluster-secret has only ${length} characters and can be guessed: give all members one of ` +
      `${SECRET_CHARACTERS_SAFE} random characters or more`,
  ];
}

/** The first thing that is wrong between settings, in one line. */
export function firstConflict(settings: Settings): string | undefined {
  for (const check of CHECKS) {
    const problem = check(settings);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

export function ownMember(settings: Settings): Member | undefined {
  return settings.members.find((member) => member.name === settings.nodeName);
}

/** Fills in, in place, what was left out: node-name, peer-port, peer-bind. */
export function deriveSettings(settings: Settings): void {
  if (settings.nodeName === "" && settings.members.length === 0) settings.nodeName = "n1";
  if (settings.peerPort === 0) {
    const beside = settings.port + PEER_PORT_OFFSET;
    settings.peerPort = ownMember(settings)?.port ?? (beside > 65535 ? 0 : beside);
  }
  if (settings.peerBind.length === 0) {
    settings.peerBind = settings.clusterSecret === "" ? ["127.0.0.1", "-::1"] : ["*", "-::*"];
  }
}
