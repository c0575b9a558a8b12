// The seeds of all tests that draw their inputs, in one list: what `npm test` runs is the same every
// time. A seed with which `npm run explore` finds a fault is added here, with what was found. The
// simulator has a list of its own: sim/seeds.ts.

export interface KeptSeed {
  readonly seed: number;
  /** How much is drawn from it, where that is not the usual. */
  readonly count?: number;
  /** What was wrong. Without: the seed is a sample like any other. */
  readonly found?: string;
}

export interface RandomTest {
  /** Below test/, for vitest: a file without .test.ts, or several files' common beginning. */
  readonly file: string;
  /** The variable of the environment that gives another seed. */
  readonly seedVariable: string;
  /** The one that says how much is drawn, of what countUnit names. */
  readonly countVariable: string;
  readonly countUnit: string;
  readonly count: number;
  /** How much `npm run explore` draws from each new seed. */
  readonly exploreCount: number;
  readonly seeds: readonly KeptSeed[];
}

const differential = { seedVariable: "DIFFERENTIAL_SEED", countVariable: "DIFFERENTIAL_COMMANDS" } as const;
const first = [{ seed: 1 }] as const;

export const RANDOM_TESTS = {
  "spoilt frames": {
    file: "node/peer-fuzz.test",
    seedVariable: "PEER_FUZZ_SEED",
    countVariable: "PEER_FUZZ_STEPS",
    countUnit: "steps",
    count: 500,
    exploreCount: 2000,
    seeds: [1, 2, 3, 4, 5, 6].map((seed) => ({ seed })),
  },
  "hostile members": {
    file: "e2e/hostile-members.test",
    seedVariable: "HOSTILE_SEED",
    countVariable: "HOSTILE_CONNECTIONS",
    countUnit: "connections",
    count: 40,
    exploreCount: 1000,
    seeds: [{ seed: 1 }, { seed: 2 }],
  },
  differential: {
    ...differential,
    file: "differential/differential",
    countUnit: "commands",
    count: 20_000,
    exploreCount: 60_000,
    // Odd seeds have thresholds of a few members, even ones the defaults.
    seeds: [
      { seed: 1 },
      { seed: 2 },
      { seed: 487648719, count: 7000, found: "the text for streams without ids, which is 7.2's" },
      {
        seed: 950431793,
        count: 2000,
        found: "nothing: by chance DBSIZE was never drawn, and a check demanded it",
      },
    ],
  },
  functions: {
    ...differential,
    file: "differential/functions",
    countUnit: "inputs",
    count: 1000,
    exploreCount: 5000,
    seeds: first,
  },
  "dumps of strings": {
    ...differential,
    file: "differential/dump.test",
    countUnit: "values",
    count: 2000,
    exploreCount: 4000,
    seeds: first,
  },
  "dumps of members": {
    ...differential,
    file: "differential/dump-members",
    countUnit: "values",
    count: 400,
    exploreCount: 1000,
    seeds: [
      { seed: 1 },
      {
        seed: 415925955,
        count: 100,
        found: "nothing: a client left with commands behind one that waits, which Redis drops and we run",
      },
    ],
  },
  "dumps of streams": {
    ...differential,
    file: "differential/dump-streams",
    countUnit: "streams",
    count: 60,
    exploreCount: 200,
    seeds: first,
  },
  "sparse limits": {
    ...differential,
    file: "differential/hyperloglog-limits",
    countUnit: "steps",
    count: 60,
    exploreCount: 200,
    seeds: first,
  },
  transactions: {
    file: "differential/transactions",
    seedVariable: "TRANSACTIONS_SEED",
    countVariable: "TRANSACTIONS_COMMANDS",
    countUnit: "commands",
    count: 6000,
    exploreCount: 20_000,
    seeds: [
      { seed: 1 },
      {
        seed: 473889917,
        count: 1000,
        found: "LTRIM that removes nothing did not touch a watched key (touches.test.ts has it too)",
      },
    ],
  },
  blocking: {
    file: "differential/blocking",
    seedVariable: "BLOCKING_SEED",
    countVariable: "BLOCKING_STEPS",
    countUnit: "steps",
    count: 400,
    exploreCount: 1000,
    seeds: [
      { seed: 1 },
      {
        seed: 415925955,
        count: 100,
        found: "nothing: a client left with commands behind one that waits, which Redis drops and we run",
      },
    ],
  },
  "publish and subscribe": {
    file: "differential/publish-subscribe",
    seedVariable: "PUBSUB_SEED",
    countVariable: "PUBSUB_STEPS",
    countUnit: "steps",
    count: 2000,
    exploreCount: 10_000,
    seeds: first,
  },
  "keys of commands": {
    file: "differential/command-keys",
    seedVariable: "KEYS_SEED",
    countVariable: "KEYS_ROUNDS",
    countUnit: "rounds",
    count: 20,
    exploreCount: 60,
    seeds: first,
  },
  raft: {
    file: "raft/random",
    seedVariable: "RAFT_SEED",
    countVariable: "RAFT_SEEDS",
    countUnit: "seeds from there on",
    count: 120,
    exploreCount: 400,
    seeds: [
      { seed: 1 },
      {
        seed: 12452865,
        count: 1,
        found:
          "a change of members that a snapshot had overtaken was applied again, to a newer configuration",
      },
    ],
  },
  "request parser": {
    file: "resp/request-parser.fuzz",
    seedVariable: "SEED",
    countVariable: "RUNS",
    countUnit: "streams",
    count: 400,
    exploreCount: 3000,
    seeds: [{ seed: 20_240_917 }],
  },
  "requests beside Redis": {
    file: "resp/redis-differential",
    seedVariable: "SEED",
    countVariable: "RUNS",
    countUnit: "streams",
    count: 1500,
    exploreCount: 5000,
    seeds: [{ seed: 20_240_917 }],
  },
  "numbers beside Redis": {
    file: "base/redis-numbers",
    seedVariable: "SEED",
    countVariable: "RUNS",
    countUnit: "numbers",
    count: 20_000,
    exploreCount: 40_000,
    seeds: [{ seed: 20_240_917 }],
  },
} as const satisfies Readonly<Record<string, RandomTest>>;

export type RandomTestName = keyof typeof RANDOM_TESTS;

/** Of every property of fast-check (property.ts). PROPERTY_SEED gives another. */
export const PROPERTY_SEED = 20_261_201;
