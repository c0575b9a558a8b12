// npm run bench: starts redis-server and Seshat, drives both in the same run on the same machine, prints the
// figures beside what is wanted, and stops all it started.

import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { measureFailover } from "./failover.ts";
import { measureConnections, measureKeys } from "./memory.ts";
import { measureTail, tailTable } from "./open-loop/tail.ts";
import { type Options, parseOptions, type Section, USAGE } from "./options.ts";
import { runAndCleanUp } from "./processes.ts";
import { failoverTable, idleVerdict, keysVerdict, memoryTable, throughputTable } from "./report.ts";
import { checkInstalled, type Server, startOne, startRedis, startThree, withServers } from "./servers.ts";
import { compareThroughput } from "./throughput.ts";

const say = (line: string): void => console.error(line);

async function throughput(section: "one" | "three", options: Options): Promise<unknown> {
  const ours = seshatStarter(section, options);
  return withServers([() => startRedis(), ours], async (redis, seshat) => {
    const figures = await compareThroughput(redis!, seshat!, options.rounds, options.scale, say);
    const title = section === "one" ? "One node" : "Three nodes on this machine, asked at the leader";
    console.log(
      `\n## ${title}\n\n${throughputTable(section, figures, options.control ? "redis again" : "Seshat")}`,
    );
    return figures;
  });
}

async function memory(section: "memory" | "idle", options: Options): Promise<unknown> {
  const measure = section === "memory" ? measureKeys : measureConnections;
  const figures = [];
  // One after the other, each in a fresh process that has the machine to itself.
  for (const start of [() => startRedis(), seshatStarter("one", options)]) {
    say(`  ${section}: ${figures.length + 1} of 2`);
    figures.push(await withServers([start], (server) => measure(server!, options.scale)));
  }
  const [redis, seshat] = figures as [(typeof figures)[0], (typeof figures)[0]];
  if (section === "memory") {
    console.log(`\n## Memory of keys: 16 bytes, values of 32 bytes\n\n${memoryTable("keys", figures)}`);
    console.log(`\n${keysVerdict(redis, seshat)}`);
  } else {
    console.log(`\n## Memory of idle connections\n\n${memoryTable("connections", figures)}`);
    console.log(`\n${idleVerdict(seshat)}`);
  }
  return figures;
}

async function failover(options: Options): Promise<unknown> {
  if (options.control) return [];
  const runs = [];
  for (let round = 0; round < options.rounds; round++) {
    say(`  failover: round ${round + 1} of ${options.rounds}`);
    const run = await withServers([() => startThree(options.nodeFlags)], (server) =>
      measureFailover(server!, "SIGKILL", 8),
    );
    runs.push(run);
  }
  console.log(`\n## The leader killed under load\n\n${failoverTable(runs)}`);
  return runs;
}

async function tail(options: Options): Promise<unknown> {
  const figures = await measureTail(seshatStarter("one", options), options, say);
  console.log(`\n## Tail latency: one node, half of its maximum rate, open loop\n\n${tailTable(figures)}`);
  return figures;
}

function seshatStarter(section: "one" | "three", options: Options): () => Promise<Server> {
  if (options.control) return () => startRedis(true);
  return section === "one" ? () => startOne(options.nodeFlags) : () => startThree(options.nodeFlags);
}

function runSection(section: Section, options: Options): Promise<unknown> {
  switch (section) {
    case "one":
    case "three":
      return throughput(section, options);
    case "memory":
    case "idle":
      return memory(section, options);
    case "failover":
      return failover(options);
    case "tail":
      return tail(options);
  }
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    return;
  }
  const options = parseOptions(argv);
  const redisVersion = checkInstalled();
  const cores = cpus();
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    processor: cores[0]?.model ?? "unknown",
    cores: cores.length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    redis: redisVersion,
  };
  console.log(
    `# Seshat beside redis-server ${machine.redis} without persistence\n\n` +
      `${machine.date}, ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, Node ${machine.node}; ` +
      `redis-benchmark -c 50 -d 32 -r 100000; median of ${options.rounds}` +
      (options.scale === 1 ? "" : `; a quick run, ${options.scale} of the work: no figures to quote`) +
      (options.control ? "\nControl run: the column Seshat is redis-server too." : ""),
  );
  const results: Record<string, unknown> = { machine, options };
  for (const section of options.sections) {
    say(`${section}:`);
    results[section] = await runSection(section, options);
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 2) + "\n");
}

runAndCleanUp(main);
