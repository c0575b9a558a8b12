// npm run bench:failover: the leader killed, stopped, cut off, told to stop, twenty times each, every time in a cluster of three
// of its own; p50 and longest time without a successful write beside what is wanted.

import { cpus, loadavg } from "node:os";
import { type FailoverFigure, type Loss, measureFailover } from "./failover.ts";
import { runAndCleanUp, stop } from "./processes.ts";
import { table, verdict } from "./report.ts";
import { startThree } from "./servers.ts";
import { median } from "./throughput.ts";

const TRIALS = 20;
const WRITERS = 4;

interface Wanted {
  readonly loss: Loss;
  readonly what: string;
  readonly p50Ms: number;
  readonly maxMs: number;
  readonly failuresMax: number;
}

const WANTED: readonly Wanted[] = [
  {
    loss: "SIGKILL",
    what: "killed (SIGKILL)",
    p50Ms: 200,
    maxMs: 700,
    failuresMax: Number.POSITIVE_INFINITY,
  },
  {
    loss: "SIGSTOP",
    what: "stopped (SIGSTOP)",
    p50Ms: 700,
    maxMs: 1500,
    failuresMax: Number.POSITIVE_INFINITY,
  },
  {
    loss: "cut off",
    what: "cut off",
    p50Ms: 700,
    maxMs: 1500,
    failuresMax: Number.POSITIVE_INFINITY,
  },
  {
    loss: "SIGTERM",
    what: "told to stop (SIGTERM)",
    p50Ms: 30,
    maxMs: Number.POSITIVE_INFINITY,
    failuresMax: 0,
  },
];

async function trial(loss: Loss): Promise<FailoverFigure> {
  const server = await startThree([], loss === "cut off");
  try {
    return await measureFailover(server, loss, WRITERS);
  } finally {
    await Promise.all(server.children.map(stop));
    await server.proxy?.stop();
  }
}

const failuresOf = (figure: FailoverFigure): number =>
  [...figure.failures.values()].reduce((a, b) => a + b, 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const limit = (ms: number): string => (Number.isFinite(ms) ? String(ms) : "-");

function row({ what, p50Ms, maxMs, failuresMax }: Wanted, figures: readonly FailoverFigure[]): string[] {
  const silent = figures.map(({ silentMs }) => silentMs);
  const lost = sum(figures.map((figure) => figure.lost));
  const failures = sum(figures.map(failuresOf));
  const met =
    median(silent) <= p50Ms && Math.max(...silent) <= maxMs && lost === 0 && failures <= failuresMax;
  return [
    what,
    median(silent).toFixed(0),
    Math.max(...silent).toFixed(0),
    `${limit(p50Ms)} / ${limit(maxMs)}`,
    Math.max(...figures.map(({ worstClientMs }) => worstClientMs)).toFixed(0),
    String(failures),
    `${lost} of ${sum(figures.map(({ acknowledged }) => acknowledged)).toLocaleString("en-US")}`,
    verdict(met),
  ];
}

async function main(): Promise<void> {
  const [only, count] = process.argv.slice(2);
  const trials = count === undefined ? TRIALS : Number(count);
  const rows: string[][] = [];
  for (const wanted of WANTED.filter(({ loss }) => only === undefined || loss === only)) {
    const figures: FailoverFigure[] = [];
    for (let i = 0; i < trials; i++) {
      const figure = await trial(wanted.loss);
      const failures = [...figure.failures].map(([text, times]) => `${times} x ${text}`).join("; ");
      console.error(
        `  ${wanted.loss} ${i + 1} of ${trials}: ${figure.silentMs.toFixed(0)} ms, ` +
          `worst client ${figure.worstClientMs.toFixed(0)} ms, load ${loadavg()[0]!.toFixed(1)}  ${failures}`,
      );
      figures.push(figure);
    }
    rows.push(row(wanted, figures));
  }
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `# The leader of three taken away, ${trials} times each, ${WRITERS} clients writing through the other two\n\n` +
      `${date}, ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, Node ${process.version}\n`,
  );
  console.log(
    table(
      [
        "leader",
        "ms without a write, p50",
        "max",
        "wanted",
        "max of one client",
        "commands failed",
        "acknowledged writes lost",
        "met",
      ],
      rows,
    ),
  );
}

runAndCleanUp(main);
