// docker-compose.yml and deploy/ against the settings they use: there is no engine in the tests, but every node's flags
// must at least be flags that the program takes, and agree with each other.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseCommandLine } from "../../src/config/command-line.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";
import { installed } from "../e2e/processes.ts";

function configurationOf(argv: readonly string[]): Configuration {
  const parsed = parseCommandLine(argv);
  assert.ok(parsed.kind === "run");
  const loaded = loadSettings({ flags: parsed.flags });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
  assert.deepEqual(loaded.warnings, []);
  return new Configuration(loaded.settings);
}

test("docker-compose.yml starts three nodes that agree on what they must share", () => {
  const text = readFileSync("docker-compose.yml", "utf8");
  const commands = [...text.matchAll(/command: (\[[^\]]*\])/g)].map(
    (match) => JSON.parse(match[1]!.replace("*secret", '"a secret"')) as string[],
  );
  const nodes = commands.map(configurationOf);
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

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly Container[] } };
  };
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: { readonly port: string } };
}

test("the pods of deploy/kubernetes are the members they name, and agree", () => {
  const documents = parseAllDocuments(readFileSync("deploy/kubernetes/seshat.yaml", "utf8"));
  for (const document of documents) assert.deepEqual([...document.errors, ...document.warnings], []);
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const set = manifests.find(({ kind }) => kind === "StatefulSet");
  assert.ok(set !== undefined);
  const services = manifests.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata.name);
  assert.ok(services.includes(set.spec.serviceName));
  const [container] = set.spec.template.spec.containers;
  assert.ok(container !== undefined);
  const nodes = Array.from({ length: set.spec.replicas }, (_, i) =>
    configurationOf(
      container.args.map((word) =>
        word.replace("$(POD_NAME)", `${set.metadata.name}-${i}`).replace(/\$\(([A-Z_]+)\)/, "a-value"),
      ),
    ),
  );
  const portOf = (name: string): number | undefined =>
    container.ports.find((port) => port.name === name)?.containerPort;
  for (const node of nodes) {
    const { settings } = node;
    assert.deepEqual(node.sharedDifferences(nodes[0]!.sharedText()), []);
    assert.equal(settings.members.length, set.spec.replicas);
    const own = settings.members.find(({ name }) => name === settings.nodeName);
    // What a StatefulSet's pod is called by others.
    assert.equal(own?.host, `${settings.nodeName}.${set.spec.serviceName}.a-value.svc`);
    assert.equal(settings.peerPort, portOf("peers"));
    assert.equal(settings.port, portOf("redis"));
    assert.equal(settings.httpPort, portOf(container.livenessProbe.httpGet.port));
  }
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
