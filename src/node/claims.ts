// CLIENT KILL and CLIENT UNBLOCK queued beside commands on data: whose waits they end. Queued commands in; out the waits, and
// the word of the log that ends them in the transaction's place, so that what it pushes is not given to them. The commands
// themselves run when the transaction has (transactions.ts).

import type { Args } from "../base/args.ts";
import { unblockedId } from "../command/client.ts";
import { victimsOf } from "../command/client-kill.ts";
import { rows } from "../command/lookup.ts";
import type { Wait } from "./blocked-clients.ts";
import type { SeshatNode } from "./node.ts";
import { rowIds } from "./row-facts.ts";
import type { Session } from "./session.ts";

/** Of clients of this node that the command kills or unblocks: those that wait for a key. */
export function waitsEndedBy(node: SeshatNode, session: Session, id: number, args: Args): Wait[] {
  const { clients } = node.server;
  if (id === rowIds.clientUnblock) {
    const wait = clients.byId(unblockedId(args) ?? 0)?.wait;
    return wait === undefined ? [] : [wait];
  }
  if (id !== rowIds.clientKill) return [];
  const victims = victimsOf(args, session, clients.list());
  return typeof victims === "string" ? [] : victims.flatMap(({ wait }) => wait ?? []);
}

export const cancelWord = (node: SeshatNode, waits: readonly Wait[]): string[] => [
  rows[rowIds.cancel]!.name,
  ...waits.map((wait) => node.blockedClients.ownerOf(wait)),
];
