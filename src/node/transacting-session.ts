// The part of a session that is about what becomes of its commands: the queue of MULTI and what is watched, and the counting
// of answers. In: what commands ask of their client. It sends nothing, and never runs a command.

import { advanceReplyMode } from "../command/local-context.ts";
import { LONG_REPLY_BYTES } from "./holds.ts";
import { SessionFields } from "./session-fields.ts";
import { Transaction } from "./transaction.ts";

export class TransactingSession extends SessionFields {
  /** Commands that were answered when replies last went out. */
  #flushedCount = 0;

  /** What is to be looked at is written all the same. */
  get muted(): boolean {
    return this.replyMode !== "on" && this.plan === undefined;
  }

  /** A command has its reply: called for each, in order, by whoever answered it. */
  answered(): void {
    this.outstanding--;
    this.commandCountTotal++;
    if (this.replyMode === "skip") advanceReplyMode(this);
  }

  /** So many bytes of replies go out. */
  noteReplies(length: number): void {
    const answered = Math.max(1, this.commandCountTotal - this.#flushedCount);
    this.#flushedCount = this.commandCountTotal;
    this.repliesAreLong = length > LONG_REPLY_BYTES * answered;
  }

  get queuedCommandCount(): number {
    return this.transaction?.queue.length ?? 0;
  }

  get watchedKeyCount(): number {
    return this.transaction?.watchedKeys.size ?? 0;
  }

  beginTransaction(): void {
    this.transaction ??= new Transaction();
    this.inTransaction = true;
  }

  discardTransaction(): void {
    this.endTransaction();
  }

  /** The transaction is on its way or given up; nothing is watched any more. */
  endTransaction(): void {
    this.inTransaction = false;
    this.transaction?.empty();
    this.transaction?.unwatch();
  }
}
