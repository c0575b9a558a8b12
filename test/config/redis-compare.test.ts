// The same CONFIG SET and GET to a real redis-server and to Configuration: the same texts must come back.
import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, test } from "vitest";
import { Configuration } from "../../src/config/configuration.ts";
import { loadSettings } from "../../src/config/load.ts";
import { startChild } from "../children.ts";
import { freePort } from "../ports.ts";

const installed = spawnSync("redis-server", ["--version"]).status === 0;

// Names that both have, and what both must say to these values.
const sets: readonly (readonly string[])[] = [
  ["maxclients", "0"],
  ["maxclients", " 50"],
  ["maxclients", "+50"],
  ["maxclients", "050"],
  ["maxclients", "x"],
  ["maxclients", "1000000000000000000000"],
  ["nosuch", "1"],
  ["maxclients", "10", "nosuch", "1"],
  ["databases", "1", "nosuch", "1"],
  ["nosuch", "1", "databases", "1"],
  ["maxclients", "10", "maxclients", "20"],
  ["maxmemory", "0", "maxmemory", "0", "nosuch", "1"],
  ["databases", "5"],
  ["tcp-backlog", "5"],
  ["logfile", "x"],
  ["enable-debug-command", "yes"],
  ["maxmemory", "foo"],
  ["maxmemory", "-1"],
  ["maxmemory", "10 mb"],
  ["maxmemory", "10b"],
  ["maxmemory", "3GB", "maxmemory-policy", "ALLKEYS-LFU"],
  ["maxmemory", ""],
  ["maxmemory-policy", "foo"],
  ["maxmemory-samples", "0"],
  ["maxmemory-samples", "2147483648"],
  ["loglevel", "foo"],
  ["loglevel", "VERBOSE"],
  ["appendonly", "foo", "timeout", "-1"],
  ["timeout", "-1"],
  ["timeout", "3600", "tcp-keepalive", "0"],
  ["slowlog-log-slower-than", "foo"],
  ["slowlog-log-slower-than", "-1"],
  ["slowlog-max-len", "99999999999999999999"],
  ["lfu-decay-time", "-1"],
  ["lfu-log-factor", "3", "lfu-decay-time", "2"],
  ["protected-mode", "maybe"],
  ["protected-mode", "NO"],
  ["client-output-buffer-limit", "foo"],
  ["client-output-buffer-limit", "normal 1 2"],
  ["client-output-buffer-limit", "foo 1 2 3"],
  ["client-output-buffer-limit", "normal 1mb 2mb x"],
  ["client-output-buffer-limit", "normal 1mb 2mb -3"],
  ["client-output-buffer-limit", "normal 1mb 2mb 3 pubsub 0 0 0"],
  ["client-output-buffer-limit", "replica 1k 1K 1"],
  ["notify-keyspace-events", "KEQ"],
  ["notify-keyspace-events", "KEA"],
  ["notify-keyspace-events", "mnK"],
  ["notify-keyspace-events", "KEg$x"],
  ["notify-keyspace-events", ""],
  ["save", ""],
  ["appendonly", "no"],
  ["requirepass", ""],
  ["proto-max-bulk-len", "100mb", "client-query-buffer-limit", "200mb"],
  ["latency-monitor-threshold", "25"],
];

// Said differently on purpose: `save 1` and `appendonly yes` are refused for a reason of our own, and so is
// appendonly with a value that is no value at all.
const ownWords = new Set(["appendonly foo timeout -1"]);

const gets: readonly (readonly string[])[] = [
  ["maxclients"],
  ["MAXCLIENTS"],
  ["maxmemory", "maxmemory-policy"],
  ["client-output-buffer-limit"],
  ["notify-keyspace-events"],
  ["save", "appendonly"],
  ["lfu-*", "loglevel", "timeout"],
  ["hash-max-ziplist-entries", "zset-max-ziplist-value"],
  ["databases"],
  ["tcp-k*"],
  ["nosuch"],
  ["slowlog-*"],
  ["protected-mode", "requirepass"],
  ["proto-max-bulk-len", "client-query-buffer-limit", "latency-m*"],
];

function replyTo(configuration: Configuration, words: readonly string[]): string {
  const pairs: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i]!, words[i + 1]!]);
  const problem = configuration.set(pairs);
  if (problem === undefined) return "OK";
  return problem.kind === "unknown"
    ? `ERR Unknown option or number of arguments for CONFIG SET - '${problem.name}'`
    : `ERR CONFIG SET failed (possibly related to argument '${problem.name}') - ${problem.reason}`;
}

/** A map of RESP3 as the client gives it, or the flat list of RESP2. */
function namedValues(reply: unknown): Map<string, string> {
  if (reply instanceof Map) return reply;
  if (!Array.isArray(reply)) return new Map(Object.entries(reply as Record<string, string>));
  const pairs = new Map<string, string>();
  for (let i = 0; i < reply.length; i += 2) pairs.set(String(reply[i]), String(reply[i + 1]));
  return pairs;
}

describe.skipIf(!installed)("beside redis-server (skipped where it is not installed)", () => {
  let server: ChildProcess;
  let redis: Redis;
  const loaded = loadSettings({});
  assert.ok(loaded.ok);
  const configuration = new Configuration(loaded.settings);

  beforeAll(async () => {
    const port = await freePort();
    server = startChild(
      "redis-server",
      ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()],
      {
        stdio: "ignore",
      },
    );
    redis = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on("error", () => {});
  });
  afterAll(() => {
    redis?.disconnect();
    server?.kill();
  });

  test("CONFIG SET answers the same, and CONFIG GET shows the same after each", async () => {
    for (const words of sets) {
      if (ownWords.has(words.join(" "))) continue;
      const theirs = await redis
        .call("config", "set", ...words)
        .then(String, (error: Error) => error.message);
      assert.equal(replyTo(configuration, words), theirs, words.join(" "));
      for (const patterns of gets) {
        const pairs = namedValues(await redis.call("config", "get", ...patterns));
        const ours = new Map(configuration.get(patterns));
        for (const [name, value] of ours) assert.equal(value, pairs.get(name), `${words.join(" ")}: ${name}`);
        // That each asks for the same names: both know these, or neither does.
        for (const name of patterns) assert.equal(ours.has(name), pairs.has(name), name);
      }
    }
  });
});
