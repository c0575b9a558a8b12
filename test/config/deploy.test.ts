// docker-compose.yml and deploy/ against the settings they use: there is no engine in the tests, but every node's flags
// must at least be flags that the program takes, and agree with each other.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test, vi } from "vitest";
import { parse } from "yaml";
import { parseTarget } from "../../src/io/command-client.ts";
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

describe("health checks need no password in words: they find it where the node does", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  const dockerfile = readFileSync("Dockerfile", "utf8");
  const wordsAfter = (name: string): string[] =>
    JSON.parse(new RegExp(`^${name} .*?(\\[.*\\])$`, "m").exec(dockerfile)?.[1] ?? "[]") as string[];
  const compose = parse(readFileSync("docker-compose.yml", "utf8")) as {
    "x-node": { environment: Record<string, string>; healthcheck: { test: string[] } };
  };
  const composed = compose["x-node"];

  for (const [name, words] of [
    ["the image's", wordsAfter("HEALTHCHECK")],
    ["docker-compose.yml's", composed.healthcheck.test.slice(1)],
  ] as const) {
    test(`${name} asks the image's program, as it is told by the environment`, () => {
      const [node, script, command, ...options] = words;
      assert.deepEqual([node, script, command], ["node", wordsAfter("ENTRYPOINT").at(-1), "health"]);
      const folder = mkdtempSync(join(tmpdir(), "seshat-deploy-"));
      const file = join(folder, "password");
      writeFileSync(file, "in a file\n");
      for (const [variable, value, password] of [
        ["SESHAT_REQUIREPASS", "as it is", "as it is"],
        ["SESHAT_REQUIREPASS_FILE", file, "in a file"],
        ["SESHAT_REQUIREPASS", "", undefined],
      ] as const) {
        vi.unstubAllEnvs();
        vi.stubEnv(variable, value);
        const parsed = parseTarget(options);
        assert.ok(typeof parsed !== "string");
        const { target, rest } = parsed;
        assert.deepEqual(rest, []);
        assert.deepEqual([target.host, target.port, target.password], ["127.0.0.1", 6379, password]);
        assert.equal(target.passwordFrom, password === undefined ? undefined : variable);
      }
      rmSync(folder, { recursive: true });
    });
  }

  test("compose hands the password on, and none when there is none", () => {
    assert.equal(composed.environment["SESHAT_REQUIREPASS"], "$" + "{SESHAT_REQUIREPASS:-}");
    const secrets = { SESHAT_CLUSTER_SECRET: "a secret of twenty or so", SESHAT_REQUIREPASS: "" };
    assert.equal(configurationOf([], secrets).settings.requirepass, "");
  });

  test("Kubernetes and Helm ask over HTTP, which needs none", () => {
    for (const path of ["deploy/kubernetes/seshat.yaml", "deploy/helm/seshat/templates/statefulset.yaml"]) {
      const probes = readFileSync(path, "utf8").match(/\w+Probe:\n.*$/gm) ?? [];
      assert.ok(probes.length >= 2, path);
      for (const probe of probes) assert.match(probe, /httpGet: \{ path: \/(health|ready), port: http \}/);
    }
  });

  test("systemd hands over the file that has the secrets, and shows none", () => {
    const unit = readFileSync("deploy/systemd/seshat.service", "utf8");
    assert.match(
      unit,
      /^ExecStart=\S+ --max-semi-space-size=4 \S+ \$\{CREDENTIALS_DIRECTORY\}\/seshat\.conf$/m,
    );
    assert.match(unit, /^LoadCredential=seshat\.conf:\/etc\/seshat\/seshat\.conf$/m);
    assert.doesNotMatch(unit, /^Environment=.*(PASS|SECRET)/m);
  });
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
