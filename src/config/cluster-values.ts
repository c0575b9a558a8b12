// Values of the settings that belong to the cluster (docs/adr/0023), as texts: their defaults, and whether a text is one. Names
// and texts in, canonical texts out. It holds no values in force: those are a part of the replicated state.

import { parseFor } from "./load.ts";
import { findRow, ROWS, type Row, type SettingValue } from "./table.ts";

/** Pairs of a setting's own name and its value as CONFIG GET shows it. */
export type ClusterValues = readonly (readonly [name: string, value: string])[];

export const CLUSTER_ROWS: readonly Row<SettingValue>[] = ROWS.filter((row) => row.cluster === true);

/** DEBUG SET-ACTIVE-EXPIRE: a switch of the cluster that no file and no CONFIG knows. "0", or "1" as before it was set. */
export const ACTIVE_EXPIRE = "debug-set-active-expire";

export const clusterDefaults: ClusterValues = CLUSTER_ROWS.map((row) => [
  row.name,
  row.kind.format(row.default),
]);

/** The value that the text means for this setting of the cluster; undefined when it is none, or there is no such setting. */
export function parseClusterValue(name: string, text: string): SettingValue | undefined {
  const row = findRow(name);
  if (row?.cluster !== true) return undefined;
  const result = parseFor(row, [text], row.default);
  return result.ok ? result.value : undefined;
}

/** The same as CONFIG GET shows it; only for a setting's own name. */
export function canonicalValue(name: string, text: string): string | undefined {
  if (name === ACTIVE_EXPIRE) return text === "0" || text === "1" ? text : undefined;
  const value = parseClusterValue(name, text);
  const row = findRow(name);
  return value === undefined || row?.name !== name ? undefined : row.kind.format(value);
}
