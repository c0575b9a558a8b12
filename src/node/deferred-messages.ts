// Messages for a client of RESP3 that has sent commands which may have published them: they come behind the replies of these
// commands. In: messages in their order, each with the number of answers that go before it. Out: those that are due.

interface Deferred {
  readonly message: Buffer;
  /** Due when the client has had so many answers. */
  readonly answers: number;
}

export class DeferredMessages {
  bytes = 0;
  #messages: Deferred[] = [];

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** The message is copied. */
  add(message: Buffer, answers: number): void {
    this.#messages.push({ message: Buffer.from(message), answers });
    this.bytes += message.length;
  }

  /** Those due after so many answers. */
  take(answers: number): readonly Buffer[] {
    const first = this.#messages.findIndex((deferred) => deferred.answers > answers);
    const due = this.#messages.splice(0, first < 0 ? this.#messages.length : first);
    for (const { message } of due) this.bytes -= message.length;
    return due.map(({ message }) => message);
  }

  clear(): void {
    this.#messages = [];
    this.bytes = 0;
  }
}
