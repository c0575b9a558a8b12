// The search for new seeds, with programs that end well, end badly, or do not end.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { isAlive } from "../alive.ts";
import { RANDOM_TESTS } from "../seeds.ts";
import { until } from "../until.ts";
import { Explorer } from "./explorer.ts";
import { allTargets, saidByVitest, type Target } from "./targets.ts";

function target(name: string, script: string): Target {
  return {
    name,
    attempt: (seed) => ({
      command: [process.execPath, "-e", script],
      environment: { X_DRAW: String(seed) },
      drawn: `X_DRAW=${seed}`,
      failuresIn: (output) => [{ what: output, replay: `X_DRAW=${seed} x`, keep: `${seed} in a file` }],
    }),
  };
}

function explorer(targets: readonly Target[], said: string[]): Explorer {
  return new Explorer({ targets, first: 7, jobs: 1, say: (text) => void said.push(text) });
}

test("a failure is told with its seed, the rest goes on, and the end says it again", async () => {
  const said: string[] = [];
  const it = explorer(
    [
      target("good", ""),
      target("bad", "console.log('wrong with ' + process.env.X_DRAW); process.exit(3)"),
      target("skipped", "console.log('      Tests  2 skipped (2)')"),
    ],
    said,
  );
  const running = it.run();
  await until("two turns of each", () => said.filter((line) => line.startsWith("FAILED")).length === 2);
  it.stop();
  assert.equal(await running, false);
  const text = said.join("\n");
  const [, seed] = /FAILED {4}bad: X_DRAW=(\d+)/.exec(text) ?? assert.fail(text);
  assert.match(
    text,
    new RegExp(`wrong with ${seed}\n\\s+replay: X_DRAW=${seed} x\n\\s+keep: +${seed} in a file`),
  );
  assert.match(text, /ok {8}good: X_DRAW=\d+/);
  assert.equal(text.match(/left out {2}skipped/g)?.length, 1);
  assert.match(text, /2 failures; each repeated/);
});

test("the same first seed draws the same again", async () => {
  const seedsOf = async (): Promise<readonly string[]> => {
    const said: string[] = [];
    const it = explorer([target("good", "")], said);
    const running = it.run();
    await until("three turns", () => said.length > 3);
    it.stop();
    assert.equal(await running, true);
    return said.slice(0, 3).map((line) => /X_DRAW=\d+/.exec(line)![0]);
  };
  assert.deepEqual(await seedsOf(), await seedsOf());
});

test("stop() ends what runs, and what that has started", async () => {
  const said: string[] = [];
  const forever = "setInterval(() => {}, 1000)";
  const script =
    `const { spawn } = require("node:child_process");` +
    `const child = spawn(process.execPath, ["-e", ${JSON.stringify(forever)}], { stdio: "ignore" });` +
    `require("node:fs").writeFileSync(process.env.PID_FILE, String(child.pid)); ${forever}`;
  const folder = mkdtempSync(join(tmpdir(), "seshat-explorer-"));
  const file = join(folder, "pid");
  const it = explorer(
    [
      {
        ...target("endless", script),
        attempt: () => ({ ...target("", script).attempt(1), environment: { PID_FILE: file } }),
      },
    ],
    said,
  );
  const running = it.run();
  const pid = await until("a grandchild", () =>
    existsSync(file) ? Number(readFileSync(file, "utf8")) || undefined : undefined,
  );
  it.stop();
  assert.equal(await running, true);
  await until("the grandchild is gone", () => !isAlive(pid));
  rmSync(folder, { recursive: true });
});

test("each test of seeds.ts is a file that draws from there, and a target", () => {
  const names = allTargets().map(({ name }) => name);
  for (const [name, { file, seedVariable }] of Object.entries(RANDOM_TESTS)) {
    const path = `test/${file.replace(/\.test$/, "")}.test.ts`;
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(`drawsOf("${name}")`), `${path} draws "${name}"`);
    assert.ok(text.includes(`${seedVariable}=n`), `${path} says its variable`);
    assert.ok(names.includes(name), name);
  }
});

/** As `npm run explore -- ...` runs it. */
function commandLine(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["test/explore/run.mjs", ...words], { encoding: "utf8" });
}

test("a mistake in the options is named, and nothing runs", () => {
  const mistakes: readonly (readonly [words: string[], text: string])[] = [
    [["--only", "transactions,nosuch"], "--only nosuch: no name in --list has it\n"],
    [["--first", "x"], "--first x: it must be a whole number\n"],
    [["--jobs", "0"], "--jobs 0: it must be a whole number from 1 on\n"],
    [["--nosuch"], "Unknown option '--nosuch'"],
    [["--minutes=-1"], "--minutes -1: it must be a number above 0\n"],
  ];
  for (const [words, text] of mistakes) {
    const { status, stdout, stderr } = commandLine(...words);
    assert.deepEqual([status, stdout, stderr.slice(0, text.length)], [2, "", text]);
  }
});

test("--list names the targets, and the example in docs/TESTING.md names some of them", () => {
  const example = /npm run explore -- --only (\S+)/.exec(readFileSync("docs/TESTING.md", "utf8"))?.[1];
  assert.ok(example !== undefined);
  for (const part of example.split(",")) {
    const { status, stdout } = commandLine("--list", "--only", part);
    assert.deepEqual([status, stdout.includes(part)], [0, true], part);
  }
});

test("what failed is found in vitest's output", () => {
  const output = " RUN  v4\n\n ✓ test/a.test.ts\n\n FAIL  whole  test/b.test.ts > x\nAssertionError: no\n";
  assert.equal(saidByVitest(output), " FAIL  whole  test/b.test.ts > x\nAssertionError: no");
  const sent = Array.from({ length: 90 }, (_, i) => `sent ${i}`).join("\n");
  const said = saidByVitest(` FAIL  x\nError: seed 1\n${sent}\nours 1\ntheirs 2\n ❯ x.ts:1\n  93| code`);
  assert.match(
    said,
    /^ FAIL {2}x\nError: seed 1\nsent 0\nsent 1\n\.\.\.\n.*sent 89\nours 1\ntheirs 2\n ❯ x\.ts:1$/s,
  );
});
