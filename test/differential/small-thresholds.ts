// Settings of both sides under which collections are compact only while they are tiny, so that random commands meet the
// large forms, and the steps between, all the time.

import { DEFAULT_THRESHOLDS, type Thresholds } from "../../src/store/thresholds.ts";

const ENTRIES = 8;
const VALUE_BYTES = 20;
const NODE_BYTES = 300;

export const SMALL_THRESHOLDS: Thresholds = {
  ...DEFAULT_THRESHOLDS,
  hashListpackEntriesMax: ENTRIES,
  hashListpackValueBytesMax: VALUE_BYTES,
  setIntsetEntriesMax: ENTRIES,
  setListpackEntriesMax: ENTRIES,
  setListpackValueBytesMax: VALUE_BYTES,
  zsetListpackEntriesMax: ENTRIES,
  zsetListpackValueBytesMax: VALUE_BYTES,
  streamNodeEntriesMax: ENTRIES,
  streamNodeBytesMax: NODE_BYTES,
};

/** The same for redis-server 7.0, which has no listpacks of sets. */
export const SMALL_SETTINGS: readonly string[] = [
  ...["--hash-max-listpack-entries", String(ENTRIES), "--hash-max-listpack-value", String(VALUE_BYTES)],
  ...["--set-max-intset-entries", String(ENTRIES)],
  ...["--zset-max-listpack-entries", String(ENTRIES), "--zset-max-listpack-value", String(VALUE_BYTES)],
  ...["--stream-node-max-entries", String(ENTRIES), "--stream-node-max-bytes", String(NODE_BYTES)],
];
