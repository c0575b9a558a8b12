// What a load generator is told and what it answers; both travel as JSON between two processes. `runJob` starts one and waits for it.

import { fileURLToPath } from "node:url";
import { closed, start } from "../processes.ts";
import type { Percentiles } from "./latencies.ts";
import type { Arrivals, Mix } from "./plan.ts";

export type Protocol = "redis" | "etcd";

export interface Target {
  readonly protocol: Protocol;
  readonly port: number;
  /** Of the server's processes: their processor time is looked at when the measuring begins and when it ends. */
  readonly pids: readonly number[];
  readonly connections: number;
}

/** Stores keys 0 to keys - 1, each once. */
export interface FillJob extends Target {
  readonly kind: "fill";
  readonly keys: number;
  readonly valueBytes: number;
}

/** As fast as the server answers: each connection waits for its replies. */
export interface ClosedJob extends Target {
  readonly kind: "closed";
  readonly mix: Mix;
  /** Requests that a connection has under way. */
  readonly depth: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Requests go out when they are due, whatever became of those before them. */
export interface OpenJob extends Target {
  readonly kind: "open";
  readonly mix: Mix;
  readonly arrivals: Arrivals;
  /** How long it may sleep while nothing is due. 0: never; it takes a core, and sees every reply at once. */
  readonly napUs: number;
  readonly perSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export type Job = FillJob | ClosedJob | OpenJob;

export interface LoadResult {
  /** Replies of the measured part, over its length. */
  readonly perSecond: number;
  /** From when a request was due (closed loop: sent) to when its reply was decoded. */
  readonly latency: Percentiles;
  /** Open loop: how much later than due requests were sent. The generator's own doing: it never waits for replies. */
  readonly lag: Percentiles;
  /** Part of the requests that were sent more than LATE_US late. */
  readonly latePart: number;
  /** Replies that were not what the request should have got, and the first of them. */
  readonly wrong: number;
  readonly firstWrong: string;
  /** Processor time over the measured time. In an open loop the generator never sleeps. */
  readonly generatorProcessorPart: number;
  readonly serverProcessorPart: number;
}

/** A request that was sent so much later than due counts as late. */
export const LATE_US = 1000;

const PROGRAM = fileURLToPath(new URL("generator.js", import.meta.url));
/** Room for a run's short-lived objects, so that the generator's collector seldom stops it. */
const NODE_FLAGS = ["--max-semi-space-size=64"];

/** `prefix`: a command that starts the generator, or nothing. */
export async function runJob(job: Job, prefix: readonly string[] = []): Promise<LoadResult> {
  const words = [...prefix, process.execPath, ...NODE_FLAGS, PROGRAM, JSON.stringify(job)];
  const child = start("load generator", words[0]!, words.slice(1));
  let text = "";
  child.process.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  await closed(child);
  if (child.process.exitCode !== 0) throw new Error(`the load generator failed:\n${child.output()}`);
  const result = JSON.parse(text) as LoadResult;
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong replies, the first to ${result.firstWrong}`);
  return result;
}
