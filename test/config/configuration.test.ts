// CONFIG GET, SET and REWRITE: all or nothing, in place, and the table they rest on.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { helpText } from "../../src/config/command-line.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { type FileText, loadSettings } from "../../src/config/load.ts";
import { defaultSettings, findRow, namesOf, ROWS, readSetting } from "../../src/config/table.ts";
import { FIXED } from "../../src/config/unsupported.ts";

function start(text = ""): Configuration {
  const loaded = loadSettings({ file: { path: "f.conf", text } });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
  return new Configuration(loaded.settings, loaded.given, new Set([...loaded.outside, ...loaded.derived]));
}

describe("the table", () => {
  test("names and fields are unique; what nodes share does not change while they run", () => {
    assert.equal(new Set(ROWS.map((row) => row.name)).size, ROWS.length);
    assert.equal(new Set(ROWS.map((row) => row.field)).size, ROWS.length);
    for (const row of ROWS) {
      assert.match(row.name, /^[a-z][a-z-]*$/);
      assert.match(row.help, /^[A-Z].*\.$/);
      assert.ok(!(row.shared && row.mutable), row.name);
    }
  });
  test("every default is a value of its own kind, through its own lines", () => {
    for (const row of ROWS) {
      let value = row.default;
      for (const words of row.kind.lines(row.default)) {
        const result = row.kind.parse(words, value);
        assert.ok(result.ok, `${row.name}: ${result.ok ? "" : result.error}`);
        value = result.value;
      }
      assert.deepEqual(value, row.default, row.name);
    }
  });
  test("--help names every setting, and fits a terminal", () => {
    const help = helpText();
    for (const row of ROWS) assert.ok(help.includes(`  --${row.name} `), row.name);
    const long = help.split("\n").filter((line) => line.length > 110);
    assert.deepEqual(long, []);
  });
});

describe("CONFIG GET", () => {
  test("globs, several patterns, any case, each name once", () => {
    const configuration = start("maxmemory 1mb");
    assert.deepEqual(configuration.get(["MAXMEMORY", "max*y", "p?rt", "nosuch"]), [
      ["port", "6379"],
      ["MAXMEMORY", "1048576"],
      ["maxmemory-policy", "noeviction"],
    ]);
    assert.deepEqual(configuration.get(["save", "appendonly"]), [
      ["save", ""],
      ["appendonly", "no"],
    ]);
    assert.equal(configuration.get(["*"]).length, ROWS.flatMap(namesOf).length + FIXED.length);
  });
  test("settings of Redis that can have one value only are shown with it, and nobody changes them", () => {
    const configuration = start("");
    assert.deepEqual(configuration.get(["io-threads*", "DAEMONIZE"]), [
      ["DAEMONIZE", "no"],
      ["io-threads", "1"],
      ["io-threads-do-reads", "no"],
    ]);
    for (const name of ["daemonize", "IO-THREADS", "appendfilename", "port"]) {
      const problem = configuration.set([[name, "1"]]);
      assert.deepEqual(problem, { kind: "failed", name, reason: "can't set immutable config" });
    }
    for (const [name] of FIXED) assert.equal(findRow(name), undefined, `${name} has a row of its own`);
  });
  test("names of older versions of Redis: taken, shown beside the present ones, and rewritten to those", () => {
    const text = "hash-max-ziplist-entries 10\nlist-max-ziplist-size -1\n";
    const configuration = start(text);
    assert.deepEqual(configuration.get(["hash-max-*-entries", "HASH-MAX-ZIPLIST-ENTRIES"]), [
      ["hash-max-listpack-entries", "10"],
      ["hash-max-ziplist-entries", "10"],
    ]);
    assert.equal(
      configuration.rewritten(text).split("\n# Generated")[0],
      "hash-max-listpack-entries 10\nlist-max-listpack-size -1\n",
    );
  });
  test("the members' secret is not shown, the password is, as in Redis", () => {
    const configuration = start("cluster-secret s3cret\nrequirepass pass");
    assert.deepEqual(configuration.get(["cluster-secret", "requirepass"]), [
      ["requirepass", "pass"],
      ["cluster-secret", "(hidden)"],
    ]);
  });
});

describe("CONFIG SET", () => {
  test("changes the settings in place, and tells once", () => {
    const configuration = start();
    const { settings } = configuration;
    const seen: number[] = [];
    configuration.onChange(["maxmemory", "maxmemory-policy"], (now) => {
      seen.push(now.maxmemoryBytes);
    });
    assert.equal(
      configuration.set([
        ["MaxMemory", "2kb"],
        ["maxmemory-policy", "allkeys-lru"],
      ]),
      undefined,
    );
    assert.equal(settings.maxmemoryBytes, 2048);
    assert.equal(settings.maxmemoryPolicy, "allkeys-lru");
    assert.deepEqual(seen, [2048]);
    configuration.set([["timeout", "5"]]);
    assert.deepEqual(seen, [2048]);
  });
  test("is all or nothing", () => {
    const configuration = start();
    const problem = configuration.set([
      ["timeout", "5"],
      ["maxmemory", "1gb"],
      ["maxclients", "0"],
    ]);
    assert.deepEqual(problem, {
      kind: "failed",
      name: "maxclients",
      reason: "argument must be between 1 and 4294967295 inclusive",
    });
    assert.equal(configuration.settings.timeoutSeconds, 0);
    assert.equal(configuration.settings.maxmemoryBytes, 0);
  });
  test("a listener may refuse; then all is undone and told again", () => {
    const configuration = start();
    const seen: number[] = [];
    configuration.onChange(["timeout"], (now) => {
      seen.push(now.timeoutSeconds);
      return undefined;
    });
    configuration.onChange(["maxclients"], (now) => (now.maxclients > 20_000 ? "try with 20000" : undefined));
    assert.deepEqual(
      configuration.set([
        ["timeout", "5"],
        ["maxclients", "30000"],
      ]),
      { kind: "failed", name: "maxclients", reason: "try with 20000" },
    );
    assert.equal(configuration.settings.maxclients, 10_000);
    assert.deepEqual(seen, [5, 0]);
  });
  test("the first wrong name decides, as in Redis", () => {
    const configuration = start();
    const immutable = { kind: "failed", name: "databases", reason: "can't set immutable config" };
    const both: [string, string][] = [
      ["databases", "1"],
      ["nosuch", "1"],
    ];
    assert.deepEqual(configuration.set(both), immutable);
    assert.deepEqual(configuration.set([...both].reverse()), { kind: "unknown", name: "nosuch" });
  });
  test("settings may not contradict each other afterwards", () => {
    const configuration = start();
    assert.deepEqual(configuration.set([["log-max-bytes", "1mb"]]), {
      kind: "failed",
      name: "log-max-bytes",
      reason:
        "log-tail-bytes (16777216) must not exceed log-max-bytes (1048576): the tail is a part of the log",
    });
    assert.equal(
      configuration.set([
        ["log-max-bytes", "1mb"],
        ["log-tail-bytes", "1kb"],
      ]),
      undefined,
    );
  });
});

describe("secrets from elsewhere", () => {
  const text = "port 7000\nrequirepass-file /run/pass\n";
  const from = (environment: Record<string, string>) => {
    const readFile = (): FileText => ({ ok: true, text: "from a file" });
    const loaded = loadSettings({ file: { path: "f.conf", text }, environment, readFile });
    assert.ok(loaded.ok);
    return new Configuration(loaded.settings, loaded.given, loaded.outside);
  };
  const secretLines = (rewritten: string): string[] =>
    rewritten.split("\n").filter((line) => /^(requirepass|cluster-secret)/.test(line));

  test("CONFIG REWRITE keeps the reference, and writes no secret that is elsewhere", () => {
    const configuration = from({ SESHAT_CLUSTER_SECRET: "sixteen-of-these" });
    assert.deepEqual(configuration.get(["requirepass", "requirepass-file"]), [
      ["requirepass", "from a file"],
      ["requirepass-file", "/run/pass"],
    ]);
    const rewritten = configuration.rewritten(text);
    assert.deepEqual(secretLines(rewritten), ["requirepass-file /run/pass"]);
    assert.doesNotMatch(rewritten, /sixteen|from a file/);
    assert.deepEqual(secretLines(from({ SESHAT_REQUIREPASS: "e" }).rewritten(text)), ['requirepass-file ""']);
  });

  test("after CONFIG SET requirepass the new one is written, and the reference is gone", () => {
    const configuration = from({});
    assert.equal(configuration.set([["requirepass", "new"]]), undefined);
    const rewritten = configuration.rewritten(text);
    assert.deepEqual(secretLines(rewritten), ['requirepass-file ""', "requirepass new"]);
    const again = loadSettings({ file: { path: "f.conf", text: rewritten } });
    assert.equal(again.ok && again.settings.requirepass, "new");
  });

  test("members without a secret take no password at run time either", () => {
    const members = "node-name a\nmember a 127.0.0.1:1\nmember b 127.0.0.1:2\n";
    const configuration = start(members);
    const problem = configuration.set([["requirepass", "p"]]);
    assert.ok(problem?.kind === "failed" && problem.name === "requirepass");
    assert.match(problem.reason, /^requirepass needs a cluster-secret/);
    assert.equal(configuration.settings.requirepass, "");
    assert.equal(start(`${members}cluster-secret s`).set([["requirepass", "p"]]), undefined);
  });
});

describe("CONFIG REWRITE", () => {
  test("keeps comments, order and what it does not know; updates, drops and adds lines", () => {
    const text = [
      "# mine",
      "port   7000",
      "",
      'requirepass "a b"',
      "timeout 5",
      "# between",
      "timeout 7",
      "hz 10",
      "client-output-buffer-limit normal 1mb 0 0",
      "",
    ].join("\n");
    const configuration = start(text);
    configuration.set([
      ["timeout", "0"],
      ["maxmemory", "3m"],
      ["notify-keyspace-events", "KEA"],
    ]);
    const rewritten = configuration.rewritten(text);
    assert.equal(
      rewritten,
      [
        "# mine",
        "port 7000",
        "",
        'requirepass "a b"',
        "timeout 0",
        "# between",
        "hz 10",
        "client-output-buffer-limit normal 1048576 0 0",
        "client-output-buffer-limit replica 268435456 67108864 60",
        "client-output-buffer-limit pubsub 33554432 8388608 60",
        "",
        "# Generated by CONFIG REWRITE",
        "maxmemory 3000000",
        "notify-keyspace-events AKE",
        "",
      ].join("\n"),
    );
    assert.equal(configuration.rewritten(rewritten), rewritten, "a second time changes nothing");
    const again = start(rewritten);
    for (const row of ROWS) {
      assert.deepEqual(readSetting(again.settings, row), readSetting(configuration.settings, row), row.name);
    }
  });
  test("writes nothing that follows from other settings: a single node can become a member later", () => {
    const text = "port 30205\nmaxmemory 100mb\npeer-port 0\n";
    const rewritten = start(text).rewritten(text);
    assert.equal(rewritten, "port 30205\nmaxmemory 104857600\npeer-port 0\n");
    const grown = start(`${rewritten}node-name n1\nmember n1 127.0.0.1:30215\ncluster-secret s\n`).settings;
    assert.equal(grown.peerPort, 30215);
    assert.deepEqual(grown.peerBind, ["*", "-::*"]);
  });
  test("writes a value that the system lowered once CONFIG SET says it", () => {
    const configuration = new Configuration(
      { ...defaultSettings(), maxclients: 4000 },
      new Set(),
      new Set(["maxclients"]),
    );
    assert.equal(configuration.rewritten("maxclients 10000\n"), "maxclients 10000\n");
    assert.equal(configuration.set([["maxclients", "3000"]]), undefined);
    assert.equal(configuration.rewritten("maxclients 10000\n"), "maxclients 3000\n");
  });
  test("of members, one line each", () => {
    const text = "node-name a\nmember a 127.0.0.1:1\n# x\nmember b [::1]:2\n";
    assert.equal(
      start(text).rewritten(text).split("\n# Generated")[0],
      "node-name a\nmember a 127.0.0.1:1\nmember b [::1]:2\n# x\n",
    );
  });
  test("of an empty file writes only what is not default", () => {
    assert.equal(new Configuration(defaultSettings()).rewritten(""), "\n");
  });
});

describe("what nodes must share", () => {
  test("names the settings that differ", () => {
    const one = start("lease-duration 100\ndatabases 16");
    const other = start("databases 4\ntimeout 3");
    assert.deepEqual(one.sharedDifferences(other.sharedText()), ["databases", "lease-duration"]);
    assert.deepEqual(one.sharedDifferences(one.sharedText()), []);
  });
  test("a setting that an older version does not know counts as its default", () => {
    const older = (text: string): string => text.replace(/^lease-duration .*\n/m, "");
    const untouched = start("");
    assert.deepEqual(untouched.sharedDifferences(older(untouched.sharedText())), []);
    const changed = start("lease-duration 100");
    assert.deepEqual(changed.sharedDifferences(older(untouched.sharedText())), ["lease-duration"]);
  });
});
