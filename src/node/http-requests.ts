// HTTP requests to the client port. A web page can make a browser send one, with commands in its body that nobody meant to
// run. In: a command that does not exist. Out: whether it is such a request; then the client is gone, as in Redis, and
// the log says so, at most once a minute. It never answers.

import type { Args } from "../base/args.ts";
import type { SeshatNode } from "./node.ts";
import type { Session } from "./session.ts";

const LOG_INTERVAL_MS = 60_000;

export class HttpRequests {
  readonly #node: SeshatNode;
  #count = 0;
  #nextLogMs = Number.NEGATIVE_INFINITY;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  /** True: it is one, and its client is gone. */
  closes(session: Session, args: Args): boolean {
    if (!args.is(0, "POST") && !args.is(0, "HOST:")) return false;
    this.#count++;
    const { ports, replica } = this.#node;
    if (replica.monotonicMs >= this.#nextLogMs) {
      this.#nextLogMs = replica.monotonicMs + LOG_INTERVAL_MS;
      ports.log.warn(
        { client: session.address, requestsSinceStart: this.#count },
        "possible SECURITY ATTACK: a client sent an HTTP request (POST or Host:) and was closed. Perhaps a web page makes " +
          "browsers send commands to this port",
      );
    }
    session.close(false);
    return true;
  }
}
