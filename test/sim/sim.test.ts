// The simulator in CI: some hundred seeds, the ones that ever failed, that a seed decides everything, and that broken
// programs are found. More of each: docs/TESTING.md.

import assert from "node:assert/strict";
import { test } from "vitest";
import { bundled } from "./bundle.ts";
import type { Result } from "./simulation.ts";

const { FAILED_SEEDS, MUTATIONS, simulate, withMutation } = await bundled();

const SEEDS = 140;
const PER_TEST = 20;

function demandNoFailure({ seed, failure, description }: Result): void {
  assert.equal(
    failure,
    undefined,
    `npm run sim -- --seed ${seed} --trace (--plain)\n${description}\n${failure?.text}`,
  );
}

test("a seed decides everything: the same trace, byte for byte", () => {
  const first = simulate(7, { trace: true });
  const second = simulate(7, { trace: true });
  assert.ok(first.figures.events > 5000 && first.figures.operations > 100, JSON.stringify(first.figures));
  assert.equal(first.hash, second.hash);
  assert.deepEqual(first.trace, second.trace);
  assert.equal(simulate(7).hash, first.hash, "keeping the trace changes nothing");
  assert.notEqual(simulate(8).hash, first.hash);
});

for (let from = 1; from <= SEEDS; from += PER_TEST) {
  test(`seeds ${from} to ${from + PER_TEST - 1}`, () => {
    for (let seed = from; seed < from + PER_TEST; seed++) demandNoFailure(simulate(seed));
  });
}

for (const { seed, found, options } of FAILED_SEEDS) {
  test(`seed ${seed}, which found ${found}`, () =>
    demandNoFailure(simulate(seed, { pieces: false, ...options })));
}

for (const [name, { seedsMax, options }] of Object.entries(MUTATIONS)) {
  test(`the mutation ${name} is found`, () => {
    const seeds = Array.from({ length: seedsMax }, (_, i) => i + 1);
    const found = seeds.find((seed) =>
      withMutation(name, () => simulate(seed, options).failure !== undefined),
    );
    assert.ok(found !== undefined, `not found in ${seeds.length} seeds`);
  });
}
