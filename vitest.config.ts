import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/slowest-first.ts";
import { TEST_MS_MAX } from "./test/until.ts";

/** What they test keeps nothing between tests but memory that is used again: their modules are loaded once, not once a file. */
const PARTS = ["base", "command", "node", "raft", "resp", "store", "wire"].map(
  (part) => `test/${part}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    testTimeout: TEST_MS_MAX,
    hookTimeout: TEST_MS_MAX,
    globalSetup: "./test/end-with-parent.ts",
    sequence: { sequencer: SlowestFirst },
    // Stories with processes wait more than they compute: on two cores one worker would leave half of the time unused.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { extends: true, test: { name: "parts", include: PARTS, isolate: false } },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...PARTS],
        },
      },
    ],
  },
});
