// client-output-buffer-limit: hard at once, soft only after its seconds without a break.

import assert from "node:assert/strict";
import { test } from "vitest";
import { OutputLimiter } from "../../src/node/output-limit.ts";

const limit = { hardBytes: 100, softBytes: 50, softSeconds: 2 };

test("the hard limit holds at once, and 0 is none", () => {
  assert.equal(new OutputLimiter().exceeded(101, limit, 0), true);
  assert.equal(new OutputLimiter().exceeded(100, { ...limit, softBytes: 0 }, 0), false);
  assert.equal(new OutputLimiter().exceeded(1e9, { hardBytes: 0, softBytes: 0, softSeconds: 0 }, 1e9), false);
});

test("the soft limit holds after its seconds, and starts over when the client catches up", () => {
  const limiter = new OutputLimiter();
  assert.equal(limiter.exceeded(60, limit, 1000), false);
  assert.equal(limiter.exceeded(60, limit, 3000), false);
  assert.equal(limiter.exceeded(50, limit, 3001), false);
  assert.equal(limiter.exceeded(60, limit, 3002), false);
  assert.equal(limiter.exceeded(60, limit, 5003), true);
});
