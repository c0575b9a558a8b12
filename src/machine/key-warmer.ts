// Looks ahead in a run of commands and has the store read, all at once, what they will look up one by one. A
// random key costs two or three cache misses, and those of independent commands can be waited for together.
// Purely a hint: it changes nothing and answers nothing.

import { COMMAND, type ParserLimits, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import { type Keyspace, WARM_KEYS_MAX } from "../store/keyspace.ts";
import { compareBytes } from "../store/record.ts";

export class KeyWarmer {
  readonly #parser: RequestParser;
  readonly #ranges = new Int32Array(2 * WARM_KEYS_MAX);

  constructor(limits: ParserLimits) {
    this.#parser = new RequestParser(limits, new ParserScratch());
    this.#parser.authenticated = true;
  }

  /** Lets go of the commands it has seen. */
  forgetInput(): void {
    this.#parser.forget();
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
      const start = parser.offsets[2]!;
      const end = parser.offsets[3]!;
      // Commands that begin with the same key twice go on with it, mostly: it is warm.
      if (count === 1 && compareBytes(buffer, ranges[0]!, ranges[1]!, buffer, start, end) === 0) {
        parser.reset();
        return to;
      }
      ranges[2 * count] = start;
      ranges[2 * count + 1] = end;
      count++;
    }
    parser.reset();
    if (count > 1) keys.warm(buffer, ranges, count);
    return at;
  }
}
