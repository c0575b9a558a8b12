// How large an entry counts. An own fixed rule, so that limits do not depend on any encoding.
import type { ConfChange, Entry } from "./types.ts";

/** What an entry costs beside its payload: never 0, so that a limit of one byte means one entry. */
const ENTRY_OVERHEAD_BYTES = 24;
const CONF_CHANGE_BYTES = 2;
const CONF_STEP_BYTES = 6;

export const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The part that the window and the uncommitted limit count. The empty change that leaves a joint config is free. */
export function payloadBytes(data: Uint8Array, change: ConfChange | undefined): number {
  if (change === undefined) return data.length;
  const steps = change.changes.length;
  if (steps === 0) return change.context.length;
  return CONF_CHANGE_BYTES + CONF_STEP_BYTES * steps + change.context.length;
}

export function entryBytes(entry: Entry): number {
  return payloadBytes(entry.data, entry.confChange) + ENTRY_OVERHEAD_BYTES;
}

export function payloadBytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    const { data, confChange } = entries[i] as Entry;
    bytes += payloadBytes(data, confChange);
  }
  return bytes;
}

export function entryBytesOf(entries: readonly Entry[]): number {
  return payloadBytesOf(entries) + entries.length * ENTRY_OVERHEAD_BYTES;
}

/** entries[from, to), cut where it would pass `bytesMax`; but at least one entry, or the log could stand still. */
export function sliceByBytes(entries: readonly Entry[], from: number, to: number, bytesMax: number): Entry[] {
  if (bytesMax === NO_LIMIT) return entries.slice(from, to);
  let bytes = 0;
  let end = from;
  for (; end < to; end++) {
    bytes += entryBytes(entries[end] as Entry);
    if (bytes > bytesMax && end > from) break;
  }
  return entries.slice(from, end);
}
