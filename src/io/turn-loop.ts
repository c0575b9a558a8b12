// When the node takes its turns: at the end of an event-loop iteration that brought something, and at ticks.
// Knows the clock and the loop's phases, not what a turn does.
//
//   one iteration:   timers ──> poll: sockets ──> check: setImmediate ──> ...
//                      │                             │
//                      └ a tick is due: arm it       └ turn(now, ticks): everything read in poll is known
//
// A tick is never delivered in the timers phase: after a stall that phase comes first, and the node would count
// silence while the others' messages still wait in the sockets. A node that is idle says how many ticks may pass at once.

import { LATE_TICKS_MAX } from "../base/limits.ts";
import type { Clock, NodeInputs, Scheduler } from "../node/ports.ts";

type TurnTaker = Pick<NodeInputs, "turn" | "restTicks">;

export class TurnLoop implements Scheduler {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #onDue: (monotonicMs: number) => void;
  #node: TurnTaker | undefined;
  #isArmed = false;
  #timer: NodeJS.Timeout | undefined;
  /** When it wakes the loop; Infinity = it is not set. */
  #wakesMs = Number.POSITIVE_INFINITY;
  /** Ticks that the last turn said may pass without one. */
  #restTicks = 1;
  /** When the next tick is due, on the monotonic clock. */
  #nextTickMs = 0;
  /** A stall was noticed: one more poll phase is let through before its ticks count. */
  #isCatchingUp = false;
  /** Ticks dropped in stalls since the start. */
  droppedTicks = 0;
  readonly #runTurn = (): void => this.#turn();
  readonly #wake = (): void => {
    this.#wakesMs = Number.POSITIVE_INFINITY;
    this.requestTurn();
  };

  /** @param onDue told after each turn by when the next one is due, on the monotonic clock */
  constructor(clock: Clock, tickMs: number, onDue: (monotonicMs: number) => void = () => {}) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#onDue = onDue;
  }

  start(node: TurnTaker): void {
    this.#node = node;
    this.#nextTickMs = this.#clock.monotonicMs() + this.#tickMs;
    this.requestTurn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#node = undefined;
  }

  /**
   * Sets the timer for when the node wants its next turn, should nothing come in before. An earlier one may stay under load;
   * of a node that rests it would be a wake-up for nothing.
   */
  #arm(nowMs: number): void {
    const dueMs = this.#nextTickMs + (this.#restTicks - 1) * this.#tickMs;
    this.#onDue(dueMs);
    if (this.#wakesMs === dueMs || (this.#wakesMs < dueMs && this.#restTicks === 1)) return;
    clearTimeout(this.#timer);
    this.#wakesMs = dueMs;
    this.#timer = setTimeout(this.#wake, Math.max(1, Math.ceil(dueMs - nowMs)));
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
    // What the node let pass is not late.
    const ticksMax = LATE_TICKS_MAX + this.#restTicks - 1;
    if (ticks > ticksMax && !this.#isCatchingUp) {
      // What arrived during the stall may take more than one poll phase to read: this turn counts no ticks.
      this.#isCatchingUp = true;
      this.requestTurn();
      ticks = 0;
    } else if (ticks > 0) {
      this.#isCatchingUp = false;
      this.#nextTickMs += ticks * this.#tickMs;
      this.droppedTicks += Math.max(0, ticks - ticksMax);
      ticks = Math.min(ticks, ticksMax);
    }
    node.turn(nowMs, this.#clock.wallMs(), ticks);
    // A turn between ticks may have begun something: the next tick asks again.
    this.#restTicks = ticks > 0 ? node.restTicks() : 1;
    this.#arm(nowMs);
  }
}
