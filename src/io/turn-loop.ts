// When the node takes its turns: at the end of an event-loop iteration that brought something, and at ticks.
// Knows the clock and the loop's phases, not what a turn does.
//
//   one iteration:   timers ──> poll: sockets ──> check: setImmediate ──> ...
//                      │                             │
//                      └ a tick is due: arm it       └ turn(now, ticks): everything read in poll is known
//
// A tick is never delivered in the timers phase: after a stall that phase comes first, and the node would count
// silence while the others' messages still wait in the sockets.

import { LATE_TICKS_MAX } from "../base/limits.ts";
import type { Clock, NodeInputs, Scheduler } from "../node/ports.ts";

export class TurnLoop implements Scheduler {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #node: Pick<NodeInputs, "turn"> | undefined;
  #isArmed = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the next tick is due, on the monotonic clock. */
  #nextTickMs = 0;
  /** A stall was noticed: one more poll phase is let through before its ticks count. */
  #isCatchingUp = false;
  /** Ticks dropped in stalls since the start. */
  droppedTicks = 0;
  readonly #runTurn = (): void => this.#turn();

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  start(node: Pick<NodeInputs, "turn">): void {
    this.#node = node;
    this.#nextTickMs = this.#clock.monotonicMs() + this.#tickMs;
    this.#timer = setInterval(() => this.requestTurn(), this.#tickMs);
    this.requestTurn();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#node = undefined;
  }

  requestTurn(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(this.#runTurn);
  }

  #turn(): void {
    this.#isArmed = false;
    const node = this.#node;
    if (node === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    let ticks = Math.max(0, Math.floor((nowMs - this.#nextTickMs) / this.#tickMs) + 1);
    if (ticks > LATE_TICKS_MAX && !this.#isCatchingUp) {
      // What arrived during the stall may take more than one poll phase to read: this turn counts no ticks.
      this.#isCatchingUp = true;
      this.requestTurn();
      ticks = 0;
    } else if (ticks > 0) {
      this.#isCatchingUp = false;
      this.#nextTickMs += ticks * this.#tickMs;
      this.droppedTicks += Math.max(0, ticks - LATE_TICKS_MAX);
      ticks = Math.min(ticks, LATE_TICKS_MAX);
    }
    node.turn(nowMs, this.#clock.wallMs(), ticks);
  }
}
