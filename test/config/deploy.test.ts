// docker-compose.yml and deploy/ against the settings they use: there is no engine in the tests, but every node's flags
// must at least be flags that the program takes, and agree with each other.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { parse } from "yaml";
import { installed } from "../e2e/processes.ts";
import { checkPods, configurationOf, parseManifests } from "./manifests.ts";

test("docker-compose.yml starts three nodes that agree on what they must share", () => {
  const text = readFileSync("docker-compose.yml", "utf8");
  const commands = [...text.matchAll(/command: (\[[^\]]*\])/g)].map(
    (match) => JSON.parse(match[1]!) as string[],
  );
  assert.match(text, /environment:\n {4}SESHAT_CLUSTER_SECRET: \$\{SESHAT_CLUSTER_SECRET:\?/);
  const environment = { SESHAT_CLUSTER_SECRET: "a secret of twenty or so" };
  const nodes = commands.map((command) => configurationOf(command, environment));
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

test("the pods of deploy/kubernetes are the members they name, and agree", () => {
  checkPods(parseManifests(readFileSync("deploy/kubernetes/seshat.yaml", "utf8")));
});

test.skipIf(!installed("promtool"))(
  "promtool accepts the alert rules (skipped where it is not installed)",
  () => {
    const cwd = "deploy/prometheus";
    execFileSync("promtool", ["check", "rules", "alerts.yaml"], { cwd });
    execFileSync("promtool", ["test", "rules", "alerts.test.yaml"], { cwd });
  },
);

test("alert rules have names, expressions and summaries; the dashboard's panels do not overlap", () => {
  const { groups } = parse(readFileSync("deploy/prometheus/alerts.yaml", "utf8")) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { expr, annotations } of rules) assert.ok(expr !== "" && annotations.summary !== "");

  const { panels } = JSON.parse(readFileSync("deploy/grafana/seshat.json", "utf8")) as {
    panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on ${taken.get(`${x},${y}`)}`);
        taken.set(`${x},${y}`, title);
      }
    }
  }
});
