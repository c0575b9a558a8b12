// Processes that tests start end with whoever started them, however that one ends.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { isAlive } from "./alive.ts";
import { until } from "./until.ts";

const FOREVER = "setInterval(() => {}, 1000)";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "seshat-children-"));
  const root = join(import.meta.dirname, "..");
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const options = [
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--types",
    "node",
    "--strict",
    "--skipLibCheck",
  ];
  const words = [compiler, "--ignoreConfig", "--outDir", folder, ...options, "test/children.ts"];
  execFileSync(process.execPath, words, { cwd: root, stdio: "inherit" });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts one child that ends at once, and one that has a child of its own; prints the numbers of those that stay. */
const parentIn = (place: string): string => `
import { once } from "node:events";
import { startChild } from ${JSON.stringify(join(place, "children.js"))};
const forever = ${JSON.stringify(FOREVER)};
const inner = \`const { pid } = require("node:child_process").spawn(process.execPath, ["-e", \${JSON.stringify(forever)}]);
  console.log(process.pid + " " + pid); \${forever}\`;
await once(startChild("true", [], { stdio: "ignore" }), "exit");
startChild(process.execPath, ["-e", inner], { stdio: ["ignore", "inherit", "inherit"] });
`;

describe("whoever starts processes", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    test(`is ended by ${signal}: so are they`, async () => {
      const file = join(folder, "parent.mjs");
      writeFileSync(file, parentIn(folder));
      const parent = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      parent.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [child, grandchild] = await until("both", () =>
        /^(\d+) (\d+)\n/.exec(said)?.slice(1).map(Number),
      );
      assert.ok(child !== undefined && grandchild !== undefined);
      const ended = once(parent, "exit");
      parent.kill(signal);
      await ended;
      await until("the child is gone", () => !isAlive(child));
      await until("the grandchild is gone", () => !isAlive(grandchild));
    });
  }
});
