// What `npm run explore` runs with new seeds: each test of seeds.ts, the properties, and the simulator
// with each of its options. A seed comes in, a command goes out, with how its failure is repeated and kept.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RANDOM_TESTS, type RandomTest } from "../seeds.ts";

/** One run with one seed. */
export interface Attempt {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What is drawn, for people. */
  readonly drawn: string;
  /** What its output says is wrong, when its exit code is not 0. */
  readonly failuresIn: (output: string) => readonly Failure[];
}

export interface Failure {
  /** The lines that say what is wrong. */
  readonly what: string;
  /** The command that repeats it. */
  readonly replay: string;
  /** Where the seed goes, so that npm test runs it from then on. */
  readonly keep: string;
}

export interface Target {
  readonly name: string;
  attempt(seed: number): Attempt;
}

const VITEST = [process.execPath, "node_modules/vitest/vitest.mjs", "run", "--maxWorkers=1"];
const PROPERTY_RUNS = "1000";
const SIMULATOR_SEEDS = 20;
const SIMULATOR_OPTIONS = ["", "--publishing", "--eviction", "--rot", "--rejoin"];
const LINES_SHOWN = 30;
const LINES_FIRST = 4;

/** Of the first failed test, to the place in the code: a message may begin with what was sent and end with what was wrong. */
export function saidByVitest(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const from = lines.findIndex((line) => /^ ?FAIL /.test(line));
  if (from < 0) return lines.slice(-LINES_SHOWN).join("\n");
  const place = lines.findIndex((line, i) => i > from && /^ ❯ /.test(line));
  const said = lines.slice(from, place < 0 ? undefined : place + 1);
  if (said.length <= LINES_SHOWN) return said.join("\n");
  return [...said.slice(0, LINES_FIRST), "...", ...said.slice(LINES_FIRST - LINES_SHOWN)].join("\n");
}

function ofTest(name: string, test: RandomTest): Target {
  const { file, seedVariable, countVariable, countUnit, exploreCount } = test;
  return {
    name,
    attempt: (seed) => {
      const environment = { [seedVariable]: String(seed), [countVariable]: String(exploreCount) };
      const variables = `${seedVariable}=${seed} ${countVariable}=${exploreCount}`;
      return {
        command: [...VITEST, `test/${file}`],
        environment,
        drawn: `${variables} (${countUnit})`,
        failuresIn: (output) => [
          {
            what: saidByVitest(output),
            replay: `${variables} npx vitest run test/${file}`,
            keep:
              `{ seed: ${seed}, count: as few ${countUnit} as show it, found: "..." } ` +
              `into seeds of "${name}" in test/seeds.ts`,
          },
        ],
      };
    },
  };
}

/** Files whose properties fast-check tries. */
function propertyFiles(): string[] {
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join("test", path))
    .filter((path) => readFileSync(path, "utf8").includes("/property.ts"))
    .sort();
}

const properties: Target = {
  name: "properties",
  attempt: (seed) => {
    const variables = `PROPERTY_SEED=${seed} PROPERTY_RUNS=${PROPERTY_RUNS}`;
    return {
      command: [...VITEST, ...propertyFiles()],
      environment: { PROPERTY_SEED: String(seed), PROPERTY_RUNS },
      drawn: variables,
      failuresIn: (output) => [
        {
          what: saidByVitest(output),
          replay: `${variables} npx vitest run ${/ ?FAIL .*?(test\/\S+)/.exec(output)?.[1] ?? "test"}`,
          keep: "the counterexample above into `examples` of that fc.assert, or into a test of its own",
        },
      ],
    };
  },
};

function ofSimulator(option: string): Target {
  return {
    name: `simulator${option === "" ? "" : ` ${option}`}`,
    attempt: (seed) => {
      const words = option === "" ? [] : [option];
      const range = ["--from", String(seed), "--seeds", String(SIMULATOR_SEEDS)];
      return {
        command: [process.execPath, "test/sim/run.mjs", ...range, "--keep-going", ...words],
        environment: {},
        drawn: `seeds ${seed} to ${seed + SIMULATOR_SEEDS - 1}`,
        failuresIn: (output) => simulatorFailures(output, words),
      };
    },
  };
}

function simulatorFailures(output: string, words: readonly string[]): Failure[] {
  const found = [...output.matchAll(/^seed (\d+) FAILED .*\n.*$/gm)].map(([what, seed = ""]) => ({
    what,
    replay: ["npm run sim -- --seed", seed, ...words, "--trace"].join(" "),
    keep: `{ seed: ${seed}, found: "..."${optionsText(words)} } into test/sim/seeds.ts`,
  }));
  if (found.length > 0) return found;
  const said = output.trimEnd().split("\n").slice(-LINES_SHOWN).join("\n");
  return [{ what: said, replay: "the command above", keep: "nothing: the simulator itself failed" }];
}

const optionsText = (words: readonly string[]): string =>
  words.map((word) => `, options: { ${word.replace("--", "")}: true }`).join("");

/** In the order of their turns. */
export function allTargets(): Target[] {
  const tests = Object.entries(RANDOM_TESTS).map(([name, test]) => ofTest(name, test));
  return [...tests, properties, ...SIMULATOR_OPTIONS.map(ofSimulator)];
}
