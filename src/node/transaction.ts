// One session's transaction: the commands queued since MULTI as bytes, and what it watches. Also the plan of what
// is on its way and has commands of the node itself in it. Data and bookkeeping only; transactions.ts decides.

import type { Wait } from "./blocked-clients.ts";
import { PendingInput } from "./pending-input.ts";

/** One queued command. */
export interface Queued {
  readonly id: number;
  /** Its RESP bytes in `bytes`, relative to their start. */
  readonly start: number;
  readonly end: number;
  /** Runs on this node, after the others. */
  readonly isLocal: boolean;
  /** And its part for the log has a place among the others (Transactions.#formOf). Known when it is on its way. */
  hasForm: boolean;
}

/** What becomes of the reply to an EXEC with local commands, or to one of these on its own. */
export interface Plan {
  readonly bytes: Buffer;
  readonly queue: readonly Queued[];
  /** Once it is there; it was taken out of the output. */
  reply: Buffer | undefined;
  /** False: the one command came without MULTI. */
  readonly isTransaction: boolean;
  /** The one command is answered in silence: by the time it is answered, CLIENT REPLY SKIP is over. */
  readonly isSilent: boolean;
  /** Waits of clients that it is going to kill or unblock: see BlockedClients.claim(). */
  readonly claims: readonly Wait[];
}

export class Transaction {
  /** A command was refused: EXEC will be. */
  hasFailed = false;
  /** A write is among the queued (CLIENT PAUSE). */
  hasWrite = false;
  hasLocal = false;
  /** Of all keys so far, in cluster mode; -1 while there are none. */
  slot = -1;
  hasSeveralSlots = false;
  /** Arguments of all queued commands that may need memory. */
  memoryArguments = 0;
  queue: Queued[] = [];
  readonly #bytes = new PendingInput();

  /** Counts what was watched together. Whatever the log holds of an earlier serial is over. */
  serial = 1;
  /** WATCH commands of this serial. */
  watches = 0;
  readonly watchedKeys = new Set<string>();

  get byteCount(): number {
    return this.#bytes.length;
  }

  get bytes(): Buffer {
    return this.#bytes.bytes.subarray(this.#bytes.start, this.#bytes.end);
  }

  add(id: number, isWrite: boolean, isLocal: boolean, source: Buffer, from: number, to: number): void {
    const start = this.#bytes.length;
    this.#bytes.append(source, from, to);
    this.queue.push({ id, start, end: this.#bytes.length, isLocal, hasForm: false });
    if (isWrite) this.hasWrite = true;
    if (isLocal) this.hasLocal = true;
  }

  /** One more command, its keys in this slot; -1 for one without. */
  noteSlot(slot: number): void {
    if (slot < 0) return;
    if (this.slot >= 0 && this.slot !== slot) this.hasSeveralSlots = true;
    this.slot = slot;
  }

  /** The queue is gone. */
  empty(): void {
    this.hasFailed = false;
    this.hasWrite = false;
    this.hasLocal = false;
    this.slot = -1;
    this.hasSeveralSlots = false;
    this.memoryArguments = 0;
    this.queue = [];
    this.#bytes.clear();
  }

  /** Nothing is watched any more. */
  unwatch(): void {
    if (this.watches === 0) return;
    this.serial++;
    this.watches = 0;
    this.watchedKeys.clear();
  }
}
