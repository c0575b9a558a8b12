// Event loops that are busy while their processes live (docs/adr/0020): one long command after the other, for less and for
// more than busy-limit. In the end, when all else is quiet: who is busy for less keeps its place, who is for more loses it.

import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const BUSY_MS_MAX = 9000;
/** Clocks differ by a hundredth, and a tick is a little late. */
const CLOCK_SLACK = 1.03;
/** An election, with its messages. */
const ELECTION_MS_MAX = 5000;
/** Then every connection is up again that was lost without a word. */
const QUIET_MS = 12_000;
/** Where a message takes longer, nobody's place is certain. */
const DELAY_MS_MAX = 5;

export class Busy {
  /** How often. */
  count = 0;
  readonly #simulation: Simulation;
  readonly #random: Random;
  /** Some runs have many short ones, some a few long ones. */
  readonly #busyMsMax: number;
  readonly #meanGapMs: number;
  #isOver = false;

  constructor(simulation: Simulation, random: Random, busyMsMax?: number) {
    this.#simulation = simulation;
    this.#random = random;
    const drawn = random.magnitude(100, BUSY_MS_MAX);
    this.#busyMsMax = busyMsMax ?? drawn;
    this.#meanGapMs = this.#busyMsMax * random.magnitude(0.1, 1);
  }

  begin(): void {
    this.#simulation.timeline.after(-Math.log(1 - this.#random.unit()) * this.#meanGapMs, () => {
      if (this.#isOver) return;
      this.#occupy();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
    for (const process of this.#simulation.living) process.endBusy();
  }

  #occupy(): void {
    const { leader, living, timeline, trace } = this.#simulation;
    const victim = leader !== undefined && this.#random.chance(0.5) ? leader : this.#random.pick(living);
    const durationMs = this.#random.magnitude(20, this.#busyMsMax);
    victim.beBusy();
    this.count++;
    trace.line(`busy ${victim.label} ${durationMs.toFixed(0)} ms`);
    timeline.after(durationMs, () => victim.endBusy());
  }

  /** Nothing else happens any more. */
  judge(): void {
    const { census, network, timeline } = this.#simulation;
    if (network.baseDelayMs > DELAY_MS_MAX) return;
    this.#simulation.advanceTo(timeline.nowMs + QUIET_MS);
    const { leader } = this.#simulation;
    if (leader === undefined || !census.isWhole || !census.isSafe(leader.machine)) return;
    if (census.members.length < 2 || census.members.some(({ thread }) => !thread.isConnected)) return;
    this.#keepsItsPlace(leader);
    if (!this.#simulation.hasFailed) this.#losesItsPlace(leader);
  }

  #keepsItsPlace(leader: SimProcess): void {
    const { busyLimitMs } = leader.node.settings;
    const { checks, timeline } = this.#simulation;
    const term = checks.termOf(leader);
    leader.beBusy();
    this.#simulation.advanceTo(timeline.nowMs + this.#random.between(0.1, 0.9) * busyLimitMs);
    leader.endBusy();
    this.#simulation.advanceTo(timeline.nowMs + 500);
    if (this.#simulation.leader !== leader || checks.termOf(leader) !== term)
      this.#simulation.fail(
        "a node that works is not dead",
        `${leader.label} was busy and lost term ${term}`,
      );
  }

  #losesItsPlace(leader: SimProcess): void {
    const { busyLimitMs, electionTimeoutMs } = leader.node.settings;
    const { census, checks } = this.#simulation;
    const term = checks.termOf(leader);
    const others = census.members.filter((it) => it !== leader);
    const elections = electionsOf(others);
    leader.beBusy();
    this.#simulation.advance(
      CLOCK_SLACK * (busyLimitMs + 2 * electionTimeoutMs),
      `${leader.label}, busy for ever, is given up`,
      () => electionsOf(others) > elections,
    );
    this.#simulation.advance(ELECTION_MS_MAX, `${leader.label}, busy for ever, is replaced`, () =>
      others.some((it) => leads(it) && checks.termOf(it) > term),
    );
    leader.endBusy();
    this.#simulation.advance(ELECTION_MS_MAX, `${leader.label} follows`, () => follows(leader));
  }
}

const electionsOf = (processes: readonly SimProcess[]): number =>
  processes.reduce((sum, { node }) => sum + (node.replica.raft?.electionsStarted ?? 0), 0);
const leads = ({ node }: SimProcess): boolean => node.replica.raft?.role === "leader";
const follows = ({ node }: SimProcess): boolean =>
  node.replica.raft?.role === "follower" && node.replica.mode !== 0;
