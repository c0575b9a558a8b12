// Every transcript of a folder, wherever below it the file lies, byte for byte. RAFT_CONFORMANCE_DIR names the folder;
// the default is the conformance kit, which is not part of the repository.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { type Directive, parseDirectives, runDirectives } from "./harness/datadriven.ts";
import { Environment } from "./harness/environment.ts";
import { ChangeEnvironment, handleQuorum } from "./harness/pure.ts";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const ROOT = process.env["RAFT_CONFORMANCE_DIR"] ?? resolve(REPOSITORY, "../shared/raft-conformance");

/** FORMAT.md sections 7 and 8; all other directives act on a cluster. */
const QUORUM = new Set(["committed", "vote"]);
const CONFIGURATION_CHANGE = new Set(["simple", "enter-joint", "leave-joint"]);

function newHandler({ command }: Directive): (directive: Directive) => string {
  if (QUORUM.has(command)) return handleQuorum;
  const environment = CONFIGURATION_CHANGE.has(command) ? new ChangeEnvironment() : new Environment();
  return (directive) => environment.handle(directive);
}

const files = existsSync(ROOT) ? readdirSync(ROOT, { recursive: true, encoding: "utf8" }) : [];
let count = 0;
for (const name of files.filter((file) => file.endsWith(".txt")).sort()) {
  const text = readFileSync(join(ROOT, name), "utf8");
  // The kit's licences are text files too, and have no directives.
  if (!/^----$/m.test(text)) continue;
  count++;
  test(name, () => {
    const [first] = parseDirectives(text);
    if (first === undefined) throw new Error(`${name} has no directive`);
    runDirectives(name, text, newHandler(first));
  });
}
if (count === 0) test.skip(`transcripts: the kit is absent from ${ROOT}: set RAFT_CONFORMANCE_DIR`, () => {});
