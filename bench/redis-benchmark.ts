// Runs redis-benchmark and reads its CSV: one measurement of some of its tests against one server.

import { closed, hasEnded, sleep, start } from "./processes.ts";

export interface Measurement {
  /** "SET", "LRANGE_100": the first word of what redis-benchmark calls the test, or of the command. */
  readonly command: string;
  readonly perSecond: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
}

// redis-benchmark retries for ever when its server has gone.
const RUN_MS_MAX = 180_000;
const CLIENTS = 50;
const VALUE_BYTES = 32;
const KEYS = 100_000;

/** `tests`: as its option -t has them, "set,get"; or the words of one command. */
export async function measure(
  port: number,
  pipeline: number,
  requests: number,
  tests: string | readonly string[],
): Promise<Measurement[]> {
  const args = ["-h", "127.0.0.1", "-p", port, "-c", CLIENTS, "-d", VALUE_BYTES, "-r", KEYS];
  const child = start("redis-benchmark", "redis-benchmark", [
    ...[...args, "-P", pipeline, "-n", requests].map(String),
    ...(typeof tests === "string" ? ["-t", tests, "--csv"] : ["--csv", ...tests]),
  ]);
  let text = "";
  child.process.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  const ended = closed(child);
  const late = sleep(RUN_MS_MAX).then(() => {
    if (!hasEnded(child)) child.process.kill("SIGKILL");
  });
  await Promise.race([ended, late.then(() => ended)]);
  if (child.process.exitCode !== 0) throw new Error(`redis-benchmark failed:\n${child.output()}`);
  return parseCsv(text);
}

/** The first line names the columns; the rest are quoted values. */
export function parseCsv(text: string): Measurement[] {
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith('"'))
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map((match) => match[1]!));
  const [head = [], ...data] = rows;
  return data.map((row) => {
    const value = (column: string): number => Number(row[head.indexOf(column)]);
    const command = row[0]?.split(" ")[0] ?? "";
    const measurement = {
      perSecond: value("rps"),
      latencyMsP50: value("p50_latency_ms"),
      latencyMsP99: value("p99_latency_ms"),
    };
    if (command === "" || !Number.isFinite(measurement.perSecond)) {
      throw new Error(`redis-benchmark printed what is not understood:\n${text}`);
    }
    return { command, ...measurement };
  });
}
