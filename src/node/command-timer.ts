// Which commands are timed, and where the times go: SLOWLOG, LATENCY, INFO commandstats. Reading a clock
// twice costs as much as a small command, so commands that cannot be slow are timed only when the slow log
// asks for times they could reach.

import type { Args } from "../base/args.ts";
import type { Clock } from "./ports.ts";
import { untimed } from "./row-facts.ts";
import type { Session } from "./session.ts";

/** A fast command never takes longer than this by itself; a lower slow-log threshold times everything. */
const FAST_COMMAND_MICROSECONDS = 1000;

export interface TimerSinks {
  record(id: number, microseconds: number, args: Args, session: Session): void;
  /** The command answered with an error; `errorsBefore` is the writer's count before it. */
  countErrors(id: number, errorsBefore: number): void;
}

export class CommandTimer {
  #timeAll = false;
  readonly #clock: Clock;
  readonly #sinks: TimerSinks;

  constructor(clock: Clock, sinks: TimerSinks) {
    this.#clock = clock;
    this.#sinks = sinks;
  }

  /** slowlog-log-slower-than in microseconds; negative is off. */
  set slowLogMicroseconds(threshold: number) {
    this.#timeAll = threshold >= 0 && threshold < FAST_COMMAND_MICROSECONDS;
  }

  /** The time to give to stop(), or 0 when this command is not timed. */
  start(id: number): number {
    return this.#timeAll || untimed[id] === 0 ? this.#clock.monotonicUs() : 0;
  }

  stop(id: number, startUs: number, args: Args, session: Session): void {
    this.#sinks.record(id, this.#clock.monotonicUs() - startUs, args, session);
  }

  failed(id: number, errorsBefore: number): void {
    this.#sinks.countErrors(id, errorsBefore);
  }
}
