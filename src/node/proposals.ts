// The leader's writes on their way through the log: the open batch of this turn, the batches proposed and
// not yet applied, and what becomes of them when they are applied, overwritten, or never heard of again.
//
//   open ──seal, propose──> in flight ──same (index, term) applied──> replies
//                               ├──an entry of a later term applied at or before its index──> put back: not executed
//                               └──nothing until the deadline─────────> UNCERTAIN

import { Args } from "../base/args.ts";
import { assert, fail } from "../base/assert.ts";
import { OUTPUT_BYTES_MAX } from "../base/limits.ts";
import { rows } from "../command/lookup.ts";
import type { DataContext } from "../command/types.ts";
import type { Machine } from "../machine/machine.ts";
import type { RaftCore } from "../raft/index.ts";
import { encodeArguments } from "../resp/request-parser.ts";
import type { BatchesInFlight } from "./batches-in-flight.ts";
import type { CommandTimer } from "./command-timer.ts";
import type { EntryMemory } from "./entry-memory.ts";
import type { MemoryLimit } from "./memory-limit.ts";
import type { ReplyOutput } from "./reply-output.ts";
import { rowIds } from "./row-facts.ts";
import type { Session } from "./session.ts";
import { TransactionObserver } from "./transaction-observer.ts";
import { ITEM_READ, ITEM_WRITE, TurnBatch } from "./turn-batch.ts";

const UNCERTAIN = "UNCERTAIN the command was proposed, but leadership was lost before its outcome was known";
const NOT_EXECUTED = "TRYAGAIN the command was not executed: leadership was lost, try again";
const SPARE_BATCHES_MAX = 8;

export interface ProposalsParts {
  readonly machine: Machine;
  readonly output: ReplyOutput;
  readonly memory: EntryMemory;
  readonly inFlight: BatchesInFlight;
  readonly limit: MemoryLimit;
  readonly timer: CommandTimer;
  readonly readContext: DataContext;
}

export class Proposals {
  open: TurnBatch;
  readonly #parts: ProposalsParts;
  readonly #inTransaction: TransactionObserver;
  readonly #args = new Args();
  readonly #spare: TurnBatch[] = [];
  #serial = 0;
  /** Set when leadership was lost: by then the batches in flight are decided or uncertain. */
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(parts: ProposalsParts) {
    this.#parts = parts;
    this.open = new TurnBatch(parts.memory);
    this.#inTransaction = new TransactionObserver(parts.timer);
    parts.machine.sessions.observer = this.#inTransaction;
  }

  /** At the start of a turn: what the log has dropped can be written over. */
  recycle(firstIndex: number): void {
    this.#parts.memory.recycle(firstIndex);
  }

  /**
   * Makes the open batch an entry; with `force` an empty one too, which moves cluster time only, and without it an empty one
   * that names keys to evict. A core that refuses it (no longer leader) leaves the commands not executed: they are put back.
   */
  propose(raft: RaftCore, timeMs: number, seed: number, flags: number, force: boolean): void {
    const batch = this.open;
    const { inFlight, limit, machine } = this.#parts;
    limit.name(machine.store, batch);
    if (batch.count === 0 && batch.victimCount === 0 && !force) return;
    const payload = batch.seal(timeMs, seed, flags, limit.section);
    const result = raft.propose(payload);
    const accepted = result.ok && result.index !== 0;
    batch.proposed(accepted ? result.index : 0, accepted ? result.term : 0);
    this.open = this.#nextBatch();
    if (!accepted) {
      limit.refused(batch);
      this.#putBack(batch);
      return;
    }
    inFlight.push(batch);
  }

  /** Applies the committed entry (index, term) if it is one of ours, with its replies. False: it is not. */
  apply(index: number, term: number): boolean {
    this.#putBackOverwritten(index, term);
    const { inFlight, limit, machine } = this.#parts;
    const batch = inFlight.oldest;
    if (batch === undefined || batch.index > index) return false;
    if (batch.index !== index || batch.term !== term)
      fail(`entry ${index}/${term} applied while ${batch.index}/${batch.term} is in flight`);
    inFlight.shift();
    this.#run(batch, index, term);
    limit.settled(batch, machine.victimsTaken);
    this.#recycle(batch);
    return true;
  }

  /**
   * The terms of a log never fall: behind a committed entry of `term` there is none of an earlier one, so the batches
   * proposed in those, at this index or any later one, will never be applied.
   */
  #putBackOverwritten(index: number, term: number): void {
    const { inFlight, limit } = this.#parts;
    for (;;) {
      const batch = inFlight.oldest;
      if (batch === undefined || batch.term >= term || batch.index < index) return;
      inFlight.shift();
      limit.settled(batch, 0);
      this.#putBack(batch);
    }
  }

  /** Leadership is gone: nothing more is proposed, what is in flight may still be decided until the deadline. */
  leadershipLost(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (this.open.count === 0) return;
    const batch = this.open;
    batch.closeRun();
    batch.seal(0, 0, 0, undefined);
    batch.proposed(0, 0);
    this.open = this.#nextBatch();
    this.#putBack(batch);
  }

  leadershipWon(): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** Answers what is still undecided after the deadline, or all of it when a snapshot has passed it by. */
  giveUp(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    const { inFlight, limit } = this.#parts;
    for (let batch = inFlight.oldest; batch !== undefined; batch = inFlight.oldest) {
      inFlight.shift();
      limit.settled(batch, 0);
      this.#fail(batch);
      this.#recycle(batch);
    }
  }

  #nextBatch(): TurnBatch {
    const batch = this.#spare.pop() ?? new TurnBatch(this.#parts.memory);
    batch.open();
    batch.serial = ++this.#serial;
    return batch;
  }

  /** Lets go of the batch it has run. */
  forgetInput(): void {
    this.#args.forget();
  }

  /** The hot loop of a leader: every command of a committed entry, in order, with its reply. */
  #run(batch: TurnBatch, index: number, term: number): void {
    const { machine, output, timer, readContext } = this.#parts;
    const args = this.#args;
    machine.beginEntry(batch.payload, index, term);
    readContext.nowMs = machine.timeMs;
    for (let item = 0; item < batch.count; item++) {
      const session = batch.sessions[item]!;
      const kind = batch.kinds[item]!;
      const writer = output.attach(session, batch.protocols[item] === 3 ? 3 : 2, batch.mutes[item] === 1);
      const id = batch.rowIds[item]!;
      const row = rows[id]!;
      assert(row.route === "write" || row.route === "read", "only data commands are in batches");
      batch.argsOf(item, args);
      machine.store.noTouch = session.noTouch;
      const startUs = timer.start(id, session);
      const errorsBefore = writer.errors;
      const mark = writer.position;
      if (kind === ITEM_WRITE) {
        this.#inTransaction.of(session);
        machine.run(row, args, batch.databases[item]!, writer);
        session.lastWriteIndex = index;
      } else {
        readContext.database = batch.databases[item]!;
        readContext.keys = machine.store.databases[readContext.database]!;
        row.run(readContext, args, writer);
      }
      if (startUs !== 0) timer.stop(id, startUs, args, session);
      // An EXEC does not fail: commands in it do, and were counted.
      if (writer.errors !== errorsBefore && id !== rowIds.exec) timer.failed(id, errorsBefore, session);
      if (id === rowIds.exec && this.#inTransaction.ran === 0) timer.notRun(args, session);
      session.answered();
      if (session.plan !== undefined) session.takeReply(mark);
      if (writer.position > OUTPUT_BYTES_MAX) session.overflow();
    }
    this.#inTransaction.of(undefined);
    machine.store.noTouch = false;
    machine.endEntry();
  }

  /** Not executed for certain: the commands go back to their sessions, which send them on again. */
  #putBack(batch: TurnBatch): void {
    const { output } = this.#parts;
    const ordered = new Map<Session, Buffer[]>();
    for (let item = 0; item < batch.count; item++) {
      const session = batch.sessions[item]!;
      const commands = ordered.get(session) ?? [];
      commands.push(encodeArguments(batch.argsOf(item, this.#args)));
      ordered.set(session, commands);
      session.outstanding--;
    }
    output.detach();
    for (const [session, commands] of ordered) session.putBack(Buffer.concat(commands), batch.serial);
    this.#recycle(batch);
  }

  #fail(batch: TurnBatch): void {
    for (let item = 0; item < batch.count; item++) {
      this.#answer(batch, item, batch.kinds[item] === ITEM_READ ? NOT_EXECUTED : UNCERTAIN);
    }
  }

  #answer(batch: TurnBatch, item: number, errorText: string): void {
    const session = batch.sessions[item]!;
    const protocol = batch.protocols[item] === 3 ? 3 : 2;
    const writer = this.#parts.output.attach(session, protocol, batch.mutes[item] === 1);
    const mark = writer.position;
    if (errorText === UNCERTAIN) this.#parts.output.uncertainReplies++;
    writer.error(errorText);
    session.answered();
    if (session.plan !== undefined) session.takeReply(mark);
  }

  #recycle(batch: TurnBatch): void {
    batch.release();
    if (this.#spare.length < SPARE_BATCHES_MAX) this.#spare.push(batch);
  }
}
