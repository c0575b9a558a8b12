// A cluster of processes for the fault tests: all that a fault can be done to, and what must be true when it is over.

import { infoFields, type NodeProcess, ProcessCluster } from "../e2e/processes.ts";
import { Random } from "../sim/random.ts";
import { ask } from "./connection.ts";

export const WALL_CLOCK_OFF_MS = 30_000;
const wallClock = (offsetMs: number): string =>
  `${new URL("../../test/chaos/wall-clock.mjs", import.meta.url).href}?offsetMs=${offsetMs}`;
const POLL_MS = 40;
/** Of one look and the pause behind it. */
const COUNTED_MS_MAX = 3000;
const REPLY_MS_MAX = 5000;
const PATIENCE_MS = 100_000;
/** Of a node that may be stopped: it is asked again. */
const INFO_MS_MAX = 2000;

export class Members {
  readonly cluster: ProcessCluster;
  readonly names: readonly string[];
  readonly ports: readonly number[];
  /** Nodes that a fault has taken away. */
  readonly lost = new Set<string>();

  private constructor(cluster: ProcessCluster) {
    this.cluster = cluster;
    this.names = cluster.nodes.map(({ name }) => name);
    this.ports = cluster.nodes.map(({ port }) => port);
  }

  /** Half of the seeds have clocks that go wrong forwards, half backwards; half have small logs, so that members need snapshots. */
  static async start(count: number, seed: number, flags: readonly string[] = []): Promise<Members> {
    const random = Random.stream(seed, "cluster");
    const offsetMs = random.chance(0.5) ? WALL_CLOCK_OFF_MS : -WALL_CLOCK_OFF_MS;
    const smallLog = ["--log-max-bytes", "1mb", "--log-tail-bytes", "64kb", "--log-tail-entries", "50"];
    const cluster = await ProcessCluster.startProxied(count, {
      flags: ["--enable-debug-command", "yes", ...(random.chance(0.5) ? smallLog : []), ...flags],
      nodeFlags: ["--import", wallClock(offsetMs)],
    });
    return new Members(cluster);
  }

  get majority(): number {
    return Math.floor(this.names.length / 2) + 1;
  }

  node(name: string): NodeProcess {
    return this.cluster.nodes[this.names.indexOf(name)]!;
  }

  /** The reply, as Connection shows it; undefined when there is none. */
  ask(name: string, ...command: string[]): Promise<string | undefined> {
    return ask(this.node(name).port, command, REPLY_MS_MAX);
  }

  /** The same of a node that runs: the reply comes, however little it gets of the processor. */
  askPatiently(name: string, ...command: string[]): Promise<string | undefined> {
    return ask(this.node(name).port, command, PATIENCE_MS);
  }

  isSet(name: string, key: string, value: string, ...more: string[]): Promise<true> {
    return eventually(`${name} takes writes`, async () =>
      (await this.ask(name, "SET", key, value, ...more)) === "+OK" ? true : undefined,
    );
  }

  async info(name: string): Promise<ReadonlyMap<string, string>> {
    return infoFields((await ask(this.node(name).port, ["INFO", "raft"], INFO_MS_MAX)) ?? "");
  }

  /** Who says that it leads, and holds a lease; of those that answer. */
  async findLeader(): Promise<string | undefined> {
    return leaderIn(await this.#infos());
  }

  leader(msMax?: number): Promise<string> {
    return eventually("somebody leads", () => this.findLeader(), msMax);
  }

  /** All are voters who know the same leader, and one that came back has replaced what it was. */
  allAreWell(msMax?: number): Promise<true> {
    return this.#areWell(this.names, msMax);
  }

  /** One of them is a voter again, in the eyes of the leader too. */
  isBack(name: string, msMax?: number): Promise<true> {
    return this.#areWell([name], msMax);
  }

  #areWell(names: readonly string[], msMax?: number): Promise<true> {
    const count = String(this.names.length);
    return eventually(
      `${names.join(", ")}: members that know the leader`,
      async () => {
        const infos = await this.#infos();
        const leader = leaderIn(infos);
        if (leader === undefined || infos.get(leader)!.get("raft_members") !== count) return undefined;
        const isWell = (name: string): boolean => {
          const info = infos.get(name)!;
          const votes = name === leader || info.get("raft_role") === "follower";
          return votes && info.get("raft_leader") === leader;
        };
        return names.every(isWell) ? true : undefined;
      },
      msMax,
    );
  }

  async #infos(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const infos = await Promise.all(this.names.map((name) => this.info(name)));
    return new Map(this.names.map((name, i) => [name, infos[i]!]));
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.node(name).child.kill(signal);
  }

  async end(name: string, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.node(name).stop(signal);
  }

  /** Empty, with the same command line. */
  restart(name: string): void {
    this.cluster.restart(this.node(name));
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
  }

  /** The ends of what they logged. */
  logs(): string {
    return this.cluster.nodes.map(({ name, output }) => `--- ${name}\n${output.slice(-6000)}`).join("\n");
  }
}

const leaderIn = (infos: ReadonlyMap<string, ReadonlyMap<string, string>>): string | undefined =>
  [...infos].find(
    ([, info]) => info.get("raft_role") === "leader" && info.get("raft_lease") === "valid",
  )?.[0];

/** Asks until there is an answer. Time for which this process itself was stopped does not count. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined>,
  msMax = 120_000,
): Promise<T> {
  let waitedMs = 0;
  let lastMs = performance.now();
  for (;;) {
    const found = await condition();
    if (found !== undefined) return found;
    if (waitedMs > msMax) throw new NeverHappened(what, msMax);
    await pause(POLL_MS);
    const nowMs = performance.now();
    waitedMs += Math.min(nowMs - lastMs, COUNTED_MS_MAX);
    lastMs = nowMs;
  }
}

/** A condition of the cluster that did not come true in time. */
export class NeverHappened extends Error {
  constructor(what: string, msMax: number) {
    super(`not within ${msMax / 1000} s: ${what}`);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
