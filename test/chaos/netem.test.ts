// A round in a network namespace whose packets are late, lost and out of order. As root, where the kernel has netem.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { requireBuild } from "../e2e/processes.ts";
import { namespaceProblem } from "./namespace.ts";

const NETEM = "netem delay 20ms 10ms loss 1% reorder 10%";
const problem = namespaceProblem(NETEM.split(" "));

test.skipIf(problem !== undefined)(
  `packets late, lost and out of order${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    requireBuild();
    const run = fileURLToPath(new URL("run.mjs", import.meta.url));
    const words = [run, "--tc", NETEM, "--seed", "6", "--seconds", "4", "--minutes", "0.05"];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, / 0 anomalies/);
  },
);
