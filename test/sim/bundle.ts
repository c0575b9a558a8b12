// The simulator for its tests as one plain JavaScript file, as run.mjs has it for people: what a test runner puts between
// modules is a quarter of the time.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

export async function bundled(): Promise<typeof import("./parts.ts")> {
  const folder = mkdtempSync(join(tmpdir(), "seshat-sim-"));
  const file = join(folder, "parts.mjs");
  const input = join(dirname(fileURLToPath(import.meta.url)), "parts.ts");
  try {
    await build({ input, platform: "node", output: { file, format: "esm" }, logLevel: "warn" });
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
