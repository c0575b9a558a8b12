// The faults, each in a row: how it begins, and how it ends. What a seed draws (which, whom, for how long, how bad) is in the
// plan; who leads at that moment is found out when it begins.

import type { Random } from "../sim/random.ts";
import { Connection } from "./connection.ts";
import { bigValues, rejoinUnderLoad, slowCommands } from "./heavy-loads.ts";
import type { Links } from "./links.ts";
import { type Members, pause } from "./members.ts";
import { at } from "./strength.ts";

export interface FaultWorld {
  readonly members: Members;
  readonly links: Links;
  /** Loads have the sizes of `npm run chaos`; those of `npm test` are a tenth of that. */
  readonly isFull: boolean;
  /** Within which a member must be back. */
  readonly wellMsMax: number;
}

export interface Plan {
  readonly kind: FaultKind;
  readonly wantsLeader: boolean;
  /** Of who is left, if it is to be no leader or there is none. */
  readonly pick: number;
  readonly lengthMs: number;
  readonly pauseMs: number;
  /** From 0 to 1: how bad. */
  readonly strength: number;
}

type End = () => Promise<void>;
export type Begin = (world: FaultWorld, victim: string, plan: Plan) => Promise<End>;

/**
 * "node": the victim is as good as gone; as many at once as the others can do without. "links": mild, on all of them at once.
 */
export type Lane = "node" | "links" | "clocks" | "clients";

interface Row {
  readonly lane: Lane;
  readonly weight: number;
  readonly lengthMs: readonly [least: number, most: number];
  readonly begin: Begin;
}

const ALONE_MS = 500;

const around =
  (faultOf: (plan: Plan) => Parameters<Links["setAround"]>[1]): Begin =>
  async ({ links }, victim, plan) => {
    links.setAround(victim, faultOf(plan));
    return async () => links.setAround(victim);
  };

const oneWay =
  (isMute: boolean): Begin =>
  async ({ links }, victim) => {
    const set = (fault?: { held: true }): void => {
      for (const other of links.others(victim))
        links.set(...((isMute ? [victim, other] : [other, victim]) as [string, string]), fault);
    };
    set({ held: true });
    return async () => set();
  };

const stall: Begin = async ({ links }, victim, { pick }) => {
  const others = links.others(victim);
  const other = others[pick % others.length]!;
  links.setBetween(victim, other, { held: true });
  return async () => links.setBetween(victim, other);
};

/** Back empty after a while. */
const ended =
  (signal: "SIGKILL" | "SIGTERM"): Begin =>
  async ({ members }, victim) => {
    await members.end(victim, signal);
    return async () => members.restart(victim);
  };

const stopped: Begin = async ({ members }, victim) => {
  members.signal(victim, "SIGSTOP");
  return async () => members.signal(victim, "SIGCONT");
};

/** When it wakes up it is still cut off: nothing but its own clock can tell it that others have gone on. */
const stoppedAlone: Begin = async ({ members, links }, victim) => {
  links.setAround(victim, { held: true });
  members.signal(victim, "SIGSTOP");
  return async () => {
    members.signal(victim, "SIGCONT");
    await pause(ALONE_MS);
    links.setAround(victim);
  };
};

const blocked: Begin = async ({ members }, victim, { lengthMs }) => {
  const connection = await Connection.open(members.node(victim).port);
  const woken = new Promise((resolve) =>
    connection === undefined
      ? resolve(undefined)
      : connection.send([[["DEBUG", "SLEEP", (lengthMs / 1000).toFixed(3)], resolve]]),
  );
  return async () => {
    await Promise.race([woken, pause(lengthMs)]);
    connection?.close();
  };
};

const onAllLinks =
  (faultOf: (plan: Plan) => Parameters<Links["setAll"]>[0]): Begin =>
  async ({ links }, _victim, plan) => {
    links.setAll(faultOf(plan));
    return async () => links.setAll();
  };

const resets: Begin = async ({ members, links }, _victim, { strength }) => {
  let n = 0;
  const timer = setInterval(
    () => {
      const one = members.names[n++ % members.names.length]!;
      const others = links.others(one);
      links.reset(one, others[n % others.length]!);
    },
    at(1 - strength, 50, 1000),
  );
  return async () => clearInterval(timer);
};

/** SIGUSR2 of test/chaos/wall-clock.mjs. A process that is only just starting would die of it. */
const wallClock: Begin = async ({ members }, victim) => {
  const { child } = members.node(victim);
  if (members.lost.has(victim) || !(await members.info(victim)).has("raft_role")) return async () => {};
  child.kill("SIGUSR2");
  return async () => {
    child.kill("SIGUSR2");
  };
};

const SLOW_CLIENTS = 4;
const BIG_VALUE_BYTES = 20_000;
const BIG_READS = 300;

/** They ask for megabytes and do not read them until it is over. */
const slowClients: Begin = async ({ members }, victim) => {
  const { port } = members.node(victim);
  const connections: Connection[] = [];
  for (let i = 0; i < SLOW_CLIENTS; i++) {
    const connection = await Connection.open(port);
    if (connection === undefined) break;
    connection.stopReading();
    const read = ["GET", "chaos:big"];
    connection.send([
      [["SET", "chaos:big", "x".repeat(BIG_VALUE_BYTES)], () => {}],
      ...Array.from({ length: BIG_READS }, () => [read, () => {}] as const),
    ]);
    connections.push(connection);
  }
  return async () => {
    for (const [i, connection] of connections.entries()) {
      if (i % 2 === 0) connection.goOnReading();
    }
    await pause(200);
    for (const connection of connections) connection.close();
  };
};

/** They begin a command and say no more. */
const halfOpenClients: Begin = async ({ members }, victim) => {
  const connections: Connection[] = [];
  for (const beginning of [
    "*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\n12",
    "*2\r\n$3\r\nGE",
    "*1",
    "PI",
    "MULTI\r\nINCR half\r\nEXE",
  ]) {
    const connection = await Connection.open(members.node(victim).port);
    connection?.sendRaw(beginning);
    if (connection !== undefined) connections.push(connection);
  }
  return async () => {
    for (const connection of connections) connection.close();
  };
};

export const FAULTS = {
  cut: { lane: "node", weight: 3, lengthMs: [300, 4000], begin: around(() => ({ held: true })) },
  disconnect: { lane: "node", weight: 2, lengthMs: [100, 3000], begin: around(() => ({ refused: true })) },
  mute: { lane: "node", weight: 2, lengthMs: [300, 4000], begin: oneWay(true) },
  deaf: { lane: "node", weight: 2, lengthMs: [300, 4000], begin: oneWay(false) },
  stall: { lane: "node", weight: 2, lengthMs: [300, 3000], begin: stall },
  trickle: {
    lane: "node",
    weight: 2,
    lengthMs: [500, 3000],
    begin: around(({ strength }) => ({ bytesPerSecond: at(1 - strength, 1000, 100_000) })),
  },
  SIGKILL: { lane: "node", weight: 4, lengthMs: [20, 2000], begin: ended("SIGKILL") },
  SIGTERM: { lane: "node", weight: 2, lengthMs: [20, 1000], begin: ended("SIGTERM") },
  SIGSTOP: { lane: "node", weight: 3, lengthMs: [100, 4000], begin: stopped },
  "cut asleep": { lane: "node", weight: 2, lengthMs: [700, 3000], begin: stoppedAlone },
  "rejoin under load": { lane: "node", weight: 2, lengthMs: [20, 2000], begin: rejoinUnderLoad },
  blocked: { lane: "node", weight: 2, lengthMs: [500, 3000], begin: blocked },
  delay: {
    lane: "links",
    weight: 2,
    lengthMs: [1000, 5000],
    begin: onAllLinks(({ strength }) => ({ delayMs: at(strength, 2, 50) })),
  },
  jitter: {
    lane: "links",
    weight: 2,
    lengthMs: [1000, 5000],
    begin: onAllLinks(({ strength }) => ({ delayMs: 1, jitterMs: at(strength, 4, 80) })),
  },
  reset: { lane: "links", weight: 2, lengthMs: [500, 3000], begin: resets },
  "wall clock": { lane: "clocks", weight: 1, lengthMs: [1000, 8000], begin: wallClock },
  "slow clients": { lane: "clients", weight: 1, lengthMs: [500, 4000], begin: slowClients },
  "big values": { lane: "clients", weight: 2, lengthMs: [1000, 4000], begin: bigValues },
  "slow commands": { lane: "clients", weight: 2, lengthMs: [1000, 4000], begin: slowCommands },
  "half-open clients": { lane: "clients", weight: 1, lengthMs: [500, 4000], begin: halfOpenClients },
} as const satisfies Record<string, Row>;

export type FaultKind = keyof typeof FAULTS;
export const KINDS = Object.keys(FAULTS) as FaultKind[];

export const kindsOf = (lane: Lane): FaultKind[] => KINDS.filter((kind) => FAULTS[kind].lane === lane);

/** The next fault of a lane. Draws the same whatever the kind is. */
export function drawPlan(random: Random, kinds: readonly FaultKind[]): Plan {
  const kind = kinds[random.weighted(kinds.map((it) => FAULTS[it].weight))]!;
  const [least, most] = FAULTS[kind].lengthMs;
  return {
    kind,
    wantsLeader: random.chance(0.5),
    pick: random.u32(),
    lengthMs: Math.round(random.magnitude(least, most)),
    pauseMs: Math.round(random.magnitude(50, 2000)),
    strength: random.unit(),
  };
}
