// What the leader saw of a forwarded client's commands beside their replies: how long they took, which failed and which it
// refused (docs/adr/0026). In while they run; out with the replies, for the node of the client, which counts them as its own.

import type { ProxyFailure, ProxyTime } from "../wire/cluster-messages.ts";

/** Of one reply message; of what is timed beyond it there are enough. */
const TIMES_MAX = 4096;

/** The rest of it, and what is not printable, is left out. */
const CODE_CHARACTERS_MAX = 32;

export class ProxyNotes {
  /** Every command is to be timed: the client's node has a slow log for times that any could reach. */
  timesAll = false;
  /** Of the transaction whose commands run: which one, from 1 on; 0 = none runs. */
  inner = 0;
  /** Commands answered before those that the next message answers. */
  #reported = 0;
  #times: ProxyTime[] = [];
  readonly #failures = new Map<string, ProxyFailure>();

  /** @param answered commands of the session that were answered before this one */
  timed(answered: number, microseconds: number): void {
    if (this.#times.length >= TIMES_MAX) return;
    this.#times.push({ command: answered - this.#reported, inner: this.inner, microseconds });
  }

  /** @param text the error; only its code goes on */
  failed(name: string, text: string, rejected: boolean): void {
    const code = (text.split(" ", 1)[0] ?? "").replaceAll(/[^!-~]/g, "").slice(0, CODE_CHARACTERS_MAX);
    const key = `${name} ${code} ${rejected}`;
    const known = this.#failures.get(key);
    this.#failures.set(key, { name, code, rejected, count: (known?.count ?? 0) + 1 });
  }

  /** A command of a transaction was counted and did not run: no error of its own, so no code. */
  notRun(name: string): void {
    this.failed(name, "", false);
  }

  /** All since the last time. */
  take(answered: number): {
    readonly times: ProxyTime[];
    readonly failures: ProxyFailure[];
  } {
    this.#reported = answered;
    const taken = { times: this.#times, failures: [...this.#failures.values()] };
    if (this.#times.length > 0) this.#times = [];
    this.#failures.clear();
    return taken;
  }
}
