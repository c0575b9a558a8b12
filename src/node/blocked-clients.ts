// Blocked clients of this node (docs/adr/0014): sends the tries of their commands and the cancels through the log, keeps their
// timeouts, and hands each the reply that this node's replica comes upon. What it sends goes over a session of the node's
// own, in order, so a cancel never overtakes a try.
//
//   client ──begin()──> try ──> log ──> answered() ──> client
//                        timeout, UNBLOCK ──> cancel ──> log ──> cancelled() ──> nil, or tried again

import { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import { BLOCKED_BYTES_PER_CLIENT_MAX } from "../base/limits.ts";
import { blockingError } from "../command/blocking.ts";
import type { ParkedCommand } from "../command/local-context.ts";
import { advanceReplyMode } from "../command/local-context.ts";
import { localError } from "../command/local-errors.ts";
import type { Deliveries } from "../machine/blocking.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import {
  COMMAND,
  encodeArguments,
  encodeCommand,
  ParserScratch,
  RequestParser,
  redisLimits,
} from "../resp/request-parser.ts";
import type { Owner } from "../wire/session-state.ts";
import { DONE, HOLD_ORDER } from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import { ownSession } from "./own-session.ts";
import { MODE_NONE } from "./replica.ts";
import { deniedOutOfMemory } from "./row-facts.ts";
import type { Session } from "./session.ts";
import { BLOCKING_SESSION_ID } from "./session-numbers.ts";

const LINE_END = "\r\n";

/** Why a command is to end without a reply of its own; "again": its outcome got lost, and it is tried anew. */
type Ending = "timeout" | "error" | "again";

/** One command of one client that waits, or is on its way to find out whether it must. */
export interface Wait extends ParkedCommand {
  readonly session: Session;
  /** Of its row. */
  readonly id: number;
  readonly command: Buffer;
  /** Of `command`, without what is around the arguments. */
  readonly argumentBytes: number;
  readonly database: number;
  readonly memoryArguments: number;
  readonly isMuted: boolean;
  /** Monotonic; Infinity = never. */
  readonly timeoutAtMs: number;
  /** Of the last try; no two tries of a process have the same. */
  serial: number;
  /** A cancel is on its way. */
  ending: Ending | undefined;
  reply: Buffer | undefined;
  /** Transactions under way whose own commands are going to kill or unblock the client. */
  claims: number;
  /** It is in no log any more, and is tried again when no transaction claims it. */
  isOut: boolean;
  /** It was in the state: that nobody leads for a while is not the client's concern any more. */
  hasWaited: boolean;
}

/** A command on its way, until it is answered: a try of what waits, or a cancel of what does not any more. */
interface Sent {
  readonly session: number;
  readonly serial: number;
  readonly tries: Wait | undefined;
  readonly departure: Departure | undefined;
}

/** A cancel that others wait for: when it is in the log, nothing that the client has sent can happen any more. */
interface Departure {
  isOver: boolean;
}

export class BlockedClients implements Deliveries {
  readonly #node: SeshatNode;
  readonly #session: Session;
  readonly #writer = new ReplyWriter();
  readonly #parser = new RequestParser(redisLimits, new ParserScratch());
  readonly #args = new Args();
  /** Of the try that is being run; 0 = it is not timed. */
  #startUs = 0;
  /** What this process has been called when it sent something. */
  readonly #incarnations = new Set<number>();
  /** By serial. */
  readonly #waits = new Map<number, Wait>();
  #serial = 0;
  readonly #sent: Sent[] = [];
  #unsent: Sent[] = [];
  readonly #departures = new Set<Departure>();
  /** To be tried again once somebody leads. */
  #later: Wait[] = [];
  /** Of the reply that is not whole yet. */
  #heard = "";
  /** No timeout is earlier. */
  #nextTimeoutMs = Number.POSITIVE_INFINITY;

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#parser.authenticated = true;
    this.#session = ownSession(node, BLOCKING_SESSION_ID, (bytes, length) => this.#hear(bytes, length));
  }

  /** A client's command that may wait so long (0 = for ever). DONE or HELD. */
  begin(session: Session, id: number, args: Args, timeoutMs: number): number {
    const { dispatch, replica, server } = this.#node;
    if (session.monitor) return dispatch.refuse(session, id, localError.monitorHasNoKeys);
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    if (replica.mode === MODE_NONE) return dispatch.withoutLeader(session, id);
    const command = encodeArguments(args);
    if (command.length > BLOCKED_BYTES_PER_CLIENT_MAX)
      return dispatch.refuse(session, id, blockingError.tooLong);
    const wait: Wait = {
      session,
      id,
      command,
      argumentBytes: args.contentBytes(),
      database: session.database,
      memoryArguments: deniedOutOfMemory[id] === 1 ? args.count : 0,
      isMuted: session.muted,
      timeoutAtMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : replica.monotonicMs + timeoutMs,
      serial: 0,
      ending: undefined,
      reply: undefined,
      claims: 0,
      isOut: false,
      hasWaited: false,
      deadlineMs: Number.POSITIVE_INFINITY,
      ready: () => wait.reply !== undefined,
      finish: (writer) => {
        session.wait = undefined;
        if (wait.reply !== undefined && !wait.isMuted) writer.raw(wait.reply, 0, wait.reply.length);
      },
    };
    session.wait = wait;
    session.block(wait);
    this.#nextTimeoutMs = Math.min(this.#nextTimeoutMs, wait.timeoutAtMs);
    this.#try(wait);
    if (session.inputEnded) this.unblock(wait, false);
    server.commandStatistics.count(id);
    if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
    advanceReplyMode(session);
    return DONE;
  }

  /** CLIENT UNBLOCK. */
  unblock(wait: Wait, withError: boolean): boolean {
    if (wait.reply !== undefined || (wait.ending !== undefined && wait.ending !== "again")) return false;
    wait.ending = withError ? "error" : "timeout";
    if (wait.isOut) this.#unblocked(wait);
    else this.#depart(wait.session, wait.serial);
    return true;
  }

  /** The client is gone: what comes for it now is lost, as little as can be. */
  left(wait: Wait): void {
    if (this.#waits.delete(wait.serial) && !wait.isOut) this.#depart(wait.session, wait.serial);
  }

  /** Have all of them, or their loss, a place in the log? */
  haveTried(waits: readonly Wait[]): boolean {
    const areUnderWay = (sent: Sent): boolean => sent.tries !== undefined && waits.includes(sent.tries);
    return waits.length === 0 || !(this.#unsent.some(areUnderWay) || this.#sent.some(areUnderWay));
  }

  /** A transaction ends them in the log, before the commands that do so run here: until release() none is tried again. */
  claim(waits: readonly Wait[]): void {
    for (const wait of waits) wait.claims++;
  }

  /** The transaction is over, whatever became of it. */
  release(waits: readonly Wait[]): void {
    for (const wait of waits) {
      if (--wait.claims > 0 || !wait.isOut || this.#waits.get(wait.serial) !== wait) continue;
      this.#again(wait);
      this.#nextTimeoutMs = Math.min(this.#nextTimeoutMs, wait.timeoutAtMs);
    }
  }

  /** In the log's words. */
  ownerOf({ session, serial }: Wait): string {
    const { incarnation } = this.#node.cluster.membership.self;
    return textOf({ incarnation, session: session.id, serial });
  }

  /** The client was killed with commands under way: a cancel is ordered behind all of them that will ever be. */
  settle(session: Session): void {
    this.#depart(session, ++this.#serial);
  }

  /** Says when all who have left so far take nothing any more; undefined when that is so already. */
  departures(): (() => boolean) | undefined {
    const departures = [...this.#departures];
    return departures.length === 0 ? undefined : () => departures.every(({ isOver }) => isOver);
  }

  /** Does a client of this node wait with this serial? */
  has(serial: number): boolean {
    return this.#waits.has(serial);
  }

  /** Does the time of one run out so soon, or is one to be tried again? */
  isDueWithin(ms: number): boolean {
    return this.#later.length > 0 || this.#nextTimeoutMs - this.#node.replica.monotonicMs <= ms;
  }

  tick(nowMs: number): void {
    if (this.#node.cluster.isRemoved) this.#failAll();
    if (this.#later.length > 0 && this.#node.replica.mode !== MODE_NONE) this.#tryLater();
    if (nowMs < this.#nextTimeoutMs) return;
    this.#nextTimeoutMs = Number.POSITIVE_INFINITY;
    for (const wait of this.#waits.values()) {
      if (wait.ending === "timeout" || wait.ending === "error" || wait.isOut) continue;
      if (wait.timeoutAtMs <= nowMs) this.#end(wait, "timeout");
      else if (wait.timeoutAtMs < this.#nextTimeoutMs) this.#nextTimeoutMs = wait.timeoutAtMs;
    }
  }

  /** At the start of a turn: what has gathered joins its batch. */
  flush(): void {
    if (this.#unsent.length === 0) return;
    // Not before: a recovery gives this process another incarnation.
    const { incarnation } = this.#node.cluster.membership.self;
    this.#incarnations.add(incarnation);
    const commands = this.#unsent.map((sent) => {
      this.#sent.push(sent);
      const { session, serial, tries } = sent;
      const owner = { incarnation, session, serial };
      return tries === undefined ? cancelOf(owner) : tryOf(owner, tries);
    });
    this.#unsent = [];
    const bytes = Buffer.concat(commands);
    this.#session.receive(bytes, 0, bytes.length);
  }

  /** The state came by snapshot: what was given to clients that do not wait in it any more will not be known. */
  stateReplaced(): void {
    const { waiters } = this.#node.replica.machine.sessions.blocking;
    const { incarnation } = this.#node.cluster.membership.self;
    for (const wait of [...this.#waits.values()]) {
      if (wait.isOut || waiters.has({ incarnation, session: wait.session.id, serial: wait.serial })) continue;
      this.#fail(wait, blockingError.missed);
      this.#cancel(wait);
    }
  }

  // What the replica comes upon (Deliveries).

  open(owner: Owner): ReplyWriter {
    const writer = this.#writer;
    const wait = this.#find(owner);
    this.#startUs = wait === undefined ? 0 : this.#node.replica.timer.start(wait.id, wait.session);
    writer.muted = wait === undefined;
    writer.protocol = wait?.session.protocol ?? 2;
    writer.position = 0;
    writer.errors = 0;
    return writer;
  }

  answered(owner: Owner): void {
    const wait = this.#find(owner);
    if (wait === undefined) return;
    const { buffer, position, errors, lastError } = this.#writer;
    const { replica } = this.#node;
    wait.session.lastWriteIndex = replica.machine.appliedIndex;
    // As in Redis: the time of the try that found something, not that of the waiting; and nothing for a wait that ends.
    if (this.#startUs !== 0) replica.timer.stop(wait.id, this.#startUs, this.#argsOf(wait), wait.session);
    if (errors > 0) this.#countError(wait, lastError);
    this.#finish(wait, Buffer.from(buffer.subarray(0, position)));
  }

  cancelled(owner: Owner, waited: boolean): void {
    const wait = this.#find(owner);
    if (wait === undefined) return;
    if (wait.ending === "timeout" && !waited) {
      // Its try was lost: nil would say that there was nothing, and nobody has looked. One look, and no waiting.
      this.#waits.delete(owner.serial);
      wait.ending = undefined;
      this.#try(wait);
      this.#end(wait, "timeout");
    } else if (wait.ending === "timeout" || wait.ending === "error") {
      this.#unblocked(wait);
    } else {
      // By this node, because the outcome got lost or in a transaction; or by the leader, which could not reach it.
      if (waited) wait.hasWaited = true;
      wait.ending = undefined;
      this.#again(wait);
    }
  }

  /** Tried anew, or when no transaction claims it any more. */
  #again(wait: Wait): void {
    wait.isOut = wait.claims > 0;
    if (wait.isOut) return;
    this.#waits.delete(wait.serial);
    this.#try(wait);
  }

  /** It waits no more, and is told so in the way that it was ended. */
  #unblocked(wait: Wait): void {
    if (wait.ending === "error") {
      this.#fail(wait, blockingError.unblocked);
      return;
    }
    const writer = this.#writer;
    writer.muted = false;
    writer.protocol = wait.session.protocol;
    writer.position = 0;
    writer.nilArray();
    this.#finish(wait, Buffer.from(writer.buffer.subarray(0, writer.position)));
  }

  #find({ incarnation, session, serial }: Owner): Wait | undefined {
    const wait = this.#incarnations.has(incarnation) ? this.#waits.get(serial) : undefined;
    return wait?.session.id === session ? wait : undefined;
  }

  /** Lets go of the commands it has read. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
  }

  #argsOf({ command }: Wait): Args {
    const status = this.#parser.next(command, 0, command.length);
    assert(status === COMMAND, `a command of ${command.length} bytes that waits does not parse`);
    return this.#args.set(command, this.#parser.offsets, 0, this.#parser.argumentCount);
  }

  #try(wait: Wait): void {
    wait.serial = ++this.#serial;
    this.#waits.set(wait.serial, wait);
    this.#send({ session: wait.session.id, serial: wait.serial, tries: wait, departure: undefined });
  }

  /** The log that says what became of them does not come here any more. */
  #failAll(): void {
    for (const wait of [...this.#waits.values()]) this.#fail(wait, blockingError.missed);
  }

  #tryLater(): void {
    const waits = this.#later;
    this.#later = [];
    for (const wait of waits) {
      if (this.#waits.get(wait.serial) === wait && wait.ending === undefined) this.#again(wait);
    }
  }

  #end(wait: Wait, ending: Ending): void {
    const isUnderWay = wait.ending !== undefined;
    wait.ending = ending;
    if (!isUnderWay) this.#cancel(wait);
  }

  #cancel({ session, serial }: Wait): void {
    this.#send({ session: session.id, serial, tries: undefined, departure: undefined });
  }

  #depart(session: Session, serial: number): void {
    const departure = { isOver: false };
    this.#departures.add(departure);
    this.#send({ session: session.id, serial, tries: undefined, departure });
  }

  #send(sent: Sent): void {
    this.#unsent.push(sent);
    this.#node.requestTurn();
  }

  #finish(wait: Wait, reply: Buffer): void {
    this.#waits.delete(wait.serial);
    wait.reply = reply;
    this.#node.hold(wait.session); // it is asked, and finds that it may go on
  }

  #fail(wait: Wait, text: string): void {
    this.#countError(wait, text);
    this.#finish(wait, Buffer.from(`-${text}${LINE_END}`, "latin1"));
  }

  /** It was counted when it came, and did not run. */
  #refuse(wait: Wait, text: string): void {
    const { commandStatistics, statistics } = this.#node.server;
    commandStatistics.countRefusedLater(wait.id);
    statistics.errors.count(text);
    this.#finish(wait, Buffer.from(`-${text}${LINE_END}`, "latin1"));
  }

  #countError(wait: Wait, text: string): void {
    const { commandStatistics, statistics } = this.#node.server;
    commandStatistics.countFailed(wait.id);
    statistics.errors.count(text);
  }

  /** Replies to what was sent: one line each. */
  #hear(bytes: Buffer, length: number): void {
    const lines = (this.#heard + bytes.toString("latin1", 0, length)).split(LINE_END);
    this.#heard = lines.pop() ?? "";
    for (const line of lines) {
      const sent = this.#sent.shift();
      if (sent === undefined) continue;
      const isLost = line.startsWith("-UNCERTAIN");
      if (sent.departure !== undefined && isLost) this.#send(sent);
      else if (sent.departure !== undefined) this.#departed(sent.departure);
      if (line.startsWith("-")) this.#refused(sent, line.slice(1), isLost);
    }
  }

  /** Or nobody leads, and nobody can be given anything: what is left in the state is cancelled by the chores. */
  #departed(departure: Departure): void {
    departure.isOver = true;
    this.#departures.delete(departure);
    this.#node.requestTurn();
  }

  /** It was not executed, or nobody knows. */
  #refused({ serial, tries, departure }: Sent, text: string, isUncertain: boolean): void {
    const wait = this.#waits.get(serial);
    if (wait === undefined || (departure !== undefined && isUncertain)) return;
    if (tries !== undefined && isUncertain) {
      if (wait.ending === undefined) this.#end(wait, "again");
    } else if (tries !== undefined && wait.hasWaited && this.#mayBeLed(text)) {
      this.#later.push(wait);
    } else if (tries !== undefined) {
      this.#refuse(wait, text);
    } else if (isUncertain) {
      this.#cancel(wait);
    } else {
      this.#fail(wait, blockingError.missed);
    }
  }

  /** Refused because nobody leads, and there is no reason why that should last. */
  #mayBeLed(text: string): boolean {
    return text.startsWith("CLUSTERDOWN ") && this.#node.cluster.problem === undefined;
  }
}

function tryOf(owner: Owner, { database, memoryArguments, command }: Wait): Buffer {
  return encodeCommand(["seshat.try", textOf(owner), String(database), String(memoryArguments), command]);
}

export const cancelOf = (owner: Owner): Buffer => encodeCommand(["seshat.cancel", textOf(owner)]);

const textOf = ({ incarnation, session, serial }: Owner): string => `${incarnation}:${session}:${serial}`;
