// The error texts of cluster mode, in Redis's exact words where Redis has them.

import { printable } from "./errors.ts";

export const clusterError = {
  disabled: "ERR This instance has cluster support disabled",
  crossSlot: "CROSSSLOT Keys in request don't hash to the same slot",
  down: "CLUSTERDOWN The cluster is down",
  slotUnserved: "CLUSTERDOWN Hash slot not served",
  selectForbidden: "ERR SELECT is not allowed in cluster mode",
  moveForbidden: "ERR MOVE is not allowed in cluster mode",
  swapForbidden: "ERR SWAPDB is not allowed in cluster mode",
  copyForbidden: "ERR Copying to another database is not allowed in cluster mode",
  sortByForbidden: "ERR BY option of SORT denied in Cluster mode.",
  sortGetForbidden: "ERR GET option of SORT denied in Cluster mode.",
  notMaster: "ERR The specified node is not a master",
  invalidSlot: "ERR Invalid slot",
  invalidSlotOrCount: "ERR Invalid slot or number of keys",
  slotTooLarge: "ERR there are too many keys to look through inside a transaction: ask outside of it",
} as const;

export const unknownNode = (id: string): string => `ERR Unknown node ${printable(id.slice(0, 128))}`;

/** `endpoint` as clients are to connect to it. */
export const moved = (slot: number, endpoint: string, port: number): string =>
  `MOVED ${slot} ${endpoint}:${port}`;

const HAS_ALL_SLOTS = "one group of nodes has all slots, always";
const MEMBERS = "members come and go with RAFT.MEMBER ADD and RAFT.MEMBER REMOVE";
const ELECTIONS = "Raft elects the master and counts the epochs";
const WHY: Readonly<Record<string, string>> = {
  addslots: HAS_ALL_SLOTS,
  addslotsrange: HAS_ALL_SLOTS,
  bumpepoch: ELECTIONS,
  delslots: HAS_ALL_SLOTS,
  delslotsrange: HAS_ALL_SLOTS,
  failover: "leadership is given away with RAFT.TRANSFER <name>",
  flushslots: HAS_ALL_SLOTS,
  forget: MEMBERS,
  meet: MEMBERS,
  replicate: "all members are replicas of the leader, always",
  reset: MEMBERS,
  saveconfig: "members and epochs are agreed on in the log",
  "set-config-epoch": ELECTIONS,
  setslot: HAS_ALL_SLOTS,
};

/** A subcommand of CLUSTER that would change what cannot be changed so. */
export function unsuitable(subcommand: string): string {
  const why = WHY[subcommand.toLowerCase()] ?? "it is not managed so here";
  return `ERR CLUSTER ${printable(subcommand.toUpperCase())} is not for this server: ${why}`;
}
