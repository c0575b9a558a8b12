// A follower's side of DESIGN section 7: the commands of its clients go to the leader as raw bytes, and the
// replies are spliced into the clients' output. Bytes are kept until they are answered, so that what the
// leader did not execute can go to the next one.
//
//   session ──add()──> open ──flush(), one request a turn──> sent ──replies, in order──> session's output

import { Args } from "../base/args.ts";
import { assert, fail } from "../base/assert.ts";
import {
  LINK_WAITING_BYTES,
  OUTPUT_BYTES_MAX,
  REPLY_REPORT_BYTES,
  SHARED_BYTES_LEAST,
  UNANSWERED_BYTES_LEAST,
  UNANSWERED_BYTES_MAX,
  UNANSWERED_BYTES_OF_ALL,
} from "../base/limits.ts";
import { lookupId } from "../command/lookup.ts";
import { EXEC_COMMANDS } from "../command/transactions.ts";
import { COMMAND, RequestParser, redisLimits } from "../resp/request-parser.ts";
import {
  type ProxyFailure,
  type ProxyReply,
  type ProxyRequest,
  WAIT_END_NONE,
} from "../wire/cluster-messages.ts";
import { newsOf, type ToldClient } from "./client-properties.ts";
import { UNREAD_OUTPUT_BYTES_MAX } from "./holds.ts";
import { PendingInput } from "./pending-input.ts";
import type { ReplyOutput } from "./reply-output.ts";
import { changes, rowIds } from "./row-facts.ts";
import type { Session } from "./session.ts";
import { replyProblem } from "./transactions.ts";

const LOST =
  "UNCERTAIN the command was sent to the leader, and the connection to it was lost before the answer";
const SUPERSEDED =
  "UNCERTAIN the command was sent to the leader, and another one was elected before the answer";
const NOT_EXECUTED = "TRYAGAIN the command was not executed: the leader was lost, try again";

const NO_BYTES = Buffer.alloc(0);
/** Stands for arguments that nobody looks at. */
const NO_ARGUMENTS = new Args();

/** Commands of one session on their way. `bytes` holds them from the first unanswered one on. */
interface Traffic {
  readonly session: Session;
  readonly bytes: PendingInput;
  /** Rows of the commands, from the first unanswered one on. */
  ids: number[];
  /** How many of them, and of their bytes, have been sent. */
  sentCount: number;
  sentBytes: number;
  /** The member that the sent ones were sent to; 0 while there are none. */
  target: number;
  /** Members that keep a virtual session for it. */
  readonly asked: Set<number>;
  /** Raised whenever commands are taken back, so that late answers to their first sending are told apart. */
  generation: number;
  told: ToldClient | undefined;
  /** The leader is to be told that the session's WAIT ends. */
  endsWait: boolean;
  /** Who sent the last replies of this generation; 0 = nobody yet. */
  answeredBy: number;
  /** Bytes of those replies of which that member has not been told that the client took them. */
  unreportedBytes: number;
}

/** Where what the leader saw of forwarded commands is counted, as if they had run here. */
export interface ForwardingSinks {
  record(id: number, microseconds: number, args: Args, session: Session): void;
  forwardedFailed(failure: ProxyFailure): void;
  /** Is every command to be timed, and which are so slow that they are kept? */
  readonly timesAll: boolean;
  readonly slowMicroseconds: number;
}

export interface ForwardingLinks {
  /** The node that requests go to now; 0 = none, or none that can be reached. */
  readonly leader: number;
  request(member: number, request: ProxyRequest): void;
  /** The member says that it does not lead: nothing is to be asked of it for a moment. */
  refused(member: number): void;
  /** Bytes that wait to go to it. */
  queuedBytes(member: number): number;
}

export class Forwarding {
  readonly #links: ForwardingLinks;
  readonly #output: ReplyOutput;
  readonly #traffic = new Map<number, Traffic>();
  readonly #dirty = new Set<Traffic>();
  readonly #parser = new RequestParser(redisLimits);
  readonly #args = new Args();
  readonly #sinks: ForwardingSinks;
  /** Sessions of which there may be something to report to the leader. */
  readonly #reporting = new Set<Traffic>();
  /** Since the last flush(). */
  #addedBytes = 0;
  /** Commands of all sessions that are kept because they are not answered. */
  #unansweredBytes = 0;

  constructor(links: ForwardingLinks, output: ReplyOutput, sinks: ForwardingSinks) {
    this.#sinks = sinks;
    this.#links = links;
    this.#output = output;
    this.#parser.authenticated = true;
  }

  /** Takes this node commands of the session now? Not while others of it are with another leader. */
  accepts(session: Session): boolean {
    if (session.outstanding > session.forwarded || this.#isFull(session)) return false;
    const traffic = this.#traffic.get(session.id);
    if (traffic === undefined) return true;
    if (traffic.target !== 0 && traffic.target !== this.#links.leader) return false;
    const isCrowded = this.#unansweredBytes > UNANSWERED_BYTES_OF_ALL;
    return traffic.bytes.length < (isCrowded ? UNANSWERED_BYTES_LEAST : UNANSWERED_BYTES_MAX);
  }

  /** Others' commands or this client's own replies wait: there is no room for more. */
  #isFull(session: Session): boolean {
    if (session.outputBufferBytes > UNREAD_OUTPUT_BYTES_MAX) return true;
    if (this.#addedBytes > LINK_WAITING_BYTES) return true;
    return this.#addedBytes + this.#links.queuedBytes(this.#links.leader) > LINK_WAITING_BYTES;
  }

  /** How many answers are owed to the session up to that of the last write that is on its way. */
  answersUpToLastWrite({ id, forwarded }: Session): number {
    const ids = forwarded === 0 ? undefined : this.#traffic.get(id)?.ids;
    return (ids?.findLastIndex((row) => changes[row] === 1) ?? -1) + 1;
  }

  /** Commands of the session that are kept here because the leader has not answered them. */
  unansweredBytes({ id, forwarded }: Session): number {
    return forwarded === 0 ? 0 : (this.#traffic.get(id)?.bytes.length ?? 0);
  }

  /** Adds one command, source[start, end) in RESP. */
  add(session: Session, id: number, source: Buffer, start: number, end: number): void {
    let traffic = this.#traffic.get(session.id);
    if (traffic === undefined) {
      traffic = {
        session,
        bytes: new PendingInput(),
        ids: [],
        sentCount: 0,
        sentBytes: 0,
        target: 0,
        asked: new Set(),
        generation: 1,
        told: undefined,
        endsWait: false,
        answeredBy: 0,
        unreportedBytes: 0,
      };
      this.#traffic.set(session.id, traffic);
    }
    const isLong = end - start >= SHARED_BYTES_LEAST && traffic.bytes.length === 0;
    const lent = isLong ? session.lend(source, start, end) : undefined;
    if (lent === undefined) traffic.bytes.append(source, start, end);
    else traffic.bytes.adopt(lent, start, end);
    this.#addedBytes += end - start;
    this.#unansweredBytes += end - start;
    traffic.ids.push(id);
    session.outstanding++;
    session.forwarded++;
    this.#dirty.add(traffic);
  }

  /** The session's WAIT, the last of what is on its way, does not wait any longer. */
  endWait({ id }: Session): void {
    const traffic = this.#traffic.get(id);
    if (traffic === undefined || traffic.ids.length === 0) return;
    traffic.endsWait = true;
    this.#dirty.add(traffic);
  }

  /** Sends what this turn added, one request a session. */
  flush(): void {
    this.#addedBytes = 0;
    if (this.#dirty.size === 0) return;
    const leader = this.#links.leader;
    if (leader === 0) return;
    this.#output.detach(); // so that every session knows how much waits in it
    for (const traffic of this.#dirty) {
      const { session, bytes } = traffic;
      // What went before is still with an earlier leader: its answer, or its loss, says how this goes on.
      if (traffic.target !== 0 && traffic.target !== leader) continue;
      this.#dirty.delete(traffic);
      const count = traffic.ids.length - traffic.sentCount;
      const { generation, endsWait } = traffic;
      if (count === 0 && !endsWait) continue;
      traffic.endsWait = false;
      const client = newsOf(session, this.#sinks.timesAll, traffic.told, leader, generation);
      if (client !== null) traffic.told = { member: leader, generation, client };
      traffic.target = leader;
      traffic.asked.add(leader);
      if (traffic.answeredBy !== leader) this.#forgetReplies(traffic);
      this.#links.request(leader, {
        sessionId: session.id,
        database: session.database,
        protocol: session.protocol,
        commands: unsentOf(traffic),
        generation,
        muted: session.muted,
        closed: false,
        client,
        waitEnd: endsWait ? session.waitEnd : null,
        takenBytes: this.#take(traffic),
      });
      traffic.sentCount += count;
      traffic.sentBytes = bytes.length;
    }
  }

  /** Of a member's replies: more than it was asked for. */
  replyProblem(from: number, reply: ProxyReply): string | undefined {
    const { sessionId, generation, completed } = reply;
    const traffic = this.#traffic.get(sessionId);
    if (traffic === undefined || from !== traffic.target || generation !== traffic.generation)
      return undefined;
    const { sentCount } = traffic;
    if (completed > sentCount) return `${completed} answers to ${sentCount} commands`;
    const { plan } = traffic.session;
    return plan !== undefined && completed > 0 ? replyProblem(plan, reply.replies) : undefined;
  }

  /** Replies of the leader, or its word that it did not execute what is unanswered. */
  reply(from: number, reply: ProxyReply): void {
    const traffic = this.#traffic.get(reply.sessionId);
    // Of an earlier sending: those commands have been given up or sent to somebody else since.
    if (traffic === undefined || from !== traffic.target || reply.generation !== traffic.generation) return;
    const { session } = traffic;
    assert(
      reply.completed <= traffic.sentCount,
      `${reply.completed} answers to ${traffic.sentCount} commands`,
    );
    const writer = this.#output.attach(session, session.protocol, false);
    const mark = writer.position;
    writer.raw(reply.replies, 0, reply.replies.length);
    traffic.answeredBy = from;
    traffic.unreportedBytes += reply.replies.length;
    if (traffic.unreportedBytes >= REPLY_REPORT_BYTES) this.#reporting.add(traffic);
    if (writer.position > OUTPUT_BYTES_MAX) session.overflow();
    session.lastWriteIndex = Math.max(session.lastWriteIndex, reply.lastWriteIndex);
    this.#count(traffic, reply);
    if (reply.completed > 0) {
      this.#drop(traffic, reply.completed);
      if (session.plan !== undefined) session.takeReply(mark);
    }
    if (reply.notLeader) {
      this.#links.refused(from);
      this.#putBack(traffic);
    } else {
      this.#goOn(traffic);
    }
    if (reply.close) session.close(true);
  }

  /** The member cannot be asked any more. What it was sent may have been executed. */
  lost(member: number): void {
    for (const traffic of this.#traffic.values()) {
      traffic.asked.delete(member);
      if (traffic.told?.member === member) traffic.told = undefined;
      if (traffic.answeredBy === member) this.#forgetReplies(traffic);
      if (traffic.target === member) this.#giveUp(traffic, LOST);
    }
  }

  /**
   * `leader` leads for a while now: an earlier one that is silent since then, say a machine that is stopped or cut off,
   * is not waited for until its connection times out. True when no answers of earlier ones are waited for.
   */
  superseded(leader: number, isSilent: (member: number) => boolean): boolean {
    let isWaiting = false;
    for (const traffic of this.#traffic.values()) {
      const { target } = traffic;
      if (target === 0 || target === leader) continue;
      if (isSilent(target)) this.#giveUp(traffic, SUPERSEDED);
      else isWaiting = true;
    }
    return !isWaiting;
  }

  #giveUp(traffic: Traffic, uncertain: string): void {
    const { session } = traffic;
    const sent = traffic.ids.slice(0, traffic.sentCount).map((id) => changes[id] === 1);
    // Reads change nothing: they are simply asked again. Behind a write they must keep their place.
    const firstWrite = sent.indexOf(true);
    if (firstWrite < 0) {
      this.#putBack(traffic);
      return;
    }
    const writer = this.#output.attach(session, session.protocol, session.muted);
    const mark = writer.position;
    for (const isWrite of sent) writer.error(isWrite ? uncertain : NOT_EXECUTED);
    this.#drop(traffic, sent.length);
    if (session.plan !== undefined) session.takeReply(mark);
    this.#nextGeneration(traffic);
    this.#putBack(traffic);
  }

  /** Nothing more is to be sent to anybody: what was added and not sent waits in the sessions again. */
  recall(): void {
    for (const traffic of this.#dirty) if (traffic.target === 0) this.#putBack(traffic);
  }

  closed(session: Session): void {
    const traffic = this.#traffic.get(session.id);
    if (traffic === undefined) return;
    this.#traffic.delete(session.id);
    this.#dirty.delete(traffic);
    this.#reporting.delete(traffic);
    this.#unansweredBytes -= traffic.bytes.length;
    for (const member of traffic.asked) {
      this.#links.request(member, {
        sessionId: session.id,
        database: 0,
        protocol: 2,
        commands: NO_BYTES,
        generation: traffic.generation,
        muted: false,
        closed: true,
        client: null,
        waitEnd: null,
        takenBytes: 0,
      });
    }
  }

  /** Behind the turn's writes: who sent long replies is told how much of them their clients have taken. */
  report(): void {
    for (const traffic of this.#reporting) {
      const { session, unreportedBytes } = traffic;
      if (unreportedBytes < REPLY_REPORT_BYTES) this.#reporting.delete(traffic);
      else if (unreportedBytes - session.outputBufferBytes >= REPLY_REPORT_BYTES)
        this.#reportTo(traffic.answeredBy, traffic, this.#take(traffic));
    }
  }

  /** What the client has taken of the replies that came, beyond what was reported. Counts as reported from here on. */
  #take(traffic: Traffic): number {
    const takenBytes = Math.max(0, traffic.unreportedBytes - traffic.session.outputBufferBytes);
    traffic.unreportedBytes -= takenBytes;
    return takenBytes;
  }

  #reportTo(member: number, { session, generation }: Traffic, takenBytes: number): void {
    this.#links.request(member, {
      sessionId: session.id,
      database: session.database,
      protocol: session.protocol,
      commands: NO_BYTES,
      generation,
      muted: false,
      closed: false,
      client: null,
      waitEnd: null,
      takenBytes,
    });
  }

  /** Another member answers from here on: the earlier one need not wait for anything. */
  #forgetReplies(traffic: Traffic): void {
    const { answeredBy, unreportedBytes } = traffic;
    if (unreportedBytes > 0 && traffic.asked.has(answeredBy))
      this.#reportTo(answeredBy, traffic, unreportedBytes);
    traffic.answeredBy = 0;
    traffic.unreportedBytes = 0;
    this.#reporting.delete(traffic);
  }

  /** Late answers to what was sent so far are no answers to what is sent from here on. */
  #nextGeneration(traffic: Traffic): void {
    this.#forgetReplies(traffic);
    traffic.generation++;
  }

  /** Everything that was sent is answered: what is left goes to whoever leads now, which may be this node. */
  #goOn(traffic: Traffic): void {
    if (traffic.target === 0 && traffic.ids.length > 0 && this.#links.leader === 0) this.#putBack(traffic);
  }

  /** The first `count` commands are answered. */
  #drop(traffic: Traffic, count: number): void {
    const { session, bytes } = traffic;
    // A WAIT is the last one.
    if (count === traffic.ids.length) session.waitEnd = WAIT_END_NONE;
    const length = count === traffic.ids.length ? bytes.length : this.#lengthOf(traffic, count);
    bytes.consume(length);
    this.#unansweredBytes -= length;
    traffic.ids = traffic.ids.slice(count);
    traffic.sentCount -= count;
    traffic.sentBytes -= length;
    if (traffic.sentCount === 0) traffic.target = 0;
    session.forwarded -= count;
    for (let i = 0; i < count; i++) session.answered();
  }

  #putBack(traffic: Traffic): void {
    const { session } = traffic;
    const count = traffic.ids.length;
    if (count === 0) return;
    const bytes = traffic.bytes.take();
    this.#unansweredBytes -= bytes.length;
    this.#nextGeneration(traffic);
    traffic.ids = [];
    traffic.sentCount = 0;
    traffic.sentBytes = 0;
    traffic.target = 0;
    traffic.endsWait = false;
    session.forwarded -= count;
    session.outstanding -= count;
    this.#dirty.delete(traffic);
    // Nothing of a session is with a leader and in a batch of this node at the same time.
    session.putBack(bytes, Number.POSITIVE_INFINITY);
  }

  /** What the leader saw of these commands is counted here, where their client is. */
  #count(traffic: Traffic, { completed, times, failures }: ProxyReply): void {
    for (const failure of failures) this.#sinks.forwardedFailed(failure);
    for (const { command, inner, microseconds } of times) {
      if (command >= completed) continue;
      // Only of slow ones and of those inside a transaction it matters what they say.
      const isShort = inner === 0 && microseconds < this.#sinks.slowMicroseconds;
      const args = isShort ? NO_ARGUMENTS : this.#argsOf(traffic, command, inner);
      const id = inner === 0 ? traffic.ids[command]! : args === undefined ? -1 : lookupId(args);
      if (args !== undefined && id >= 0) this.#sinks.record(id, microseconds, args, traffic.session);
    }
  }

  /** Lets go of the commands it has read. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
  }

  /** The command, or one of those in it, as its client sent it. */
  #argsOf(traffic: Traffic, command: number, inner: number): Args | undefined {
    const { bytes } = traffic;
    const args = this.#args;
    this.#parseTo(args, bytes.bytes, bytes.start, bytes.end, command);
    if (inner === 0) return args;
    if (lookupId(args) !== rowIds.exec) return undefined;
    const unit = args.copy(EXEC_COMMANDS);
    let at = 0;
    for (let left = inner; at < unit.length; ) {
      at = this.#parseTo(args, unit, at, unit.length, 0);
      // The log's own: it says which database follows, and is not counted.
      if (lookupId(args) !== rowIds.select && --left === 0) return args;
    }
    return undefined;
  }

  /** Reads the command behind `skipped` others; returns where it ends. */
  #parseTo(args: Args, bytes: Buffer, start: number, end: number, skipped: number): number {
    let at = start;
    for (let i = 0; i <= skipped; i++) {
      if (this.#parser.next(bytes, at, end) !== COMMAND) fail(`forwarded command ${i} does not parse`);
      at = this.#parser.position;
    }
    args.set(bytes, this.#parser.offsets, 0, this.#parser.argumentCount);
    return at;
  }

  /** Bytes of the first `count` commands. */
  #lengthOf(traffic: Traffic, count: number): number {
    const { bytes } = traffic;
    return this.#parseTo(this.#args, bytes.bytes, bytes.start, bytes.end, count - 1) - bytes.start;
  }
}

/** A copy, or, of a long command, the memory it is in. */
function unsentOf({ bytes, sentBytes }: Traffic): Buffer {
  const from = bytes.start + sentBytes;
  if (bytes.end - from >= SHARED_BYTES_LEAST) return bytes.share(from);
  return Buffer.from(bytes.bytes.subarray(from, bytes.end));
}
