// How a node gets its settings: defaults, then the file, then the flags, then what follows from them.
// Texts in, Settings with warnings or one line of error out. Opens no file itself.

import { cautions, deriveSettings, firstConflict } from "./checks.ts";
import { joinWords, splitWords } from "./grammar.ts";
import { type Parsed, refused } from "./kinds.ts";
import { SECRETS, secretIn, secretOf, shownLine, shownName, variableOf } from "./secrets.ts";
import {
  defaultSettings,
  findRow,
  ROWS,
  type Row,
  readSetting,
  type Settings,
  type SettingValue,
  writeSetting,
} from "./table.ts";
import { unsupported } from "./unsupported.ts";

/** One `name value...` of a file or `--name value...` of the command line. */
export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
}

export interface LoadInput {
  /** The file named on the command line, decoded as UTF-8. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
  readonly flags?: readonly Directive[];
  /** Variables may give secrets, and where they are: they override the file, and flags override them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Reads a file that `include` or a setting of a secret names. */
  readonly readFile?: (path: string) => FileText;
}

/** `error` is one line, and names the file. */
export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      /** Names of the settings that the file or the flags speak of. */
      readonly given: ReadonlySet<string>;
      readonly warnings: readonly string[];
      /** Those whose value came from a file of its own or the environment: it is not to be written anywhere else. */
      readonly outside: ReadonlySet<string>;
      /** Those that nobody gave, and that other settings decide: they follow these at the next start too. */
      readonly derived: ReadonlySet<string>;
    }
  /** `error` is one line, and says where. */
  | { readonly ok: false; readonly error: string };

const INCLUDE_DEPTH_MAX = 16;

export function loadSettings(input: LoadInput): Loaded {
  const loader = new Loader(input.readFile ?? ((path) => refused(`cannot read ${path}`)));
  const error =
    (input.file && loader.file(input.file.path, input.file.text, 0)) ??
    loader.environment(input.environment ?? {}) ??
    loader.flags(input.flags ?? []) ??
    loader.finish();
  return error === undefined
    ? {
        ok: true,
        settings: loader.settings,
        given: loader.given,
        warnings: loader.warnings,
        outside: loader.outside,
        derived: loader.derived,
      }
    : { ok: false, error };
}

/** Parses `words` for a row, their number checked first, as it is in Redis. */
export function parseFor(
  row: Row<SettingValue>,
  words: readonly string[],
  before: SettingValue,
): Parsed<SettingValue> {
  const { takes } = row.kind;
  if ((takes === "word" && words.length !== 1) || (takes === "words" && words.length === 0)) {
    return refused("wrong number of arguments");
  }
  return row.kind.parse(words, before);
}

/** Of a directive, for errors. */
interface Place {
  /** "seshat.conf:3", "--port" or "SESHAT_REQUIREPASS". */
  readonly at: string;
  /** The same with the line, as far as it may be shown. */
  readonly where: string;
}

class Loader {
  readonly settings = defaultSettings();
  readonly given = new Set<string>();
  readonly warnings: string[] = [];
  readonly outside = new Set<string>();
  derived: ReadonlySet<string> = new Set();
  /** By the name of the setting, and by "member NAME": where it was given, the last one last. */
  readonly #places = new Map<string, Place>();
  readonly #readFile: (path: string) => FileText;

  constructor(readFile: (path: string) => FileText) {
    this.#readFile = readFile;
  }

  file(path: string, text: string, depth: number): string | undefined {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!.trim();
      if (line === "" || line.startsWith("#")) continue;
      const at = `${path}:${i + 1}`;
      const shown = shownLine(line);
      const place = { at, where: shown === "" ? at : `${at}: ${shown}` };
      const words = splitWords(line);
      if (words === undefined) return `${place.where}: unbalanced quotes`;
      const [name = "", ...rest] = words;
      const error =
        name.toLowerCase() === "include"
          ? this.#include(place.where, rest, depth)
          : this.#apply(place, { name, words: rest }, "");
      if (error !== undefined) return error;
    }
    return undefined;
  }

  flags(directives: readonly Directive[]): string | undefined {
    const startedAfresh = new Set<string>();
    for (const directive of directives) {
      const row = findRow(directive.name);
      if (row?.kind.addsUp === true && !startedAfresh.has(row.name)) {
        startedAfresh.add(row.name);
        writeSetting(this.settings, row, row.default);
      }
      const line = [directive.name, joinWords(directive.words)].join(" ").trimEnd();
      const place = { at: `--${shownName(directive.name)}`, where: `--${shownLine(line)}` };
      const error = this.#apply(place, directive, "--");
      if (error !== undefined) return error;
      if (row?.secret === true && directive.words[0] !== "") this.#cautionOf(row);
    }
    return undefined;
  }

  environment(variables: Readonly<Record<string, string | undefined>>): string | undefined {
    for (const { value, file } of SECRETS) {
      const given = [file, value].filter((row) => (variables[variableOf(row)] ?? "") !== "");
      // Variables have no order, so neither could be the later one.
      if (given.length > 1) return `${given.map(variableOf).join(" and ")} are both set: give one of them`;
      for (const row of given) {
        const variable = variableOf(row);
        const directive = { name: row.name, words: [variables[variable] ?? ""] };
        const error = this.#apply({ at: variable, where: variable }, directive, "");
        if (error !== undefined) return error;
        this.outside.add(row.name);
      }
    }
    return undefined;
  }

  finish(): string | undefined {
    for (const { value, file } of SECRETS) {
      const path = String(readSetting(this.settings, file));
      if (path === "") continue;
      const where = this.#places.get(file.name)?.where ?? file.name;
      const read = this.#readFile(path);
      if (!read.ok) return `${where}: ${read.error}`;
      const secret = secretIn(read.text);
      if (secret === "") return `${where}: there is nothing in ${path}`;
      writeSetting(this.settings, value, secret);
      this.outside.add(value.name);
    }
    this.derived = deriveSettings(this.settings);
    this.warnings.push(...cautions(this.settings));
    const conflict = firstConflict(this.settings);
    if (conflict === undefined) return undefined;
    // Of the lines that do not go together the last one is named: until it came, all was well.
    const given = [...this.#places].filter(([name]) => conflict.names.includes(name));
    return [...given.slice(-1).map(([, place]) => place.at), conflict.text].join(": ");
  }

  #cautionOf(row: Row<SettingValue>): void {
    this.warnings.push(
      `${row.name} was on the command line, where others on this machine can see it: ` +
        `give it by ${row.name}-file or the environment variable ${variableOf(row)}`,
    );
  }

  #include(where: string, words: readonly string[], depth: number): string | undefined {
    const path = words[0];
    if (path === undefined || words.length > 1) return `${where}: wrong number of arguments`;
    if (depth === INCLUDE_DEPTH_MAX) return `${where}: files include each other more than ${depth} deep`;
    const read = this.#readFile(path);
    return read.ok ? this.file(path, read.text, depth + 1) : `${where}: ${read.error}`;
  }

  #apply(place: Place, { name, words }: Directive, prefix: string): string | undefined {
    const row = findRow(name);
    if (row === undefined) return this.#unknown(place, name.toLowerCase(), words, prefix);
    const result = parseFor(row, words, readSetting(this.settings, row));
    if (!result.ok) return `${place.where}: ${result.error}`;
    writeSetting(this.settings, row, result.value);
    this.given.add(row.name);
    for (const key of row.kind.addsUp ? [row.name, `${row.name} ${words[0]}`] : [row.name]) {
      this.#places.delete(key);
      this.#places.set(key, place);
    }
    this.#replaces(row);
    return undefined;
  }

  /** A secret is given once: whichever of its two settings comes last. */
  #replaces(row: Row<SettingValue>): void {
    const secret = secretOf(row);
    if (secret === undefined) return;
    this.outside.delete(row.name);
    const other = row === secret.value ? secret.file : secret.value;
    this.outside.delete(other.name);
    writeSetting(this.settings, other, other.default);
  }

  #unknown({ at, where }: Place, name: string, words: readonly string[], prefix: string): string | undefined {
    const known = unsupported(name, words);
    if (known?.kind === "ignored") {
      this.warnings.push(`${at}: ignored, ${name} has no meaning in Seshat`);
      return undefined;
    }
    if (known?.kind === "refused") return `${where}: not supported: ${known.why}`;
    if (findRow(shownName(name)) !== undefined) return `${where}: write a space behind the name`;
    const near = nearestName(name);
    const hint = near === undefined ? "seshat --help lists all" : `did you mean ${prefix}${near}?`;
    return `${where}: there is no such setting; ${hint}`;
  }
}

/** The name of a setting that one or two slips of the finger could have turned into `name`. */
function nearestName(name: string): string | undefined {
  const slipsMax = name.length < 5 ? 1 : 2;
  let best: string | undefined;
  let bestSlips = slipsMax + 1;
  for (const row of ROWS) {
    const slips = editDistance(name.slice(0, 40), row.name);
    if (slips < bestSlips) {
      bestSlips = slips;
      best = row.name;
    }
  }
  return best;
}

/** Letters to insert, drop, change, or swap with their neighbour to get from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(changed, last[j]! + 1, current[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) current[j] = Math.min(current[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
