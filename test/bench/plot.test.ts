// Scales and plots of benchmark results, and the files they are written to.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { drawPlot, linearScale, logScale, type Plot, shortNumber } from "../../bench/plot.ts";
import { writeResults } from "../../bench/results.ts";

const numbers = [
  [0, "0"],
  [0.05, "0.05"],
  [2.5, "2.5"],
  [999, "999"],
  [1000, "1 k"],
  [12_345, "12.3 k"],
  [10_000_000, "10 M"],
] as const;
for (const [value, text] of numbers) {
  test(`${value} is written ${text}`, () => assert.equal(shortNumber(value), text));
}

describe("scales", () => {
  const cases = [
    { scale: linearScale([3, 48]), ticks: [0, 10, 20, 30, 40, 50], places: [[25, 0.5]] },
    { scale: linearScale([0.7]), ticks: [0, 0.2, 0.4, 0.6, 0.8], places: [[0.4, 0.5]] },
    { scale: linearScale([100]), ticks: [0, 20, 40, 60, 80, 100], places: [[100, 1]] },
    { scale: linearScale([0]), ticks: undefined, places: [[0, 0]] },
    {
      scale: logScale([1, 100]),
      ticks: [1, 2, 5, 10, 20, 50, 100],
      places: [
        [1, 0],
        [10, 0.5],
        [100, 1],
      ],
    },
    { scale: logScale([0.06, 0.9]), ticks: [0.05, 0.1, 0.2, 0.5, 1], places: [[0.05, 0]] },
    { scale: logScale([7]), ticks: [5, 10], places: [[10, 1]] },
    { scale: logScale([5]), ticks: [5, 10], places: [[5, 0]] },
    {
      scale: logScale([1, 10_000]),
      ticks: [1, 10, 100, 1000, 10_000],
      places: [[100, 0.5]],
    },
  ] as const;
  cases.forEach(({ scale, ticks, places }, i) => {
    test(`case ${i}: ticks ${ticks?.join(" ") ?? "of nothing"}`, () => {
      if (ticks !== undefined)
        assert.deepEqual(
          scale.ticks.map(({ value }) => value),
          ticks,
        );
      for (const [value, part] of places) assert.ok(Math.abs(scale.place(value) - part) < 1e-9, `${value}`);
    });
  });
});

const PLOT: Plot = {
  title: "Fast & <slow>",
  x: { label: "part", scale: { names: ["p50", "p99"] } },
  y: { label: "ms", scale: "log" },
  series: [
    {
      name: "one",
      points: [
        [0, 1],
        [1, 10],
      ],
    },
    { name: "two", points: [[0, 2]] },
  ],
};

test("a plot has its texts, escaped, and a point for each value inside the frame", () => {
  const svg = drawPlot(PLOT) ?? "";
  for (const text of ["Fast &amp; &lt;slow&gt;", ">p50<", ">p99<", ">one<", ">two<", ">ms<", ">part<"])
    assert.ok(svg.includes(text), text);
  const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
  assert.equal(circles.length, 3);
  for (const [, x, y] of circles) assert.ok(Number(x) > 70 && Number(x) < 540 && Number(y) > 40);
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
});

test("without points there is no plot, and no legend for a series without", () => {
  assert.equal(drawPlot({ ...PLOT, series: [{ name: "none", points: [] }] }), undefined);
  assert.equal(drawPlot({ ...PLOT, series: [...PLOT.series, { name: "none", points: [] }] }), drawPlot(PLOT));
});

test("results are JSON, Markdown that shows the plots, and the plots", () => {
  const folder = mkdtempSync(join(tmpdir(), "seshat-results-"));
  try {
    const machine = {
      ...{ date: "2026-01-02", commit: "abc1234", processor: "P", cores: 2, memoryGib: 4 },
      ...{ node: "v20", redis: "7.0.15" },
    };
    const report = {
      title: "Title",
      text: "| a |",
      plots: { picture: PLOT, gone: { ...PLOT, series: [] } },
      data: [1],
    };
    writeResults(folder, "tail", machine, 3, 0.5, report);
    assert.deepEqual(readdirSync(folder).sort(), ["picture.svg", "tail.json", "tail.md"]);
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    assert.deepEqual(JSON.parse(read("tail.json")), {
      ...{ title: "Title", machine, rounds: 3, loadAverageBefore: 0.5, data: [1] },
    });
    assert.ok(read("tail.md").startsWith("# Title\n\n2026-01-02, commit abc1234"));
    assert.ok(read("tail.md").includes("![Fast & <slow>](picture.svg)\n\n"));
    assert.ok(
      read("tail.md").endsWith('No plot of "Fast & <slow>": the generator was late in all runs.\n\n| a |\n'),
    );
    assert.equal(read("picture.svg"), drawPlot(PLOT));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
