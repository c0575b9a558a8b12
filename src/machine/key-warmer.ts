// Looks ahead in a run of commands and has the store read, all at once, what they will look up one by one. A
// random key costs two or three cache misses, and those of independent commands can be waited for together.
// Purely a hint: it changes nothing and answers nothing.

import { COMMAND, type ParserLimits, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import { type Keyspace, WARM_KEYS_MAX } from "../store/keyspace.ts";

export class KeyWarmer {
  readonly #parser: RequestParser;
  readonly #ranges = new Int32Array(2 * WARM_KEYS_MAX);

  constructor(limits: ParserLimits) {
    this.#parser = new RequestParser(limits, new ParserScratch());
    this.#parser.authenticated = true;
  }

  /** Warms the first keys of up to WARM_KEYS_MAX commands in buffer[from, to); returns where it stopped. */
  warm(buffer: Buffer, from: number, to: number, keys: Keyspace): number {
    const parser = this.#parser;
    const ranges = this.#ranges;
    let count = 0;
    let at = from;
    while (count < WARM_KEYS_MAX && at < to && parser.next(buffer, at, to) === COMMAND) {
      at = parser.position;
      if (parser.argumentCount < 2 || parser.isInline) continue;
      ranges[2 * count] = parser.offsets[2]!;
      ranges[2 * count + 1] = parser.offsets[3]!;
      count++;
    }
    parser.reset();
    if (count > 1) keys.warm(buffer, ranges, count);
    return at;
  }
}
