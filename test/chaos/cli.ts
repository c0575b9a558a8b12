// npm run chaos: rounds of mixed faults under load on live processes, until the time is up or something is wrong; then what was
// done, and what was seen.

import { parseArgs } from "node:util";
import { newSeed } from "../chance.ts";
import { report } from "./anomalies.ts";
import { type FaultKind, KINDS } from "./faults.ts";
import { Members } from "./members.ts";
import { namespaceProblem, runInNamespace } from "./namespace.ts";
import { type RoundResult, runRound } from "./round.ts";

const HELP = `npm run chaos -- [options]
  --minutes M     how long, under faults and load (default 3)
  --nodes N       3 or 5 (default 3)
  --seed S        what happens when, and what clients send (default: a new one, which is printed)
  --round R       only this round of the seed
  --seconds S     length of a round (default 30)
  --faults A+B    only these: ${KINDS.join("+")}
  --tc "WORDS"    in a network namespace whose loopback has this tc qdisc (as root): "netem delay 100ms loss 2% reorder 20%"
  --verbose       each fault as it comes
  --keep-going    do not stop at the first anomaly
`;

interface Totals {
  rounds: number;
  seconds: number;
  operations: number;
  unknown: number;
  ledgerCommands: number;
  groups: number;
  undecided: number;
  anomalies: number;
  longestMs: number;
  ownStallMs: number;
  readonly faults: Map<string, number>;
  readonly longestMsOf: Map<string, number>;
}

export async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: "string", default: "3" },
      nodes: { type: "string", default: "3" },
      seed: { type: "string", default: String(newSeed()) },
      round: { type: "string" },
      seconds: { type: "string", default: "30" },
      faults: { type: "string" },
      tc: { type: "string" },
      verbose: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.tc !== undefined) {
    const qdisc = values.tc.split(" ");
    const problem = namespaceProblem(qdisc);
    if (problem === undefined)
      return runInNamespace(qdisc, [...process.execArgv, process.argv[1]!, ...without(words, "--tc")]);
    process.stderr.write(`--tc ${values.tc}: ${problem}\n`);
    return 2;
  }
  const kinds = values.faults?.split("+") as FaultKind[] | undefined;
  const unknown = kinds?.filter((kind) => !KINDS.includes(kind)) ?? [];
  if (unknown.length > 0) {
    process.stderr.write(`no such fault: ${unknown.join(", ")}\n${HELP}`);
    return 2;
  }
  const seed = Number(values.seed);
  const nodes = Number(values.nodes);
  process.stdout.write(`seed ${seed}, ${nodes} nodes\n`);
  const totals: Totals = {
    rounds: 0,
    seconds: 0,
    operations: 0,
    unknown: 0,
    ledgerCommands: 0,
    groups: 0,
    undecided: 0,
    anomalies: 0,
    longestMs: 0,
    ownStallMs: 0,
    faults: new Map(),
    longestMsOf: new Map(),
  };
  let isStopped = false;
  process.once("SIGINT", () => {
    isStopped = true;
  });
  const members = await Members.start(nodes, seed);
  // Whatever happens to this process, those that it started go with it.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  process.on("exit", () => {
    for (const { child } of members.cluster.nodes) child.kill("SIGKILL");
  });
  try {
    for (let round = Number(values.round ?? 0); !isStopped; round++) {
      const result = await runRound(members, {
        seed,
        round,
        seconds: Number(values.seconds),
        isFull: true,
        ...(kinds === undefined ? {} : { kinds }),
        ...(values.verbose ? { say: (line: string) => void process.stdout.write(`  ${line}\n`) } : {}),
      });
      add(totals, result);
      process.stdout.write(`round ${round}: ${summary(totals)}\n`);
      for (const [i, anomaly] of result.anomalies.entries())
        process.stdout.write(`ANOMALY: ${report(anomaly, `${seed}-${round}-${i}`)}\n`);
      if (result.anomalies.length > 0 && !values["keep-going"]) break;
      if (values.round !== undefined || totals.seconds >= Number(values.minutes) * 60) break;
    }
  } finally {
    await members.stop();
  }
  process.stdout.write(table(totals));
  return totals.anomalies === 0 ? 0 : 1;
}

/** An option and its value left out. */
function without(words: readonly string[], option: string): string[] {
  const at = words.indexOf(option);
  return at < 0 ? words.filter((word) => !word.startsWith(`${option}=`)) : words.toSpliced(at, 2);
}

function add(totals: Totals, result: RoundResult): void {
  totals.rounds++;
  totals.seconds += result.seconds;
  totals.operations += result.operations;
  totals.unknown += result.unknown;
  totals.ledgerCommands += result.ledgerCommands;
  totals.groups += result.groups;
  totals.undecided += result.undecided;
  totals.anomalies += result.anomalies.length;
  totals.longestMs = Math.max(totals.longestMs, result.availability.longestMs);
  totals.ownStallMs += result.availability.ownStallMs;
  for (const [kind, count] of result.faults) totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + count);
  for (const [kind, ms] of result.availability.longestMsOf)
    totals.longestMsOf.set(kind, Math.max(ms, totals.longestMsOf.get(kind) ?? 0));
}

const summary = (t: Totals): string =>
  `${(t.seconds / 60).toFixed(1)} min, ${t.operations} operations (${t.unknown} unknown) in ${t.groups} groups (${t.undecided} undecided), ` +
  `${t.ledgerCommands} added up, ${[...t.faults.values()].reduce((a, b) => a + b, 0)} faults, ` +
  `${t.anomalies} anomalies, longest unavailability ${t.longestMs.toFixed(0)} ms` +
  (t.ownStallMs > 0 ? ` (this process itself did not run for ${(t.ownStallMs / 1000).toFixed(1)} s)` : "");

function table(totals: Totals): string {
  const rows = [...totals.faults]
    .sort()
    .map(([kind, count]) => `| ${kind} | ${count} | ${(totals.longestMsOf.get(kind) ?? 0).toFixed(0)} |\n`);
  return `\n| fault | times | longest time that nobody was served, ms |\n|---|---|---|\n${rows.join("")}\n${summary(totals)}\n`;
}
