// The commands inside a transaction, timed and counted like others: SLOWLOG, LATENCY and INFO would not know of them
// otherwise, as all of them are one EXEC. In: when each begins and ends. It changes nothing.

import type { Args } from "../base/args.ts";
import type { CommandObserver } from "../machine/sessions.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { CommandTimer } from "./command-timer.ts";
import type { Session } from "./session.ts";

export class TransactionObserver implements CommandObserver {
  #session: Session | undefined;
  /** Commands of it that have begun. */
  #begun = 0;
  readonly #timer: CommandTimer;
  #startUs = 0;
  #errorsBefore = 0;

  constructor(timer: CommandTimer) {
    this.#timer = timer;
  }

  /** Whose transaction it is, if what runs next is one. */
  of(session: Session | undefined): void {
    this.#session = session;
    this.#begun = 0;
  }

  /** How many commands of the transaction have run. */
  get ran(): number {
    return this.#begun;
  }

  begin(id: number, reply: ReplyWriter): void {
    this.#begun++;
    this.#startUs = this.#timer.start(id, this.#session);
    this.#errorsBefore = reply.errors;
  }

  end(id: number, args: Args, reply: ReplyWriter): void {
    const session = this.#session;
    if (session === undefined) return;
    const { notes } = session;
    if (notes !== undefined) notes.inner = this.#begun;
    if (this.#startUs !== 0) this.#timer.stop(id, this.#startUs, args, session);
    if (reply.errors !== this.#errorsBefore) this.#timer.failed(id, this.#errorsBefore, session);
    if (notes !== undefined) notes.inner = 0;
  }
}
