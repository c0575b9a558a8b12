// Memory that changes behind a replica's back: a key that nobody wrote appears in a follower's store. No client looks at
// it; whether replicas find the difference and mend it (docs/adr/0017), through all other faults, is what is looked at.

import { MODE_FORWARD } from "../../src/node/replica.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const DATABASE = 5;
const KEY = Buffer.from("rot");

export class Rot {
  /** How often. */
  count = 0;
  readonly #simulation: Simulation;
  readonly #random: Random;
  #isOver = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
  }

  begin(): void {
    this.#simulation.timeline.after(this.#random.magnitude(300, 6000), () => {
      if (this.#isOver) return;
      this.#spoil();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  /** Is there nobody whose store has what the leader's has not? */
  get isMended(): boolean {
    const { census } = this.#simulation;
    const spoiled = census.members.filter(hasRotten);
    return spoiled.length === 0 || spoiled.length === census.members.length;
  }

  /** Once it is mended: replicas stop comparing, so that their logs come to rest. */
  rest(): void {
    for (const { node } of this.#simulation.living) node.configuration.set([["replica-digests", "no"]]);
  }

  #spoil(): void {
    const { census, checks, trace } = this.#simulation;
    const followers = census.members.filter(
      (process) => process.node.replica.mode === MODE_FORWARD && !hasRotten(process),
    );
    // A majority that is rotten is right.
    if (followers.length < 2 || census.members.some(hasRotten)) return;
    const victim = this.#random.pick(followers);
    const keys = victim.node.replica.machine.store.databases[DATABASE]!;
    keys.setString(KEY, 0, KEY.length, KEY, 0, KEY.length, false);
    checks.statesMayDiffer = true;
    this.count++;
    trace.line(`rot in ${victim.label}`);
  }
}

function hasRotten({ node }: SimProcess): boolean {
  return node.replica.machine.store.databases[DATABASE]!.find(KEY, 0, KEY.length) !== 0;
}
