// npm run explore: all tests of random inputs and the simulator with new seeds, until it is stopped.

import { spawnSync } from "node:child_process";
import { setPriority } from "node:os";
import { parseArgs } from "node:util";
import { newSeed } from "../chance.ts";
import { Explorer } from "./explorer.ts";
import { allTargets } from "./targets.ts";

const HELP = `npm run explore -- [options]
  --minutes N     stop after so long (default: at Ctrl-C)
  --jobs N        how many at a time (default 1)
  --only A,B      only what has one of these in its name: transactions, simulator, ...
  --first S       the number that all seeds follow from (default: a new one, which is printed)
  --list          the names of all that is run

Each failure is printed with the command that repeats it and with where its seed is kept. The exit code is
1 when anything failed. Everything runs with a low priority, one process at a time, so it can go on beside
other work.
`;
const LOW_PRIORITY = 10;
const EXIT_USAGE = 2;

/** Tests of processes run what is in dist/. Whoever only asks for the names does not wait for this. */
function isBuilt(): boolean {
  return spawnSync("npm", ["run", "--silent", "build"], { stdio: "inherit" }).status === 0;
}

const OPTIONS = {
  minutes: { type: "string" },
  jobs: { type: "string", default: "1" },
  only: { type: "string" },
  first: { type: "string" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function refuse(text: string): number {
  process.stderr.write(`${text}\n\n${HELP}`);
  return EXIT_USAGE;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

export async function main(words: readonly string[]): Promise<number> {
  let values: Values;
  try {
    ({ values } = parseArgs({ args: [...words], options: OPTIONS }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (values.help) {
    say(HELP);
    return 0;
  }
  const all = allTargets();
  const wanted = values.only?.split(",");
  const unknown = wanted?.filter((part) => !all.some(({ name }) => name.includes(part))) ?? [];
  if (unknown.length > 0) return refuse(`--only ${unknown.join(",")}: no name in --list has it`);
  const targets = all.filter(
    ({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)),
  );
  if (values.list) {
    for (const { name } of targets) say(name);
    return 0;
  }
  const first = Number(values.first ?? newSeed());
  const jobs = Number(values.jobs);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (!Number.isSafeInteger(first)) return refuse(`--first ${values.first}: it must be a whole number`);
  if (!(Number.isInteger(jobs) && jobs >= 1)) {
    return refuse(`--jobs ${values.jobs}: it must be a whole number from 1 on`);
  }
  if (!((minutes ?? 1) > 0)) return refuse(`--minutes ${values.minutes}: it must be a number above 0`);
  if (!isBuilt()) return 1;
  setPriority(LOW_PRIORITY);
  const explorer = new Explorer({ targets, first, jobs, say, ...(minutes === undefined ? {} : { minutes }) });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => explorer.stop());
  process.on("exit", () => explorer.kill());
  say(`first seed ${first}: ${targets.length} kinds in turns, ${jobs} at a time; Ctrl-C ends it`);
  return (await explorer.run()) ? 0 : 1;
}
