// When a client has left too much unread: client-output-buffer-limit, and a client that is on its way out and reads nothing
// any more. Numbers in, a verdict out.

import type { OutputLimit } from "../config/special-kinds.ts";

export class OutputLimiter {
  /** When the soft limit was passed, monotonic; 0 = it is not. */
  #overSoftSinceMs = 0;

  /** Must a client that has `bytes` unread be disconnected? A limit of 0 is none. */
  exceeded(bytes: number, limit: OutputLimit, nowMs: number): boolean {
    if (limit.softBytes === 0 || bytes <= limit.softBytes) this.#overSoftSinceMs = 0;
    else if (this.#overSoftSinceMs === 0) this.#overSoftSinceMs = nowMs;
    const tooLong = this.#overSoftSinceMs !== 0 && nowMs - this.#overSoftSinceMs > 1000 * limit.softSeconds;
    return tooLong || (limit.hardBytes > 0 && bytes > limit.hardBytes);
  }
}

/** A client that is about to go may stand still for so long, looked at once a second. */
const STANDSTILL_SECONDS_MAX = 60;

export class Standstill {
  #progress = 0;
  #seconds = 0;

  /** Once a second, with a number that grows while there is any progress: has there been none for too long? */
  lasts(progress: number): boolean {
    this.#seconds = progress === this.#progress ? this.#seconds + 1 : 0;
    this.#progress = progress;
    return this.#seconds > STANDSTILL_SECONDS_MAX;
  }
}
