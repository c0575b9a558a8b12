// Cluster time against the wall clock of the leader's machine: never behind it, and never far ahead.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { ClusterClock } from "../../src/node/cluster-clock.ts";

/** As processes see them: the monotonic clock has fractions and begins anywhere, the wall clock comes in whole ms. */
function clocks(random: Xoshiro): {
  readonly monotonicMs: () => number;
  wallMs: () => number;
  pass: () => void;
} {
  const start = 1_700_000_000_000 + random.below(1_000_000) / 1000;
  const offset = random.below(1_000_000) / 1000;
  let passed = 0;
  return {
    monotonicMs: () => offset + passed,
    wallMs: () => Math.floor(start + passed),
    pass: () => {
      passed += random.below(20_000) / 1000;
    },
  };
}

test("cluster time is never behind the wall clock, and at most two milliseconds ahead", () => {
  const random = new Xoshiro(7);
  for (let run = 0; run < 50; run++) {
    const { monotonicMs, wallMs, pass } = clocks(random);
    const clock = new ClusterClock();
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let turn = 0; turn < 200; turn++) {
      const ahead = clock.running(monotonicMs(), wallMs()) - wallMs();
      least = Math.min(least, ahead);
      most = Math.max(most, ahead);
      pass();
    }
    assert.ok(least >= 0 && most <= 2, `from ${least} to ${most} ms ahead`);
  }
});

test("whoever takes over from an entry that was on its way is not behind either", () => {
  const random = new Xoshiro(8);
  for (let run = 0; run < 50; run++) {
    const { monotonicMs, wallMs, pass } = clocks(random);
    const leader = new ClusterClock();
    const follower = new ClusterClock();
    const stamp = leader.running(monotonicMs(), wallMs());
    const sentMs = monotonicMs();
    pass();
    follower.follow(stamp, Math.min(monotonicMs(), sentMs + 3));
    pass();
    assert.ok(follower.running(monotonicMs(), wallMs()) >= wallMs());
  }
});

test("a wall clock that is far off is approached slowly", () => {
  const clock = new ClusterClock();
  clock.follow(1_700_000_000_000, 1000);
  const later = clock.running(2000, 1_700_000_100_000);
  assert.ok(later - 1_700_000_001_000 <= 55, String(later));
  const back = new ClusterClock();
  back.follow(1_700_000_100_000, 1000);
  assert.ok(back.running(2000, 1_700_000_000_000) >= 1_700_000_100_950);
});
