// Collections dumped by redis-server and restored here, and the other way: the same members must come out, in the same
// form where 7.0 has it.
//
//   DIFFERENTIAL_SEED=n   the values      DIFFERENTIAL_COMMANDS=n   how many

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { drawsOf } from "../chance.ts";
import { TEST_MS_MAX } from "../until.ts";
import type { Executor } from "./executor.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SMALL_SETTINGS, SMALL_THRESHOLDS } from "./small-thresholds.ts";

const version = installedVersion();

const latin1 = (word: string): Buffer => Buffer.from(word, "latin1");

function drawWord(random: Xoshiro): string {
  const how = random.below(8);
  if (how < 3) return String(random.below(2000) - 1000);
  if (how < 4) return String(2 ** random.below(50) * (random.below(3) - 1));
  if (how < 5)
    return ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "", "-0"][random.below(5)]!;
  return "abc\x00\xff"[random.below(5)]!.repeat(random.below([3, 22, 70, 5000][random.below(4)]!));
}

function drawScore(random: Xoshiro): string {
  if (random.below(3) === 0) return String(random.below(40) - 20);
  return ["1.5", "0.1", "-inf", "inf", "1e100", "-3e-7", "4611686018427387904", "9007199254740993"][
    random.below(8)
  ]!;
}

function drawValue(random: Xoshiro): string[] {
  const count = 1 + random.below([4, 12, 700][random.below(3)]!);
  const isOfIntegers = random.below(2) === 0;
  const words = Array.from({ length: count }, () =>
    isOfIntegers ? String(random.below(99_999)) : drawWord(random),
  );
  const type = random.below(4);
  if (type === 0) return ["SADD", "k", ...words];
  if (type === 1) return [random.below(2) === 0 ? "RPUSH" : "LPUSH", "k", ...words];
  if (type === 2)
    return ["ZADD", "k", ...new Set(words)].flatMap((word, i) => (i < 2 ? word : [drawScore(random), word]));
  // Not so many that HSET looks at the number of its fields.
  return ["HSET", "k", ...words.slice(0, 8).flatMap((word) => [word, drawWord(random)])];
}

/** What 7.0 has no listpacks of. */
const FORM_OF: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ["SADD", [/listpack|hashtable/, "strings"]],
  ["RPUSH", [/listpack|quicklist/, "list"]],
  ["LPUSH", [/listpack|quicklist/, "list"]],
]);

/** Digest and form of k, after its way through a dump from one to the other. */
async function moved(command: string[], from: Executor, to: Executor): Promise<string[]> {
  const run = (executor: Executor, ...commands: (string | Buffer)[][]): Promise<Buffer[]> =>
    executor.run(
      commands.map((words) => words.map((word) => (typeof word === "string" ? latin1(word) : word))),
    );
  const [, , , dumped, digest] = await run(
    from,
    ["DEL", "k"],
    command.slice(0, 4),
    command,
    ["DUMP", "k"],
    ["DEBUG", "DIGEST-VALUE", "k"],
  );
  const payload = dumped!.subarray(dumped!.indexOf("\r\n") + 2, -2);
  const [restored, there, encoding] = await run(
    to,
    ["RESTORE", "k", "0", payload, "REPLACE"],
    ["DEBUG", "DIGEST-VALUE", "k"],
    ["OBJECT", "ENCODING", "k"],
  );
  assert.equal(restored!.toString(), "+OK\r\n");
  assert.equal(there!.toString(), digest!.toString());
  const form = encoding!.toString().split("\r\n")[1]!;
  const [pattern, name] = FORM_OF.get(command[0]!) ?? [/$/, ""];
  return [digest!.toString(), form.replace(pattern, name)];
}

for (const { seed, count, text } of drawsOf("dumps of members"))
  for (const isSmall of [false, true]) {
    test.skipIf(version === undefined)(
      `${isSmall ? "tiny thresholds: " : ""}dumps of collections both ways: ${text}${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
      async () => {
        const redis = await startRedisServer(isSmall ? SMALL_SETTINGS : []);
        const ours = new MemoryExecutor(isSmall ? { thresholds: SMALL_THRESHOLDS } : {});
        const random = new Xoshiro(seed);
        try {
          for (let i = 0; i < count; i++) {
            const command = drawValue(random);
            const there = await moved(command, ours, redis.executor);
            const here = await moved(command, redis.executor, ours);
            assert.deepEqual(here, there, `seed ${seed}, round ${i}: ${command.slice(0, 6).join(" ")}`);
          }
        } finally {
          await redis.stop();
        }
      },
      TEST_MS_MAX + 100 * count,
    );
  }
