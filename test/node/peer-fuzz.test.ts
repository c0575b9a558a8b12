// Frames of members that are spoilt on their way: no node ends, terms do not run away, and when it is over the cluster serves. And the
// fuzzer itself: without one of the checks it finds something. PEER_FUZZ_SEED=n repeats one run; `npm run explore -- --only
// "spoilt frames"` draws others.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { EntryCheck } from "../../src/machine/entry-check.ts";
import { Forwarding } from "../../src/node/forwarding.ts";
import { PeerFrames } from "../../src/node/peer-frames.ts";
import { RaftCore } from "../../src/raft/core.ts";
import { drawsOf } from "../chance.ts";
import { replaced } from "../replaced.ts";
import { fuzz, servesAgain } from "./spoilt-frames.ts";
import { hostsOf } from "./world.ts";

const SPOILT = 150;

describe("spoilt frames between members", () => {
  for (const { seed, count: steps, text } of drawsOf("spoilt frames")) {
    test(`${text}: nobody ends, and the cluster serves again`, () => {
      const { world, count } = fuzz(seed, SPOILT, steps);
      assert.ok(count > 100, `${count} frames were spoilt`);
      assert.ok(hostsOf(world).some(({ rejected }) => rejected > 0));
      servesAgain(world, String(seed));
    });
  }
});

describe("without a check the fuzzer finds what it was for", () => {
  const unchecked = {
    "of Raft's messages against the state": () =>
      replaced(RaftCore.prototype, "objection", () => () => undefined),
    "of entries": () => replaced(EntryCheck.prototype, "problem", () => () => undefined),
    "of replies to what was passed on": () =>
      replaced(Forwarding.prototype, "replyProblem", () => () => undefined),
    "of whole frames": () => replaced(PeerFrames.prototype, "problem", () => () => undefined),
  } as const;
  const SEEDS_MAX = 3;
  const STEPS = 500;

  for (const [name, install] of Object.entries(unchecked)) {
    test(name, () => {
      const mend = install();
      try {
        const found = Array.from({ length: SEEDS_MAX }, (_, i) => i + 1).find((seed) => fails(seed));
        assert.ok(found !== undefined, `nothing is found within ${SEEDS_MAX} seeds`);
      } finally {
        mend();
      }
    });
  }

  function fails(seed: number): boolean {
    try {
      servesAgain(fuzz(seed, SPOILT, STEPS).world, String(seed));
      return false;
    } catch {
      return true;
    }
  }
});
