// Kubernetes manifests as the tests of deploy/ look at them, and the settings that their command lines come to.

import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { parseCommandLine } from "../../src/config/command-line.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; labels?: Labels };
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly selector: Labels & { matchLabels: Labels };
    readonly template: { readonly metadata: { labels: Labels }; readonly spec: Pod };
  };
}

export type Labels = Record<string, string>;

interface Pod {
  readonly containers: readonly Container[];
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly livenessProbe: { readonly httpGet: { readonly port: string } };
}

export function configurationOf(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Configuration {
  const parsed = parseCommandLine(argv);
  assert.ok(parsed.kind === "run");
  const loaded = loadSettings({ flags: parsed.flags, environment });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
  assert.deepEqual(loaded.warnings, []);
  return new Configuration(loaded.settings);
}

export function parseManifests(text: string): Manifest[] {
  const documents = parseAllDocuments(text);
  for (const document of documents) assert.deepEqual([...document.errors, ...document.warnings], []);
  return documents.map((document) => document.toJS() as Manifest);
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest {
  return manifests.find((manifest) => manifest.kind === kind) ?? assert.fail(`no ${kind}`);
}

/** The pods are the members they name, agree with each other, and listen where the manifests say. Returns their settings. */
export function checkPods(manifests: readonly Manifest[]): Configuration[] {
  const set = ofKind(manifests, "StatefulSet");
  const services = manifests.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata.name);
  assert.ok(services.includes(set.spec.serviceName));
  const [container] = set.spec.template.spec.containers;
  assert.ok(container !== undefined);
  const environment = Object.fromEntries(container.env.map(({ name }) => [name, "a-value-of-its-own"]));
  const nodes = Array.from({ length: set.spec.replicas }, (_, i) =>
    configurationOf(
      container.args.map((word) =>
        word.replace("$(POD_NAME)", `${set.metadata.name}-${i}`).replace(/\$\(([A-Z_]+)\)/, "a-value"),
      ),
      environment,
    ),
  );
  const portOf = (name: string): number | undefined =>
    container.ports.find((port) => port.name === name)?.containerPort;
  for (const node of nodes) {
    const { settings } = node;
    assert.deepEqual(node.sharedDifferences(nodes[0]!.sharedText()), []);
    assert.equal(settings.members.length, set.spec.replicas);
    // Secrets are in the environment, where ps and the description of a pod do not show them.
    assert.deepEqual([settings.requirepass, settings.clusterSecret], Array(2).fill("a-value-of-its-own"));
    const own = settings.members.find(({ name }) => name === settings.nodeName);
    // What a StatefulSet's pod is called by others.
    assert.equal(own?.host, `${settings.nodeName}.${set.spec.serviceName}.a-value.svc`);
    assert.equal(settings.peerPort, portOf("peers"));
    assert.equal(settings.port, portOf("redis"));
    assert.equal(settings.httpPort, portOf(container.livenessProbe.httpGet.port));
  }
  return nodes;
}
