// client-output-buffer-limit of one client: too much unread at once, or more than a little for too long.

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
