// Which commands are timed, and where the times go: SLOWLOG, LATENCY, INFO commandstats. Reading a clock
// twice costs as much as a small command, so of commands that cannot be slow one in so many is timed, or all of them
// when the slow log asks for times they could reach.

import type { Args } from "../base/args.ts";
import { rows } from "../command/lookup.ts";
import type { Clock } from "./ports.ts";
import { sampled } from "./row-facts.ts";
import type { Session } from "./session.ts";

/** A fast command never takes longer than this by itself; a lower slow-log threshold times everything. */
const FAST_COMMAND_MICROSECONDS = 1000;
/** The first of so many calls is timed. A power of two. */
const SAMPLE_CALLS = 32;

export interface TimerSinks {
  record(id: number, microseconds: number, args: Args, session: Session): void;
  /** The command answered with an error; `errorsBefore` is the writer's count before it. */
  countErrors(id: number, errorsBefore: number, session: Session): void;
  /** The commands of an EXEC, in its log form, did not run. */
  notRun(form: Args, session: Session): void;
}

export class CommandTimer {
  #timeAll = false;
  /** Of each row, calls that a sample is taken of. */
  readonly #calls = new Uint32Array(rows.length);
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
  start(id: number, session: Session | undefined): number {
    if (this.#timeAll || sampled[id] === 0 || session?.notes?.timesAll === true)
      return this.#clock.monotonicUs();
    const calls = this.#calls[id]!;
    this.#calls[id] = calls + 1;
    return (calls & (SAMPLE_CALLS - 1)) === 0 ? this.#clock.monotonicUs() : 0;
  }

  /** Times everything: a slow log asks for times that any command could reach. */
  get timesAll(): boolean {
    return this.#timeAll;
  }

  /** The next call of each command is timed again. */
  reset(): void {
    this.#calls.fill(0);
  }

  stop(id: number, startUs: number, args: Args, session: Session): void {
    this.#sinks.record(id, this.#clock.monotonicUs() - startUs, args, session);
  }

  notRun(form: Args, session: Session): void {
    this.#sinks.notRun(form, session);
  }

  failed(id: number, errorsBefore: number, session: Session): void {
    this.#sinks.countErrors(id, errorsBefore, session);
  }
}
