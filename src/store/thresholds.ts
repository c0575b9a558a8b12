// Up to where collections are kept compact. The names say which setting of Redis each is; all nodes have the same.

/**
 * No compact value gets longer, whatever the settings say: it must fit a record, and each change copies it. (Redis: 1 GiB.)
 */
export const COMPACT_BYTES_MAX = 64 * 1024 * 1024;

export interface Thresholds {
  readonly hashListpackEntriesMax: number;
  readonly hashListpackValueBytesMax: number;
  /** Elements of a list's node; -1 to -5 mean 4, 8, 16, 32 or 64 KiB of them. */
  readonly listListpackSize: number;
  readonly setIntsetEntriesMax: number;
  readonly setListpackEntriesMax: number;
  readonly setListpackValueBytesMax: number;
  readonly zsetListpackEntriesMax: number;
  readonly zsetListpackValueBytesMax: number;
  readonly streamNodeBytesMax: number;
  readonly streamNodeEntriesMax: number;
  readonly hllSparseBytesMax: number;
}

/** Redis's defaults. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  hashListpackEntriesMax: 512,
  hashListpackValueBytesMax: 64,
  listListpackSize: -2,
  setIntsetEntriesMax: 512,
  setListpackEntriesMax: 128,
  setListpackValueBytesMax: 64,
  zsetListpackEntriesMax: 128,
  zsetListpackValueBytesMax: 64,
  streamNodeBytesMax: 4096,
  streamNodeEntriesMax: 100,
  hllSparseBytesMax: 3000,
};
