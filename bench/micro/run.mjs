// Bundles one micro-benchmark into plain JavaScript and runs it here: `node bench/micro/run.mjs <name>`.
// Plain, because a test runner's transforms and a loader's hooks would be measured too.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const here = dirname(fileURLToPath(import.meta.url));
const name = process.argv[2];
if (name === undefined) throw new Error("usage: node bench/micro/run.mjs <name>");

const folder = mkdtempSync(join(tmpdir(), "seshat-bench-"));
try {
  const file = join(folder, `${name}.mjs`);
  await build({
    input: join(here, `${name}.ts`),
    platform: "node",
    output: { file, format: "esm" },
    logLevel: "warn",
  });
  await import(pathToFileURL(file).href);
} finally {
  rmSync(folder, { recursive: true });
}
