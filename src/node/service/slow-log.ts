// SLOWLOG: the commands that took longest to run, newest first. Arguments and durations come in, entries go
// out. Copies what it keeps; the cost for a fast command is one comparison.

import type { Args } from "../../base/args.ts";
import type { Client, SlowLogEntry, SlowLogView } from "../../command/local-context.ts";
import { isSecret, REDACTED } from "./redaction.ts";

/** As in Redis: later arguments and the tails of long ones are summed up in words. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

export class SlowLog implements SlowLogView {
  /** slowlog-log-slower-than: microseconds; negative switches the log off. */
  thresholdMicroseconds = 10_000;
  /** slowlog-max-len; call `trim` after lowering it. */
  entriesMax = 128;

  // Newest last: pushing is cheap, and the list is short.
  #entries: SlowLogEntry[] = [];
  #nextId = 0;

  /** Keeps the command if it was slow. `args` may be reused afterwards. */
  consider(
    args: Args,
    microseconds: number,
    client: Pick<Client, "address" | "name">,
    timeSeconds: number,
  ): void {
    if (this.thresholdMicroseconds < 0 || microseconds < this.thresholdMicroseconds) return;
    this.#entries.push({
      id: this.#nextId,
      timeSeconds,
      microseconds: Math.round(microseconds),
      args: shorten(args),
      address: client.address,
      name: client.name,
    });
    this.#nextId++;
    this.trim();
  }

  trim(): void {
    const excess = this.#entries.length - Math.max(0, this.entriesMax);
    if (excess > 0) this.#entries.splice(0, excess);
  }

  get length(): number {
    return this.#entries.length;
  }

  latest(count: number): readonly SlowLogEntry[] {
    const from = Math.max(0, this.#entries.length - count);
    return this.#entries.slice(from).reverse();
  }

  /** Ids go on growing, so that a reader of the log sees that entries were dropped. */
  reset(): void {
    this.#entries = [];
  }
}

function shorten(args: Args): string[] {
  const kept = Math.min(args.count, ARGUMENTS_MAX);
  const texts: string[] = [];
  for (let i = 0; i < kept; i++) {
    if (kept !== args.count && i === kept - 1) {
      texts.push(`... (${args.count - kept + 1} more arguments)`);
    } else if (isSecret(args, i)) {
      texts.push(REDACTED);
    } else {
      texts.push(shortenArgument(args, i));
    }
  }
  return texts;
}

function shortenArgument(args: Args, index: number): string {
  const start = args.start(index);
  const length = args.length(index);
  if (length <= ARGUMENT_BYTES_MAX) return args.text(index);
  const more = length - ARGUMENT_BYTES_MAX;
  return `${args.bytes.toString("latin1", start, start + ARGUMENT_BYTES_MAX)}... (${more} more bytes)`;
}
