// The pure parts of the load generator: when requests are due, which keys they ask for, and what is read from the latencies.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Latencies } from "../../bench/open-loop/latencies.ts";
import { keyAtRank, type Mix, planRequests, planTimes } from "../../bench/open-loop/plan.ts";
import { msOf } from "../../bench/open-loop/tables.ts";
import { Random } from "../../bench/random.ts";

const MIX: Mix = { keys: 1000, valueBytes: 32, writePart: 0.25, seed: 1 };
const COUNT = 200_000;

const close = (value: number, wanted: number, part: number, what: string): void =>
  assert.ok(Math.abs(value - wanted) <= wanted * part, `${what}: ${value}, wanted ${wanted} within ${part}`);

describe("times", () => {
  test("constant: one gap after the other, from 0", () => {
    assert.deepEqual([...planTimes("constant", 4000, 5, 1)], [0, 250, 500, 750, 1000]);
  });

  for (const perSecond of [100, 20_000, 500_000]) {
    test(`Poisson, ${perSecond}/s: the mean gap, and the spread of independent arrivals`, () => {
      const times = planTimes("poisson", perSecond, COUNT, 3);
      const gaps = [...times.subarray(1)].map((time, i) => time - times[i]!);
      const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
      const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
      assert.ok(gaps.every((gap) => gap >= 0));
      close(mean, 1e6 / perSecond, 0.02, "mean");
      // Of an exponential distribution they are equal.
      close(Math.sqrt(variance), mean, 0.02, "standard deviation");
    });
  }

  test("the same seed gives the same times, another one others", () => {
    assert.deepEqual(planTimes("poisson", 1000, 100, 5), planTimes("poisson", 1000, 100, 5));
    assert.notDeepEqual(planTimes("poisson", 1000, 100, 5), planTimes("poisson", 1000, 100, 6));
  });
});

describe("requests", () => {
  test("the same seed gives the same, another one others", () => {
    assert.deepEqual(planRequests(MIX, 1000), planRequests(MIX, 1000));
    assert.notDeepEqual(planRequests(MIX, 1000).keys, planRequests({ ...MIX, seed: 2 }, 1000).keys);
  });

  test("as many writes as wanted", () => {
    const { isWrite } = planRequests(MIX, COUNT);
    close(isWrite.reduce((a, b) => a + b, 0) / COUNT, MIX.writePart, 0.02, "part of writes");
  });

  for (const keys of [1, 1000, 10_000, 1_000_000]) {
    test(`every one of ${keys} keys has one rank`, () => {
      const seen = new Uint8Array(keys);
      for (let rank = 0; rank < keys; rank++) seen[keyAtRank(rank, keys)]!++;
      assert.ok(seen.every((times) => times === 1));
    });
  }

  test("popularity falls as Zipf's law says", () => {
    const { keys } = planRequests(MIX, COUNT);
    const asked = new Uint32Array(MIX.keys);
    for (const key of keys) asked[key]!++;
    const first = asked[keyAtRank(0, MIX.keys)]!;
    for (const rank of [1, 4, 9, 49]) {
      close(asked[keyAtRank(rank, MIX.keys)]!, first / (rank + 1) ** 0.99, 0.1, `rank ${rank}`);
    }
  });
});

describe("latencies", () => {
  const random = new Random(11);
  const cases = [
    { name: "one", values: [42] },
    { name: "a line", values: Array.from({ length: 10_000 }, (_, i) => i + 1) },
    { name: "below a microsecond counts as one", values: [0, 0.2, 0.9] },
    { name: "a long tail", values: Array.from({ length: COUNT }, () => 40 / (1 - random.next())) },
    { name: "minutes", values: [60e6, 120e6, 600e6] },
  ];
  for (const { name, values } of cases) {
    test(`${name}: as if they had been sorted`, () => {
      const latencies = new Latencies();
      for (const value of values) latencies.record(value);
      const found = latencies.percentiles();
      const sorted = [...values].sort((a, b) => a - b).map((value) => Math.max(1, Math.round(value)));
      const at = (perMille: number): number => sorted[Math.ceil((perMille * sorted.length) / 1000) - 1]!;
      assert.equal(found.count, values.length);
      assert.equal(found.maxUs, sorted.at(-1));
      close(found.p50Us, at(500), 0.001, "p50");
      close(found.p99Us, at(990), 0.001, "p99");
      close(found.p999Us, at(999), 0.001, "p99.9");
    });
  }

  test("none: zeros", () => {
    assert.deepEqual(new Latencies().percentiles(), { count: 0, p50Us: 0, p99Us: 0, p999Us: 0, maxUs: 0 });
  });
});

const milliseconds = [
  [42, "0.04"],
  [1234, "1.23"],
  [9994, "9.99"],
  [12_345, "12.3"],
  [250_400, "250"],
] as const;
for (const [us, text] of milliseconds) {
  test(`${us} us are ${text} ms`, () => assert.equal(msOf(us), text));
}
