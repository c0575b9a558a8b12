// /metrics, /health and /ready of three processes: what Prometheus reads is what INFO says, its format is one, and a
// node that cannot serve says so.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "vitest";
import { connect, freePorts, infoFields, NodeProcess, ProcessCluster, until } from "./processes.ts";

let cluster: ProcessCluster | undefined;
let alone: NodeProcess | undefined;
afterEach(async () => {
  await cluster?.stop();
  await alone?.stop();
});

async function ask(port: number, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

/** Values by name with labels; fails on a line that is none of the format's. `typed` takes the names of all metrics. */
function parse(text: string, typed = new Set<string>()): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    const type = /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      typed.add(type[1]!);
      continue;
    }
    const sample = /^([a-z_][a-z0-9_]*)((?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)$/.exec(line);
    if (sample === null) assert.fail(`no line of the format: ${line}`);
    const [, name = "", labels = "", value = ""] = sample;
    assert(typed.has(name) || typed.has(name.replace(/_(bucket|sum|count)$/, "")), `no type for ${name}`);
    // The mean of no observation is none.
    assert(Number.isFinite(Number(value)) || /^nan$/i.test(value), line);
    assert(!values.has(name + labels), `twice: ${name}${labels}`);
    values.set(name + labels, Number(value));
  }
  return values;
}

/** Fields of INFO that stand still while nobody does anything. */
const PAIRS: readonly (readonly [info: string, metric: string])[] = [
  ["used_memory", "seshat_memory_used_bytes"],
  ["used_memory_peak", "seshat_memory_used_peak_bytes"],
  ["maxmemory", "seshat_memory_max_bytes"],
  ["maxclients", "seshat_clients_max"],
  ["keyspace_hits", "seshat_keyspace_hits_total"],
  ["keyspace_misses", "seshat_keyspace_misses_total"],
  ["expired_keys", "seshat_expired_keys_total"],
  ["evicted_keys", "seshat_evicted_keys_total"],
  ["rejected_connections", "seshat_connections_rejected_total"],
  ["commands_forwarded", "seshat_commands_forwarded_total"],
  ["uncertain_replies", "seshat_uncertain_replies_total"],
  ["raft_term", "seshat_raft_term"],
  ["raft_commit_index", "seshat_raft_commit_index"],
  ["raft_applied_index", "seshat_raft_applied_index"],
  ["raft_members", "seshat_raft_members"],
  ["raft_leader_changes", "seshat_raft_leader_changes_total"],
];

test("what /metrics says agrees with INFO, on the leader and on the others", async () => {
  const httpPorts = await freePorts(3);
  // Without what writes entries by itself, so that figures stand still.
  const flags = ["--replica-digests", "no"];
  cluster = await ProcessCluster.start(3, flags, (i) => ["--http-port", String(httpPorts[i])]);
  for (const [i, node] of cluster.nodes.entries()) {
    const client = connect(node.port);
    for (let k = 0; k < 20; k++) await client.set(`k${k}`, "v", "EX", 1000);
    await client.get("k1");
    await client.get("none");
    await client.lpush("k1", "x").catch(() => {});
    const port = httpPorts[i]!;
    assert.deepEqual(await ask(port, "/health"), { status: 200, text: "ok\n" });
    assert.deepEqual(await ask(port, "/ready"), { status: 200, text: "ready\n" });
    // Entries may be under way, and a message may have told of one that the next turn applies: read until nothing has moved.
    const [info, metrics] = await until("a moment without entries", async () => {
      const before = infoFields(await client.info("all"));
      const values = parse((await ask(port, "/metrics")).text);
      const after = infoFields(await client.info("all"));
      const isStill = PAIRS.every(([field]) => before.get(field) === after.get(field));
      return isStill ? ([after, values] as const) : undefined;
    });
    for (const [field, metric] of PAIRS) {
      assert.notEqual(info.get(field), undefined, `INFO has no ${field}`);
      assert.equal(metrics.get(metric), Number(info.get(field)), `${field} and ${metric} on ${node.name}`);
    }
    assert.equal(metrics.get('seshat_keys{database="0"}'), 20);
    assert.equal(metrics.get('seshat_keys_expiring{database="0"}'), 20);
    const sets = Number(/calls=(\d+)/.exec(info.get("cmdstat_set") ?? "")?.[1]);
    assert.equal(metrics.get('seshat_commands_total{command="set"}'), sets);
    const failed = Number(/failed_calls=(\d+)/.exec(info.get("cmdstat_lpush") ?? "")?.[1]);
    assert.equal(metrics.get('seshat_commands_failed_total{command="lpush"}'), failed);
    const wrongType = Number(/count=(\d+)/.exec(info.get("errorstat_WRONGTYPE") ?? "count=0")?.[1]);
    assert.equal(metrics.get('seshat_error_replies_total{code="WRONGTYPE"}') ?? 0, wrongType);
    assert.equal(metrics.get(`seshat_raft_role{role="${info.get("raft_role")}"}`), 1);
    const timed = metrics.get('seshat_command_duration_seconds_count{command="set"}') ?? 0;
    assert.equal(metrics.get('seshat_command_duration_seconds_bucket{command="set",le="+Inf"}') ?? 0, timed);
    const peers = [...metrics.keys()].filter((name) => name.startsWith("seshat_raft_peer_connected"));
    assert.equal(peers.length, 2);
    const lags = [...metrics.keys()].filter((name) => name.startsWith("seshat_raft_peer_lag_entries"));
    assert.equal(lags.length, info.get("raft_role") === "leader" ? 2 : 0);
    client.disconnect();
  }
}, 60_000);

test("dashboard and alert rules ask for metrics that there are", async () => {
  const [port = 0, httpPort = 0] = await freePorts(2);
  alone = new NodeProcess("n1", port, ["--http-port", String(httpPort)]);
  const metrics = await until("metrics", () => ask(httpPort, "/metrics").catch(() => undefined));
  const names = new Set<string>();
  parse(metrics.text, names);
  for (const file of ["deploy/grafana/seshat.json", "deploy/prometheus/alerts.yaml"]) {
    const text = readFileSync(file, "utf8");
    const asked = new Set(
      [...text.matchAll(/\b(?:seshat|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name),
    );
    assert(asked.size > 5);
    for (const name of asked) {
      assert(
        names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, "")),
        `${file} asks for ${name}`,
      );
    }
  }
}, 60_000);

test("without a majority a node is healthy and not ready; other paths and methods are refused", async () => {
  const [httpPort = 0] = await freePorts(1);
  cluster = await ProcessCluster.start(3, [], (i) => (i === 0 ? ["--http-port", String(httpPort)] : []));
  await Promise.all(cluster.nodes.slice(1).map((node) => node.stop()));
  const refusal = await until("not ready", async () => {
    const answer = await ask(httpPort, "/ready");
    return answer.status === 503 ? answer.text : undefined;
  });
  assert.match(refusal, /^CLUSTERDOWN /);
  assert.equal((await ask(httpPort, "/health")).status, 200);
  assert.equal((await ask(httpPort, "/nothing")).status, 404);
  const posted = await fetch(`http://127.0.0.1:${httpPort}/metrics`, { method: "POST" });
  assert.equal(posted.status, 405);
}, 60_000);

test("a taken http-port stops the start with a line that says so", async () => {
  const [port = 0, httpPort = 0] = await freePorts(2);
  alone = new NodeProcess("n1", port, ["--http-port", String(httpPort)]);
  await until(
    "it listens",
    async () => (await ask(httpPort, "/health").catch(() => undefined)) !== undefined,
  );
  const second = new NodeProcess("n2", 0, ["--http-port", String(httpPort)]);
  await until("it ended", () => !second.isRunning);
  assert.match(second.output, new RegExp(`http port 127\\.0\\.0\\.1:${httpPort}: the port is taken`));
}, 60_000);
