// The program as it is shipped: compiled once per test run into a folder of its own, so that tests of processes
// need no `npm run build` before them and do not disturb one.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface BuiltProgram {
  /** To be run with node. */
  readonly main: string;
  readonly folder: string;
  remove(): void;
}

export function buildProgram(): BuiltProgram {
  const root = join(import.meta.dirname, "..", "..");
  const folder = mkdtempSync(join(tmpdir(), "seshat-build-"));
  const out = join(folder, "dist");
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", out], {
      stdio: "pipe",
    });
  } catch (error) {
    // Types are tsc's own check; here it is enough that there is a program.
    if (!existsSync(join(out, "main.js"))) throw error;
  }
  cpSync(join(root, "src", "wire", "generated"), join(out, "wire", "generated"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    main: join(out, "main.js"),
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
