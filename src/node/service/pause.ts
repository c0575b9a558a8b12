// CLIENT PAUSE: until when which commands wait. Times come in, a verdict goes out; sessions do the waiting.

import type { PauseControl, PauseMode } from "../../command/local-context.ts";
import type { CommandRow } from "../../command/types.ts";

export class ClientPause implements PauseControl {
  #mode: PauseMode = "all";
  #untilMs = 0;

  /** A second pause only ever widens a running one: later end, "all" over "write". */
  start(mode: PauseMode, untilMs: number, monotonicMs: number): void {
    if (!this.isActive(monotonicMs) || mode === "all") this.#mode = mode;
    this.#untilMs = Math.max(this.#untilMs, untilMs);
  }

  end(): void {
    this.#untilMs = 0;
  }

  isActive(monotonicMs: number): boolean {
    return monotonicMs < this.#untilMs;
  }

  /** When to look again; 0 when nothing was paused. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /**
   * "write" holds what may change data or reach other clients (`transactionWrites`: an EXEC with such a
   * command in its queue); "all" holds everything, CLIENT UNPAUSE included, as in Redis.
   */
  blocks(row: CommandRow, monotonicMs: number, transactionWrites = false): boolean {
    if (monotonicMs >= this.#untilMs) return false;
    if (this.#mode === "all") return true;
    if (row.name === "exec") return transactionWrites;
    // WATCH and UNWATCH go through the log and change no data.
    const changesData = row.route === "write" && !row.name.endsWith("watch");
    return changesData || row.flags.includes("write") || row.flags.includes("may_replicate");
  }
}
