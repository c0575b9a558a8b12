// Compact values in dump payloads: what the store keeps in Redis's own layout is a string there, and comes back checked.

import type { Keyspace } from "../store/keyspace.ts";
import { isListpack, listpackCount } from "../store/listpack.ts";
import type { DumpReader, DumpWriter } from "./dump-format.ts";

/** The form's number, and the record's value as it lies. */
export function writeCompact(keys: Keyspace, handle: number, form: number, writer: DumpWriter): void {
  keys.valueOf(handle);
  writer.byte(form);
  writer.blob(keys.valueBytes, keys.valueStart, keys.valueEnd);
}

/** A listpack of one pair at least; undefined if it is none. */
export function readPairsListpack(reader: DumpReader): Buffer | undefined {
  const blob = reader.string();
  if (blob === undefined || !isListpack(blob, 0, blob.length)) return undefined;
  const count = listpackCount(blob, 0, blob.length);
  return count === 0 || count % 2 === 1 ? undefined : blob;
}
