// When all else is quiet: nothing of the leader's ordered lane gets through any more, and everything else does (docs/adr/0021). It must give way,
// and the others go on.

import { SimClient } from "./clients.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

/** Clocks differ by a hundredth, and a tick is a little late. */
const CLOCK_SLACK = 1.03;
const ELECTION_MS_MAX = 5000;
/** Then every connection is up again that was lost without a word. */
const QUIET_MS = 12_000;
/** Where a message takes longer, nobody's place is certain. */
const DELAY_MS_MAX = 5;

export class BulkCut {
  readonly #simulation: Simulation;
  readonly #random: Random;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
  }

  judge(): void {
    const { census, network, timeline } = this.#simulation;
    if (network.baseDelayMs > DELAY_MS_MAX) return;
    this.#simulation.advanceTo(timeline.nowMs + QUIET_MS);
    const { leader } = this.#simulation;
    if (leader === undefined || !census.isWhole || !census.isSafe(leader.machine)) return;
    const others = census.members.filter((it) => it !== leader);
    if (others.length < 2) return;
    network.heldLane = leader.machine;
    this.#write(leader);
    const { busyLimitMs, electionTimeoutMs } = leader.node.settings;
    this.#simulation.advance(
      CLOCK_SLACK * (busyLimitMs + 2 * electionTimeoutMs),
      `${leader.label} gives way, as nothing of its log gets through`,
      () => !leads(leader),
    );
    this.#simulation.advance(ELECTION_MS_MAX, `${leader.label} is replaced`, () => others.some(leads));
    network.heldLane = "";
  }

  /** Something to agree on; whatever comes of it. */
  #write(leader: SimProcess): void {
    const writer = new SimClient(
      "bulk",
      this.#simulation.worldOf(this.#random, () => []),
      0,
    );
    writer.connect(leader);
    writer.ask({
      command: ["PUBLISH", "bulk", "1"],
      expected: /^[:-]/,
      answered: () => writer.hangUp(),
    });
  }
}

const leads = ({ node }: SimProcess): boolean => node.replica.raft?.role === "leader";
