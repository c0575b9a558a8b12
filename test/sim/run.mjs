// Bundles the simulator into plain JavaScript and runs it: see docs/TESTING.md. `npm run sim -- --help`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "seshat-sim-"));
const file = join(folder, "cli.mjs");
try {
  await build({
    input: join(here, "cli.ts"),
    platform: "node",
    output: { file, format: "esm" },
    logLevel: "warn",
  });
  const { main } = await import(pathToFileURL(file).href);
  process.exitCode = await main(process.argv.slice(2));
} finally {
  rmSync(folder, { recursive: true });
}
