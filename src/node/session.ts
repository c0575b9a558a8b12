// One client on this node: bytes in, parsed into commands, which dispatch.ts sends on their way; what cannot go
// on yet is held; replies leave in the order of the commands, one write a turn. It knows no socket
// (ClientConnection is a port) and no Raft (Replica says what can be done now).

import { OUTPUT_BYTES_MAX } from "../base/limits.ts";
import { blockingError } from "../command/blocking.ts";
import { advanceReplyMode, type Client, type ParkedCommand } from "../command/local-context.ts";
import { WARM_BYTES_LEAST } from "../machine/machine.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { COMMAND, encodeArguments, PROTOCOL_ERROR, RequestParser } from "../resp/request-parser.ts";
import { WAIT_END_ERROR, WAIT_END_NONE, WAIT_END_TIMEOUT } from "../wire/cluster-messages.ts";
import { ClientFlow } from "./client-flow.ts";
import { DeferredMessages } from "./deferred-messages.ts";
import {
  HELD,
  HOLD_BEHIND,
  HOLD_DEPARTURES,
  HOLD_LEADER,
  HOLD_NONE,
  HOLD_ORDER,
  HOLD_OUTPUT,
  HOLD_PARKED,
  HOLD_PAUSE,
  HOLD_PRESSURE,
} from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import { PendingInput } from "./pending-input.ts";
import type { BufferPool, ClientConnection, ClientHandler } from "./ports.ts";
import { MODE_FORWARD, MODE_LEADER, MODE_NONE } from "./replica.ts";
import { rowIds } from "./row-facts.ts";
import { isOfNodeItself } from "./session-numbers.ts";
import { TransactingSession } from "./transacting-session.ts";
import type { Plan } from "./transaction.ts";

/** How a message begins: an array in RESP2, a push in RESP3. */
const ARRAY_MARK = 0x2a;
const PUSH_MARK = 0x3e;

export class Session extends TransactingSession implements Client, ClientHandler {
  readonly id: number;
  readonly connectedAtMs: number;
  /** A command passed on by another node must not be passed on again. */
  readonly virtual: boolean;
  /** It is no client's: a node's session with itself, this one's or another's. */
  readonly isOwn: boolean;
  readonly #node: SeshatNode;
  readonly #parser: RequestParser;
  readonly #input = new PendingInput();
  #hold = HOLD_NONE;
  #parked: ParkedCommand | undefined;
  /** While this is there, no output goes out: asked once a turn whether it may. See awaitDepartures(). */
  #mayAnswer: (() => boolean) | undefined;
  readonly #flow: ClientFlow;
  readonly #deferred = new DeferredMessages();
  /** The end of what was last received, in the buffer that all clients share. */
  #receivedTo = 0;

  constructor(node: SeshatNode, connection: ClientConnection, virtual: boolean) {
    super(connection);
    this.#node = node;
    this.id = connection.id;
    this.virtual = virtual;
    this.isOwn = isOfNodeItself(connection.id);
    this.#flow = new ClientFlow(node, this);
    this.connectedAtMs = node.replica.wallMs;
    this.lastActiveMs = node.replica.wallMs;
    this.authenticated = virtual || !node.passwordRequired;
    this.isOfNode = virtual;
    this.inLogForm = virtual;
    this.#parser = new RequestParser(node.parserLimits);
    this.#parser.authenticated = this.authenticated;
  }

  receive(buffer: Buffer, from: number, to: number): void {
    if (this.closing || this.gone) return;
    this.inputBytesTotal += to - from;
    this.#node.server.statistics.clientInputBytes += to - from;
    this.#node.server.statistics.readsProcessed++;
    this.lastActiveMs = this.#node.replica.wallMs;
    const input = this.#input;
    this.#deliverDeferred();
    if (this.#hold === HOLD_NONE && input.length === 0) {
      this.#receivedTo = to;
      const end = this.#parse(buffer, from, to, 0);
      if (end < to && !this.closing) input.append(buffer, end, to, this.#parser.bytesWanted);
      this.#node.replica.flushFullBatch();
    } else {
      input.append(buffer, from, to, this.#parser.bytesWanted);
      if (this.#hold === HOLD_NONE) this.#parsePending();
    }
    if (input.length > 0) this.#flow.limitInput(input.length, this.#hold !== HOLD_NONE);
  }

  writable(): void {
    if (this.#hold === HOLD_NONE) this.#flow.resume();
    if (this.outputLength > 0) this.#node.output.attach(this, this.protocol, false);
    this.#node.requestTurn();
  }

  closed(): void {
    this.#leave();
    // At once: what other clients send from now on comes behind it.
    this.#node.blockedClients.flush();
  }

  /** A wait ends as if its time had run out; retry() sees to the rest. */
  ended(): void {
    if (this.gone || this.closing) return;
    this.inputEnded = true;
    this.unblock(false);
    this.#node.hold(this);
  }

  /** The client is gone. Nothing of it counts from here on, whenever the socket says so too. */
  #leave(): void {
    if (this.gone) return;
    this.gone = true;
    this.#parked = undefined;
    this.#mayAnswer = undefined;
    this.#node.memoryReturn.released(this.#input.length + this.outputBufferBytes);
    this.#input.clear();
    this.#deferred.clear();
    this.#node.sessionClosed(this);
  }

  /** Asked once a turn while held, or while the last commands are answered. True when that is over. */
  retry(nowMs: number): boolean {
    if (!this.gone && this.#hold !== HOLD_NONE) this.#goOn(nowMs);
    if (this.gone) return true;
    const isSilent = this.#deliverDeferred();
    if (this.#hold !== HOLD_NONE || !isSilent) return false;
    if (!this.inputEnded) return true;
    if (this.outstanding > 0) return false;
    this.close(true);
    return true;
  }

  /** True when nothing is left to be delivered. */
  #deliverDeferred(): boolean {
    const deferred = this.#deferred;
    if (deferred.isEmpty) return true;
    // The reply that EXEC waits for is written by #goOn().
    if (this.plan !== undefined) return false;
    const writer = this.#node.output.attach(this, this.protocol, false);
    for (const message of deferred.take(this.commandCountTotal)) writer.raw(message, 0, message.length);
    return deferred.isEmpty;
  }

  #goOn(nowMs: number): void {
    if (this.virtual && !this.#node.virtualSessions.mayRun) return;
    if (!this.#mayGoOn(nowMs)) return;
    if (this.plan?.reply !== undefined && !this.#node.transactions.mayFinish(this, this.plan)) {
      this.#hold = HOLD_BEHIND;
      return;
    }
    this.#hold = HOLD_NONE;
    this.#input.settle();
    if (this.plan?.reply !== undefined) this.#finishTransaction(this.plan);
    this.#deliverDeferred();
    if (this.#hold === HOLD_NONE) this.#parsePending();
    if (this.#hold === HOLD_NONE) this.#flow.resume();
  }

  get watchDirty(): boolean {
    return this.#node.transactions.isDirty(this);
  }

  /** The reply to the only command that was on its way stands in the output from `mark` on: it is to be looked at first. */
  takeReply(mark: number): void {
    const writer = this.#node.output.attach(this, this.protocol, false);
    if (this.plan !== undefined) this.plan.reply = Buffer.from(writer.buffer.subarray(mark, writer.position));
    writer.position = mark;
  }

  #finishTransaction(plan: Plan): void {
    this.plan = undefined;
    this.#node.transactions.finish(this, plan);
    // The EXEC itself was counted when it went off; one that CLIENT REPLY SKIP was in is counted now.
    if (this.skipNextReply) advanceReplyMode(this);
  }

  /** More is owed to this client than any client may leave unread: it is dropped, the rest is not written. */
  overflow(): void {
    this.silenced = true;
    this.#node.server.statistics.outputBufferDisconnections++;
    this.#node.ports.log.warn({ client: this.address }, "closed: too much to send");
    this.close(false);
  }

  everySecond(): void {
    this.#flow.everySecond();
  }

  /** Puts commands back in front of what is still to be parsed: they were not executed and will be. See PendingInput. */
  putBack(bytes: Buffer, place: number): void {
    if (this.gone) return;
    if (this.virtual && (this.handBackWhenDrained || this.#node.replica.mode !== MODE_LEADER)) {
      this.handBackWhenDrained = true;
      this.#node.output.attach(this, this.protocol, false);
      return;
    }
    this.#input.putBack(bytes, place);
    this.#parser.reset(); // what it knows of a half-received command counts from the front
    this.setHold(HOLD_LEADER);
  }

  /** Gives away the memory of a long command, source[start, end), and what is in front of it. Undefined: it is not its to give. */
  lend(source: Buffer, start: number, end: number): Buffer | undefined {
    const input = this.#input;
    return source === input.bytes && start === input.start ? input.lend(end) : undefined;
  }

  /** Forgets everything not yet parsed: a virtual session's node still has it. */
  dropInput(): void {
    this.#input.clear();
    this.#parser.reset();
    this.#hold = HOLD_NONE;
  }

  /** Hands the turn's replies to the connection, and looks after a client that does not read them. */
  flush(pool: BufferPool): void {
    const output = this.output;
    if (output === undefined) return;
    if (this.gone) {
      this.output = undefined;
      this.outputLength = 0;
      pool.release(output);
      return;
    }
    if (this.#mayAnswer !== undefined) return;
    // While the kernel has not taken the last write, replies gather here: one pinned buffer a client.
    if (this.connection.pendingBytes === 0 && (this.outputLength > 0 || this.virtual)) {
      const length = this.outputLength;
      this.outputBytesTotal += length;
      if (length > 0) this.noteReplies(length);
      if (length > 0) this.lastActiveMs = this.#node.replica.wallMs;
      this.#node.server.statistics.clientOutputBytes += length;
      this.#node.server.statistics.writesProcessed++;
      this.output = undefined;
      this.outputLength = 0;
      if (this.connection.write(output, length)) pool.release(output);
      if (this.#hold === HOLD_OUTPUT) this.#node.requestTurn();
    } else if (this.outputLength === 0) {
      this.output = undefined;
      pool.release(output);
    }
    if (this.virtual && this.outputLength > 0) this.#node.virtualSessions.wait(this);
    if (this.handBackWhenDrained && this.outstanding === 0 && this.outputLength === 0) {
      this.handBackWhenDrained = false;
      this.#node.virtualSessions.handBackOne(this);
    }
    if (this.connection.pendingBytes > 0) this.#flow.limitOutput();
    if (this.closing && this.outputLength === 0) this.#end();
  }

  /** Its last reply is written; while the kernel has not taken it, the client is looked after as any other. */
  #end(): void {
    this.connection.end();
    if (this.connection.pendingBytes === 0) this.#leave();
  }

  // The parts of Client that commands and CLIENT LIST read.

  get blocked(): boolean {
    if (this.#hold === HOLD_ORDER) return this.forwarded > 0 && this.lastRowId === rowIds.wait;
    return this.#hold === HOLD_PARKED || this.#hold === HOLD_PAUSE;
  }

  get isHeld(): boolean {
    return this.#hold !== HOLD_NONE && this.#hold !== HOLD_OUTPUT;
  }

  get argumentBytes(): number {
    const running = this.#node.server.runningCommand(this);
    return running?.contentBytes() ?? this.wait?.argumentBytes ?? 0;
  }

  get queryBufferBytes(): number {
    const running = this.#node.server.runningCommand(this);
    // What is parsed out of the buffer that all clients share is in no buffer of the session.
    if (running === undefined || this.#input.length > 0)
      return this.#input.length + this.#node.forwarding.unansweredBytes(this);
    return encodeArguments(running).length + this.#receivedTo - this.#parser.position;
  }

  get queryBufferFreeBytes(): number {
    return this.#input.capacity - this.#input.length;
  }

  close(afterReply: boolean): void {
    if (this.gone) return;
    this.closing = true;
    if (!afterReply) {
      this.connection.destroy();
      this.#leave();
      return;
    }
    this.connection.pauseReading();
    this.#node.output.attach(this, this.protocol, this.muted);
    this.#node.requestTurn();
  }

  kill(): void {
    const isUnderWay = this.outstanding > 0 || this.kind === "pubsub";
    this.close(false);
    if (isUnderWay) this.#node.blockedClients.settle(this);
  }

  awaitDepartures(): void {
    this.#mayAnswer = this.#node.blockedClients.departures();
    if (this.#mayAnswer !== undefined) this.setHold(HOLD_DEPARTURES);
  }

  reset(): void {
    this.#node.server.monitors.remove(this);
    this.#node.pubSub.left(this);
    this.#parked = undefined;
    this.endTransaction();
  }

  park(wait: ParkedCommand): void {
    this.#parked = wait;
    this.setHold(HOLD_PARKED);
    if (this.inputEnded || this.waitEnd !== WAIT_END_NONE) this.unblock(this.waitEnd === WAIT_END_ERROR);
  }

  /** park() for a command that may wait long: it is asked only when the node holds the session again. */
  block(wait: ParkedCommand): void {
    this.#parked = wait;
    this.#hold = HOLD_PARKED;
  }

  unblock(withError: boolean): boolean {
    if (this.wait !== undefined) return this.#node.blockedClients.unblock(this.wait, withError);
    const parked = this.#parked;
    if (parked === undefined) return this.#endWaitElsewhere(withError);
    if (parked.deadlineMs === Number.NEGATIVE_INFINITY) return false; // it is ended already
    const finish = withError
      ? (reply: ReplyWriter): void => reply.error(blockingError.unblocked)
      : parked.finish;
    this.#parked = { deadlineMs: Number.NEGATIVE_INFINITY, ready: parked.ready, finish };
    this.#node.requestTurn();
    return true;
  }

  /** A WAIT that the leader answers. False: there is none, or its end is under way. */
  #endWaitElsewhere(withError: boolean): boolean {
    if (this.#hold !== HOLD_ORDER || !this.blocked || this.waitEnd !== WAIT_END_NONE) return false;
    this.waitEnd = withError ? WAIT_END_ERROR : WAIT_END_TIMEOUT;
    this.#node.forwarding.endWait(this);
    this.#node.requestTurn();
    return true;
  }

  push(bytes: Uint8Array): void {
    if (this.gone || this.closing) return;
    const writer = this.#node.output.attach(this, this.protocol, false);
    writer.raw(bytes, 0, bytes.length);
    this.#node.requestTurn();
  }

  /** A message for a subscriber: encoded for either protocol, but for the mark in front. */
  deliver(message: Buffer): void {
    if (this.gone || this.closing || this.silenced) return;
    const node = this.#node;
    message[0] = this.protocol === 3 ? PUSH_MARK : ARRAY_MARK;
    const writer = node.output.attach(this, this.protocol, false);
    // In RESP2 a subscriber sends nothing that could publish.
    const ahead = this.protocol === 3 ? node.forwarding.answersUpToLastWrite(this) : 0;
    if (ahead > 0 || this.plan !== undefined || !this.#deferred.isEmpty) {
      this.#deferred.add(message, this.commandCountTotal + ahead);
      node.hold(this);
    } else {
      writer.raw(message, 0, message.length);
    }
    node.requestTurn();
    // At once, not at the end of the turn: one entry may hold more for a subscriber than there is memory.
    const unread = writer.position + this.connection.pendingBytes + this.#deferred.bytes;
    const { hardBytes } = node.settings.clientOutputLimits[this.kind];
    if (unread > OUTPUT_BYTES_MAX || (hardBytes > 0 && unread > hardBytes)) this.overflow();
  }

  /**
   * Parses commands from buffer[from, to) and returns where it stopped: what follows is kept for later. Those before
   * `ownTo` were put back.
   */
  #parse(buffer: Buffer, from: number, to: number, ownTo: number): number {
    const node = this.#node;
    const parser = this.#parser;
    const args = node.args;
    node.replica.beginReads();
    if (!this.isOwn) node.rest.isAsked = true;
    let at = from;
    let warmTo = from;
    while (at < to) {
      if (at >= warmTo && to - at > WARM_BYTES_LEAST) warmTo = node.replica.warm(this, buffer, at, to);
      const status = parser.next(buffer, at, to);
      if (status === COMMAND) {
        args.set(parser.argsBuffer, parser.offsets, 0, parser.argumentCount);
        if (ownTo > 0) this.inLogForm = at < ownTo;
        const end = parser.position;
        if (node.dispatch.command(this, args, buffer, at, end) === HELD) break;
        at = end;
        // A command that parked its session is done with; what follows it waits.
        if (this.closing || this.#hold !== HOLD_NONE) break;
      } else {
        if (status === PROTOCOL_ERROR) this.#protocolError(parser.errorText);
        else at = parser.position;
        break;
      }
    }
    node.replica.proposals.open.closeRun();
    if (this.virtual) node.virtualSessions.ran(this);
    return at;
  }

  #parsePending(): void {
    const input = this.#input;
    if (this.closing) input.clear();
    if (input.length === 0) return;
    const ownTo = input.returned > 0 && !this.isOfNode ? input.start + input.returned : 0;
    const consumed = this.#parse(input.bytes, input.start, input.end, ownTo);
    if (ownTo > 0) this.inLogForm = false;
    if (this.closing || this.gone) input.clear();
    else input.consume(consumed - input.start);
    // Not before: a batch that is refused is put back in front of what is left.
    this.#node.replica.flushFullBatch();
  }

  #protocolError(text: string): void {
    // The replies owed for the commands before it still go out: hold until they have, then answer and close.
    if (this.outstanding > 0) {
      this.setHold(HOLD_ORDER);
      return;
    }
    this.#node.dispatch.answerError(this, text);
    this.close(true);
  }

  /** Nothing more is parsed until the reason is gone. */
  setHold(reason: number): number {
    this.#hold = reason;
    this.#node.hold(this);
    return HELD;
  }

  /** Is it in the middle of a command that waits? */
  get isParked(): boolean {
    return this.#parked !== undefined;
  }

  /** Whether the client has given the password decides how much it may send at once. */
  authenticationChanged(): void {
    this.#parser.authenticated = this.authenticated;
  }

  #mayGoOn(nowMs: number): boolean {
    const node = this.#node;
    switch (this.#hold) {
      case HOLD_LEADER:
        if (this.outstanding > 0) return false; // what went before it is still undecided
        return node.replica.mode !== MODE_NONE || node.isLeaderless;
      case HOLD_BEHIND:
        return this.lag === undefined || node.upToDate.isOver(this.lag);
      case HOLD_ORDER:
        return this.outstanding === 0;
      case HOLD_PAUSE:
        return !node.server.pause.isActive(nowMs);
      case HOLD_PRESSURE:
        if (node.replica.mode === MODE_FORWARD && !this.virtual) return node.forwarding.accepts(this);
        return !node.replica.holds(this) && this.forwarded === 0; // an earlier leader may have the last ones
      case HOLD_PARKED:
        return this.#unpark(nowMs);
      case HOLD_DEPARTURES:
        return this.#mayAnswerNow();
      case HOLD_OUTPUT:
        return this.outputLength === 0 && this.connection.pendingBytes === 0;
      default:
        return true;
    }
  }

  #unpark(nowMs: number): boolean {
    const parked = this.#parked;
    if (parked === undefined) return true;
    if (!parked.ready() && nowMs < parked.deadlineMs) return false;
    this.#parked = undefined;
    this.waitEnd = WAIT_END_NONE;
    parked.finish(this.#node.output.attach(this, this.protocol, this.replyMode !== "on"));
    this.commandCountTotal++;
    return true;
  }

  #mayAnswerNow(): boolean {
    if (this.#mayAnswer?.() === false) return false;
    this.#mayAnswer = undefined;
    this.#node.output.attach(this, this.protocol, false);
    return true;
  }
}
