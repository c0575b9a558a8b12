// The arguments of npm run bench: texts in, what to run out.

export const SECTIONS = [
  "one",
  "three",
  "memory",
  "idle",
  "failover",
  "tail",
  "latency",
  "large",
  "keys",
  "connections",
  "nodes",
  "etcd",
] as const;
export type Section = (typeof SECTIONS)[number];

export interface Options {
  readonly sections: readonly Section[];
  readonly rounds: number;
  /** Part of the full number of requests, keys and connections. */
  readonly scale: number;
  readonly json: string | undefined;
  /** The folder that a full run's tables and plots are written to. */
  readonly results: string | undefined;
  /** Instead of the numbers of keys that the tail is measured with. */
  readonly keys: number | undefined;
  /** redis-server in Seshat's place: what the ratios are when both are the same. */
  readonly control: boolean;
  /** Flags of node itself, --cpu-prof for one. */
  readonly nodeFlags: readonly string[];
}

const RESULTS_DIR = "bench/results";

export const USAGE = `npm run bench -- [options]

  --only SECTION     that section only; may be given several times: ${SECTIONS.join(", ")}
  --quick            one round of a tenth of the work: for a first look, not for figures
  --rounds N         medians of N rounds instead of 3
  --keys N           tail: with so many keys only
  --json FILE        the results as JSON too, all sections in one file
  --results DIR      where JSON, tables and plots of each section go: ${RESULTS_DIR} for a full run, nowhere for others
  --control          redis-server in Seshat's place: shows how much the machine wavers
  --node-flag FLAG   passed to node for every Seshat process, as --cpu-prof; may be given several times
`;

export function parseOptions(argv: readonly string[]): Options {
  const sections: Section[] = [];
  const nodeFlags: string[] = [];
  let rounds: number | undefined;
  let keys: number | undefined;
  let json: string | undefined;
  let results: string | undefined;
  let quick = false;
  let control = false;
  for (let i = 0; i < argv.length; i++) {
    const name = argv[i]!;
    if (name === "--quick") quick = true;
    else if (name === "--control") control = true;
    else {
      const value = argv[++i];
      if (value === undefined) throw new Error(`${name}: unknown, or its value is missing\n\n${USAGE}`);
      if (name === "--only") sections.push(sectionOf(value));
      else if (name === "--rounds" && /^[1-9][0-9]?$/.test(value)) rounds = Number(value);
      else if (name === "--keys" && /^[1-9][0-9]{2,7}$/.test(value)) keys = Number(value);
      else if (name === "--json") json = value;
      else if (name === "--results") results = value;
      else if (name === "--node-flag") nodeFlags.push(value);
      else throw new Error(`${name} ${value}: not understood\n\n${USAGE}`);
    }
  }
  // Others are looks at one thing, and no figures to keep.
  const isFull = !quick && !control && keys === undefined && nodeFlags.length === 0 && (rounds ?? 3) >= 3;
  return {
    sections: sections.length === 0 ? SECTIONS : sections,
    rounds: rounds ?? (quick ? 1 : 3),
    scale: quick ? 0.1 : 1,
    json,
    results: results ?? (isFull ? RESULTS_DIR : undefined),
    keys,
    control,
    nodeFlags,
  };
}

function sectionOf(value: string): Section {
  const found = SECTIONS.find((section) => section === value);
  if (found === undefined) throw new Error(`--only ${value}: there is ${SECTIONS.join(", ")}`);
  return found;
}
