// npm run bench:memory-return: resident memory of redis-server, one node and three nodes, when 0.7 GB of strings were deleted, after
// FLUSHALL, after the deadlines of all keys, and while four times 60 MB of maxmemory and more are written. Words as arguments:
// only cases or servers whose name has one of them; --quick: a tenth of the data, no figures to quote.

import { loadavg } from "node:os";
import { Client, encode } from "./client.ts";
import { residentBytes, residentBytesMost, runAndCleanUp, sleep, stop } from "./processes.ts";
import { Random } from "./random.ts";
import { table } from "./report.ts";
import { describeMachine, machineLine } from "./results.ts";
import { checkInstalled, type Server, startOne, startRedis, startThree } from "./servers.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 10_000;
const PIPELINE = 100;
const WRITERS = 4;
const SECONDS_TO_LIVE = 40;
const MAXMEMORY = "60mb";

/** One server's resident memory in bytes, of each of its processes. */
interface Figure {
  readonly most: readonly number[];
  readonly atEnd: readonly number[];
  readonly afterQuiet: readonly number[];
}

interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly valueBytes: number;
  /** Keys that values are written to, where these are fewer than values. */
  readonly isRandom: boolean;
  readonly secondsToLive?: number;
  readonly begin?: readonly string[];
  readonly end: (client: Client, keys: number) => Promise<unknown>;
}

const keyOf = (i: number): string => `key:${String(i).padStart(9, "0")}`;

async function deleteAll(client: Client, keys: number): Promise<void> {
  for (let i = 0; i < keys; i += PIPELINE) {
    const names = Array.from({ length: Math.min(PIPELINE, keys - i) }, (_, k) => keyOf(i + k));
    await client.send("DEL", ...names);
  }
}

/** The key that servers.ts writes to see that a node serves has no deadline. */
async function untilEmpty(client: Client): Promise<void> {
  while (Number(await client.send("DBSIZE")) > 1) await sleep(100);
}

const DELETED = { bytes: 700e6, valueBytes: 1000, isRandom: false } as const;
const EVICTED = {
  isRandom: true,
  begin: ["CONFIG", "SET", "maxmemory", MAXMEMORY, "maxmemory-policy", "allkeys-lru"],
  end: async () => {},
} as const;

const CASES: readonly Case[] = [
  { name: "DEL", ...DELETED, end: deleteAll },
  { name: "FLUSHALL", ...DELETED, end: (client) => client.send("FLUSHALL") },
  { name: "deadlines", ...DELETED, secondsToLive: SECONDS_TO_LIVE, end: untilEmpty },
  { name: "eviction, values of 100 B", ...EVICTED, bytes: 250e6, valueBytes: 100 },
  { name: "eviction, values of 1 KB", ...EVICTED, bytes: 600e6, valueBytes: 1000 },
  { name: "eviction, values of 10 KB", ...EVICTED, bytes: 600e6, valueBytes: 10_000 },
  { name: "eviction, values of 100 KB", ...EVICTED, bytes: 600e6, valueBytes: 100_000 },
];

async function write(port: number, one: Case, bytes: number): Promise<number> {
  const value = "x".repeat(one.valueBytes);
  const keys = Math.ceil(bytes / one.valueBytes);
  const pipeline = Math.max(1, Math.min(PIPELINE, Math.floor(MIB / one.valueBytes)));
  const options = one.secondsToLive === undefined ? [] : ["EX", String(one.secondsToLive)];
  let next = 0;
  const writer = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    const client = await Client.open(port);
    while (next < keys) {
      const first = next;
      const count = Math.min(pipeline, keys - first);
      next += count;
      let text = "";
      for (let i = 0; i < count; i++) {
        text += encode(["SET", keyOf(one.isRandom ? random.below(keys) : first + i), value, ...options]);
      }
      await Promise.all(client.sendEncoded(text, count));
    }
    client.close();
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, i) => writer(i + 1)));
  return keys;
}

async function measure({ port, children }: Server, one: Case, scale: number): Promise<Figure> {
  const client = await Client.open(port);
  if (one.begin !== undefined) await client.send(...one.begin);
  // Eviction needs more than there is room for.
  const keys = await write(port, one, one.bytes * scale);
  await one.end(client, keys);
  const atEnd = children.map(residentBytes);
  await sleep(QUIET_MS);
  client.close();
  return { most: children.map(residentBytesMost), atEnd, afterQuiet: children.map(residentBytes) };
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(0);

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const only = words.filter((word) => !word.startsWith("--"));
  const scale = words.includes("--quick") ? 0.1 : 1;
  const redis = checkInstalled();
  const starts: [string, () => Promise<Server>][] = [
    ["redis-server", () => startRedis()],
    ["one node", () => startOne([])],
    ["three nodes", () => startThree([])],
  ];
  const isChosen = (names: readonly string[], name: string): boolean => {
    const wanted = only.filter((word) => names.some((it) => it.includes(word)));
    return wanted.length === 0 || wanted.some((word) => name.includes(word));
  };
  const caseNames = CASES.map(({ name }) => name);
  const serverNames = starts.map(([name]) => name);
  const rows: string[][] = [];
  for (const one of CASES.filter(({ name }) => isChosen(caseNames, name))) {
    for (const [name, start] of starts.filter(([it]) => isChosen(serverNames, it))) {
      const server = await start();
      try {
        const { most, atEnd, afterQuiet } = await measure(server, one, scale);
        // The leader first: it has most to do.
        const order = [...server.ports.keys()].sort(
          (a, b) => Number(server.ports[b] === server.port) - Number(server.ports[a] === server.port),
        );
        const cell = (of: readonly number[]): string => order.map((i) => mib(of[i]!)).join(" / ");
        rows.push([`${one.name}, ${name}`, cell(most), cell(atEnd), cell(afterQuiet)]);
        console.error(`  ${rows.at(-1)!.join("; ")} (load ${loadavg()[0]!.toFixed(1)})`);
      } finally {
        await Promise.all(server.children.map(stop));
      }
    }
  }
  console.log(
    `# Memory that goes back\n\n${machineLine(describeMachine(redis))}${scale === 1 ? "" : "; a quick run: no figures to quote"}\n\n` +
      table(["resident MiB; of three: leader / followers", "most", "at the end", "10 s later"], rows),
  );
}

runAndCleanUp(main);
