// Sketches beside redis-server's under other values of hll-sparse-max-bytes: the same bytes after every step, so the
// change from sparse to dense comes at the same element.
//
//   DIFFERENTIAL_SEED=n   the elements      DIFFERENTIAL_COMMANDS=n   how many steps at each limit

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { DEFAULT_THRESHOLDS } from "../../src/store/thresholds.ts";
import { drawsOf } from "../chance.ts";
import { TEST_MS_MAX } from "../until.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";

const version = installedVersion();

for (const { seed, count: steps, text } of drawsOf("sparse limits")) {
  test.skipIf(version === undefined)(
    `sparse limits: ${text}${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
    async () => {
      const redis = await startRedisServer();
      const random = new Xoshiro(seed);
      const words = (text: string): Buffer[] => text.split(" ").map((word) => Buffer.from(word));
      try {
        for (const hllSparseBytesMax of [0, 18, 19, 40, 300, 3000, 6000]) {
          const ours = new MemoryExecutor();
          ours.store.thresholds = { ...DEFAULT_THRESHOLDS, hllSparseBytesMax };
          await redis.executor.run([
            words("FLUSHALL"),
            words(`CONFIG SET hll-sparse-max-bytes ${hllSparseBytesMax}`),
          ]);
          for (let i = 0; i < steps; i++) {
            const keys = ["a", "b", "c"];
            const key = keys[random.below(3)]!;
            const count = random.below([3, 30, 1 + hllSparseBytesMax / 10][random.below(3)]!);
            const elements = Array.from({ length: count }, () => ` ${random.below(1_000_000)}`).join("");
            const step =
              random.below(6) === 0
                ? `PFMERGE ${key} ${keys[random.below(3)]!}`
                : random.below(12) === 0
                  ? `DEL ${key}`
                  : `PFADD ${key}${elements}`;
            const commands = [words(step), words(`GET ${key}`)];
            const got = await ours.run(commands);
            const wanted = await redis.executor.run(commands);
            const what = `seed ${seed}, limit ${hllSparseBytesMax}, step ${i}: ${step.slice(0, 60)}`;
            for (const [at, reply] of got.entries()) assert.ok(reply.equals(wanted[at]!), what);
          }
        }
      } finally {
        await redis.stop();
      }
    },
    TEST_MS_MAX + 200 * steps,
  );
}
