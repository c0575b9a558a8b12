// docker-compose.yml against the settings it uses: there is no engine in the tests, but every node's flags
// must at least be flags that the program takes, and agree with each other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { parseCommandLine } from "../../src/config/command-line.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";

test("docker-compose.yml starts three nodes that agree on what they must share", () => {
  const text = readFileSync("docker-compose.yml", "utf8");
  const commands = [...text.matchAll(/command: (\[[^\]]*\])/g)].map(
    (match) => JSON.parse(match[1]!.replace("*secret", '"a secret"')) as string[],
  );
  const nodes = commands.map((argv) => {
    const parsed = parseCommandLine(argv);
    assert.ok(parsed.kind === "run");
    const loaded = loadSettings({ flags: parsed.flags });
    assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
    assert.deepEqual(loaded.warnings, []);
    return new Configuration(loaded.settings);
  });
  assert.deepEqual(
    nodes.map((node) => node.settings.nodeName),
    ["n1", "n2", "n3"],
  );
  for (const node of nodes) {
    assert.deepEqual(node.sharedDifferences(nodes[0]!.sharedText()), []);
    assert.equal(node.settings.peerPort, 16379);
    assert.deepEqual(node.settings.peerBind, ["*", "-::*"]);
  }
});
