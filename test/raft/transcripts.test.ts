// Every transcript of the conformance kit, byte for byte. The kit is not part of the repository.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { type Directive, runDirectives } from "./harness/datadriven.ts";
import { Environment } from "./harness/environment.ts";
import { ChangeEnvironment, handleQuorum } from "./harness/pure.ts";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const ROOT = process.env["RAFT_CONFORMANCE_DIR"] ?? resolve(REPOSITORY, "../shared/raft-conformance");

const HANDLERS: Readonly<Record<string, () => (directive: Directive) => string>> = {
  quorum: () => handleQuorum,
  confchange: () => {
    const environment = new ChangeEnvironment();
    return (directive) => environment.handle(directive);
  },
  interaction: cluster,
  extra: cluster,
};

function cluster(): (directive: Directive) => string {
  const environment = new Environment();
  return (directive) => environment.handle(directive);
}

for (const [folder, newHandler] of Object.entries(HANDLERS)) {
  const path = join(ROOT, folder);
  describe(`transcripts: ${folder}`, () => {
    const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".txt")) : [];
    if (files.length === 0) {
      test.skip(`${path} is absent: set RAFT_CONFORMANCE_DIR to the conformance kit`, () => {});
    }
    for (const name of files.sort()) {
      test(name, () =>
        runDirectives(join(folder, name), readFileSync(join(path, name), "utf8"), newHandler()),
      );
    }
  });
}
