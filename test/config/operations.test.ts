// The table of errors and log lines in docs/OPERATIONS.md: each text in it is one that a node has.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "vitest";

/** All of src/ as one text: strings that go on in the next line are joined, values inside a text become "...". */
function sourceText(): string {
  return readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(`src/${path}`, "utf8"))
    .join("\n")
    .replace(/["`] \+\s+["`]/g, "")
    .replace(/\$\{[^}]*\}/g, "...");
}

test("each text in the table of errors and log lines is in the source", () => {
  const section = readFileSync("docs/OPERATIONS.md", "utf8").split("## Errors and log lines")[1] ?? "";
  const cells = [...section.matchAll(/^\| (?:log: )?(`.*?`) (?:with a reason )?\|/gm)].map((row) => row[1]!);
  const texts = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((text) => text[1]!));
  assert.ok(texts.length > 25, `${texts.length} texts were found`);
  const source = sourceText();
  for (const text of texts) {
    for (const part of text.split(/\.\.\./)) {
      const words = part.trim();
      // Between two values there may be nothing but a sign.
      if (words.length > 3) assert.ok(source.includes(words), `"${words}" of "${text}" is in no source file`);
    }
  }
});
