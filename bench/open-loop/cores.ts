// Who runs where: the generator, which never sleeps, has the first core and servers the others. Left to the scheduler, it is late three times
// as often. And what the machine itself takes from a loop that only reads the clock: no generator can be more in time than that.

import { cpus } from "node:os";
import { closed, outputOf, start } from "../processes.ts";
import { LATE_US } from "./job.ts";

const CORES = cpus().length;
let isThere: boolean | undefined;

/** Of util-linux; elsewhere everybody runs where the system likes. Looked for when it is first needed. */
function hasTaskset(): boolean {
  isThere ??= CORES > 1 && outputOf("taskset", ["-c", "0", "true"]) !== undefined;
  return isThere;
}

/** Goes before a command that is to have this core; the first is the generator's. */
export const onCore = (core: number): readonly string[] =>
  hasTaskset() ? ["taskset", "-c", String(core)] : [];

/** All threads of the processes, and those that they begin. */
export function keepOffFirstCore(pids: readonly number[]): void {
  if (!hasTaskset()) return;
  for (const pid of pids) outputOf("taskset", ["-a", "-p", "-c", `1-${CORES - 1}`, String(pid)]);
}

const LOOP_MS = 2000;
/** Reads the clock for LOOP_MS, and prints for which part of the time a request that is due would have been sent too late. */
const LOOP = `
const end = performance.now() + ${LOOP_MS};
let late = 0;
for (let last = performance.now(); last < end; ) {
  const now = performance.now();
  late += Math.max(0, now - last - ${LATE_US / 1000});
  last = now;
}
console.log(late / ${LOOP_MS});`;

/** For two such loops at the same time, on two cores: a line of text. */
export async function machineLatePercents(): Promise<string> {
  const loops = [0, 1].map((core) => {
    const words = [...onCore(core), process.execPath, "-e", LOOP];
    return start("loop", words[0]!, words.slice(1));
  });
  await Promise.all(loops.map(closed));
  return loops.map((loop) => (100 * Number(loop.output())).toFixed(2)).join(" and ");
}
