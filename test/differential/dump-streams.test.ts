// Streams dumped by redis-server and restored here, and the other way: entries, groups and what is pending must come out.
//
//   DIFFERENTIAL_SEED=n   the streams      DIFFERENTIAL_COMMANDS=n   how many

import assert from "node:assert/strict";
import { test } from "vitest";
import { drawsOf } from "../chance.ts";
import { TEST_MS_MAX } from "../until.ts";
import { Draw } from "./draw.ts";
import type { Executor } from "./executor.ts";
import { streams } from "./families/streams.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { disagreement } from "./normalise.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SMALL_SETTINGS, SMALL_THRESHOLDS } from "./small-thresholds.ts";

const version = installedVersion();
const COMMANDS = 60;
const GROUPS = ["g1", "g2", "group three"];

const run = (executor: Executor, ...commands: (string | Buffer)[][]): Promise<Buffer[]> =>
  executor.run(
    commands.map((words) =>
      words.map((word) => (typeof word === "string" ? Buffer.from(word, "latin1") : word)),
    ),
  );

/** What can be seen of the stream in "to". */
const views: readonly string[][] = [
  ["XINFO", "STREAM", "to", "FULL", "COUNT", "0"],
  ["XINFO", "STREAM", "to"],
  ["XINFO", "GROUPS", "to"],
  ["DEBUG", "DIGEST-VALUE", "to"],
  ["XRANGE", "to", "-", "+"],
  ...GROUPS.flatMap((group) => [
    ["XPENDING", "to", group],
    ["XPENDING", "to", group, "-", "+", "1000"],
    ["XPENDING", "to", group, "-", "+", "1000", "alice"],
  ]),
  // Goes on as it would have gone on.
  ["XADD", "to", "99999999-1", "f", "v"],
  ["XTRIM", "to", "MAXLEN", "~", "3"],
  // Redis 7.0 makes no consumer where there is nothing to read for it; 7.2 and Seshat do.
  ["XGROUP", "CREATECONSUMER", "to", "g1", "bob"],
  ["XREADGROUP", "GROUP", "g1", "bob", "STREAMS", "to", ">"],
  ["XINFO", "STREAM", "to", "FULL"],
];

/** Drawn commands whose key is the only one. */
function drawStream(g: Draw): string[][] {
  const makers = streams.commands.map(([, maker]) => maker);
  const commands: string[][] = [["DEL", "k"]];
  for (const group of GROUPS) commands.push(["XGROUP", "CREATE", "k", group, "0", "MKSTREAM"]);
  for (let i = 0; i < COMMANDS; i++) {
    const command = g.chance(1, 2) ? streams.commands[0]![1](g) : g.pick(makers)(g);
    if (!/^X/.test(command[0]!) || /^XSETID$/.test(command[0]!)) continue;
    const all = command.map((word) => (/^stream:/.test(word) ? "k" : word));
    const { before } = streams.mend?.(g, all) ?? { before: [] };
    commands.push(...before, all);
  }
  // Whatever was drawn, something is pending.
  commands.push(
    ["XADD", "k", "88888888-1", "f", "v"],
    ["XGROUP", "DESTROY", "k", "g2"],
    ["XGROUP", "CREATE", "k", "g2", "88888888-0"],
    ["XGROUP", "CREATECONSUMER", "k", "g2", "alice"],
    ["XREADGROUP", "GROUP", "g2", "alice", "STREAMS", "k", ">"],
  );
  return commands;
}

async function dumpOf(executor: Executor): Promise<Buffer> {
  const [dumped] = await run(executor, ["DUMP", "k"]);
  return dumped!.subarray(dumped!.indexOf("\r\n") + 2, -2);
}

for (const { seed, count, text } of drawsOf("dumps of streams"))
  for (const isSmall of [false, true]) {
    test.skipIf(version === undefined)(
      `${isSmall ? "tiny thresholds: " : ""}dumps of streams both ways: ${text}${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
      async () => {
        const redis = await startRedisServer(isSmall ? SMALL_SETTINGS : []);
        const ours = new MemoryExecutor({
          clock: Date.now,
          ...(isSmall ? { thresholds: SMALL_THRESHOLDS } : {}),
        });
        const g = new Draw(seed, Date.now(), ["stream:1"], []);
        g.familyKeys = ["stream:1"];
        let pending = 0;
        try {
          for (let round = 0; round < count; round++) {
            const commands = drawStream(g);
            await run(ours, ...commands);
            await run(redis.executor, ...commands);
            const here = await dumpOf(ours);
            const there = await dumpOf(redis.executor);
            const problem = `seed ${seed}, round ${round}`;
            for (const payload of [here, there]) {
              const restore = ["RESTORE", "to", "0", payload, "REPLACE"];
              const [[a, ...mine], [b, ...theirs]] = await Promise.all([
                run(ours, restore, ...views),
                run(redis.executor, restore, ...views),
              ]);
              assert.equal(a!.toString(), "+OK\r\n", problem);
              assert.equal(b!.toString(), "+OK\r\n", problem);
              views.forEach((view, i) => {
                if (view[0] === "XPENDING" && /^\*4\r\n:[1-9]/.test(mine[i]!.toString("latin1"))) pending++;
                const how = disagreement(view.join(" "), mine[i]!, theirs[i]!);
                if (how !== undefined)
                  assert.equal(
                    mine[i]!.toString("latin1"),
                    theirs[i]!.toString("latin1"),
                    `${problem}: ${view}`,
                  );
              });
            }
          }
          assert.ok(pending >= 2 * count, `${pending} groups had something pending`);
        } finally {
          await redis.stop();
        }
      },
      TEST_MS_MAX + 500 * count,
    );
  }
