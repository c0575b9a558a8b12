// The servers under test: redis-server, one Seshat node, clusters of them. Each on loopback ports of its
// own (17500-17599, or from SESHAT_BENCH_PORT on), started with nothing on disk, and ready when these functions return.

import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { once } from "./client.ts";
import { PeerProxy, type ProxiedMember } from "./peer-proxy.ts";
import { type Child, hasEnded, outputOf, sleep, start, stop } from "./processes.ts";

export interface Server {
  readonly name: string;
  /** Where clients connect: for a cluster, the leader. */
  readonly port: number;
  /** Of all nodes, in the order of `children`. */
  readonly ports: readonly number[];
  readonly children: readonly Child[];
  /** One node of a cluster starts anew, once it has ended: empty, with the options it had. In `children` from then on. */
  readonly startAgain?: (node: number) => Child;
  /** What the members say to each other passes here, if it was asked for. */
  readonly proxy?: PeerProxy;
  /** What its clients speak, where it is not RESP. */
  readonly protocol?: "etcd";
}

const READY_MS_MAX = 20_000;
const CLIENTS_MAX = "30000";
/** Another hundred of ports, for a run beside another one. */
const FIRST_PORT = Number(process.env["SESHAT_BENCH_PORT"] ?? 17_500);
const REDIS_PORT = FIRST_PORT;
const CONTROL_PORT = FIRST_PORT + 1;
const ONE_PORT = FIRST_PORT + 10;
const CLUSTER_PORT = FIRST_PORT + 20;
const PEER_PORT_OFFSET = 50;
const PROXY_PORT_OFFSET = 60;
const PROGRAM = "dist/main.js";

/**
 * How the program is deployed, from its first line: `#!/usr/bin/env -S NAME=VALUE node --flag`. The reasons
 * are in docs/adr/0019-garbage.md and docs/OPERATIONS.md.
 */
function deployment(): { nodeFlags: readonly string[]; environment: Readonly<Record<string, string>> } {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build makes it`);
  const words = readFileSync(PROGRAM, "utf8").split("\n", 1)[0]!.split(" ").slice(2);
  const node = words.indexOf("node");
  const variables = words.slice(0, node).map((word) => word.split("=", 2) as [string, string]);
  return { nodeFlags: words.slice(node + 1), environment: Object.fromEntries(variables) };
}

const HOW_TO_INSTALL =
  "Debian and Ubuntu: apt-get install redis-server redis-tools; macOS: brew install redis. The version compared with is 7.0.";

/** Throws with what to do when a program is missing. */
export function checkInstalled(): string {
  for (const program of ["redis-server", "redis-benchmark"]) {
    if (outputOf(program, ["--version"]) === undefined) {
      throw new Error(`${program} was not found. ${HOW_TO_INSTALL}`);
    }
  }
  return /v=(\S+)/.exec(outputOf("redis-server", ["--version"]) ?? "")?.[1] ?? "unknown";
}

export async function until(
  what: string,
  children: readonly Child[],
  done: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  for (;;) {
    const ended = children.find(hasEnded);
    if (ended !== undefined) throw new Error(`${ended.name} ended while starting:\n${ended.output()}`);
    if (await done().catch(() => false)) return;
    if (Date.now() > deadline) {
      const outputs = children.map((child) => `--- ${child.name}\n${child.output()}`);
      throw new Error(`${what} took more than ${READY_MS_MAX / 1000} s\n${outputs.join("\n")}`);
    }
    await sleep(50);
  }
}

const answers = async (port: number): Promise<boolean> => (await once(port, "PING")) === "PONG";

export async function startRedis(control = false): Promise<Server> {
  const port = control ? CONTROL_PORT : REDIS_PORT;
  const name = control ? "redis-server again" : "redis-server";
  const child = start(name, "redis-server", [
    ...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    ...["--maxclients", CLIENTS_MAX, "--dir", tmpdir()],
  ]);
  await until(name, [child], () => answers(port));
  return { name, port, ports: [port], children: [child] };
}

function startNode(
  name: string,
  port: number,
  members: readonly string[],
  nodeFlags: readonly string[],
  settings: readonly string[] = [],
): Child {
  const deployed = deployment();
  const args = [
    ...deployed.nodeFlags,
    ...nodeFlags,
    PROGRAM,
    ...["--port", String(port), "--bind", "127.0.0.1", "--peer-port", String(port + PEER_PORT_OFFSET)],
    ...["--node-name", name, "--maxclients", CLIENTS_MAX, "--loglevel", "warning", ...members, ...settings],
  ];
  return start(name, process.execPath, args, deployed.environment);
}

export async function startOne(nodeFlags: readonly string[]): Promise<Server> {
  const child = startNode("n1", ONE_PORT, [], nodeFlags);
  await until("one node", [child], async () => (await once(ONE_PORT, "SET", "bench:ready", "1")) === "OK");
  return { name: "one node", port: ONE_PORT, ports: [ONE_PORT], children: [child] };
}

export async function isLeader(port: number): Promise<boolean> {
  return /^raft_role:leader\r?$/m.test(String(await once(port, "INFO", "raft")));
}

/** `settings`: more options of every node, "--name" and value each. */
export const startThree = (
  nodeFlags: readonly string[],
  proxied = false,
  settings: readonly string[] = [],
): Promise<Server> => startCluster(3, nodeFlags, proxied, settings);

const NAMES = { 3: "three nodes", 5: "five nodes" } as const;

export async function startCluster(
  size: 3 | 5,
  nodeFlags: readonly string[],
  proxied = false,
  settings: readonly string[] = [],
): Promise<Server> {
  const ports = Array.from({ length: size }, (_, i) => CLUSTER_PORT + i);
  const proxiedMembers: ProxiedMember[] = ports.map((port) => ({
    name: memberName(port),
    proxyPort: port + PROXY_PORT_OFFSET,
    peerPort: port + PEER_PORT_OFFSET,
  }));
  const members = proxiedMembers.flatMap(({ name, proxyPort, peerPort }) => [
    "--member",
    name,
    `127.0.0.1:${proxied ? proxyPort : peerPort}`,
  ]);
  const proxy = proxied ? await PeerProxy.start(proxiedMembers) : undefined;
  const startMember = (port: number): Child =>
    startNode(memberName(port), port, members, nodeFlags, settings);
  const children = ports.map(startMember);
  const startAgain = (node: number): Child => {
    const child = startMember(ports[node]!);
    children[node] = child;
    return child;
  };
  let leader: number | undefined;
  await until(NAMES[size], children, async () => {
    for (const port of ports) {
      if ((await once(port, "SET", "bench:ready", "1")) !== "OK") return false;
      if (await isLeader(port)) leader = port;
    }
    return leader !== undefined;
  });
  const server = { name: NAMES[size], port: leader!, ports, children, startAgain };
  return proxy === undefined ? server : { ...server, proxy };
}

/** Of the node of a cluster whose clients connect to `port`. */
export const memberName = (port: number): string => `n${port - CLUSTER_PORT + 1}`;

/** Starts them one after the other, and stops them whatever happens. */
export async function withServers<T>(
  start: readonly (() => Promise<Server>)[],
  work: (...servers: Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const one of start) servers.push(await one());
    return await work(...servers);
  } finally {
    await Promise.all(servers.flatMap(({ children }) => children.map(stop)));
  }
}
