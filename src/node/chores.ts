// What a node keeps in order by itself in the part of the replicated state that its clients own: what is left there of
// sessions that are gone or have gone on is taken away, by the leader also that of members that are gone. It looks at this node's own replica and sends ordinary
// commands, on a session without a client; what gets lost is sent again, because it is looked at again.

import { encodeCommand } from "../resp/request-parser.ts";
import { cancelOf } from "./blocked-clients.ts";
import type { SeshatNode } from "./node.ts";
import { isIdle, ownSession } from "./own-session.ts";
import { MODE_LEADER } from "./replica.ts";
import type { Session } from "./session.ts";
import { CHORES_SESSION_ID } from "./session-numbers.ts";

const INTERVAL_MS = 500;
/** A member that is silent for so many election timeouts counts as gone where its blocked clients are concerned. */
const SILENT_ELECTIONS = 4;
/** Commands sent at a time. */
const COMMANDS_MAX = 1024;

export class Chores {
  readonly #node: SeshatNode;
  readonly #session: Session;
  #nextMs = 0;

  constructor(node: SeshatNode) {
    this.#node = node;
    // Replies have been understood by the time they come, as changes of the state.
    this.#session = ownSession(node, CHORES_SESSION_ID, () => {});
  }

  /** Something has changed: the next tick looks. */
  hurry(): void {
    this.#nextMs = 0;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + INTERVAL_MS;
    const session = this.#session;
    // What is on its way may be answered, lost or refused; then the state is looked at again.
    if (!isIdle(session)) return;
    const commands = this.#leftovers();
    if (commands.length === 0) return;
    const bytes = Buffer.concat(commands.slice(0, COMMANDS_MAX));
    session.receive(bytes, 0, bytes.length);
  }

  /** It cannot be reached, or has been silent for longer than a pause of a living process should last. */
  #isAway(member: number): boolean {
    const { cluster, replica, settings } = this.#node;
    const silentMs = replica.monotonicMs - cluster.links.heardMs(member);
    return !cluster.reaches(member) || silentMs > SILENT_ELECTIONS * settings.electionTimeoutMs;
  }

  /** Commands that take away what belongs to no session here, or to a serial that is over. */
  #leftovers(): Buffer[] {
    const { server, cluster, replica, blockedClients } = this.#node;
    const { incarnation } = cluster.membership.self;
    const commands: Buffer[] = [];
    const { watches, blocking } = replica.machine.sessions;
    for (const { session, serial } of watches.ownersOf(incarnation)) {
      if (server.clients.byId(session)?.transaction?.serial === serial) continue;
      commands.push(encodeCommand(["UNWATCH", `${incarnation}:${session}:${serial}`]));
    }
    for (const owner of blocking.waiters.ownersOf(incarnation))
      if (!blockedClients.has(owner.serial)) commands.push(cancelOf(owner));
    if (replica.mode !== MODE_LEADER) return commands;
    // What is given to clients of a node that is dead is lost. One that is not dead registers them anew.
    for (const member of blocking.waiters.members)
      if (member !== incarnation && this.#isAway(member))
        commands.push(...blocking.waiters.ownersOf(member).map(cancelOf));
    return commands;
  }
}
