// Runs targets in turns, each time with a new seed, some at a time, until it is stopped. What fails is
// said at once with how to repeat and keep it, and again at the end. Nothing it started outlives it.

import { type ChildProcess, spawn } from "node:child_process";
import { Xoshiro } from "../../src/base/prng.ts";
import type { Attempt, Failure, Target } from "./targets.ts";

const SEEDS = 1_000_000_000;
/** Longer than any attempt takes on a busy machine: what hangs is a failure too. */
const ATTEMPT_MS_MAX = 20 * 60_000;
/** For a process to end in order before it is killed. */
const ENDING_MS = 5000;
const OUTPUT_CHARACTERS = 400_000;

export interface ExplorerOptions {
  readonly targets: readonly Target[];
  /** All seeds follow from it. */
  readonly first: number;
  readonly jobs: number;
  /** Absent: until it is stopped. */
  readonly minutes?: number;
  readonly say: (text: string) => void;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface Tally {
  attempts: number;
  failed: number;
  seconds: number;
}

export class Explorer {
  readonly #options: ExplorerOptions;
  readonly #random: Xoshiro;
  readonly #running = new Set<ChildProcess>();
  readonly #tallies = new Map<string, Tally>();
  readonly #failures: { readonly target: string; readonly failure: Failure }[] = [];
  /** Whose tests are all skipped here. */
  readonly #idle = new Set<string>();
  #turn = 0;
  #isStopped = false;

  constructor(options: ExplorerOptions) {
    this.#options = options;
    this.#random = new Xoshiro(options.first);
  }

  /** Ends when the time is up or stop() was called. True when nothing failed. */
  async run(): Promise<boolean> {
    const { jobs, minutes } = this.#options;
    const timer = minutes === undefined ? undefined : setTimeout(() => void this.stop(), minutes * 60_000);
    await Promise.all(Array.from({ length: jobs }, () => this.#work()));
    clearTimeout(timer);
    this.#sumUp();
    return this.#failures.length === 0;
  }

  /** Ends what runs: in order first, by force when called again or when it takes too long. */
  stop(): void {
    const signal = this.#isStopped ? "SIGKILL" : "SIGINT";
    this.#isStopped = true;
    for (const child of this.#running) {
      signalGroup(child, signal);
      setTimeout(() => signalGroup(child, "SIGKILL"), ENDING_MS).unref();
    }
  }

  /** For the moment when this process ends: at once and by force. */
  kill(): void {
    for (const child of this.#running) signalGroup(child, "SIGKILL");
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const left = this.#options.targets.filter(({ name }) => !this.#idle.has(name));
      const target = left[this.#turn++ % left.length];
      if (target === undefined) return this.#options.say("nothing is left that can run here");
      await this.#attempt(target, target.attempt(1 + this.#random.below(SEEDS)));
    }
  }

  async #attempt(target: Target, attempt: Attempt): Promise<void> {
    const { say } = this.#options;
    const startedMs = performance.now();
    const { code, output } = await this.#execute(attempt);
    if (this.#isStopped && code !== 0) return; // ended by us, not by a fault
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    if (/^ +Tests +\d+ skipped/m.test(output)) {
      this.#idle.add(target.name);
      return say(`left out  ${target.name}: its tests are skipped here`);
    }
    const tally = this.#tallies.get(target.name) ?? { attempts: 0, failed: 0, seconds: 0 };
    this.#tallies.set(target.name, tally);
    tally.attempts++;
    tally.seconds += seconds;
    const line = `${target.name}: ${attempt.drawn}, ${seconds} s`;
    if (code === 0) return say(`ok        ${line}`);
    tally.failed++;
    say(`FAILED    ${line}`);
    for (const failure of attempt.failuresIn(output)) {
      this.#failures.push({ target: target.name, failure });
      say(indented(`${failure.what}\nreplay: ${failure.replay}\nkeep:   ${failure.keep}`));
    }
  }

  #execute({ command, environment }: Attempt): Promise<Ended> {
    const [program = "", ...words] = command;
    // A process group of its own, so that servers which a test has started can be ended with the test.
    const child = spawn(program, words, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...environment },
    });
    this.#running.add(child);
    let output = "";
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const limit = setTimeout(() => {
      output += `\nended by force after ${ATTEMPT_MS_MAX / 60_000} minutes`;
      signalGroup(child, "SIGKILL");
    }, ATTEMPT_MS_MAX);
    return new Promise((resolve) => {
      const ended = (code: number | null): void => {
        clearTimeout(limit);
        signalGroup(child, "SIGKILL");
        this.#running.delete(child);
        resolve({ code, output });
      };
      child.once("error", (error) => {
        output += error.message;
        ended(null);
      });
      child.once("close", ended);
      // "close" waits for whoever holds the pipes: a server that outlived its test.
      child.once("exit", () => signalGroup(child, "SIGKILL"));
    });
  }

  #sumUp(): void {
    const { say, first } = this.#options;
    say(`\nfirst seed ${first}:`);
    for (const [name, { attempts, failed, seconds }] of this.#tallies)
      say(`${name.padEnd(26)} ${attempts} times, ${seconds} s, ${failed} failed`);
    if (this.#failures.length === 0) return say("nothing failed");
    say(`${this.#failures.length} failures; each repeated and kept by:`);
    for (const { target, failure } of this.#failures)
      say(`  ${target}\n    replay: ${failure.replay}\n    keep:   ${failure.keep}`);
  }
}

const indented = (text: string): string => text.replace(/^/gm, "          ");

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}
