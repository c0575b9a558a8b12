// The Helm chart, rendered by helm itself: it makes what deploy/kubernetes has, under any name, and refuses what cannot run.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "vitest";
import { parse } from "yaml";
import { TABLE } from "../../src/config/table.ts";
import { installed } from "../e2e/processes.ts";
import { checkPods, type Labels, type Manifest, ofKind, parseManifests } from "./manifests.ts";

const CHART = "deploy/helm/seshat";
const read = (path: string): string => readFileSync(path, "utf8");

function helm(...words: string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync("helm", words, { encoding: "utf8" });
  return status === 0 ? { ok: true, text: stdout } : { ok: false, text: stdout + stderr };
}

function rendered(release: string, ...values: string[]): Manifest[] {
  const result = helm("template", release, CHART, ...values.flatMap((value) => ["--set", value]));
  assert.ok(result.ok, result.text);
  return parseManifests(result.text);
}

function refusal(...values: string[]): string {
  const result = helm("template", "seshat", CHART, ...values.flatMap((value) => ["--set", value]));
  assert.ok(!result.ok, "helm took it");
  return result.text;
}

/** What remains when names of labels, and what Kubernetes would fill in itself, are left out. */
function withoutLabels(manifests: readonly Manifest[]): unknown[] {
  const left = ["labels", "matchLabels", "imagePullPolicy", "type"];
  const strip = (value: unknown, key = ""): unknown => {
    if (Array.isArray(value)) return value.map((each) => strip(each));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(
      ([name]) =>
        !(left.includes(name) && key !== "seccompProfile") && !(key === "spec" && name === "selector"),
    );
    return Object.fromEntries(entries.map(([name, each]) => [name, strip(each, name)]));
  };
  const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;
  return [...manifests].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).map((manifest) => strip(manifest));
}

test("the chart is of this release, and its settings are settings", () => {
  const chart = parse(read(`${CHART}/Chart.yaml`)) as { version: string; appVersion: string };
  const { version } = JSON.parse(read("package.json")) as { version: string };
  assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  const { settings } = parse(read(`${CHART}/values.yaml`)) as { settings: Labels };
  const names = TABLE.map(({ name }) => name as string);
  for (const name of Object.keys(settings)) assert.ok(names.includes(name), name);
  // What the chart sets by itself, and so refuses.
  const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as {
    properties: { settings: { propertyNames: { not: { enum: string[] } } } };
  };
  for (const name of schema.properties.settings.propertyNames.not.enum) assert.ok(names.includes(name), name);
  assert.equal(read(`${CHART}/files/alerts.yaml`), read("deploy/prometheus/alerts.yaml"));
});

describe.skipIf(!installed("helm"))("rendered by helm (skipped where it is not installed)", () => {
  const existing = "auth.existingSecret=seshat";

  test("helm lint has nothing to say", () => {
    const { ok, text } = helm("lint", "--strict", CHART, "--set", existing);
    assert.ok(ok && !text.includes("[WARNING]"), text);
  });

  test("a release called seshat is what deploy/kubernetes has, but for labels", () => {
    const ours = parseManifests(read("deploy/kubernetes/seshat.yaml"));
    assert.deepEqual(withoutLabels(rendered("seshat", existing)), withoutLabels(ours));
  });

  test("five members of another release: they name each other, and everything selects their pods", () => {
    const manifests = rendered("sessions", "replicas=5", "auth.clusterSecret=a long text", "auth.password=p");
    for (const { settings } of checkPods(manifests)) {
      assert.equal(settings.maxmemoryBytes, 512 * 1024 * 1024);
      assert.match(settings.nodeName, /^sessions-[0-4]$/);
    }
    const { labels } = ofKind(manifests, "StatefulSet").spec.template.metadata;
    const selects = (selector: Labels): void => {
      assert.ok(Object.keys(selector).length > 0);
      for (const [name, value] of Object.entries(selector)) assert.equal(labels[name], value);
    };
    for (const { kind, spec } of manifests) {
      if (kind === "Service") selects(spec.selector);
      else if (kind !== "Secret") selects(spec.selector.matchLabels);
    }
    assert.equal(ofKind(manifests, "Secret").metadata.name, "sessions");
  });

  test("settings arrive as the words that were meant", () => {
    const values = ["timeout=300", "maxmemory=123456789", "protected-mode=false", "loglevel=verbose"];
    const list = ["client-output-buffer-limit={normal,0,0,0}", "maxclients=1000000"];
    const [node] = checkPods(rendered("s", existing, ...[...values, ...list].map((it) => `settings.${it}`)));
    assert.ok(node !== undefined);
    const { timeoutSeconds, maxmemoryBytes, protectedMode, loglevel, maxclients, maxmemoryPolicy } =
      node.settings;
    assert.deepEqual(
      { timeoutSeconds, maxmemoryBytes, protectedMode, loglevel, maxclients, maxmemoryPolicy },
      {
        timeoutSeconds: 300,
        maxmemoryBytes: 123456789,
        protectedMode: false,
        loglevel: "verbose",
        maxclients: 1_000_000,
        maxmemoryPolicy: "allkeys-lru",
      },
    );
  });

  test("a pod's memory is what docs/OPERATIONS.md says of maxmemory", () => {
    const memoryOf = (...values: string[]): (string | undefined)[] => {
      const { resources } = ofKind(rendered("s", existing, ...values), "StatefulSet").spec.template.spec
        .containers[0]!;
      return [resources.requests["memory"], resources.limits["memory"]];
    };
    assert.deepEqual(memoryOf(), ["1024Mi", "1536Mi"]);
    assert.deepEqual(memoryOf("settings.maxmemory=1gb"), ["1536Mi", "2560Mi"]);
    assert.deepEqual(memoryOf("settings.maxmemory=2G"), ["2420Mi", "4328Mi"]);
    assert.deepEqual(memoryOf("settings.maxmemory=123456789"), ["630Mi", "748Mi"]);
    assert.deepEqual(memoryOf("settings.maxmemory={1gb}"), ["1536Mi", "2560Mi"]);
    assert.deepEqual(memoryOf("settings.maxmemory=0"), [undefined, undefined]);
    const larger = ["settings.maxmemory=1gb", "resources.limits.memory=4Gi"];
    assert.deepEqual(memoryOf(...larger), ["1536Mi", "4Gi"]);
  });

  test("rules and monitor for the Prometheus operator, where they are asked for", () => {
    const kinds = (manifests: readonly Manifest[]): string[] => manifests.map(({ kind }) => kind);
    const without = kinds(rendered("seshat", existing));
    const both = rendered("seshat", existing, "serviceMonitor.enabled=true", "prometheusRule.enabled=true");
    assert.deepEqual(
      kinds(both)
        .filter((kind) => !without.includes(kind))
        .sort(),
      ["PrometheusRule", "ServiceMonitor"],
    );
    assert.deepEqual(ofKind(both, "PrometheusRule").spec, parse(read("deploy/prometheus/alerts.yaml")));
    // The monitor finds the members' service, and only it.
    const { matchLabels } = ofKind(both, "ServiceMonitor").spec.selector;
    const found = both.filter(
      ({ kind, metadata }) =>
        kind === "Service" &&
        Object.entries(matchLabels).every(([name, value]) => metadata.labels?.[name] === value),
    );
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      ["seshat-members"],
    );
  });

  const refused: readonly (readonly [values: string[], text: RegExp])[] = [
    [[], /auth\.existingSecret, or auth\.clusterSecret/],
    [["auth.clusterSecret=s"], /set auth\.password/],
    [[existing, "settings.requirepass=x"], /invalid propertyName 'requirepass'/],
    [[existing, "settings.Port=1"], /invalid propertyName 'Port'/],
    [[existing, "settings.maxmemory=1.5gb"], /settings\.maxmemory: 1\.5gb is no size/],
    [[existing, "replicas=0"], /replicas/],
    [[existing, "podDisruptionBudget.maxUnavailable=0"], /maxUnavailable/],
    [[existing, "replica=5"], /replica/],
  ];
  for (const [values, text] of refused) {
    test(`refused: ${values.join(" ") || "no secret"}`, () => assert.match(refusal(...values), text));
  }
});
