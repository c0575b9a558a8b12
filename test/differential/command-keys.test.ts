// COMMAND GETKEYS and GETKEYSANDFLAGS of random commands, beside redis-server: cluster clients and proxies send commands
// where these replies say.
//
//   KEYS_SEED=n   the sequence      KEYS_ROUNDS=n   how many rounds, each with every command

import assert from "node:assert/strict";
import { test } from "vitest";
import { commandFacts } from "../../src/command/command-facts.ts";
import { drawsOf } from "../chance.ts";
import { Fake } from "../command/local-fake.ts";
import { TEST_MS_MAX } from "../until.ts";
import type { Command } from "./executor.ts";
import { Generator } from "./generate.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";

const version = installedVersion();

/** Why this command is left out; undefined when it is compared. */
function exception(subcommand: string, command: Command): string | undefined {
  const name = command[0]!.toString().toLowerCase();
  if (name === "sinterstore" && subcommand === "GETKEYSANDFLAGS") return "other flags since 7.2";
  if (/^z(rev)?rank$/.test(name) && command.length > 3) return "a score may be asked for since 7.2";
  const isCounted = (commandFacts[name] ?? "").includes('"type":"keynum"');
  const texts = command.map((word) => word.toString("latin1"));
  const isOdd = texts.some((text) => /^\s*[-+]?\d/.test(text) && !/^(0|[1-9]\d{0,8})$/.test(text));
  return isCounted && isOdd ? "Redis reads such numbers of keys a second time, by atoi" : undefined;
}

for (const { seed, count: rounds, text } of drawsOf("keys of commands")) {
  test.skipIf(version === undefined)(
    `keys of random commands as redis-server (${version ?? "skipped: no redis-server installed"}): ${text}`,
    async () => {
      const server = await startRedisServer();
      try {
        const generator = new Generator({ seed, nowMs: Date.now(), focus: [] });
        const fake = new Fake();
        let withKeys = 0;
        for (let round = 0; round < rounds; round++) {
          const commands = [
            ...generator.oneOfEach(),
            ...Array.from({ length: 50 }, () => generator.next()).flat(),
          ];
          const asked = ["GETKEYS", "GETKEYSANDFLAGS"].flatMap((subcommand) =>
            commands
              .filter((command) => exception(subcommand, command) === undefined)
              .map((command) => ask(subcommand, command)),
          );
          const theirs = await server.executor.run(asked);
          asked.forEach((command, i) => {
            const ours = fake.run(command.map((word) => word.toString("latin1")));
            const wanted = theirs[i]!.toString("latin1");
            if (wanted.startsWith("*")) withKeys++;
            assert.equal(
              ours,
              wanted,
              `seed ${seed}: ${command.map((word) => JSON.stringify(word.toString("latin1")).slice(0, 60)).join(" ")}`,
            );
          });
        }
        assert.ok(withKeys > 50 * rounds, `only ${withKeys} replies had keys`);
      } finally {
        await server.stop();
      }
    },
    TEST_MS_MAX + 1000 * rounds,
  );
}

const ask = (subcommand: string, command: Command): Command => [
  Buffer.from("COMMAND"),
  Buffer.from(subcommand),
  ...command,
];
