// npm run bench: starts redis-server and Seshat, drives both in the same run on the same machine, prints the
// figures beside what is wanted, writes a full run's to a folder, and stops all it started.

import { writeFileSync } from "node:fs";
import { measureFailover } from "./failover.ts";
import { measureConnections, measureKeys } from "./memory.ts";
import { machineLatePercents } from "./open-loop/cores.ts";
import { measureEtcd } from "./open-loop/etcd.ts";
import { measureLatency } from "./open-loop/latency.ts";
import { scaleConnections, scaleKeys, scaleNodes } from "./open-loop/scaling.ts";
import { DOUBTFUL_NOTE } from "./open-loop/tables.ts";
import { measureTail } from "./open-loop/tail.ts";
import { type Options, parseOptions, type Section, USAGE } from "./options.ts";
import { runAndCleanUp } from "./processes.ts";
import { failoverTable, idleVerdict, keysVerdict, memoryTable, throughputTable } from "./report.ts";
import { describeMachine, loadAverage, machineLine, type Report, writeResults } from "./results.ts";
import { checkInstalled, type Server, startOne, startRedis, startThree, withServers } from "./servers.ts";
import { compareThroughput } from "./throughput.ts";

const say = (line: string): void => console.error(line);

async function throughput(section: "one" | "three", options: Options): Promise<Report> {
  const ours = seshatStarter(section, options);
  return withServers([() => startRedis(), ours], async (redis, seshat) => {
    const data = await compareThroughput(redis!, seshat!, options.rounds, options.scale, say);
    const title = section === "one" ? "One node" : "Three nodes on this machine, asked at the leader";
    const text = `redis-benchmark -c 50 -d 32 -r 100000\n\n${throughputTable(section, data, options.control ? "redis again" : "Seshat")}`;
    return { title, text, data };
  });
}

async function memory(section: "memory" | "idle", options: Options): Promise<Report> {
  const measure = section === "memory" ? measureKeys : measureConnections;
  const data = [];
  // One after the other, each in a fresh process that has the machine to itself.
  for (const start of [() => startRedis(), seshatStarter("one", options)]) {
    say(`  ${section}: ${data.length + 1} of 2`);
    data.push(await withServers([start], (server) => measure(server!, options.scale)));
  }
  const [redis, seshat] = data as [(typeof data)[0], (typeof data)[0]];
  if (section === "memory") {
    const text = `${memoryTable("keys", data)}\n\n${keysVerdict(redis, seshat)}`;
    return { title: "Memory of keys: 16 bytes, values of 32 bytes", text, data };
  }
  const text = `${memoryTable("connections", data)}\n\n${idleVerdict(seshat)}`;
  return { title: "Memory of idle connections", text, data };
}

async function failover(options: Options): Promise<Report> {
  const data = [];
  for (let round = 0; round < options.rounds && !options.control; round++) {
    say(`  failover: round ${round + 1} of ${options.rounds}`);
    const run = await withServers([() => startThree(options.nodeFlags)], (server) =>
      measureFailover(server!, "SIGKILL", 8),
    );
    data.push(run);
  }
  return { title: "The leader killed under load", text: failoverTable(data), data };
}

/** With what the machine did to those who want to be in time, before it and after it. */
async function openLoop(measure: () => Promise<Report>): Promise<Report> {
  const before = await machineLatePercents();
  const report = await measure();
  const after = await machineLatePercents();
  const machine = `Two loops on two cores that only read the clock would have sent ${before} % of their requests late before this, ${after} % after it.`;
  return {
    ...report,
    text: `${report.text}

${DOUBTFUL_NOTE}
${machine}`,
  };
}

function seshatStarter(section: "one" | "three", options: Options): () => Promise<Server> {
  if (options.control) return () => startRedis(true);
  return section === "one" ? () => startOne(options.nodeFlags) : () => startThree(options.nodeFlags);
}

function runSection(section: Section, options: Options): Promise<Report> {
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
      return openLoop(() => measureTail(seshatStarter("one", options), options, say));
    case "latency":
    case "large":
      return openLoop(() => measureLatency(section, seshatStarter("one", options), options, say));
    case "keys":
      return openLoop(() => scaleKeys(seshatStarter("one", options), options, say));
    case "connections":
      return openLoop(() => scaleConnections(seshatStarter("one", options), options, say));
    case "nodes":
      return openLoop(() => scaleNodes(options, say));
    case "etcd":
      return openLoop(() => measureEtcd(seshatStarter("three", options), options, say));
  }
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    return;
  }
  const options = parseOptions(argv);
  const machine = describeMachine(checkInstalled());
  console.log(
    `# Seshat beside redis-server\n\n${machineLine(machine)}; median of ${options.rounds}` +
      (options.scale === 1 ? "" : `; a quick run, ${options.scale} of the work: no figures to quote`) +
      (options.control ? "\nControl run: the column Seshat is redis-server too." : ""),
  );
  const results: Record<string, unknown> = { machine, options };
  for (const section of options.sections) {
    say(`${section}:`);
    const loadBefore = loadAverage();
    const report = await runSection(section, options);
    console.log(`\n## ${report.title}\n\n${report.text}`);
    results[section] = report.data;
    if (options.results !== undefined && report.isSkipped === undefined)
      writeResults(options.results, section, machine, options.rounds, loadBefore, report);
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 2) + "\n");
}

runAndCleanUp(main);
