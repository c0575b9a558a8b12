// Secrets that come from elsewhere than settings: a file that a setting names, or the environment. Names in, names out; what is
// read, and from where, is the loader's business.
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

/** The variable that gives a setting. */
export const variableOf = ({ name }: Row<SettingValue>): string =>
  `SESHAT_${name.toUpperCase().replaceAll("-", "_")}`;
