// The first line of the program says how it is started: the flags of Node and the variables that allocation
// needs. Every other place that starts it says the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const words = /^#!\/usr\/bin\/env -S (\S+=\S+) node (--\S+)\n/.exec(read("src/main.ts"));

test("npm start, image, unit and documents start the program as its first line does", () => {
  assert.ok(words !== null, "a variable, node, a flag");
  const [, variable, flag] = words;
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  assert.ok(scripts["start"]!.includes(` ${variable} node ${flag} dist/main.js`));
  const image = read("Dockerfile");
  assert.match(image, new RegExp(`^ENV .*${variable}$`, "m"));
  assert.match(image, new RegExp(`^ENTRYPOINT \\["node", "${flag}", "dist/main.js"`, "m"));
  const unit = read("deploy/systemd/seshat.service");
  assert.match(unit, new RegExp(`^Environment=${variable}$`, "m"));
  assert.match(unit, new RegExp(`^ExecStart=\\S+ ${flag} `, "m"));
  assert.ok(read("docs/OPERATIONS.md").includes(`\`${variable}\``));
  assert.ok(read("README.md").includes(`\`${flag}\``));
});
