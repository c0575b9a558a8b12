// Every data command is drawn, whatever the seed, and every one is answered once by more than an error.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { lookup } from "../../src/command/lookup.ts";
import { answeredSteps, wordsOf } from "./answered-commands.ts";
import { comparedCommands } from "./data-commands.ts";
import { Generator } from "./generate.ts";
import { MemoryExecutor } from "./memory-executor.ts";

const SEEDS = 50;
const MINUS = 0x2d;

test("one command of each maker: all commands are among them, with any seed", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const generator = new Generator({ seed, nowMs: 1_700_000_000_000, focus: [] });
    const drawn = new Set(generator.oneOfEach().map((command) => lookup(Args.of(...command))?.name));
    const missing = comparedCommands.filter((name) => !drawn.has(name));
    assert.deepEqual(missing, [], `with seed ${seed} nobody draws them: families/`);
  }
});

test("the steps that the comparison begins with answer every command", () => {
  const answered = new Set<string | undefined>();
  for (const step of answeredSteps) {
    const executor = new MemoryExecutor();
    for (const words of wordsOf(step)) {
      const reply = executor.runOne(words);
      if (reply[0] !== MINUS) answered.add(lookup(Args.of(...words))?.name);
    }
  }
  const missing = comparedCommands.filter((name) => !answered.has(name));
  assert.deepEqual(missing, [], "no step of answered-commands.ts or event-commands.ts has them");
});
