// npm run bench:families: the tests of redis-benchmark beyond SET and GET, on one node and on redis-server, each test in turns. In the
// order of redis-benchmark, so that what one test makes the next one finds. Words as arguments: only these tests;
// --quick: one round of a fifth of the work, no figures to quote; --node-flag FLAG: for node, as --cpu-prof.

import { cpus, loadavg } from "node:os";
import { processorMs, runAndCleanUp, stop } from "./processes.ts";
import { measure } from "./redis-benchmark.ts";
import { table, verdict } from "./report.ts";
import { checkInstalled, type Server, startOne, startRedis } from "./servers.ts";
import { median } from "./throughput.ts";

const TESTS = [
  "incr",
  "lpush",
  "rpush",
  "lpop",
  "rpop",
  "sadd",
  "hset",
  "spop",
  "zadd",
  "zpopmin",
  "lrange_100",
  "mset",
] as const;
type Test = (typeof TESTS)[number];

const PIPELINES = [1, 16] as const;
const REQUESTS: Readonly<Record<number, number>> = { 1: 100_000, 16: 800_000 };
/** Of these each request is the work of many. */
const HEAVY: ReadonlySet<string> = new Set(["lrange_100", "mset"]);
const HEAVY_PART = 1 / 5;
/** As much again as is measured: in a profile of RPUSH the compiler took 3 % of the samples after 1,500,000 requests. */
const WARM_UP_PART = 1;
/** lrange_100 by hand: redis-benchmark's own test pushes as often as it reads, and that would be in the processor time. */
const LRANGE = ["LRANGE", "mylist", "0", "99"] as const;
const LRANGE_ELEMENTS = 1000;
const WANTED: Readonly<Record<number, number>> = { 1: 0.8, 16: 1.0 };

interface Work {
  readonly test: Test;
  readonly pipeline: number;
  readonly requests: number;
  readonly rounds: number;
}

interface Run {
  readonly perSecond: number;
  /** Processor time of the server, per request. */
  readonly processorUs: number;
}

async function run(server: Server, { test, pipeline }: Work, requests: number): Promise<Run> {
  const beforeMs = processorMs(server.children[0]!);
  const [found] = await measure(server.port, pipeline, requests, test === "lrange_100" ? LRANGE : test);
  if (found === undefined) throw new Error(`redis-benchmark says nothing of ${test}`);
  const usedMs = processorMs(server.children[0]!) - beforeMs;
  return { perSecond: found.perSecond, processorUs: (1000 * usedMs) / requests };
}

async function compare(redis: Server, seshat: Server, work: Work): Promise<string[]> {
  const { test, pipeline, requests, rounds } = work;
  const figures = new Map<Server, Run[]>([
    [redis, []],
    [seshat, []],
  ]);
  for (const server of [redis, seshat]) {
    if (test === "lrange_100") await measure(server.port, pipeline, LRANGE_ELEMENTS, "lpush");
    await run(server, work, Math.round(requests * WARM_UP_PART));
  }
  for (let round = 0; round < rounds; round++) {
    // The one that goes first changes with the round.
    for (const server of round % 2 === 0 ? [redis, seshat] : [seshat, redis])
      figures.get(server)!.push(await run(server, work, requests));
  }
  const of = (server: Server, what: keyof Run): number[] => figures.get(server)!.map((it) => it[what]);
  const [theirs, ours] = [of(redis, "perSecond"), of(seshat, "perSecond")];
  const [theirUs, ourUs] = [median(of(redis, "processorUs")), median(of(seshat, "processorUs"))];
  const ratio = median(ours) / median(theirs);
  const wanted = WANTED[pipeline]!;
  console.error(
    `  ${test} P=${pipeline}: ${ratio.toFixed(2)}, processor ${theirUs.toFixed(1)} and ${ourUs.toFixed(1)} us (load ${loadavg()[0]!.toFixed(1)})`,
  );
  return [
    `${test.toUpperCase()} P=${pipeline}`,
    spread(theirs),
    spread(ours),
    ratio.toFixed(2),
    wanted.toFixed(1),
    verdict(ratio >= wanted),
    `${theirUs.toFixed(1)} / ${ourUs.toFixed(1)}`,
  ];
}

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const spread = (values: readonly number[]): string =>
  `${whole(median(values))} (${whole(Math.min(...values))}-${whole(Math.max(...values))})`;

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const isQuick = argv.includes("--quick");
  const nodeFlags = argv.filter((_, i) => argv[i - 1] === "--node-flag");
  const chosen = TESTS.filter((test) => argv.includes(test));
  const rounds = isQuick ? 1 : 3;
  const redisVersion = checkInstalled();
  const redis = await startRedis();
  const seshat = await startOne(nodeFlags);
  const rows: string[][] = [];
  for (const pipeline of PIPELINES) {
    for (const test of chosen.length > 0 ? chosen : TESTS) {
      const part = (isQuick ? 1 / 5 : 1) * (HEAVY.has(test) ? HEAVY_PART : 1);
      const requests = Math.round(REQUESTS[pipeline]! * part);
      rows.push(await compare(redis, seshat, { test, pipeline, requests, rounds }));
    }
  }
  await Promise.all([...redis.children, ...seshat.children].map(stop));
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `# One node beside redis-server ${redisVersion}: redis-benchmark -c 50 -d 32 -r 100000, median (least-most) of ${rounds}\n\n` +
      `${date}, ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, Node ${process.version}` +
      `${isQuick ? "; a quick run: no figures to quote" : ""}\n`,
  );
  console.log(
    table(["requests/s", "redis-server", "Seshat", "ratio", "wanted", "met", "processor us"], rows),
  );
}

runAndCleanUp(main);
