// The settings of a running node: what CONFIG GET, SET and REWRITE do. Changes Settings in place, all of a
// CONFIG SET or none of it, and tells who asked to know. Writes no file: REWRITE's text goes to io/.

import { globMatches } from "../base/glob.ts";
import { firstConflict } from "./checks.ts";
import { parseFor } from "./load.ts";
import { rewrittenText } from "./rewrite.ts";
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

/** Is told after a change; may refuse it (a limit of the system, say) by returning why, and all is undone. */
export type ChangeListener = (settings: Settings) => string | undefined;

const HIDDEN = "(hidden)";

/** Of a line of sharedText(). */
const nameOf = (line: string): string => line.split(" ", 1)[0]!;

function nameMatches(pattern: string, name: string): boolean {
  const wanted = Buffer.from(pattern, "utf8");
  return globMatches(wanted, 0, wanted.length, Buffer.from(name, "latin1"), 0, name.length, true);
}

export class Configuration {
  /** Read it directly. Only this class writes to it. */
  readonly settings: Settings;
  readonly #listeners = new Map<SettingName, ChangeListener[]>();

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Calls `listener` after each CONFIG SET that changed one of `names`. */
  onChange(names: readonly SettingName[], listener: ChangeListener): void {
    for (const name of names) {
      const listeners = this.#listeners.get(name) ?? [];
      this.#listeners.set(name, [...listeners, listener]);
    }
  }

  /** Settings whose name matches any of the patterns, each once, in the table's order; then those that are fixed. */
  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[] {
    const found: (readonly [string, string])[] = [];
    const show = (name: string, read: () => string): void => {
      const pattern = patterns.find((it) => nameMatches(it, name));
      // As in Redis: a name asked for in capitals comes back in capitals.
      if (pattern !== undefined) found.push([pattern.toLowerCase() === name ? pattern : name, read()]);
    };
    for (const row of ROWS) for (const name of namesOf(row)) show(name, () => this.#show(row));
    for (const [name, value] of FIXED) show(name, () => value);
    return found;
  }

  /** Sets all pairs, or none and says why. */
  set(pairs: readonly (readonly [name: string, value: string])[]): SetProblem | undefined {
    const rows: Row<SettingValue>[] = [];
    for (const [name] of pairs) {
      const row = findRow(name);
      if (row === undefined && !isImmutable(name)) return { kind: "unknown", name };
      if (row?.mutable !== true) return { kind: "failed", name, reason: "can't set immutable config" };
      if (rows.includes(row)) return { kind: "failed", name, reason: "duplicate parameter" };
      rows.push(row);
    }
    const before = rows.map((row) => readSetting(this.settings, row));
    const problem = this.#assign(rows, pairs) ?? this.#announce(rows, before);
    if (problem === undefined) return undefined;
    for (let i = 0; i < rows.length; i++) writeSetting(this.settings, rows[i]!, before[i]!);
    this.#announceUndone(rows);
    return problem;
  }

  /** The text of the file as CONFIG REWRITE leaves it: comments and order kept, values as they are now. */
  rewritten(text: string): string {
    return rewrittenText(text, this.settings);
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
      const value = pairs[i]![1];
      const words = row.kind.takes === "word" ? [value] : value.split(" ");
      const result = parseFor(row, words, readSetting(this.settings, row));
      if (!result.ok) return { kind: "failed", name: row.name, reason: result.error };
      writeSetting(this.settings, row, result.value);
    }
    const conflict = firstConflict(this.settings);
    const last = rows[rows.length - 1];
    return conflict === undefined || last === undefined
      ? undefined
      : { kind: "failed", name: last.name, reason: conflict };
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

  #announceUndone(rows: readonly Row<SettingValue>[]): void {
    for (const listener of new Set(rows.flatMap((row) => this.#listenersOf(row)))) listener(this.settings);
  }

  #listenersOf(row: Row<SettingValue>): readonly ChangeListener[] {
    return this.#listeners.get(row.name as SettingName) ?? [];
  }
}
