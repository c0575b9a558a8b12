// Bundles the fault tests into plain JavaScript and runs them: see docs/TESTING.md. `npm run chaos -- --help`.

import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const here = dirname(fileURLToPath(import.meta.url));
// Two folders below the root, as the sources are: paths from there to dist/main.js stay the same.
const folder = mkdtempSync(join(here, "../../dist/chaos-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "cli.mjs");
await build({
  input: join(here, "cli.ts"),
  platform: "node",
  external: ["ioredis"],
  output: { file, format: "esm" },
  logLevel: "warn",
});
const { main } = await import(pathToFileURL(file).href);
process.exitCode = await main(process.argv.slice(2));
