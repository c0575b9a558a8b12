// npm run explore: all tests of random inputs and the simulator with new seeds, until it is stopped.

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

export async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: "string" },
      jobs: { type: "string", default: "1" },
      only: { type: "string" },
      first: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (values.help) {
    say(HELP);
    return 0;
  }
  const wanted = values.only?.split(",");
  const targets = allTargets().filter(
    ({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)),
  );
  if (values.list) {
    for (const { name } of targets) say(name);
    return 0;
  }
  const first = Number(values.first ?? newSeed());
  const jobs = Number(values.jobs);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  const isSound = Number.isSafeInteger(first) && Number.isInteger(jobs) && jobs >= 1 && (minutes ?? 1) > 0;
  if (targets.length === 0 || !isSound) {
    process.stderr.write(HELP);
    return 2;
  }
  setPriority(LOW_PRIORITY);
  const explorer = new Explorer({ targets, first, jobs, say, ...(minutes === undefined ? {} : { minutes }) });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => explorer.stop());
  process.on("exit", () => explorer.kill());
  say(`first seed ${first}: ${targets.length} kinds in turns, ${jobs} at a time; Ctrl-C ends it`);
  return (await explorer.run()) ? 0 : 1;
}
