// Ten times maxmemory written to three nodes, a pipeline on each: do all stay at or below the limit, do they end equal, and
// how long does a client that sends one command at a time wait at most meanwhile, on each of them?

import { Client, encode } from "./client.ts";
import { probe, quantile } from "./probe.ts";
import { residentBytes, sleep } from "./processes.ts";
import { Random } from "./random.ts";
import { isLeader, memberName, type Server } from "./servers.ts";

export const LIMIT_BYTES = 64 * 1024 * 1024;
const TIMES = 10;
const WRITERS_PER_NODE = 2;
const PIPELINE = 16;
const KEYS = 1_000_000;
const SMALL_BYTES_MAX = 200;
const LARGE_BYTES_MAX = 4000;
/** One in so many values is a large one. */
const LARGE_EACH = 5;
const LOOK_MS = 100;

export interface NodeFigure {
  readonly node: string;
  readonly leads: boolean;
  /** Of one client's commands, a read and a write in turns. */
  readonly commands: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** The most that INFO said in one of many looks. */
  readonly usedBytesMost: number;
  readonly residentBytesMost: number;
  /** At the end. */
  readonly evictedKeys: number;
}

interface Shared {
  bytesLeft: number;
  stopped: boolean;
}

async function write(port: number, seed: number, shared: Shared): Promise<void> {
  const random = new Random(seed);
  const client = await Client.open(port);
  const filler = "x".repeat(LARGE_BYTES_MAX);
  while (shared.bytesLeft > 0) {
    let text = "";
    for (let i = 0; i < PIPELINE; i++) {
      const size = random.below(random.below(LARGE_EACH) === 0 ? LARGE_BYTES_MAX : SMALL_BYTES_MAX);
      text += encode(["SET", `key:${random.below(KEYS)}`, filler.slice(0, size)]);
    }
    shared.bytesLeft -= text.length;
    await Promise.all(client.sendEncoded(text, PIPELINE));
  }
  client.close();
}

interface Most {
  usedBytes: number;
  residentBytes: number;
}

async function watch(server: Server, node: number, shared: Shared): Promise<Most> {
  const client = await Client.open(server.ports[node]!);
  const most: Most = { usedBytes: 0, residentBytes: 0 };
  for (let last = false; ; last = shared.stopped) {
    most.usedBytes = Math.max(most.usedBytes, await infoOf(client, "memory", "used_memory"));
    most.residentBytes = Math.max(most.residentBytes, residentBytes(server.children[node]!));
    if (last) break;
    await sleep(LOOK_MS);
  }
  client.close();
  return most;
}

async function infoOf(client: Client, section: string, field: string): Promise<number> {
  const found = new RegExp(`^${field}:(\\d+)`, "m").exec(String(await client.send("INFO", section)));
  if (found === null) throw new Error(`INFO ${section} has no ${field}`);
  return Number(found[1]);
}

/** What a node holds, told by itself: each leads once, for only a leader answers from its own state. */
async function digestOf(port: number): Promise<string> {
  const client = await Client.open(port);
  for (let i = 0; !(await isLeader(port)); i++) {
    if (i === 100) throw new Error(`${memberName(port)} does not become the leader`);
    await client.send("RAFT.TRANSFER", memberName(port)).catch(() => undefined);
    await sleep(50);
  }
  const digest = String(await client.send("DEBUG", "DIGEST"));
  client.close();
  return digest;
}

/** Looks at all nodes while `work` is done. */
async function observed(server: Server, shared: Shared, work: () => Promise<unknown>): Promise<NodeFigure[]> {
  const { ports } = server;
  const probes = ports.map((port) => probe(port, memberName(port), () => shared.stopped));
  const looks = ports.map((_, node) => watch(server, node, shared));
  await work();
  shared.stopped = true;
  const figures: NodeFigure[] = [];
  for (const [node, port] of ports.entries()) {
    const waits = await probes[node]!;
    const most = await looks[node]!;
    const client = await Client.open(port);
    figures.push({
      node: memberName(port),
      leads: port === server.port,
      commands: waits.length,
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      longestMs: waits.at(-1)!,
      usedBytesMost: most.usedBytes,
      residentBytesMost: most.residentBytes,
      evictedKeys: await infoOf(client, "stats", "evicted_keys"),
    });
    client.close();
  }
  return figures;
}

/** Ten times the limit, whatever the server's maxmemory is. */
export function measureLoad(server: Server, scale: number): Promise<NodeFigure[]> {
  const { ports } = server;
  const shared: Shared = { bytesLeft: TIMES * LIMIT_BYTES * scale, stopped: false };
  return observed(server, shared, () =>
    Promise.all(
      ports.flatMap((port, node) =>
        Array.from({ length: WRITERS_PER_NODE }, (_, i) => write(port, 100 * node + i + 1, shared)),
      ),
    ),
  );
}

/** The limit is set on a server that holds more: how long until no node does, in ms, and what its clients noticed. */
export async function measureShrink(server: Server): Promise<{ figures: NodeFigure[]; tookMs: number }> {
  let tookMs = 0;
  const figures = await observed(server, { bytesLeft: 0, stopped: false }, async () => {
    const clients = await Promise.all(server.ports.map((port) => Client.open(port)));
    const startMs = performance.now();
    for (const client of clients)
      await client.send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", String(LIMIT_BYTES));
    for (const client of clients) {
      while ((await infoOf(client, "memory", "used_memory")) > LIMIT_BYTES) await sleep(1);
      tookMs = performance.now() - startMs;
      client.close();
    }
  });
  return { figures, tookMs };
}

/** Of each node. The server has `enable-debug-command`. */
export async function digestsOf({ ports }: Server): Promise<string[]> {
  const digests: string[] = [];
  for (const port of ports) digests.push(await digestOf(port));
  return digests;
}
