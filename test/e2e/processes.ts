// Real Seshat processes on loopback, for the end-to-end stories: started, watched, killed and stopped by
// process id. Waits are for conditions, never for time.

import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { PeerProxy } from "../../bench/peer-proxy.ts";
import { startChild } from "../children.ts";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";

export const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/**
 * For stories in which no command may fail: a process that gets no processor time for a while does not lose
 * its leadership. Who is killed is still replaced at once, for that is seen by the connection.
 */
export const STEADY = ["--election-timeout", "2000"] as const;

/** Of a node that may be stopped: it is asked again. */
const INFO_MS_MAX = 5000;
/** Names what hangs, before the test's own timeout does. */
const ANSWER_MS_MAX = 120_000;

export function requireBuild(): void {
  if (!existsSync(MAIN)) throw new Error("dist/main.js is missing: npm run build (npm test does it)");
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** INFO's values by their names. */
export const infoFields = (text: string): Map<string, string> =>
  new Map(
    text.split("\r\n").map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );

export class NodeProcess {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly args: readonly string[];
  /** Of Node itself. */
  readonly nodeFlags: readonly string[];
  output = "";

  constructor(name: string, port: number, args: readonly string[], nodeFlags: readonly string[] = []) {
    this.name = name;
    this.port = port;
    this.args = args;
    this.nodeFlags = nodeFlags;
    const own = [MAIN, "--port", String(port), "--bind", "127.0.0.1"];
    this.child = startChild(process.execPath, [...nodeFlags, ...own, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const collect = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    this.child.stdout?.on("data", collect);
    this.child.stderr?.on("data", collect);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, "exit");
    this.child.kill(signal);
    await gone;
  }

  /** One request through a connection of its own; undefined when the node does not answer. */
  async info(section: string): Promise<Map<string, string> | undefined> {
    const client = connect(this.port, INFO_MS_MAX);
    try {
      return infoFields(await client.info(section));
    } catch {
      return undefined;
    } finally {
      client.disconnect();
    }
  }
}

/** A connection of ioredis that is made once; what is not answered in `answerMsMax` fails. */
export function connect(port: number, answerMsMax = ANSWER_MS_MAX): Redis {
  const client = new Redis({
    port,
    host: "127.0.0.1",
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: answerMsMax,
    commandTimeout: answerMsMax,
  });
  client.on("error", () => {});
  return client;
}

export class ProcessCluster {
  readonly nodes: NodeProcess[] = [];
  #proxy: PeerProxy | undefined;

  static async start(
    count: number,
    flags: readonly string[] = [],
    flagsOf: (node: number) => readonly string[] = () => [],
    nodeFlags: readonly string[] = [],
  ): Promise<ProcessCluster> {
    const ports = await freePorts(2 * count);
    const cluster = new ProcessCluster();
    await cluster.#start(ports.slice(0, count), ports.slice(count), flags, flagsOf, nodeFlags);
    return cluster;
  }

  /** What the members say to each other passes through `proxy`. Three ports for each. */
  static async startProxied(
    count: number,
    { flags = [], nodeFlags = [] }: { flags?: readonly string[]; nodeFlags?: readonly string[] } = {},
  ): Promise<ProcessCluster> {
    const ports = await freePorts(3 * count);
    const proxyPorts = ports.slice(count, 2 * count);
    const peerPorts = ports.slice(2 * count);
    const cluster = new ProcessCluster();
    cluster.#proxy = await PeerProxy.start(
      proxyPorts.map((proxyPort, i) => ({ name: `n${i + 1}`, proxyPort, peerPort: peerPorts[i]! })),
    );
    const flagsOf = (i: number): string[] => ["--peer-port", String(peerPorts[i])];
    try {
      await cluster.#start(ports.slice(0, count), proxyPorts, flags, flagsOf, nodeFlags);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get proxy(): PeerProxy {
    if (this.#proxy === undefined) throw new Error("a cluster without a proxy");
    return this.#proxy;
  }

  async #start(
    ports: readonly number[],
    memberPorts: readonly number[],
    flags: readonly string[],
    flagsOf: (node: number) => readonly string[],
    nodeFlags: readonly string[] = [],
  ): Promise<void> {
    requireBuild();
    const members = memberPorts.flatMap((port, i) => ["--member", `n${i + 1}`, `127.0.0.1:${port}`]);
    for (const [i, port] of ports.entries()) {
      const own = ports.length === 1 ? [] : ["--node-name", `n${i + 1}`, ...members];
      const args = [...own, ...flags, ...flagsOf(i)];
      this.nodes.push(new NodeProcess(`n${i + 1}`, port, args, nodeFlags));
    }
    await this.#allKnowTheLeader();
  }

  async #allKnowTheLeader(): Promise<void> {
    await this.leader();
    await until("all nodes know the leader", async () => {
      for (const node of this.nodes) {
        const info = await node.info("raft");
        if (info === undefined || (info.get("raft_leader") ?? "") === "") return undefined;
      }
      return true;
    });
  }

  /** The node that says it leads, with a lease; of those that run. */
  async leader(): Promise<NodeProcess> {
    return until("a leader", async () => {
      for (const node of this.nodes) {
        if (!node.isRunning) continue;
        const info = await node.info("raft");
        if (info?.get("raft_role") === "leader" && info.get("raft_lease") === "valid") return node;
      }
      return undefined;
    });
  }

  /** Starts the process of a node that is gone again, with the same command line. */
  restart(node: NodeProcess, nodeFlags = node.nodeFlags): NodeProcess {
    return this.replace(node, new NodeProcess(node.name, node.port, node.args, nodeFlags));
  }

  replace(gone: NodeProcess, started: NodeProcess): NodeProcess {
    this.nodes[this.nodes.indexOf(gone)] = started;
    return started;
  }

  /** It has its vote, and what it was before is no member any more, in the eyes of the leader too. */
  async votes(node: NodeProcess): Promise<void> {
    await until(`${node.name} votes`, async () => {
      const info = await node.info("raft");
      const members = (await (await this.leader()).info("raft"))?.get("raft_members");
      const isBack = info?.get("raft_role") === "follower" || info?.get("raft_role") === "leader";
      return isBack && members === String(this.nodes.length) ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#proxy?.stop();
  }
}

/** Is a program of Debian's packages there? */
export function installed(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
