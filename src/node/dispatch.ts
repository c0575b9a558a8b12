// Where a command goes: answered here, run on the state machine, added to the turn's batch, or passed to the
// leader. In: one parsed command of a session. Out: DONE, or HELD when the session must wait with it. It keeps
// nothing of a command, and everything about the client is in its session.

import type { Args } from "../base/args.ts";
import { replyError } from "../command/errors.ts";
import { advanceReplyMode } from "../command/local-context.ts";
import { localError, subscribersOnly } from "../command/local-errors.ts";
import { lookupId, rows } from "../command/lookup.ts";
import { encodeArguments } from "../resp/request-parser.ts";
import {
  DONE,
  HOLD_LEADER,
  HOLD_ORDER,
  HOLD_OUTPUT,
  HOLD_PAUSE,
  HOLD_PRESSURE,
  UNREAD_OUTPUT_BYTES_MAX,
} from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import { describeUnfit } from "./refusals.ts";
import { MODE_FORWARD, MODE_LEADER } from "./replica.ts";
import {
  allowedSubscribed,
  allowedUnauthenticated,
  arityFits,
  deniedOutOfMemory,
  leaderOnly,
  ROUTE_CONTAINER,
  ROUTE_LOCAL,
  ROUTE_WRITE,
  restricted,
  routes,
} from "./row-facts.ts";
import type { Session } from "./session.ts";

const STAR = 0x2a;

export class Dispatch {
  readonly #node: SeshatNode;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  /** One command of a session; its bytes are buffer[start, end) unless it came inline. DONE or HELD. */
  command(session: Session, args: Args, buffer: Buffer, start: number, end: number): number {
    const id = lookupId(args);
    const node = this.#node;
    if (id < 0 || routes[id] === ROUTE_CONTAINER || !arityFits(id, args.count)) {
      return this.#refuse(session, id, describeUnfit(id, args));
    }
    if (!session.authenticated && allowedUnauthenticated[id] === 0) {
      return this.#refuse(session, id, "NOAUTH Authentication required.");
    }
    if (restricted[id] === 1) {
      const refusal = node.server.restriction(session, id);
      if (refusal !== undefined) return this.#refuse(session, id, refusal);
    }
    if (session.kind === "pubsub" && session.protocol === 2 && allowedSubscribed[id] === 0) {
      return this.#refuse(session, id, subscribersOnly(rows[id]!.name));
    }
    if (node.server.pause.untilMs > 0 && node.server.pause.blocks(rows[id]!, node.replica.monotonicMs))
      return session.setHold(HOLD_PAUSE);
    session.lastRowId = id;
    const route = routes[id];
    const { mode } = node.replica;
    if (route === ROUTE_LOCAL && (leaderOnly[id] === 0 || mode === MODE_LEADER || session.virtual)) {
      return this.#runLocal(session, id, args);
    }
    if (session.monitor) return this.#refuse(session, id, localError.monitorHasNoKeys);
    if (mode === MODE_LEADER) {
      return route === ROUTE_WRITE
        ? this.#write(session, id, args, buffer, start, end)
        : this.#read(session, id, args);
    }
    if (mode !== MODE_FORWARD || session.virtual) return this.#withoutLeader(session);
    return this.#forward(session, id, args, buffer, start, end);
  }

  #write(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const node = this.#node;
    if (node.replica.pressure || session.forwarded > 0) return session.setHold(HOLD_PRESSURE);
    const { limit, proposals } = node.replica;
    if (limit.isLimited && deniedOutOfMemory[id] === 1) {
      if (limit.isRefusing) return this.#refuse(session, id, replyError.outOfMemory);
      if (limit.isTight(proposals.open)) return session.setHold(HOLD_PRESSURE);
    }
    this.#begun(session, id, args);
    // An inline command, or one behind skipped empty lines, has no RESP array of its own to copy.
    if (args.bytes !== buffer || buffer[start] !== STAR) proposals.open.addInlineWrite(session, id, args);
    else proposals.open.addWrite(session, id, args, buffer, start, end);
    if (session.replyMode !== "on" || session.skipNextReply) advanceReplyMode(session);
    return DONE;
  }

  #read(session: Session, id: number, args: Args): number {
    const node = this.#node;
    if (session.outstanding === 0 && node.replica.readsAllowed) {
      if (node.replica.runRead(session, id, args)) {
        this.#begun(session, id, args);
        session.commandCountTotal++;
        if (node.output.writer.position > UNREAD_OUTPUT_BYTES_MAX) session.setHold(HOLD_OUTPUT);
        if (session.replyMode !== "on" || session.skipNextReply) advanceReplyMode(session);
        return DONE;
      }
    } else if (node.replica.pressure || session.forwarded > 0) {
      return session.setHold(HOLD_PRESSURE);
    }
    this.#begun(session, id, args);
    node.replica.proposals.open.addRead(session, id, args);
    if (session.replyMode !== "on" || session.skipNextReply) advanceReplyMode(session);
    return DONE;
  }

  #forward(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const { forwarding } = this.#node;
    if (!forwarding.accepts(session)) return session.setHold(HOLD_PRESSURE);
    this.#begun(session, id, args);
    this.#node.server.statistics.commandsForwarded++;
    const isWrite = routes[id] === ROUTE_WRITE;
    if (args.bytes !== buffer || buffer[start] !== STAR) {
      const encoded = encodeArguments(args);
      forwarding.add(session, isWrite, encoded, 0, encoded.length);
    } else {
      forwarding.add(session, isWrite, buffer, start, end);
    }
    if (session.replyMode !== "on" || session.skipNextReply) advanceReplyMode(session);
    return DONE;
  }

  #runLocal(session: Session, id: number, args: Args): number {
    const node = this.#node;
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    this.#begun(session, id, args);
    node.server.run(session, id, args);
    session.authenticationChanged();
    // A command that waits is answered, and counted, when it has waited enough.
    if (!session.isParked) session.commandCountTotal++;
    advanceReplyMode(session);
    return DONE;
  }

  /** Refused before it could run; behind unanswered commands it waits for its turn. */
  #refuse(session: Session, id: number, text: string): number {
    const outcome = this.answerError(session, text);
    if (outcome === DONE && id >= 0) this.#node.server.commandStatistics.countRejected(id);
    return outcome;
  }

  /** What every command that goes ahead does once: it is counted, shown to MONITOR, and the turn is due. */
  #begun(session: Session, id: number, args: Args): void {
    const node = this.#node;
    node.server.commandStatistics.count(id);
    if (node.monitoring) node.feedMonitors(session, id, args);
    node.requestTurn();
  }

  /** Nobody to ask: wait for a leader, but not for ever. */
  #withoutLeader(session: Session): number {
    const node = this.#node;
    return node.isLeaderless ? this.answerError(session, node.refusal()) : session.setHold(HOLD_LEADER);
  }

  /** An error of our own; behind unanswered commands it waits for its turn. */
  answerError(session: Session, text: string): number {
    const node = this.#node;
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    node.output.attach(session, session.protocol, session.replyMode !== "on").error(text);
    node.server.statistics.errors.count(text);
    session.commandCountTotal++;
    advanceReplyMode(session);
    node.requestTurn();
    return DONE;
  }
}
