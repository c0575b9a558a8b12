// Bundles the search for new seeds into plain JavaScript and runs it: see docs/TESTING.md. `npm run explore -- --help`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(join(here, "../.."));
const folder = mkdtempSync(join(tmpdir(), "seshat-explore-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "cli.mjs");
await build({
  input: join(here, "cli.ts"),
  platform: "node",
  output: { file, format: "esm" },
  logLevel: "warn",
});
const { main } = await import(pathToFileURL(file).href);
process.exitCode = await main(process.argv.slice(2));
