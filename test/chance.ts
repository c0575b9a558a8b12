// Chance for tests: the seeds that seeds.ts fixes, or the one that the environment gives. Nothing else
// under test/ draws chance, which tidy.test.ts holds.

import { randomInt } from "node:crypto";
import { PROPERTY_SEED, RANDOM_TESTS, type RandomTest, type RandomTestName } from "./seeds.ts";

export interface Draws {
  readonly seed: number;
  /** How much is to be drawn from it. */
  readonly count: number;
  /** What repeats it, for names of tests and messages: "TRANSACTIONS_SEED=1 TRANSACTIONS_COMMANDS=6000". */
  readonly text: string;
}

/** What a test of random inputs is to draw: the seed of the environment, or else all that are fixed. */
export function drawsOf(name: RandomTestName): readonly Draws[] {
  const test: RandomTest = RANDOM_TESTS[name];
  const { seedVariable, countVariable, count, seeds } = test;
  const seed = numberFrom(seedVariable);
  const given = numberFrom(countVariable);
  return (seed === undefined ? seeds : [{ seed }]).map((kept) => {
    const draws = { seed: kept.seed, count: given ?? kept.count ?? count };
    return { ...draws, text: `${seedVariable}=${draws.seed} ${countVariable}=${draws.count}` };
  });
}

/** The same for the properties of fast-check, as its settings. */
export function propertyDraws(): { readonly seed: number; readonly numRuns?: number } {
  const numRuns = numberFrom("PROPERTY_RUNS");
  return {
    seed: numberFrom("PROPERTY_SEED") ?? PROPERTY_SEED,
    ...(numRuns === undefined ? {} : { numRuns }),
  };
}

/** One that nobody has chosen: for commands of people, never for what npm test runs. */
export const newSeed = (): number => randomInt(1_000_000_000);

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${variable}=${text} is not a whole number`);
  return value;
}
