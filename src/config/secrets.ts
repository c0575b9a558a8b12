// Secrets: what gives them beside their settings (a file that a setting names, or the environment), and what may be
// shown of a line that may have one. Names and lines in, names and lines out; the loader reads the files.
//
//   requirepass       requirepass-file       SESHAT_REQUIREPASS       SESHAT_REQUIREPASS_FILE
//   cluster-secret    cluster-secret-file    SESHAT_CLUSTER_SECRET    SESHAT_CLUSTER_SECRET_FILE

import { findRow, ROWS, type Row, type SettingValue } from "./table.ts";

export interface SecretRows {
  readonly value: Row<SettingValue>;
  /** Names the file that the value is in. */
  readonly file: Row<SettingValue>;
}

const SUFFIX = "-file";

export const SECRETS: readonly SecretRows[] = ROWS.filter((row) => row.secret).map((value) => {
  const file = findRow(value.name + SUFFIX);
  if (file === undefined) throw new Error(`${value.name} has no ${value.name}${SUFFIX}`);
  return { value, file };
});

/** The two rows of which `row` is one; undefined = it has nothing to do with secrets. */
export const secretOf = (row: Row<SettingValue>): SecretRows | undefined =>
  SECRETS.find(({ value, file }) => row === value || row === file);

/** The secret in a file. A text file ends with the end of a line. */
export const secretIn = (text: string): string => text.replace(/\r?\n$/, "");

const SECRET_NAME = new RegExp(`(?:${SECRETS.map(({ value }) => value.name).join("|")})(?!-file)`, "i");

/** The letters of a name at the start of a word; behind them may be anything, a secret too. */
export const shownName = (word: string): string => /^[\w.-]*/.exec(word)?.[0] ?? "";

/**
 * A line of settings as an error may show it. Of a name that the table lacks nothing more is shown, because it may be a
 * secret's, misspelled, or one of Redis's; and of no line what is behind the name of a secret.
 */
export function shownLine(line: string): string {
  const name = shownName(line);
  if (findRow(name) === undefined && name.toLowerCase() !== "include") return name;
  const secret = SECRET_NAME.exec(line);
  return secret === null ? line : line.slice(0, secret.index + secret[0].length);
}

/** The variable that gives a setting. */
export const variableOf = ({ name }: Row<SettingValue>): string =>
  `SESHAT_${name.toUpperCase().replaceAll("-", "_")}`;
