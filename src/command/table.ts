// All families joined: the one list of what clients can ask. Adding a command touches its family only.

import { appliedForms } from "./applied-index.ts";
import { bitCommands } from "./bits.ts";
import { bitFieldCommands } from "./bits-field.ts";
import { bitOperationCommands } from "./bits-operation.ts";
import { blockingForms } from "./blocking.ts";
import { settingForms } from "./cluster-settings.ts";
import { dumpCommands } from "./dump.ts";
import { expiryForms } from "./expiry-form.ts";
import { geoCommands } from "./geo.ts";
import { geoSearchCommands } from "./geo-search.ts";
import { hashCommands } from "./hashes.ts";
import { hashRandomCommands } from "./hashes-random.ts";
import { hashWriteCommands } from "./hashes-write.ts";
import { hyperLogLogCommands } from "./hyperloglog.ts";
import { keyCommands } from "./keys.ts";
import { keyExpireCommands } from "./keys-expire.ts";
import { keyFlushCommands } from "./keys-flush.ts";
import { keyMoveCommands } from "./keys-move.ts";
import { keyObjectCommands } from "./keys-object.ts";
import { keyScanCommands } from "./keys-scan.ts";
import { listCommands } from "./lists.ts";
import { listBlockCommands } from "./lists-block.ts";
import { listEditCommands } from "./lists-edit.ts";
import { listMoveCommands } from "./lists-move.ts";
import { listReadCommands } from "./lists-read.ts";
import { localFamilies } from "./local-families.ts";
import { publishCommands } from "./pubsub-publish.ts";
import { digestForms } from "./replica-digest.ts";
import { setCommands } from "./sets.ts";
import { setAlgebraCommands } from "./sets-algebra.ts";
import { setRandomCommands } from "./sets-random.ts";
import { sortCommands } from "./sort.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { sortedSetAlgebraCommands } from "./sorted-sets-algebra.ts";
import { sortedSetBlockCommands } from "./sorted-sets-block.ts";
import { sortedSetPopCommands } from "./sorted-sets-pop.ts";
import { sortedSetRangeCommands } from "./sorted-sets-range.ts";
import { sortedSetScanCommands } from "./sorted-sets-scan.ts";
import { streamCommands } from "./streams.ts";
import { streamClaimCommands } from "./streams-claim.ts";
import { streamConsumeCommands } from "./streams-consume.ts";
import { streamGroupCommands } from "./streams-groups.ts";
import { streamInfoCommands } from "./streams-info.ts";
import { streamPendingCommands } from "./streams-pending.ts";
import { streamReadCommands } from "./streams-read.ts";
import { stringCommands } from "./strings.ts";
import { stringCounterCommands } from "./strings-counter.ts";
import { stringLcsCommands } from "./strings-lcs.ts";
import { stringManyCommands } from "./strings-many.ts";
import { stringRangeCommands } from "./strings-range.ts";
import { stringSetCommands } from "./strings-set.ts";
import { transactionCommands } from "./transactions.ts";
import type { CommandRow } from "./types.ts";

const families: readonly (readonly CommandRow[])[] = [
  stringCommands,
  stringSetCommands,
  stringManyCommands,
  stringCounterCommands,
  stringRangeCommands,
  stringLcsCommands,
  bitCommands,
  bitOperationCommands,
  bitFieldCommands,
  hyperLogLogCommands,
  hashCommands,
  hashWriteCommands,
  hashRandomCommands,
  setCommands,
  setRandomCommands,
  setAlgebraCommands,
  listCommands,
  listReadCommands,
  listEditCommands,
  listMoveCommands,
  sortedSetCommands,
  sortedSetRangeCommands,
  sortedSetPopCommands,
  sortedSetBlockCommands,
  sortedSetScanCommands,
  sortedSetAlgebraCommands,
  listBlockCommands,
  geoCommands,
  geoSearchCommands,
  streamCommands,
  streamReadCommands,
  streamConsumeCommands,
  streamGroupCommands,
  streamPendingCommands,
  streamClaimCommands,
  streamInfoCommands,
  sortCommands,
  keyCommands,
  keyExpireCommands,
  keyMoveCommands,
  keyScanCommands,
  keyFlushCommands,
  keyObjectCommands,
  dumpCommands,
  publishCommands,
  transactionCommands,
  ...localFamilies,
];

/** The rows that a command's first word selects, containers as one row each. */
export const topLevelRows: readonly CommandRow[] = families.flat();

/** Words of the log only: to clients they are no commands. */
export const logRows: readonly CommandRow[] = [
  ...blockingForms,
  ...expiryForms,
  ...digestForms,
  ...appliedForms,
  ...settingForms,
];

/** Every row, each container followed by its subcommands, and those of the log. A row's index here is its id. */
export const rows: readonly CommandRow[] = [
  ...topLevelRows.flatMap((row) => (row.route === "container" ? [row, ...row.subcommands] : [row])),
  ...logRows,
];
