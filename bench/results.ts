// What a section found, and where it goes: text to read on the terminal; with a full run also JSON, Markdown and plots in a folder, one
// set of files for each section, so that a section can be measured again alone.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { drawPlot, type Plot } from "./plot.ts";
import { outputOf } from "./processes.ts";

export interface Report {
  readonly title: string;
  /** Tables, and what was wanted. */
  readonly text: string;
  /** By the name of their file. */
  readonly plots?: Readonly<Record<string, Plot>>;
  /** For JSON. */
  readonly data: unknown;
  /** Nothing was measured, as the text says: what is in the folder stays. */
  readonly isSkipped?: true;
}

export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly redis: string;
}

export function describeMachine(redis: string): Machine {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: outputOf("git", ["rev-parse", "--short", "HEAD"]) ?? "unknown",
    processor: cores[0]?.model ?? "unknown",
    cores: cores.length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    redis,
  };
}

export function machineLine({ date, commit, processor, cores, memoryGib, node, redis }: Machine): string {
  return (
    `${date}, commit ${commit}, ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ` +
    `redis-server ${redis} without persistence`
  );
}

/** Of the last minute: with more than the run itself uses, somebody else was measured too. */
export const loadAverage = (): number => Number(loadavg()[0]!.toFixed(1));

export function writeResults(
  folder: string,
  section: string,
  machine: Machine,
  rounds: number,
  loadBefore: number,
  { title, text, plots = {}, data }: Report,
): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  write(
    `${section}.json`,
    `${JSON.stringify({ title, machine, rounds, loadAverageBefore: loadBefore, data }, null, 1)}\n`,
  );
  const images = Object.entries(plots).map(([name, plot]) => {
    const svg = drawPlot(plot);
    if (svg === undefined) return `No plot of "${plot.title}": the generator was late in all runs.\n\n`;
    write(`${name}.svg`, svg);
    return `![${plot.title}](${name}.svg)\n\n`;
  });
  write(
    `${section}.md`,
    `# ${title}\n\n${machineLine(machine)}; median of ${rounds}; load average before: ${loadBefore}.\n` +
      `Made by \`npm run bench -- --only ${section}\`; what it means: [bench/README.md](../README.md).\n\n${images.join("")}${text}\n`,
  );
}
