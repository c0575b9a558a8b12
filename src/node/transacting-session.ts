// The part of a session that is about MULTI: the queue and what is watched, from the first command to the last. In:
// what commands ask of their client. It sends nothing, and never runs a command.

import { SessionFields } from "./session-fields.ts";
import { Transaction } from "./transaction.ts";

export class TransactingSession extends SessionFields {
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
