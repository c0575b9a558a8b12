// The arguments of the seshat command: texts in, what was asked for out, or one line of error. The words
// after `--name` go on until the next `--name`, as in redis-server. Knows no setting's value.

import type { Directive } from "./load.ts";
import { shownLine } from "./secrets.ts";
import { ROWS, type SettingName } from "./table.ts";

export type CommandLine =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly file: string | undefined; readonly flags: readonly Directive[] }
  | { readonly kind: "error"; readonly error: string };

/** `argv` without node and script. A first argument that is no option is the path of the file. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  if (argv.some((word) => word === "--help" || word === "-h")) return { kind: "help" };
  if (argv.some((word) => word === "--version" || word === "-v")) return { kind: "version" };
  const file = argv[0]?.startsWith("-") === false ? argv[0] : undefined;
  const flags: { name: string; words: string[] }[] = [];
  for (const word of argv.slice(file === undefined ? 0 : 1)) {
    const current = flags[flags.length - 1];
    if (word.startsWith("--")) {
      const [name = "", value] = word.slice(2).split("=", 2);
      if (value !== undefined) {
        const said = `--${shownLine(word.slice(2))}`;
        return { kind: "error", error: `${said}: write the value as a word of its own: --${name} <value>` };
      }
      flags.push({ name, words: [] });
    } else if (current !== undefined) {
      current.words.push(word);
    } else {
      const [said] = word.split("=", 1);
      return { kind: "error", error: `${said}: options start with two dashes; seshat --help lists all` };
    }
  }
  return { kind: "run", file, flags };
}

const USAGE = `Usage: seshat [file.conf] [--name value]...

A cache that speaks the Redis protocol and agrees on every write by Raft.

  seshat                            one node on port 6379
  seshat --port 7000                flags override the file, the file overrides the defaults
  seshat node1.conf --port 7000     the file has the grammar of redis.conf: name value, # comment
  seshat --help | --version
`;

/** `--help`, from the table. `usage` replaces the head, for commands that the caller has beside these. */
export function helpText(usage: string = USAGE): string {
  const groups = [...new Set(ROWS.map((row) => row.group))];
  const sections = groups.map((group) => {
    const rows = ROWS.filter((row) => row.group === group);
    return [`${group}:`, ...rows.map(helpOfRow)].join("\n");
  });
  return [usage.trimEnd(), ...sections].join("\n\n") + "\n";
}

// Shapes and defaults that are too long for a line of help, in short.
const SHORT: Readonly<Partial<Record<SettingName, { shape: string; shown: string }>>> = {
  "maxmemory-policy": { shape: "<policy>", shown: "noeviction" },
  "client-output-buffer-limit": {
    shape: "<class> <hard> <soft> <seconds>",
    shown: "none for normal clients",
  },
};

function helpOfRow(row: (typeof ROWS)[number]): string {
  const short = SHORT[row.name as SettingName];
  const shown = short?.shown ?? row.kind.format(row.default);
  const facts: string[] = [];
  if (shown !== "") facts.push(`default ${shown}`);
  if (row.mutable) facts.push(row.cluster === true ? "CONFIG SET on all nodes" : "CONFIG SET");
  if (row.shared === true) facts.push("same on all nodes");
  const note = facts.length === 0 ? "" : `   (${facts.join("; ")})`;
  return `  --${row.name} ${short?.shape ?? row.kind.shape}${note}\n      ${row.help}`;
}
