// The order of test files. The few that take longest begin first, so that no worker waits for one of them at the end. A fresh
// clone has no times of earlier runs to go by.

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Longest first. */
const SLOWEST = [
  "test/sim/sim.test.ts",
  "test/chaos/matrix.test.ts",
  "test/io/main.test.ts",
  "test/e2e/failover.test.ts",
  "test/e2e/busy.test.ts",
  "test/e2e/operator.test.ts",
  "test/e2e/cut-off.test.ts",
  "test/e2e/hostile-members.test.ts",
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = SLOWEST.findIndex((path) => moduleId.endsWith(path));
      return place < 0 ? SLOWEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
