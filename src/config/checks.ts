// What settings must be to each other, and the values that follow from others when they are left out.
// Settings in; out comes one line for the first thing that is wrong, with the settings it is about. Pure.

import { formatAddress, isLoopback, type Member } from "./special-kinds.ts";
import type { SettingName, Settings } from "./table.ts";

const PEER_PORT_OFFSET = 10_000;

/** Settings that do not go together. */
export interface Conflict {
  /** Whose lines it is about: names of settings, "member NAME" for the line of one member. */
  readonly names: readonly string[];
  /** One line. */
  readonly text: string;
}

type Check = (s: Settings) => Conflict | undefined;

/** @param name a setting in ms */
function multipleOfTick(name: SettingName, ms: (s: Settings) => number): Check {
  return (s) =>
    ms(s) % s.tickMs === 0
      ? undefined
      : {
          names: [name, "tick-interval"],
          text: `${name} (${ms(s)} ms) must be a multiple of tick-interval (${s.tickMs} ms)`,
        };
}

/** @param limitText the limit in words, when it is not just the setting `limitName` */
function atMost(
  [name, value]: readonly [SettingName, number],
  [limitName, limit, limitText]: readonly [SettingName, number, string?],
  why: string,
): Conflict | undefined {
  if (value <= limit) return undefined;
  return {
    names: [name, limitName],
    text: `${name} (${value}) must not exceed ${limitText ?? limitName} (${limit}): ${why}`,
  };
}

/** Whoever connects to the peer port is a member, and members need no password. */
const openDoor: Check = ({ requirepass, members }) =>
  requirepass === "" || members.length === 0
    ? undefined
    : {
        names: ["requirepass", "requirepass-file"],
        text:
          "requirepass needs a cluster-secret, or anybody on this machine gets past it through the peer port: " +
          "start all members with the same cluster-secret-file or SESHAT_CLUSTER_SECRET",
      };

const knownNodeName: Check = (s) => {
  if (s.members.length === 0 || ownMember(s) !== undefined) return undefined;
  const names = s.members.map((member) => member.name).join(", ");
  return s.nodeName === ""
    ? {
        names: ["member"],
        text: `node-name is missing: say which of the members this node is (${names})`,
      }
    : { names: ["node-name"], text: `node-name ${s.nodeName} is not among the members (${names})` };
};

const secretWhereNeeded: Check = (s) => {
  if (s.clusterSecret !== "") return undefined;
  const open = s.peerBind.find(isFar);
  if (open !== undefined) {
    return {
      names: ["peer-bind"],
      text: `peer-bind ${open} needs a cluster-secret: anybody could join as a member`,
    };
  }
  const far = s.members.find((member) => isFar(member.host));
  if (far === undefined) return openDoor(s);
  const address = formatAddress(far.host, far.port);
  return {
    names: [`member ${far.name}`],
    text: `member ${far.name} at ${address} is another machine: give all a cluster-secret`,
  };
};

/** Of a host, or of one to listen on, which may have a '-' in front. */
const isFar = (host: string): boolean => !isLoopback(host.replace(/^-/, ""));

const CHECKS: readonly Check[] = [
  multipleOfTick("heartbeat-interval", (s) => s.heartbeatMs),
  multipleOfTick("lease-duration", (s) => s.leaseMs),
  multipleOfTick("election-timeout", (s) => s.electionTimeoutMs),
  (s) =>
    atMost(
      ["lease-duration", s.leaseMs],
      ["election-timeout", s.electionTimeoutMs],
      "a member could be elected while the old leader still answers reads",
    ),
  (s) =>
    atMost(
      ["heartbeat-interval", s.heartbeatMs],
      ["election-timeout", s.electionTimeoutMs / 2, "half of election-timeout"],
      "one lost heartbeat would cause an election",
    ),
  (s) =>
    s.readMode === "quorum"
      ? undefined
      : atMost(
          ["heartbeat-interval", s.heartbeatMs],
          ["lease-duration", s.leaseMs / 2, "half of lease-duration"],
          "the lease of a quiet leader would run out between heartbeats",
        ),
  (s) =>
    atMost(
      ["log-tail-bytes", s.logTailBytes],
      ["log-max-bytes", s.logBytesMax],
      "the tail is a part of the log",
    ),
  (s) =>
    atMost(
      ["snapshot-chunk-bytes", s.snapshotChunkBytes],
      ["snapshot-window-bytes", s.snapshotWindowBytes],
      "not one chunk could be sent",
    ),
  knownNodeName,
  (s) =>
    s.members.length > 0 && s.port === s.peerPort && s.port !== 0
      ? {
          names: ["port", "peer-port", `member ${s.nodeName}`],
          text: `port and peer-port are both ${s.port}: clients and members need a port each`,
        }
      : undefined,
  secretWhereNeeded,
];

/** Whoever a member proves its secret to may try out secrets of their own (docs/adr/0024). */
const SECRET_CHARACTERS_SAFE = 16;

/** What works and is not wise, a line each. */
export function cautions(settings: Settings): readonly string[] {
  return [shortSecret(settings), otherPort(settings), unreachable(settings)].filter((it) => it !== "");
}

function shortSecret({ clusterSecret }: Settings): string {
  const { length } = clusterSecret;
  if (length === 0 || length >= SECRET_CHARACTERS_SAFE) return "";
  return (
    `cluster-secret has only ${length} characters and can be guessed: give all members one of ` +
    `${SECRET_CHARACTERS_SAFE} random characters or more`
  );
}

function otherPort(settings: Settings): string {
  const own = ownMember(settings);
  if (own === undefined || own.port === settings.peerPort) return "";
  return (
    `peer-port ${settings.peerPort} is not the port of this node's member line (${lineOf(own)}), which the other ` +
    "members dial: unless a proxy or a mapped port leads from there to here, leave peer-port out"
  );
}

/** Listens to this machine only, and its line sends members of other machines here. */
function unreachable(settings: Settings): string {
  const own = ownMember(settings);
  if (own === undefined || isLoopback(own.host) || settings.peerBind.some(isFar)) return "";
  return (
    `peer-bind ${settings.peerBind.join(" ")} listens for this machine only, and this node's member line ` +
    `(${lineOf(own)}) names it for others: unless a proxy leads from there to here, leave peer-bind out`
  );
}

const lineOf = ({ name, host, port }: Member): string => `${name} ${formatAddress(host, port)}`;

/** The first thing that is wrong between settings. */
export function firstConflict(settings: Settings): Conflict | undefined {
  for (const check of CHECKS) {
    const problem = check(settings);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

export function ownMember(settings: Settings): Member | undefined {
  return settings.members.find((member) => member.name === settings.nodeName);
}

/** Fills in, in place, what was left out: node-name, peer-port, peer-bind. Gives the names of those it did. */
export function deriveSettings(settings: Settings): ReadonlySet<SettingName> {
  const derived = new Set<SettingName>();
  if (settings.nodeName === "" && settings.members.length === 0) {
    settings.nodeName = "n1";
    derived.add("node-name");
  }
  if (settings.peerPort === 0) {
    const beside = settings.port + PEER_PORT_OFFSET;
    settings.peerPort = ownMember(settings)?.port ?? (beside > 65535 ? 0 : beside);
    derived.add("peer-port");
  }
  if (settings.peerBind.length === 0) {
    settings.peerBind = settings.clusterSecret === "" ? ["127.0.0.1", "-::1"] : ["*", "-::*"];
    derived.add("peer-bind");
  }
  return derived;
}
