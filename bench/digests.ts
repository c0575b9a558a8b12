// npm run bench:digests: what the comparison of the replicas costs SETs. Three nodes, the comparison on and off in turns: rate, and processor
// time of all three for each SET, which other work on the machine changes less. --quick: fewer rounds, no figures to quote.

import { loadavg } from "node:os";
import { once } from "./client.ts";
import { processorMs, runAndCleanUp, stop } from "./processes.ts";
import { measure } from "./redis-benchmark.ts";
import { table, verdict } from "./report.ts";
import { describeMachine, machineLine } from "./results.ts";
import { checkInstalled, type Server, startThree } from "./servers.ts";
import { median } from "./throughput.ts";

const PIPELINE = 16;
const REQUESTS = 500_000;
const ROUNDS = 12;
const COST_MAX = 0.03;

interface Run {
  readonly perSecond: number;
  readonly processorUs: number;
}

async function run(server: Server, setting: string): Promise<Run> {
  for (const port of server.ports) await once(port, "CONFIG", "SET", "replica-digests", setting);
  const before = server.children.map(processorMs).reduce((a, b) => a + b);
  const [measured] = await measure(server.port, PIPELINE, REQUESTS, "set");
  const after = server.children.map(processorMs).reduce((a, b) => a + b);
  return { perSecond: measured!.perSecond, processorUs: (1000 * (after - before)) / REQUESTS };
}

async function main(): Promise<void> {
  const rounds = process.argv.includes("--quick") ? 3 : ROUNDS;
  const redis = checkInstalled();
  const server = await startThree([]);
  try {
    const on: Run[] = [];
    const off: Run[] = [];
    await run(server, "yes");
    for (let i = 0; i < rounds; i++) {
      const order = i % 2 === 0 ? (["yes", "no"] as const) : (["no", "yes"] as const);
      for (const setting of order) (setting === "yes" ? on : off).push(await run(server, setting));
      console.error(`  round ${i + 1} of ${rounds} (load ${loadavg()[0]!.toFixed(1)})`);
    }
    const rate = (runs: readonly Run[]): number => median(runs.map(({ perSecond }) => perSecond));
    const spent = (runs: readonly Run[]): number => median(runs.map(({ processorUs }) => processorUs));
    console.log(
      `# Replicas compared, or not: SET at the leader of three, P=${PIPELINE}\n\n` +
        `${machineLine(describeMachine(redis))}\n`,
    );
    const part = (on: number, off: number): string => `${(100 * (on / off - 1)).toFixed(1)} %`;
    console.log(
      table(
        [`median of ${rounds}`, "off", "on", "on against off", `cost under ${100 * COST_MAX} %`],
        [
          [
            "SET/s",
            rate(off).toFixed(0),
            rate(on).toFixed(0),
            part(rate(on), rate(off)),
            verdict(rate(on) >= (1 - COST_MAX) * rate(off)),
          ],
          [
            "processor time of all three, us a SET",
            spent(off).toFixed(2),
            spent(on).toFixed(2),
            part(spent(on), spent(off)),
            verdict(spent(on) <= (1 + COST_MAX) * spent(off)),
          ],
        ],
      ),
    );
  } finally {
    await Promise.all(server.children.map(stop));
  }
}

runAndCleanUp(main);
