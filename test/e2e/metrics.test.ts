// /metrics, /health and /ready of three processes: what Prometheus reads is what INFO says, its format is one, and a
// node that cannot serve says so.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "vitest";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { connect, infoFields, NodeProcess, ProcessCluster, STEADY } from "./processes.ts";

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
  ["evicted_clients", "seshat_evicted_clients_total"],
  ["connected_clients", "seshat_clients_connected"],
  ["total_connections_received", "seshat_connections_received_total"],
  ["rejected_connections", "seshat_connections_rejected_total"],
  ["pubsub_channels", "seshat_pubsub_channels"],
  ["pubsub_patterns", "seshat_pubsub_patterns"],
  ["used_memory_store", "seshat_memory_store_bytes"],
  ["mem_replication_backlog", "seshat_raft_log_bytes"],
  ["sync_full", "seshat_raft_snapshots_sent_total"],
  ["snapshots_received", "seshat_raft_snapshots_received_total"],
  ["commands_forwarded", "seshat_commands_forwarded_total"],
  ["uncertain_replies", "seshat_uncertain_replies_total"],
  ["raft_term", "seshat_raft_term"],
  ["raft_commit_index", "seshat_raft_commit_index"],
  ["raft_applied_index", "seshat_raft_applied_index"],
  ["raft_first_index", "seshat_raft_first_index"],
  ["raft_last_index", "seshat_raft_last_index"],
  ["raft_members", "seshat_raft_members"],
  ["raft_leader_changes", "seshat_raft_leader_changes_total"],
  ["raft_elections", "seshat_raft_elections_total"],
  ["raft_proxied_sessions", "seshat_raft_proxied_sessions"],
  ["raft_digests_compared", "seshat_raft_digests_compared_total"],
  ["raft_digests_differed", "seshat_raft_digests_differed_total"],
];

/** What never stands still, so that it cannot be compared: of Node, and of the bytes that asking itself takes. */
const MOVING = [
  "nodejs_heap_size_used_bytes",
  "nodejs_external_memory_bytes",
  "nodejs_eventloop_lag_p99_seconds",
  "process_resident_memory_bytes",
  "seshat_event_loop_dropped_ticks_total",
  "seshat_memory_clients_bytes",
  "seshat_commands_processed_total",
  "seshat_client_input_bytes_total",
  "seshat_client_output_bytes_total",
  "seshat_peer_input_bytes_total",
  "seshat_peer_output_bytes_total",
];

/** The lines of the other members, as metrics say it. */
function comparePeers(info: ReadonlyMap<string, string>, metrics: ReadonlyMap<string, number>): void {
  const isLeader = info.get("raft_role") === "leader";
  for (const [field, text] of info) {
    if (!/^raft_peer\d+$/.test(field)) continue;
    const peer = new Map(text.split(",").map((part) => part.split("=") as [string, string]));
    const label = `{node="${peer.get("node")}"}`;
    assert.equal(metrics.get(`seshat_raft_peer_connected${label}`), Number(peer.get("connected")));
    const [match, lag] = isLeader ? [Number(peer.get("match")), Number(peer.get("behind"))] : [];
    assert.equal(metrics.get(`seshat_raft_peer_match_index${label}`), match);
    assert.equal(metrics.get(`seshat_raft_peer_lag_entries${label}`), lag);
  }
}

test("what /metrics says agrees with INFO, on the leader and on the others", async () => {
  const httpPorts = await freePorts(3);
  // Without what writes entries by itself, so that figures stand still.
  const flags = [...STEADY, "--replica-digests", "no"];
  cluster = await ProcessCluster.start(3, flags, (i) => ["--http-port", String(httpPorts[i])]);
  // One client at each who stays, so that the leader runs the sessions of two.
  const staying = cluster.nodes.map(({ port }) => connect(port));
  for (const client of staying) await client.get("none");
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
    assert.equal(metrics.get(`seshat_raft_lease{state="${info.get("raft_lease")}"}`), 1);
    assert.equal(metrics.get(`seshat_raft_cluster{cluster_id="${info.get("raft_cluster_id")}"}`), 1);
    assert.equal(metrics.get("seshat_raft_has_leader"), 1);
    assert.equal(metrics.get("seshat_raft_problem"), info.get("raft_problem") === "" ? 0 : 1);
    comparePeers(info, metrics);
    for (const name of MOVING) assert.ok(metrics.has(name), `no ${name}`);
    assert.equal(metrics.get("seshat_raft_proxied_sessions"), info.get("raft_role") === "leader" ? 2 : 0);
    const timed = metrics.get('seshat_command_duration_seconds_count{command="set"}') ?? 0;
    assert.equal(metrics.get('seshat_command_duration_seconds_bucket{command="set",le="+Inf"}') ?? 0, timed);
    const peers = [...metrics.keys()].filter((name) => name.startsWith("seshat_raft_peer_connected"));
    assert.equal(peers.length, 2);
    const lags = [...metrics.keys()].filter((name) => name.startsWith("seshat_raft_peer_lag_entries"));
    assert.equal(lags.length, info.get("raft_role") === "leader" ? 2 : 0);
    client.disconnect();
  }
  for (const client of staying) client.disconnect();
});

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
});

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
});

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
});
