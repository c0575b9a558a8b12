// The settings in the core's terms, and what the core says in the operator's.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { defaultSettings } from "../../src/config/table.ts";
import { raftConfigOf } from "../../src/node/raft-config.ts";
import { FakeLog } from "../io/fakes.ts";

test("the log names this node, and not its id", () => {
  const log = new FakeLog();
  const id = 0xe7cece6fefa1;
  const settings = { ...defaultSettings(), nodeName: "n2" };
  const { trace } = raftConfigOf(settings, id, 0, new Xoshiro(1), log);
  trace?.("warn", `${id.toString(16)} stepped down to follower since quorum is not active`);
  assert.deepEqual(log.lines, ["n2 stepped down to follower since quorum is not active {}"]);
});
