// Cluster mode's rules for commands with keys: all in one slot, and on a follower only what may stay there. In: a command
// of a client of this node. Out: the error that sends it away, in Redis's words. It asks nobody, and keeps only the slot of
// a transaction's commands, in the transaction.

import type { Args } from "../base/args.ts";
import { clusterError, moved } from "../command/cluster-errors.ts";
import { findKeys, hasKeys } from "../command/command-keys.ts";
import { slotOfKey } from "../command/key-slot.ts";
import { integerArgument } from "../command/local-arguments.ts";
import { rows } from "../command/lookup.ts";
import type { CommandRow } from "../command/types.ts";
import type { SeshatNode } from "./node.ts";
import { MODE_FORWARD } from "./replica.ts";
import { queued, rowIds, withFlag } from "./row-facts.ts";
import type { Session } from "./session.ts";

/** Of a command without keys. */
export const NO_SLOT = -1;
const CROSS_SLOT = -2;

const NO_KEYS = 0;
/** Keys at first, first + step, ..., as the row says. */
const PLAIN_KEYS = 1;
/** Where its keys are depends on the arguments. */
const MOVABLE_KEYS = 2;

/** Commands of DEBUG take keys too, and are about this node: Redis does not know them as such. */
const isAboutThisNode = ({ name }: CommandRow): boolean => name.startsWith("debug|");

const keyKinds = Uint8Array.from(rows, (row) => {
  if (!hasKeys(row) && row.keys.first === 0) return NO_KEYS;
  if (isAboutThisNode(row)) return NO_KEYS;
  return row.flags.includes("movablekeys") || row.keys.first === 0 ? MOVABLE_KEYS : PLAIN_KEYS;
});

const isWrite = withFlag("write");
/** Shard channels are on every node, as all messages go through the log. */
const SHARD_CHANNELS = new Set(["ssubscribe", "sunsubscribe", "spublish"]);
const staysAnywhere = Uint8Array.from(rows, ({ name }) => (SHARD_CHANNELS.has(name) ? 1 : 0));

const forbidden: Readonly<Record<string, (args: Args) => string | undefined>> = {
  move: () => clusterError.moveForbidden,
  swapdb: () => clusterError.swapForbidden,
  copy: copyProblem,
  sort: sortProblem,
  sort_ro: sortProblem,
};
const restrictions = rows.map(({ name }) => forbidden[name]);

export class SlotRules {
  readonly #node: SeshatNode;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  /** Why the command is not for this node, or for none; undefined when it may go on. */
  refusal(session: Session, id: number, args: Args): string | undefined {
    if (id === rowIds.exec) return this.#execRefusal(session);
    const restriction = restrictions[id]?.(args);
    const slot = slotOfCommand(id, args);
    if (slot === CROSS_SLOT) return clusterError.crossSlot;
    if (slot !== NO_SLOT && staysAnywhere[id] === 0) {
      const away = this.#movedAway(session, slot, isWrite[id] === 1);
      if (away !== undefined) return away;
    }
    if (restriction === undefined && session.inTransaction && queued[id] === 1) {
      session.transaction?.noteSlot(slot);
    }
    return restriction;
  }

  #execRefusal(session: Session): string | undefined {
    const { transaction } = session;
    if (!session.inTransaction || transaction === undefined || transaction.hasFailed) return undefined;
    if (transaction.hasSeveralSlots) return clusterError.crossSlot;
    const { slot, hasWrite } = transaction;
    return slot === NO_SLOT ? undefined : this.#movedAway(session, slot, hasWrite);
  }

  /** Only from a follower that knows, and reaches, a leader: who has none waits for one. */
  #movedAway(session: Session, slot: number, isWrite: boolean): string | undefined {
    const { replica, server } = this.#node;
    if (replica.mode !== MODE_FORWARD || (session.readOnly && !isWrite)) return undefined;
    const leader = server.cluster.leaderEndpoint();
    // A leader whose address is unknown: the command is passed on, as without cluster mode.
    return leader === undefined ? undefined : moved(slot, leader.endpoint, leader.port);
  }
}

/** The slot of all the command's keys, NO_SLOT, or CROSS_SLOT. */
function slotOfCommand(id: number, args: Args): number {
  const kind = keyKinds[id]!;
  if (kind === NO_KEYS) return NO_SLOT;
  const row = rows[id]!;
  if (kind === MOVABLE_KEYS) return slotOfMovable(row, args);
  const { first, step } = row.keys;
  const last = row.keys.last < 0 ? args.count + row.keys.last : row.keys.last;
  let slot = NO_SLOT;
  for (let i = first; i <= last && i < args.count; i += step) {
    const own = slotOfKey(args.bytes, args.start(i), args.end(i));
    if (slot === NO_SLOT) slot = own;
    else if (slot !== own) return CROSS_SLOT;
  }
  return slot;
}

/** Arguments that make no sense have no keys: the command says itself what is wrong with them. */
function slotOfMovable(row: CommandRow, args: Args): number {
  let slot = NO_SLOT;
  for (const { index } of findKeys(row, { args, from: 0, count: args.count }) ?? []) {
    const own = slotOfKey(args.bytes, args.start(index), args.end(index));
    if (slot === NO_SLOT) slot = own;
    else if (slot !== own) return CROSS_SLOT;
  }
  return slot;
}

function copyProblem(args: Args): string | undefined {
  for (let i = 3; i + 1 < args.count; i++) {
    if (!args.is(i, "DB")) continue;
    const database = integerArgument(args, i + 1);
    return database === undefined || database === 0 ? undefined : clusterError.copyForbidden;
  }
  return undefined;
}

/** The keys of patterns may be anywhere. */
function sortProblem(args: Args): string | undefined {
  for (let i = 2; i + 1 < args.count; i++) {
    if (args.is(i, "LIMIT")) i += 2;
    else if (args.is(i, "GET")) return clusterError.sortGetForbidden;
    else if (args.is(i, "STORE")) i++;
    else if (args.is(i, "BY") && args.text(++i).includes("*")) return clusterError.sortByForbidden;
  }
  return undefined;
}
