// The simulator for people: many seeds, or one with its trace, or until it is stopped.

import { parseArgs } from "node:util";
import { MUTATIONS, type MutationName, withMutation } from "./mutations.ts";
import { PLAIN, type Result, type SimulationOptions, simulate } from "./simulation.ts";

const HELP = `npm run sim -- [options]
  --seeds N       run N seeds (default 100)
  --from S        the first of them (default 1)
  --seed S        run this seed only
  --trace         print the trace (with --seed)
  --plain         without operators and lost majorities: the runs of before there were any
  --rot           memory is spoiled in every run, and replicas compare their states
  --eviction      memory is limited in every run
  --publishing    there are publishers and subscribers in every run
  --settings      somebody changes settings in every run
  --busy          event loops are busy in every run
  --rejoin        a member comes back while clients write, in every run
  --pieces        long frames travel in pieces in every run
  --mutation M    run a broken program instead, and stop at the first seed that finds it: ${Object.keys(MUTATIONS).join(", ")}
  --starts N      with --mutation: how many seeds it takes from N starts, 1000 apart
  --soak          go on until stopped (npm run soak)
  --keep-going    do not stop at the first failure
`;

interface Totals {
  seeds: number;
  failures: number;
  /** Runs, and of which families the groups were. */
  undecided: number;
  readonly undecidedFamilies: Map<string, number>;
  operations: number;
  unknown: number;
  leaders: number;
  snapshots: number;
  changes: number;
  evictions: number;
  published: number;
  recoveries: number;
  lostEntries: number;
  simulatedMs: number;
}

export async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      mutation: { type: "string" },
      starts: { type: "string" },
      plain: { type: "boolean", default: false },
      rot: { type: "boolean", default: false },
      eviction: { type: "boolean", default: false },
      publishing: { type: "boolean", default: false },
      settings: { type: "boolean", default: false },
      busy: { type: "boolean", default: false },
      pieces: { type: "boolean", default: false },
      rejoin: { type: "boolean", default: false },
      soak: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const mutation = values.mutation as MutationName | undefined;
  if (mutation !== undefined && MUTATIONS[mutation] === undefined) {
    process.stderr.write(`no mutation ${mutation}\n${HELP}`);
    return 2;
  }
  const from = Number(values.seed ?? values.from);
  const count = values.seed !== undefined ? 1 : values.soak ? Number.POSITIVE_INFINITY : Number(values.seeds);
  const options = {
    ...(mutation === undefined ? {} : MUTATIONS[mutation]!.options),
    ...(values.plain ? PLAIN : {}),
    ...(values.rot ? { rot: true } : {}),
    ...(values.eviction ? { eviction: true, sessions: false, rot: false } : {}),
    ...(values.publishing ? { publishing: true } : {}),
    ...(values.settings ? { settings: true } : {}),
    ...(values.busy ? { busy: true } : {}),
    ...(values.pieces ? { pieces: true } : {}),
    ...(values.rejoin ? { rejoin: true, eviction: false, rot: false } : {}),
    trace: values.trace,
  };
  if (mutation !== undefined && values.starts !== undefined) {
    for (let i = 0; i < Number(values.starts); i++) countSeeds(mutation, from + 1000 * i, count, options);
    return 0;
  }
  return await runSeeds(from, count, mutation, options, values["keep-going"] || values.soak);
}

function countSeeds(
  mutation: MutationName,
  from: number,
  seedsMax: number,
  options: SimulationOptions,
): void {
  for (let i = 0; i < seedsMax; i++) {
    const { failure } = withMutation(mutation, () => simulate(from + i, options));
    if (failure === undefined) continue;
    process.stdout.write(`${mutation} from ${from}: found after ${i + 1} seeds: ${failure.property}\n`);
    return;
  }
  process.stdout.write(`${mutation} from ${from}: not found in ${seedsMax} seeds\n`);
}

async function runSeeds(
  from: number,
  count: number,
  mutation: MutationName | undefined,
  options: SimulationOptions,
  keepGoing: boolean,
): Promise<number> {
  process.stdout.write(`seeds from ${from}\n`);
  const totals: Totals = {
    seeds: 0,
    failures: 0,
    undecided: 0,
    undecidedFamilies: new Map(),
    operations: 0,
    unknown: 0,
    leaders: 0,
    snapshots: 0,
    changes: 0,
    evictions: 0,
    published: 0,
    recoveries: 0,
    lostEntries: 0,
    simulatedMs: 0,
  };
  let isStopped = false;
  process.once("SIGINT", () => {
    isStopped = true;
  });
  const startedMs = performance.now();
  let shownMs = startedMs;
  for (let seed = from; seed < from + count && !isStopped; seed++) {
    const run = (): Result => simulate(seed, options);
    const result = mutation === undefined ? run() : withMutation(mutation, run);
    for (const line of result.trace ?? []) process.stdout.write(line);
    add(totals, result);
    if (result.failure !== undefined) {
      process.stdout.write(
        `seed ${seed} FAILED (${result.description}, trace ${result.hash})\n  ${result.failure.text}\n`,
      );
      if (mutation !== undefined)
        process.stdout.write(`${mutation} found after ${totals.seeds} seeds: ${result.failure.property}\n`);
      if (mutation !== undefined || !keepGoing) break;
    } else if (count === 1) process.stdout.write(`seed ${seed} passed, trace ${result.hash}\n`);
    if (performance.now() - shownMs > 10_000) {
      shownMs = performance.now();
      process.stdout.write(`${summary(totals, shownMs - startedMs)}\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  process.stdout.write(`${summary(totals, performance.now() - startedMs)}\n`);
  return totals.failures === 0 ? 0 : 1;
}

function add(totals: Totals, { failure, figures }: Result): void {
  totals.seeds++;
  if (failure !== undefined) totals.failures++;
  if (figures.undecided.length > 0) totals.undecided++;
  for (const group of figures.undecided) {
    const family = group.replace(/\d.*$/, "");
    totals.undecidedFamilies.set(family, (totals.undecidedFamilies.get(family) ?? 0) + 1);
  }
  totals.operations += figures.operations;
  totals.unknown += figures.unknown;
  totals.leaders += figures.leaders;
  totals.snapshots += figures.snapshots;
  totals.changes += figures.changes;
  totals.evictions += figures.evictions;
  totals.published += figures.published;
  totals.recoveries += figures.recoveries;
  totals.lostEntries += figures.lostEntries;
  totals.simulatedMs += figures.simulatedMs;
}

function familiesText({ undecidedFamilies }: Totals): string {
  const shown = [...undecidedFamilies].sort().map(([family, count]) => `${family} ${count}`);
  return shown.length > 0 ? ` (${shown.join(", ")})` : "";
}

const summary = (t: Totals, elapsedMs: number): string =>
  `${t.seeds} seeds in ${(elapsedMs / 1000).toFixed(1)} s, ${t.failures} failed, ${t.undecided} undecided${familiesText(t)}: ` +
  `${(t.simulatedMs / 1000).toFixed(0)} s simulated, ${t.operations} operations (${t.unknown} unknown), ` +
  `${t.leaders} leaders, ${t.snapshots} snapshots, ${t.changes} changes by operators, ${t.evictions} evictions, ${t.published} messages published, ` +
  `${t.recoveries} recoveries (${t.lostEntries} entries lost)`;
