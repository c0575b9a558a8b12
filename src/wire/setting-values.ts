// Settings of the cluster with their values, as they travel in the founders' table and in snapshots (docs/adr/0023). Pairs
// in, protobuf objects out, and back with their sizes checked. Whether a setting is known is not decided here.

import { refuse } from "./decode.ts";
import type { seshat } from "./generated/seshat.js";

export type SettingValues = readonly (readonly [name: string, value: string])[];

/** More than any version has. */
const SETTINGS_MAX = 256;
const CHARACTERS_MAX = 1024;

export const settingValuesToWire = (values: SettingValues): seshat.SettingValue.$Properties[] =>
  values.map(([name, value]) => ({ name, value }));

export function settingValuesFromWire(
  wire: readonly seshat.SettingValue.$Properties[] | null | undefined,
): SettingValues {
  const values = (wire ?? []).map(({ name, value }) => [name ?? "", value ?? ""] as const);
  if (values.length > SETTINGS_MAX) refuse("outOfRange", `${values.length} settings`);
  for (const [name, value] of values)
    if (name.length > CHARACTERS_MAX || value.length > CHARACTERS_MAX)
      refuse("outOfRange", `a setting of ${name.length} and ${value.length} characters`);
  return values;
}

/** Bytes of the encoded values at most. */
export const settingValuesBytesMax = (values: SettingValues): number =>
  values.reduce((sum, [name, value]) => sum + 16 + 3 * (name.length + value.length), 0);
