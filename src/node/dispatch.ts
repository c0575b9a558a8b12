// Where a command goes: answered here, run on the state machine, added to the turn's batch, or passed to the
// leader. In: one parsed command of a session. Out: DONE, or HELD when the session must wait with it. It keeps
// nothing of a command, and everything about the client is in its session.

import type { Args } from "../base/args.ts";
import { REPLY_WINDOW_BYTES_LEAST } from "../base/limits.ts";
import { TRY_MEMORY_ARGUMENTS } from "../command/blocking.ts";
import { replyError, unknownSubcommand } from "../command/errors.ts";
import { advanceReplyMode } from "../command/local-context.ts";
import { localError, subscribersOnly } from "../command/local-errors.ts";
import { lookupId, rows } from "../command/lookup.ts";
import { EXEC_MEMORY_ARGUMENTS, execAborted, transactionError } from "../command/transactions.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { encodeArguments } from "../resp/request-parser.ts";
import { WAIT_END_NONE } from "../wire/cluster-messages.ts";
import {
  DATA_AHEAD_MAX,
  DONE,
  HOLD_BEHIND,
  HOLD_LEADER,
  HOLD_ORDER,
  HOLD_OUTPUT,
  HOLD_PAUSE,
  HOLD_PRESSURE,
  UNREAD_OUTPUT_BYTES_MAX,
} from "./holds.ts";
import { HttpRequests } from "./http-requests.ts";
import type { SeshatNode } from "./node.ts";
import { describeUnfit } from "./refusals.ts";
import { MODE_FORWARD, MODE_LEADER } from "./replica.ts";
import {
  allowedSubscribed,
  allowedUnauthenticated,
  answersWithData,
  arityFits,
  deniedOutOfMemory,
  forbiddenInTransaction,
  isInternal,
  leaderOnly,
  leaves,
  madeArguments,
  queued,
  REMOVE_MEMBER_ID,
  ROUTE_CONTAINER,
  ROUTE_LOCAL,
  ROUTE_WRITE,
  routes,
  rowIds,
  SPECIAL_BLOCKING,
  SPECIAL_INTERNAL,
  SPECIAL_LOG_FORM,
  SPECIAL_RESTRICTED,
  SPECIAL_SETTINGS,
  showsClients,
  specials,
  waitsMs,
} from "./row-facts.ts";
import type { Session } from "./session.ts";

const STAR = 0x2a;

export class Dispatch {
  readonly #node: SeshatNode;
  readonly #http: HttpRequests;

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#http = new HttpRequests(node);
  }

  /** One command of a session; its bytes are buffer[start, end) unless it came inline. DONE or HELD. */
  command(session: Session, args: Args, buffer: Buffer, start: number, end: number): number {
    const id = lookupId(args);
    const node = this.#node;
    const special = id < 0 ? 0 : specials[id]!;
    if (session.virtual && this.#isNotForLeader(session, id, special, args)) return DONE;
    if ((special & SPECIAL_LOG_FORM) !== 0 && session.inLogForm) {
      return this.logForm(session, id, args, buffer, start, end);
    }
    if ((special & SPECIAL_INTERNAL) !== 0) return this.refuse(session, -1, describeUnfit(-1, args));
    // Whatever becomes of it, as in Redis.
    session.lastRowId = id;
    if (id < 0 && this.#http.closes(session, args)) return DONE;
    if (id < 0 || routes[id] === ROUTE_CONTAINER || !arityFits(id, args.count)) {
      // As in Redis: a container with an unknown subcommand is no command that could be counted.
      const isUnknown = id >= 0 && routes[id] === ROUTE_CONTAINER && args.count > 1;
      return this.refuse(session, isUnknown ? -1 : id, describeUnfit(id, args));
    }
    if (!session.authenticated && allowedUnauthenticated[id] === 0) {
      return this.refuse(session, id, "NOAUTH Authentication required.");
    }
    if ((special & SPECIAL_RESTRICTED) !== 0) {
      const refusal = node.server.restriction(session, id);
      if (refusal !== undefined) return this.refuse(session, id, refusal);
    }
    if (session.kind === "pubsub" && session.protocol === 2 && allowedSubscribed[id] === 0) {
      return this.refuse(session, id, subscribersOnly(rows[id]!.name));
    }
    if (node.slotRules !== undefined && !session.virtual) {
      const refusal = node.slotRules.refusal(session, id, args);
      if (refusal !== undefined) return this.#sendAway(session, id, refusal);
    }
    if (node.server.pause.untilMs > 0 && this.#isPaused(session, id)) return session.setHold(HOLD_PAUSE);
    if (session.inTransaction && queued[id] === 1) {
      return forbiddenInTransaction[id] === 1
        ? this.refuse(session, id, transactionError.notInMulti)
        : node.transactions.queue(session, id, args, buffer, start, end);
    }
    if ((special & SPECIAL_LOG_FORM) !== 0) return node.transactions.begin(session, id, args);
    if ((special & SPECIAL_BLOCKING) !== 0 && !session.virtual) {
      const timeoutMs = waitsMs(id, args);
      if (timeoutMs !== undefined) return node.blockedClients.begin(session, id, args, timeoutMs);
    }
    if ((special & SPECIAL_SETTINGS) !== 0) {
      const outcome = node.settingsCommands.begin(session, id, args);
      if (outcome !== undefined) return outcome;
    }
    return this.#send(session, id, args, buffer, start, end);
  }

  /** What a follower never passes on: commands that each node answers itself, and log forms that nobody could apply. */
  #isNotForLeader(session: Session, id: number, special: number, args: Args): boolean {
    const node = this.#node;
    if ((special & SPECIAL_LOG_FORM) !== 0) {
      const problem = node.replica.machine.check.formProblem(id, args);
      if (problem === undefined) return false;
      node.virtualSessions.rejected(session, problem);
      return true;
    }
    if (id < 0 || routes[id] !== ROUTE_LOCAL || leaderOnly[id] === 1) return false;
    node.virtualSessions.rejected(session, `${rows[id]!.name} is not for another node`);
    return true;
  }

  #isPaused(session: Session, id: number): boolean {
    const { server, replica } = this.#node;
    return server.pause.blocks(rows[id]!, replica.monotonicMs, session.transaction?.hasWrite);
  }

  /** A command in its log form: one that was translated, or comes from another node, or was put back. */
  logForm(session: Session, id: number, form: Args, buffer: Buffer, start: number, end: number): number {
    const { output, transactions } = this.#node;
    const mark = session.plan === undefined ? 0 : output.attach(session, session.protocol, false).position;
    const outcome = this.#send(session, id, form, buffer, start, end);
    if (outcome !== DONE) return outcome;
    if (session.virtual) transactions.showForwarded(session, id, form);
    if (session.plan !== undefined) {
      // Answered already: it was refused, or it is a read, and was put back before somebody could answer from memory.
      if (session.outstanding === 0) session.takeReply(mark);
      session.setHold(HOLD_ORDER);
    }
    return DONE;
  }

  #send(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const node = this.#node;
    const route = routes[id];
    const { mode } = node.replica;
    if (route === ROUTE_LOCAL && (leaderOnly[id] === 0 || mode === MODE_LEADER)) {
      return this.#runLocal(session, id, args);
    }
    if (session.monitor) return this.refuse(session, id, localError.monitorHasNoKeys);
    if (mode === MODE_LEADER) {
      return route === ROUTE_WRITE
        ? this.#write(session, id, args, buffer, start, end)
        : this.#read(session, id, args);
    }
    if (mode !== MODE_FORWARD || session.virtual) return this.withoutLeader(session, id);
    return this.#forward(session, id, args, buffer, start, end);
  }

  #write(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const node = this.#node;
    if (node.replica.holds(session) || session.forwarded > 0) return session.setHold(HOLD_PRESSURE);
    if (answersWithData[id] === 1 && this.#isFarAhead(session)) return session.setHold(HOLD_ORDER);
    const { limit, proposals } = node.replica;
    if (limit.isLimited) {
      const inner = memoryArguments(id, args);
      if (deniedOutOfMemory[id] === 1 || inner > 0) {
        if (limit.isRefusing) return this.#outOfMemory(session, id, args);
        if (limit.isTight(proposals.open, args)) return session.setHold(HOLD_PRESSURE);
      }
      proposals.open.innerArguments += inner + madeArguments[id]!;
    }
    this.#begun(session, id, args);
    // An inline command, or one behind skipped empty lines, has no RESP array of its own to copy.
    if (args.bytes !== buffer || buffer[start] !== STAR) proposals.open.addInlineWrite(session, id, args);
    else proposals.open.addWrite(session, id, args, buffer, start, end);
    return this.#underWay(session);
  }

  #outOfMemory(session: Session, id: number, args: Args): number {
    const outcome = this.refuse(session, id, replyError.outOfMemory);
    // By whoever sent it on, or by this node before it was put back.
    const isCounted = session.virtual || session.inLogForm;
    if (outcome === DONE && id === rowIds.exec && isCounted) this.#node.server.notRun(args, session);
    return outcome;
  }

  #read(session: Session, id: number, args: Args): number {
    const node = this.#node;
    const isBehind = node.metKeys.removeFor(session, id, args);
    if (!isBehind && session.outstanding === 0 && node.replica.readsAllowed) {
      if (node.replica.runRead(session, id, args)) {
        this.#begun(session, id, args);
        session.commandCountTotal++;
        const { position } = node.output.writer;
        if (position > REPLY_WINDOW_BYTES_LEAST && position > session.windowBytes)
          session.setHold(HOLD_OUTPUT);
        if (session.replyMode !== "on" || session.skipNextReply) advanceReplyMode(session);
        return DONE;
      }
    } else if (node.replica.pressure || session.forwarded > 0) {
      return session.setHold(HOLD_PRESSURE);
    } else if (this.#isFarAhead(session)) {
      return session.setHold(HOLD_ORDER);
    } else if (session.outputBufferBytes > UNREAD_OUTPUT_BYTES_MAX) {
      return session.setHold(HOLD_OUTPUT);
    }
    this.#begun(session, id, args);
    node.replica.proposals.open.addRead(session, id, args);
    return this.#underWay(session);
  }

  /** Is so much under way that the replies could become more than a turn, or the memory, can bear? */
  #isFarAhead(session: Session): boolean {
    if (session.outstanding === 0) session.dataAhead = 0;
    session.dataAhead++;
    return session.dataAhead > (session.repliesAreLong ? 1 : DATA_AHEAD_MAX);
  }

  #forward(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const { forwarding } = this.#node;
    if (!forwarding.accepts(session)) return session.setHold(HOLD_PRESSURE);
    this.#begun(session, id, args);
    this.#node.server.statistics.commandsForwarded++;
    if (args.bytes !== buffer || buffer[start] !== STAR) {
      const encoded = encodeArguments(args);
      forwarding.add(session, id, encoded, 0, encoded.length);
    } else {
      forwarding.add(session, id, buffer, start, end);
    }
    // As long as it waits there, nothing behind it is looked at.
    if (id === rowIds.wait) this.#awaitLeader(session);
    return this.#underWay(session);
  }

  /** A client that sends no more waits for nothing, and one that was unblocked does not wait again at the next leader. */
  #awaitLeader(session: Session): void {
    session.setHold(HOLD_ORDER);
    if (session.waitEnd !== WAIT_END_NONE) this.#node.forwarding.endWait(session);
    else if (session.inputEnded) session.unblock(false);
  }

  /**
   * Its reply comes later. One that CLIENT REPLY SKIP silences is alone on its way, and the mode goes on when it is answered: a
   * request to the leader is silent as a whole, and what is put back must be skipped when it is sent again.
   */
  #underWay(session: Session): number {
    if (session.replyMode === "skip") session.setHold(HOLD_ORDER);
    return DONE;
  }

  #runLocal(session: Session, id: number, args: Args): number {
    const node = this.#node;
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    if (id === rowIds.command && args.count > 1) {
      return this.refuse(session, -1, unknownSubcommand("COMMAND", args.text(1)));
    }
    if (this.#isBehind(session, id, args)) return session.setHold(HOLD_BEHIND);
    // The next leader carries it out, and this node passes it on like any other command.
    if (id === REMOVE_MEMBER_ID && node.operator.handsOver(args.text(2))) return session.setHold(HOLD_LEADER);
    if (!session.inLogForm) node.server.commandStatistics.count(id);
    node.requestTurn();
    node.server.run(session, id, args);
    // Not before, as in Redis: a SELECT is shown in the database that it chose.
    if (node.monitoring && !isShownAlready(session)) node.feedMonitors(session, id, args);
    session.authenticationChanged();
    // A command that waits is answered, and counted, when it has waited enough.
    if (!session.isParked) session.commandCountTotal++;
    advanceReplyMode(session);
    return DONE;
  }

  /** Must this node first apply what was answered before? See up-to-date.ts. */
  #isBehind(session: Session, id: number, args: Args): boolean {
    const { upToDate, pubSub, server } = this.#node;
    if (leaves[id] === 1 && session.kind === "pubsub")
      return !upToDate.isUpToDate(session, () => pubSub.leaving(session, id, args));
    if (showsClients[id] === 1 && someoneWatches(server.clients.values()))
      return !upToDate.isUpToDate(session);
    session.lag = undefined;
    return false;
  }

  /** Refused before it could run; behind unanswered commands it waits for its turn. */
  refuse(session: Session, id: number, text: string): number {
    const isExec = id === rowIds.exec;
    const reason = isExec ? execAborted(text) : text;
    const outcome = this.answerError(session, reason);
    if (outcome !== DONE) return outcome;
    if (id >= 0 && !session.isOwn) this.#countRefused(session, id, reason);
    if (isExec) session.endTransaction();
    else if (session.inTransaction && session.transaction !== undefined) session.transaction.hasFailed = true;
    return DONE;
  }

  #countRefused({ notes, inLogForm }: Session, id: number, text: string): void {
    const { commandStatistics } = this.#node.server;
    if (notes !== undefined) notes.failed(rows[id]!.name, text, true);
    else if (inLogForm) commandStatistics.countRefusedLater(id);
    else commandStatistics.countRejected(id);
  }

  /** Refused by cluster mode's rules. As in Redis, an EXEC is told so itself, and not that it was aborted. */
  #sendAway(session: Session, id: number, text: string): number {
    const outcome = this.answerError(session, text);
    if (outcome !== DONE) return outcome;
    this.#node.server.commandStatistics.countRejected(id);
    if (id === rowIds.exec) session.endTransaction();
    else if (session.inTransaction && session.transaction !== undefined) session.transaction.hasFailed = true;
    return DONE;
  }

  /** What every command that goes ahead does once: it is counted, shown to MONITOR, and the turn is due. */
  #begun(session: Session, id: number, args: Args): void {
    const node = this.#node;
    // Commands of another node's clients are counted there (ADR 26), and those that were put back when they came.
    if (!session.inLogForm && !isInternal(id)) node.server.commandStatistics.count(id);
    // Log forms are shown as what the client sent, by those who translate them.
    const isShown = (specials[id]! & SPECIAL_LOG_FORM) === 0 && !isShownAlready(session);
    if (node.monitoring && isShown) node.feedMonitors(session, id, args);
    node.requestTurn();
  }

  /** Nobody to ask: wait for a leader, but not for ever. */
  withoutLeader(session: Session, id: number): number {
    const node = this.#node;
    if (!node.isLeaderless) return session.setHold(HOLD_LEADER);
    const text = node.refusal();
    const outcome = this.answerError(session, text);
    if (outcome === DONE && !session.isOwn) this.#countRefused(session, id, text);
    return outcome;
  }

  /** A reply that needs nothing but this session; behind unanswered commands it waits for its turn. */
  answer(session: Session, write: (reply: ReplyWriter) => void): number {
    const node = this.#node;
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    write(node.output.attach(session, session.protocol, session.muted));
    session.commandCountTotal++;
    advanceReplyMode(session);
    node.requestTurn();
    return DONE;
  }

  /** The same as the whole answer to a command, which counts as one. */
  answerAs(session: Session, id: number, args: Args, write: (reply: ReplyWriter) => void): number {
    const { server } = this.#node;
    const errorsBefore = this.#node.output.writer.errors;
    const outcome = this.answer(session, write);
    if (outcome !== DONE) return outcome;
    server.commandStatistics.count(id);
    server.countErrors(id, errorsBefore, session);
    if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
    return DONE;
  }

  /** An error of our own; behind unanswered commands it waits for its turn. */
  answerError(session: Session, text: string): number {
    const outcome = this.answer(session, (reply) => reply.error(text));
    const isCounted = session.notes === undefined && !session.isOwn;
    if (outcome === DONE && isCounted) this.#node.server.statistics.errors.count(text);
    return outcome;
  }
}

/** It was put back: MONITOR has shown it when it came. */
const isShownAlready = (session: Session): boolean => session.inLogForm && !session.virtual;

function someoneWatches(sessions: Iterable<Session>): boolean {
  for (const { transaction } of sessions) if ((transaction?.watches ?? 0) > 0) return true;
  return false;
}

/** Of a command inside the log form (EXEC, a try): how many arguments there are that may need memory. */
function memoryArguments(id: number, form: Args): number {
  if (id === rowIds.exec) return Number(form.text(EXEC_MEMORY_ARGUMENTS));
  return id === rowIds.try ? Number(form.text(TRY_MEMORY_ARGUMENTS)) : 0;
}
