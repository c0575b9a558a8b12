// npm run bench:eviction: three nodes that are written ten times maxmemory, without a limit, with one that is set then, and with one, and hit rates of
// one node beside redis-server's with room for as many keys. `load` or `hits`: one half of it; --quick: a tenth, no figures to quote.

import { loadavg } from "node:os";
import { digestsOf, LIMIT_BYTES, measureLoad, measureShrink, type NodeFigure } from "./eviction-load.ts";
import { compareHits, KEYS, ROOM_KEYS, ZIPF_EXPONENT } from "./hit-rate.ts";
import { runAndCleanUp, stop } from "./processes.ts";
import { table, verdict } from "./report.ts";
import { describeMachine, machineLine } from "./results.ts";
import { checkInstalled, type Server, startOne, startRedis, startThree } from "./servers.ts";

const LOAD_POLICIES = ["noeviction", "allkeys-lru", "allkeys-lfu"] as const;
const HIT_POLICIES = ["allkeys-lru", "allkeys-lfu", "volatile-lru", "allkeys-random"] as const;
const POINTS_MAX = 2;
const MIB = 1024 * 1024;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
const count = (value: number): string => value.toLocaleString("en-US");
const say = (line: string): void => console.error(`${line} (load ${loadavg()[0]!.toFixed(1)})`);

async function load(scale: number): Promise<void> {
  const rows: string[][] = [];
  const verdicts: string[] = [];
  const judge = async (
    what: string,
    server: Server,
    figures: readonly NodeFigure[] | undefined,
  ): Promise<void> => {
    const isBelow = figures?.every(({ usedBytesMost }) => usedBytesMost <= LIMIT_BYTES);
    const isEqual = new Set(await digestsOf(server)).size === 1;
    verdicts.push(
      `${what}: ${isBelow === undefined ? "" : `never above maxmemory: ${verdict(isBelow)}; `}digests equal: ${verdict(isEqual)}`,
    );
  };
  for (const policy of LOAD_POLICIES) {
    const isLimited = policy !== "noeviction";
    const server = await startThree([], false, [
      ...["--enable-debug-command", "yes", "--maxmemory-policy", policy],
      ...["--maxmemory", isLimited ? String(LIMIT_BYTES) : "0"],
    ]);
    try {
      const figures = await measureLoad(server, scale);
      const name = isLimited ? policy : "no limit";
      rows.push(...figures.map((figure) => rowOf(name, figure)));
      if (!isLimited) {
        const shrunk = await measureShrink(server);
        rows.push(...shrunk.figures.map((figure) => rowOf("limit set", figure)));
        verdicts.push(`limit set: all nodes were below it after ${shrunk.tookMs.toFixed(0)} ms`);
      }
      // Digests last: each node leads for its own.
      await judge(name, server, isLimited ? figures : undefined);
      say(`  load ${policy}`);
    } finally {
      await Promise.all(server.children.map(stop));
    }
  }
  console.log(
    `\n## ${mib(LIMIT_BYTES)} MiB of maxmemory, ten times as much written through three nodes\n\n` +
      table(
        [
          "policy, node",
          "p50 ms",
          "p99 ms",
          "longest ms",
          "commands",
          "most used_memory, MiB",
          "most resident, MiB",
          "keys evicted",
        ],
        rows,
      ) +
      `\n\n${verdicts.join("\n")}`,
  );
}

function rowOf(name: string, figure: NodeFigure): string[] {
  return [
    `${name}, ${figure.node}${figure.leads ? " (leads)" : ""}`,
    figure.p50Ms.toFixed(2),
    figure.p99Ms.toFixed(1),
    figure.longestMs.toFixed(1),
    count(figure.commands),
    mib(figure.usedBytesMost),
    mib(figure.residentBytesMost),
    count(figure.evictedKeys),
  ];
}

async function hits(scale: number): Promise<void> {
  const servers: Server[] = [await startRedis(), await startOne([])];
  try {
    const rows: string[][] = [];
    for (const policy of HIT_POLICIES) {
      const { hitRates, keptKeys } = await compareHits(servers[0]!, servers[1]!, policy, scale);
      const [redis, seshat] = hitRates.map((rate) => 100 * rate) as [number, number];
      rows.push([
        policy,
        `${redis.toFixed(2)} % (${count(keptKeys[0])})`,
        `${seshat.toFixed(2)} % (${count(keptKeys[1])})`,
        (seshat - redis).toFixed(2),
        verdict(seshat >= redis - POINTS_MAX),
      ]);
      say(`  hits ${policy}`);
    }
    console.log(
      `\n## Hit rates: ${count(KEYS)} keys, Zipf ${ZIPF_EXPONENT}, room for ${count(ROOM_KEYS)} of them\n\n` +
        table(
          [
            "policy",
            "redis-server (keys kept)",
            "Seshat (keys kept)",
            "points",
            `no more than ${POINTS_MAX} below`,
          ],
          rows,
        ),
    );
  } finally {
    await Promise.all(servers.flatMap(({ children }) => children.map(stop)));
  }
}

async function main(): Promise<void> {
  const scale = process.argv.includes("--quick") ? 0.1 : 1;
  const redis = checkInstalled();
  console.log(
    `# Eviction\n\n${machineLine(describeMachine(redis))}${scale === 1 ? "" : "; a quick run: no figures to quote"}`,
  );
  const [only] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  if (only !== "hits") await load(scale);
  if (only !== "load") await hits(scale);
}

runAndCleanUp(main);
