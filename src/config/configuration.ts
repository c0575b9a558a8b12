// The settings of a running node: what CONFIG GET, SET and REWRITE do. Changes Settings in place, all of a
// CONFIG SET or none of it, and tells who asked to know. Writes no file: REWRITE's text goes to io/.

import { globMatches } from "../base/glob.ts";
import { firstConflict } from "./checks.ts";
import { CLUSTER_ROWS, type ClusterValues, parseClusterValue } from "./cluster-values.ts";
import { parseFor } from "./load.ts";
import { rewrittenText } from "./rewrite.ts";
import { secretOf } from "./secrets.ts";
import {
  findRow,
  namesOf,
  ROWS,
  type Row,
  readSetting,
  type SettingName,
  type Settings,
  type SettingValue,
  writeSetting,
} from "./table.ts";
import { FIXED, isImmutable } from "./unsupported.ts";

/** Why a CONFIG SET was refused; `reason` is Redis's text after "... (possibly related to argument 'x') - ". */
export type SetProblem =
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "failed"; readonly name: string; readonly reason: string };

/** A CONFIG SET that may be carried out, in two parts. */
export interface SplitChange {
  readonly kind: "split";
  /** What belongs to the cluster: own names, values as CONFIG GET shows them. */
  readonly cluster: ClusterValues;
  /** What belongs to this node, as it came. */
  readonly node: Pairs;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** Is told after a change; may refuse it (a limit of the system, say) by returning why, and all is undone. */
export type ChangeListener = (settings: Settings) => string | undefined;

const HIDDEN = "(hidden)";

/** Of a line of sharedText(). */
const nameOf = (line: string): string => line.split(" ", 1)[0]!;

function nameMatches(pattern: string, name: string): boolean {
  const wanted = Buffer.from(pattern, "utf8");
  return globMatches(wanted, 0, wanted.length, Buffer.from(name, "latin1"), 0, name.length, true);
}

/** The rows of a CONFIG SET, or why there is none. */
function rowsToSet(pairs: Pairs): SetProblem | Row<SettingValue>[] {
  const rows: Row<SettingValue>[] = [];
  const names = new Set<string>();
  for (const [name] of pairs) {
    const row = findRow(name);
    if (row === undefined && !isImmutable(name)) return { kind: "unknown", name };
    if (row?.mutable !== true) return { kind: "failed", name, reason: "can't set immutable config" };
    // As in Redis: a setting under both of its names is set twice.
    if (names.has(name.toLowerCase())) return { kind: "failed", name, reason: "duplicate parameter" };
    names.add(name.toLowerCase());
    rows.push(row);
  }
  return rows;
}

export class Configuration {
  /** Read it directly. Only this class writes to it. */
  readonly settings: Settings;
  readonly #listeners = new Map<SettingName, ChangeListener[]>();
  /** Of the cluster's settings those that the file or the flags speak of, until the cluster has said what is in force. */
  #given: ClusterValues;

  /** Settings whose values are not the file's to have: they are read, or follow from others, at each start. */
  readonly #unwritten: Set<string>;

  /**
   * @param given names of the settings that the file or the flags speak of
   * @param unwritten names of those whose value is somewhere else or follows from others, and is not to be written
   * into the file
   */
  constructor(
    settings: Settings,
    given: ReadonlySet<string> = new Set(),
    unwritten: ReadonlySet<string> = new Set(),
  ) {
    this.settings = settings;
    this.#unwritten = new Set(unwritten);
    this.#given = this.clusterValues().filter(([name]) => given.has(name));
  }

  /** Calls `listener` after each CONFIG SET that changed one of `names`. */
  onChange(names: readonly SettingName[], listener: ChangeListener): void {
    for (const name of names) {
      const listeners = this.#listeners.get(name) ?? [];
      this.#listeners.set(name, [...listeners, listener]);
    }
  }

  /**
   * Settings whose name matches any of the patterns, each once, in the table's order; then those that are fixed.
   * @param inForce values of the cluster's settings, if they may be later than those here
   */
  get(patterns: readonly string[], inForce?: ReadonlyMap<string, string>): Pairs {
    const found: (readonly [string, string])[] = [];
    const show = (name: string, read: () => string): void => {
      const pattern = patterns.find((it) => nameMatches(it, name));
      // As in Redis: a name asked for in capitals comes back in capitals.
      if (pattern !== undefined) found.push([pattern.toLowerCase() === name ? pattern : name, read()]);
    };
    for (const row of ROWS)
      for (const name of namesOf(row)) show(name, () => inForce?.get(row.name) ?? this.#show(row));
    for (const [name, value] of FIXED) show(name, () => value);
    return found;
  }

  /** Does one of the patterns ask for a setting of the cluster? */
  asksCluster(patterns: readonly string[]): boolean {
    return CLUSTER_ROWS.some((row) =>
      namesOf(row).some((name) => patterns.some((pattern) => nameMatches(pattern, name))),
    );
  }

  /** Sets all pairs, or none and says why. */
  set(pairs: Pairs): SetProblem | undefined {
    const rows = rowsToSet(pairs);
    if ("kind" in rows) return rows;
    const before = rows.map((row) => readSetting(this.settings, row));
    const problem = this.#assign(rows, pairs) ?? this.#announce(rows, before);
    if (problem === undefined) {
      for (const row of rows) this.#isOurs(row);
      return undefined;
    }
    this.#restore(rows, before);
    this.#announceUndone(rows);
    return problem;
  }

  /** Could all pairs be set? Then which of them belong to the cluster. Nothing is changed. */
  split(pairs: Pairs): SetProblem | SplitChange {
    const rows = rowsToSet(pairs);
    if ("kind" in rows) return rows;
    const before = rows.map((row) => readSetting(this.settings, row));
    // What belongs to the cluster is not announced: it may never be in force.
    const ownRows = rows.filter((row) => row.cluster !== true);
    const ownBefore = ownRows.map((row) => readSetting(this.settings, row));
    const problem = this.#assign(rows, pairs) ?? this.#announce(ownRows, ownBefore);
    const texts = rows.map((row) => row.kind.format(readSetting(this.settings, row)));
    this.#restore(rows, before);
    this.#announceUndone(ownRows);
    if (problem !== undefined) return problem;
    const cluster = rows.flatMap((row, i) => (row.cluster === true ? [[row.name, texts[i]!] as const] : []));
    return { kind: "split", cluster, node: pairs.filter((_, i) => rows[i]!.cluster !== true) };
  }

  /** The cluster's settings as they are here. */
  clusterValues(): ClusterValues {
    return CLUSTER_ROWS.map((row) => [row.name, row.kind.format(readSetting(this.settings, row))]);
  }

  /** The cluster has put these in force. Names and values that this version does not know are left out. */
  adopt(values: ClusterValues): void {
    const rows: Row<SettingValue>[] = [];
    const before: SettingValue[] = [];
    for (const [name, text] of values) {
      const value = parseClusterValue(name, text);
      const row = findRow(name);
      if (value === undefined || row === undefined) continue;
      rows.push(row);
      before.push(readSetting(this.settings, row));
      writeSetting(this.settings, row, value);
    }
    this.#announce(rows, before);
  }

  /** What the file or the flags say otherwise than the cluster. Asked once: from then on the cluster has the say. */
  overruled(
    values: ClusterValues,
  ): { readonly name: string; readonly file: string; readonly cluster: string }[] {
    const inForce = new Map(values);
    const given = this.#given;
    this.#given = [];
    return given
      .map(([name, file]) => ({ name, file, cluster: inForce.get(name) ?? file }))
      .filter(({ file, cluster }) => file !== cluster);
  }

  /** The text of the file as CONFIG REWRITE leaves it: comments and order kept, values as they are now. */
  rewritten(text: string): string {
    return rewrittenText(text, this.settings, this.#unwritten);
  }

  /** It was set here: what a file, the environment or other settings said of it is over. */
  #isOurs(row: Row<SettingValue>): void {
    this.#unwritten.delete(row.name);
    const file = secretOf(row)?.file;
    if (file === undefined) return;
    this.#unwritten.delete(file.name);
    writeSetting(this.settings, file, file.default);
  }

  /** The settings that must be equal on all nodes, as one text; see `sharedDifferences`. */
  sharedText(): string {
    return ROWS.filter((row) => row.shared)
      .map((row) => `${row.name} ${row.kind.format(readSetting(this.settings, row))}`)
      .join("\n");
  }

  /**
   * Names of the shared settings in which another node's `sharedText()` differs from ours. One that it does not name is
   * of a later version than it: then it does as the default says.
   * @param founding both may found a cluster, so they must agree on who does; later the cluster's own table counts
   */
  sharedDifferences(theirs: string, founding = true): string[] {
    const lines = new Set(theirs.split("\n"));
    const known = new Set([...lines].map(nameOf));
    return this.sharedText()
      .split("\n")
      .filter((line) => !lines.has(line))
      .map(nameOf)
      .filter((name) => founding || name !== "member")
      .filter((name) => known.has(name) || !this.#isDefault(name));
  }

  #isDefault(name: string): boolean {
    const row = findRow(name)!;
    return row.kind.format(readSetting(this.settings, row)) === row.kind.format(row.default);
  }

  #show(row: Row<SettingValue>): string {
    const value = row.kind.format(readSetting(this.settings, row));
    // Redis shows requirepass to whoever may ask; the members' secret is not the clients' business.
    return row.secret && row.origin === "seshat" && value !== "" ? HIDDEN : value;
  }

  #assign(
    rows: readonly Row<SettingValue>[],
    pairs: readonly (readonly [string, string])[],
  ): SetProblem | undefined {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const [name, value] = pairs[i]!;
      const words = row.kind.takes === "word" ? [value] : value.split(" ");
      const result = parseFor(row, words, readSetting(this.settings, row));
      // As in Redis: the name in lower case, and an alias by itself.
      if (!result.ok) return { kind: "failed", name: name.toLowerCase(), reason: result.error };
      writeSetting(this.settings, row, result.value);
    }
    const conflict = firstConflict(this.settings);
    const last = rows[rows.length - 1];
    return conflict === undefined || last === undefined
      ? undefined
      : { kind: "failed", name: last.name, reason: conflict.text };
  }

  #announce(rows: readonly Row<SettingValue>[], before: readonly SettingValue[]): SetProblem | undefined {
    const told = new Set<ChangeListener>();
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (readSetting(this.settings, row) === before[i]) continue;
      for (const listener of this.#listenersOf(row)) {
        if (told.has(listener)) continue;
        told.add(listener);
        const reason = listener(this.settings);
        if (typeof reason === "string") return { kind: "failed", name: row.name, reason };
      }
    }
    return undefined;
  }

  #restore(rows: readonly Row<SettingValue>[], before: readonly SettingValue[]): void {
    for (let i = 0; i < rows.length; i++) writeSetting(this.settings, rows[i]!, before[i]!);
  }

  #announceUndone(rows: readonly Row<SettingValue>[]): void {
    for (const listener of new Set(rows.flatMap((row) => this.#listenersOf(row)))) listener(this.settings);
  }

  #listenersOf(row: Row<SettingValue>): readonly ChangeListener[] {
    return this.#listeners.get(row.name as SettingName) ?? [];
  }
}
