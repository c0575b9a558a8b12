// MULTI, EXEC and WATCH on the client's own node (docs/adr/0010): queues commands, makes log forms of EXEC and WATCH,
// and puts the replies of the node's own commands among those that come back. It runs no command itself.

import { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import { selectableDatabase } from "../command/connection.ts";
import { replyError, unknownSubcommand } from "../command/errors.ts";
import { lookupId, rows } from "../command/lookup.ts";
import { EXEC_COMMANDS, transactionError } from "../command/transactions.ts";
import { replyEnd } from "../resp/reply-end.ts";
import {
  COMMAND,
  encodeArguments,
  encodeCommand,
  ParserScratch,
  RequestParser,
  redisLimits,
} from "../resp/request-parser.ts";
import type { Wait } from "./blocked-clients.ts";
import { cancelWord, waitsEndedBy } from "./claims.ts";
import { DONE, HOLD_BEHIND } from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import { MODE_LEADER, MODE_NONE } from "./replica.ts";
import {
  deniedOutOfMemory,
  isInternal,
  isLocalInTransaction,
  leaves,
  madeArguments,
  ROUTE_WRITE,
  routes,
  rowIds,
  SPECIAL_SETTINGS,
  specials,
} from "./row-facts.ts";
import type { Session } from "./session.ts";
import { type Plan, type Queued, Transaction } from "./transaction.ts";

const NOTHING = Buffer.alloc(0);
const EMPTY_ARRAY = Buffer.from("*0\r\n");
const STAR = 0x2a;
const MINUS = 0x2d;
/** Of its log form: where the keys begin. */
const WATCH_KEYS = 3;
const NO_OWNER = "0:0:0";

export class Transactions {
  readonly #node: SeshatNode;
  readonly #parser = new RequestParser(redisLimits, new ParserScratch());
  readonly #args = new Args();

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#parser.authenticated = true;
  }

  /** A command after MULTI that may be queued. */
  queue(session: Session, id: number, args: Args, buffer: Buffer, start: number, end: number): number {
    const { dispatch, settings } = this.#node;
    const transaction = transactionOf(session);
    // Without a subcommand it is a command, with an unknown one none; DEBUG finds out by itself, as in Redis.
    if (id === rowIds.command && args.count > 1) {
      return dispatch.refuse(session, -1, unknownSubcommand("COMMAND", args.text(1)));
    }
    const isOwn = args.bytes === buffer && buffer[start] === STAR;
    const source = isOwn ? buffer : encodeArguments(args);
    const from = isOwn ? start : 0;
    const to = isOwn ? end : source.length;
    const bytesMax = Math.min(settings.protoMaxBulkBytes, settings.clientQueryBufferBytesMax);
    if (transaction.byteCount + to - from > bytesMax) {
      transaction.empty(); // it will not run, so nothing of it is kept
      return dispatch.refuse(session, id, transactionError.tooLong);
    }
    const { mode, limit } = this.#node.replica;
    // As in Redis whatever it is: what is queued needs memory too, and there is no end to it.
    if (limit.isRefusing && mode === MODE_LEADER) {
      return dispatch.refuse(session, id, replyError.outOfMemory);
    }
    // What will not run need not be kept.
    if (!transaction.hasFailed) {
      const isLocal = isLocalInTransaction[id] === 1;
      if (deniedOutOfMemory[id] === 1) transaction.memoryArguments += args.count + madeArguments[id]!;
      transaction.add(id, routes[id] === ROUTE_WRITE, isLocal, source, from, to);
    }
    return dispatch.answer(session, (reply) => reply.simple("QUEUED"));
  }

  /** EXEC, WATCH or UNWATCH as the client sent it. */
  begin(session: Session, id: number, args: Args): number {
    if (id === rowIds.exec) return this.#exec(session, id, args);
    if (id === rowIds.watch) return this.#watch(session, id, args);
    assert(id === rowIds.unwatch, `${rows[id]?.name} has no log form`);
    const outcome = this.#node.dispatch.answerAs(session, id, args, (reply) => reply.ok());
    if (outcome === DONE) session.transaction?.unwatch();
    return outcome;
  }

  #exec(session: Session, id: number, args: Args): number {
    const { dispatch } = this.#node;
    const { transaction } = session;
    if (!session.inTransaction || transaction === undefined) {
      return dispatch.answerAs(session, id, args, (reply) => reply.error(transactionError.execWithoutMulti));
    }
    if (transaction.hasFailed) {
      session.discardTransaction();
      return dispatch.answerAs(session, id, args, (reply) => reply.error(transactionError.aborted));
    }
    const outcome = this.#send(session, id, transaction);
    if (outcome !== DONE) return outcome;
    const { bytes, queue } = transaction;
    for (const queued of queue) this.#show(session, queued.id, this.#parse(bytes, queued));
    if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
    session.endTransaction();
    return DONE;
  }

  #send(session: Session, id: number, transaction: Transaction): number {
    const node = this.#node;
    const { hasLocal, watches, queue, memoryArguments } = transaction;
    const claims = hasLocal ? this.#claims(session, transaction) : [];
    // Not before their tries have their places in the log: what ends them is to come behind.
    if (!node.blockedClients.haveTried(claims) && node.replica.mode !== MODE_NONE) {
      return session.setHold(HOLD_BEHIND);
    }
    const unit = hasLocal ? this.#dataOnly(session, transaction) : transaction.bytes;
    const count = queue.filter(isInUnit).length;
    const plan = {
      bytes: transaction.bytes,
      queue,
      reply: EMPTY_ARRAY,
      isTransaction: true,
      isSilent: false,
      claims,
    };
    if (hasLocal) session.plan = { ...plan, bytes: Buffer.from(transaction.bytes), reply: undefined };
    if (count === 0 && watches === 0) {
      if (!this.#mayLeave(session, transaction.bytes, queue)) {
        session.plan = undefined;
        return session.setHold(HOLD_BEHIND);
      }
      node.server.commandStatistics.count(id);
      session.plan = undefined;
      return node.dispatch.answer(session, () => this.finish(session, plan));
    }
    const owner = watches === 0 ? NO_OWNER : this.ownerOf(session, transaction);
    const form = Args.of("EXEC", owner, String(watches), String(count), String(memoryArguments), unit);
    node.blockedClients.claim(claims);
    const outcome = node.dispatch.logForm(session, id, form, NOTHING, 0, 0);
    if (outcome === DONE) return outcome;
    session.plan = undefined; // it is sent again, from the start
    node.blockedClients.release(claims);
    return outcome;
  }

  /** Waits that the transaction's own commands are going to end; none if nothing in it could serve them. */
  #claims(session: Session, { bytes, queue }: Transaction): Wait[] {
    if (queue.every(({ isLocal }) => isLocal)) return [];
    const found = queue.flatMap((queued) =>
      endsWaits(queued.id) ? waitsEndedBy(this.#node, session, queued.id, this.#parse(bytes, queued)) : [],
    );
    return [...new Set(found)];
  }

  /** What has a place in the log in the stead of a command of the node itself; undefined: nothing has. */
  #formOf(session: Session, id: number, args: Args, isAlone: boolean): readonly string[] | undefined {
    if ((specials[id]! & SPECIAL_SETTINGS) !== 0) return this.#node.settingsCommands.form(session, id, args);
    if (isAlone || !endsWaits(id)) return undefined;
    const waits = waitsEndedBy(this.#node, session, id, args);
    return waits.length === 0 ? undefined : cancelWord(this.#node, waits);
  }

  #watch(session: Session, id: number, args: Args): number {
    const { dispatch } = this.#node;
    if (session.inTransaction) {
      return dispatch.answerAs(session, id, args, (reply) => reply.error(transactionError.watchInMulti));
    }
    const transaction = transactionOf(session);
    const keys: Buffer[] = [];
    for (let i = 1; i < args.count; i++) keys.push(args.copy(i));
    const owner = this.ownerOf(session, transaction);
    const form = Args.of("WATCH", owner, String(transaction.watches + 1), ...keys);
    const outcome = dispatch.logForm(session, id, form, NOTHING, 0, 0);
    if (outcome !== DONE) return outcome;
    if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
    transaction.watches++;
    for (const key of keys) transaction.watchedKeys.add(`${session.database}:${key.toString("latin1")}`);
    return DONE;
  }

  /** Was a key touched that the client watches? */
  isDirty({ id, transaction }: Session): boolean {
    if (transaction === undefined || transaction.watches === 0) return false;
    const { replica, cluster } = this.#node;
    const { incarnation } = cluster.membership.self;
    const { serial } = transaction;
    return replica.machine.sessions.watches.isDirty({ incarnation, session: id, serial });
  }

  /** Who watches, in the log's words. */
  ownerOf(session: Session, transaction: Transaction): string {
    return `${this.#node.cluster.membership.self.incarnation}:${session.id}:${transaction.serial}`;
  }

  /** What a log form stands for, shown to MONITOR and counted: for one that another node has sent. */
  showForwarded(session: Session, id: number, form: Args): void {
    if (id === rowIds.exec) {
      const bytes = form.copy(EXEC_COMMANDS);
      for (let start = 0; start < bytes.length; start = this.#parser.position) {
        const args = this.#parse(bytes, { start, end: bytes.length });
        const inner = lookupId(args);
        if (isOfClient(inner)) this.#show(session, inner, args);
      }
      if (this.#node.monitoring) this.#node.feedMonitors(session, id, Args.of("EXEC"));
    } else if (id === rowIds.watch && this.#node.monitoring) {
      this.#node.feedMonitors(session, id, watchAsSent(form));
    }
  }

  /** Rows of the commands in EXEC's log form that its client sent. */
  rowsIn(form: Args): number[] {
    const bytes = form.copy(EXEC_COMMANDS);
    const found: number[] = [];
    for (let start = 0; start < bytes.length; start = this.#parser.position) {
      const id = lookupId(this.#parse(bytes, { start, end: bytes.length }));
      if (isOfClient(id)) found.push(id);
    }
    return found;
  }

  #show(session: Session, id: number, args: Args): void {
    if (!session.virtual) this.#node.server.commandStatistics.count(id);
    if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
  }

  /** Lets go of the commands it has read. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
  }

  #parse(bytes: Buffer, { start, end }: { readonly start: number; readonly end: number }): Args {
    const status = this.#parser.next(bytes, start, end);
    assert(status === COMMAND, `a queued command at ${start} of ${bytes.length} bytes does not parse`);
    return this.#args.set(bytes, this.#parser.offsets, 0, this.#parser.argumentCount);
  }

  /**
   * The queued bytes without those of local commands; a SELECT that will succeed says which database follows, and what
   * is about settings of the cluster, or ends waits, has a word of the log in its place.
   */
  #dataOnly(session: Session, { queue, bytes }: Transaction): Buffer {
    const parts: Buffer[] = [];
    const isAlone = queue.every(({ isLocal }) => isLocal);
    for (const queued of queue) {
      const { id, isLocal } = queued;
      const form = isLocal ? this.#formOf(session, id, this.#parse(bytes, queued), isAlone) : undefined;
      queued.hasForm = form !== undefined;
      if (form !== undefined) parts.push(encodeCommand(form));
      if (!queued.isLocal) parts.push(bytes.subarray(queued.start, queued.end));
      else if (queued.id === rowIds.select) {
        const database = selectableDatabase(this.#parse(bytes, queued), this.#node.selectableDatabases);
        if (database !== undefined) parts.push(encodeCommand(["SELECT", String(database)]));
      }
    }
    return Buffer.concat(parts);
  }

  /** Of an EXEC whose reply is there: may the commands of the node itself run? */
  mayFinish(session: Session, { bytes, queue, reply }: Plan): boolean {
    return (
      reply === undefined || reply[0] !== STAR || reply[1] === MINUS || this.#mayLeave(session, bytes, queue)
    );
  }

  /** See up-to-date.ts: only behind the other commands, which may publish. */
  #mayLeave(session: Session, bytes: Buffer, queue: readonly Queued[]): boolean {
    const leaving = queue.filter(({ id }) => leaves[id] === 1);
    const { upToDate, pubSub } = this.#node;
    const leave = (): void => {
      for (const queued of leaving) pubSub.leaving(session, queued.id, this.#parse(bytes, queued));
    };
    return leaving.length === 0 || session.kind !== "pubsub" || upToDate.isUpToDate(session, leave);
  }

  /** The reply is there: the node's own commands run now, if the transaction did, and theirs go among the others. */
  finish(session: Session, plan: Plan): void {
    this.#finish(session, plan);
    this.#node.blockedClients.release(plan.claims);
  }

  #finish(session: Session, plan: Plan): void {
    const { bytes, queue, reply } = plan;
    if (reply === undefined || reply.length === 0) return;
    const node = this.#node;
    const attach = (): typeof node.output.writer =>
      node.output.attach(session, session.protocol, session.muted);
    if (!plan.isTransaction) {
      const mark = attach().position;
      for (const queued of queue)
        node.settingsCommands.finish(session, queued.id, this.#parse(bytes, queued), reply, attach);
      if (plan.isSilent) attach().position = mark;
      return;
    }
    const headerEnd = reply.indexOf("\r\n") + 2;
    if (reply[0] !== STAR || reply[1] === MINUS) {
      // They were counted when EXEC came.
      for (const { id, isLocal } of queue) if (isLocal) node.server.commandStatistics.uncount(id);
      attach().raw(reply, 0, reply.length);
      return;
    }
    attach().array(queue.length);
    session.inTransaction = true; // they are inside one: nothing waits
    let at = headerEnd;
    for (const queued of queue) {
      if (session.closing) break; // it has killed itself: the reply to that is its last, as in Redis
      if (isInUnit(queued)) {
        const end = replyEnd(reply, at);
        assert(end > 0, `the reply of a transaction is cut off at ${at} of ${reply.length} bytes`);
        const answer = reply.subarray(at, end);
        if (!queued.isLocal) attach().raw(reply, at, end);
        else if (endsWaits(queued.id)) node.server.run(session, queued.id, this.#parse(bytes, queued));
        else node.settingsCommands.finish(session, queued.id, this.#parse(bytes, queued), answer, attach);
        at = end;
      } else if (queued.id === rowIds.unwatch) {
        attach().ok();
      } else {
        node.server.run(session, queued.id, this.#parse(bytes, queued));
      }
    }
    session.inTransaction = false;
    session.authenticationChanged();
  }
}

/** Of a command in EXEC's log form. A SELECT there says which database follows, and its client's own runs elsewhere. */
const isOfClient = (id: number): boolean => id !== rowIds.select && !isInternal(id);

const endsWaits = (id: number): boolean => id === rowIds.clientKill || id === rowIds.clientUnblock;

/** Has the log a reply to it? */
const isInUnit = ({ isLocal, hasForm }: Queued): boolean => !isLocal || hasForm;

/** WATCH as its client sent it, out of its log form. */
export function watchAsSent(form: Args): Args {
  const keys: Buffer[] = [];
  for (let i = WATCH_KEYS; i < form.count; i++) keys.push(form.copy(i));
  return Args.of("WATCH", ...keys);
}

/** The session's, made when it first needs one. */
function transactionOf(session: Session): Transaction {
  session.transaction ??= new Transaction();
  return session.transaction;
}

/** Of the reply to a plan, as another node sent it: finish() could not take it apart. */
export function replyProblem({ queue, isTransaction }: Plan, reply: Buffer): string | undefined {
  if (reply.length === 0) return undefined;
  if (replyEnd(reply, 0) !== reply.length) return "a reply that has no end, or more than one";
  if (!isTransaction || reply[0] !== STAR || reply[1] === MINUS) return undefined;
  const count = Number(reply.toString("latin1", 1, reply.indexOf("\r\n")));
  const expected = queue.filter(isInUnit).length;
  return count === expected ? undefined : `${count} replies to a transaction of ${expected}`;
}
