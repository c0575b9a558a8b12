// One ReplyWriter for all sessions: it is pointed at the output buffer of whoever is being answered. A
// session owns a buffer of the pool only from its first reply of a turn until that turn's one write.

import { ReplyWriter } from "../resp/reply-writer.ts";
import type { BufferPool } from "./ports.ts";
import type { Session } from "./session.ts";

export class ReplyOutput {
  readonly writer: ReplyWriter;
  /** Commands whose outcome nobody here knows, since the start. */
  uncertainReplies = 0;
  readonly #pool: BufferPool;
  readonly #scratch = Buffer.allocUnsafeSlow(1024);
  #current: Session | undefined;
  // Of both the first `count` places are taken. They are used again: an array that is emptied and filled again grows anew.
  #dirty: (Session | undefined)[] = [];
  #dirtyCount = 0;
  #flushing: (Session | undefined)[] = [];

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.writer = new ReplyWriter(pool);
    this.writer.buffer = this.#scratch;
  }

  /** The writer, pointed at the end of the session's output. Nothing is written for a session that is gone. */
  attach(session: Session, protocol: 2 | 3, muted: boolean): ReplyWriter {
    const writer = this.writer;
    if (this.#current !== session) {
      this.detach();
      this.#current = session;
      if (session.output === undefined) session.output = this.#pool.acquire();
      writer.buffer = session.output;
      writer.position = session.outputLength;
      if (!session.dirty) {
        session.dirty = true;
        this.#dirty[this.#dirtyCount++] = session;
      }
    }
    writer.protocol = protocol;
    writer.muted = muted || session.gone || session.silenced;
    return writer;
  }

  /** Gives the buffer back to the session that was being answered. */
  detach(): void {
    const session = this.#current;
    if (session === undefined) return;
    this.#current = undefined;
    const writer = this.writer;
    // A reply that outgrew its buffer went on in a larger one of the pool.
    session.output = writer.buffer;
    session.outputLength = writer.position;
    writer.buffer = this.#scratch;
    writer.position = 0;
  }

  /** One write for every session that was answered in this turn. */
  flush(): void {
    this.detach();
    const flushing = this.#dirty;
    const count = this.#dirtyCount;
    this.#dirty = this.#flushing;
    this.#dirtyCount = 0;
    this.#flushing = flushing;
    for (let i = 0; i < count; i++) {
      const session = flushing[i]!;
      flushing[i] = undefined;
      session.dirty = false;
      session.flush(this.#pool);
    }
  }
}
