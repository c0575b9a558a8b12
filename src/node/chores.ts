// What a node keeps in order by itself in the part of the replicated state that its clients own: what is left there of
// sessions that are gone or have gone on is taken away. It looks at this node's own replica and sends ordinary
// commands, on a session without a client; what gets lost is sent again, because it is looked at again.

import { encodeCommand } from "../resp/request-parser.ts";
import type { SeshatNode } from "./node.ts";
import type { ClientConnection } from "./ports.ts";
import { Session } from "./session.ts";

/** No client has this number. */
const CHORES_SESSION_ID = 0;
const INTERVAL_MS = 500;
/** Commands sent at a time. */
const COMMANDS_MAX = 1024;

/** Nobody: replies have been understood by the time they come, as changes of the state. */
class NoConnection implements ClientConnection {
  readonly id = CHORES_SESSION_ID;
  readonly address = "";
  readonly localAddress = "";
  readonly isLoopback = true;
  readonly pendingBytes = 0;
  write(): boolean {
    return true;
  }
  pauseReading(): void {}
  resumeReading(): void {}
  end(): void {}
  destroy(): void {}
}

export class Chores {
  readonly #node: SeshatNode;
  readonly #session: Session;
  #nextMs = 0;

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#session = new Session(node, new NoConnection(), false);
    this.#session.authenticated = true;
    this.#session.authenticationChanged();
    this.#session.inLogForm = true;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + INTERVAL_MS;
    const session = this.#session;
    // What is on its way may be answered, lost or refused; then the state is looked at again.
    if (session.outstanding > 0 || session.queryBufferBytes > 0) return;
    const commands = this.#leftovers();
    if (commands.length === 0) return;
    const bytes = Buffer.concat(commands.slice(0, COMMANDS_MAX));
    session.receive(bytes, 0, bytes.length);
  }

  /** Commands that take away what belongs to no session here, or to a serial that is over. */
  #leftovers(): Buffer[] {
    const { server, cluster, replica } = this.#node;
    const { incarnation } = cluster.membership.self;
    const commands: Buffer[] = [];
    for (const { session, serial } of replica.machine.sessions.watches.ownersOf(incarnation)) {
      if (server.clients.byId(session)?.transaction?.serial === serial) continue;
      commands.push(encodeCommand(["UNWATCH", `${incarnation}:${session}:${serial}`]));
    }
    return commands;
  }
}
