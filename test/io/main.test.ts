// The program from outside: options, ports, signals, three nodes.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { type BuiltProgram, buildProgram } from "./built-program.ts";

/** Three in a row, whose peer ports, 10,000 above, are this process's own: those below are nobody's. */
const [PEER_PORT = 0, , , NOBODY = 0] = await freePorts(4);
const PORT = PEER_PORT - 10_000;
let program: BuiltProgram;
let folder: string;
beforeAll(() => {
  program = buildProgram();
  folder = mkdtempSync(join(tmpdir(), "seshat-test-"));
});
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

class Run {
  out = "";
  err = "";
  exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  readonly child: ChildProcess;

  constructor(words: readonly string[]) {
    this.child = spawn(process.execPath, [program.main, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk) => {
      this.out += String(chunk);
    });
    this.child.stderr?.on("data", (chunk) => {
      this.err += String(chunk);
    });
    this.child.on("close", (code, signal) => {
      this.exit = { code, signal };
    });
    runs.push(this);
  }

  async ended(code: number): Promise<void> {
    await until(`${this.out} ${this.err} ended`, () => this.exit !== undefined);
    assert.equal(this.exit?.code, code, this.err);
  }
}

const runs: Run[] = [];
const connections: Redis[] = [];
const client = (port: number): Redis => {
  const redis = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on("error", () => {});
  connections.push(redis);
  return redis;
};

afterEach(async () => {
  for (const redis of connections.splice(0)) redis.disconnect();
  for (const run of runs.splice(0)) {
    if (run.exit === undefined) run.child.kill("SIGTERM");
    await until("ended", () => run.exit !== undefined);
  }
});

const oneNode = (...more: string[]): string[] => [
  "--port",
  `${PORT}`,
  "--peer-port",
  `${PEER_PORT}`,
  ...more,
];

describe("command line", () => {
  test("--version and --help", async () => {
    const version = new Run(["--version"]);
    await version.ended(0);
    assert.match(version.out, /^seshat \d+\.\d+\.\d+\n$/);
    const help = new Run(["--help"]);
    await help.ended(0);
    assert.match(help.out, /local-cluster/);
    assert.match(help.out, /--maxmemory/);
  });

  const wrong = [
    { name: "an unknown option", words: ["--nonsense", "1"], line: /^seshat: --nonsense 1: .*\n$/ },
    { name: "a wrong value", words: ["--port", "many"], line: /^seshat: --port many: .*\n$/ },
    {
      name: "a missing file",
      words: ["/nonexistent.conf"],
      line: /^seshat: cannot read \/nonexistent.conf: .*\n$/,
    },
    { name: "a folder as file", words: ["/"], line: /^seshat: cannot read \/: it is a directory\n$/ },
    {
      name: "a bad logfile",
      words: ["--logfile", "/nonexistent/x.log"],
      line: /^seshat: cannot write the log .*\n$/,
    },
    { name: "a word too many for ping", words: ["ping", "--hst", "x"], line: /^Usage: seshat ping/ },
    {
      name: "nobody to ping",
      words: ["ping", "--port", `${NOBODY}`],
      line: new RegExp(`^seshat ping 127.0.0.1:${NOBODY}: .*\\n$`),
    },
    {
      name: "a bad port of the cluster",
      words: ["local-cluster", "--port", "x"],
      line: /^seshat: --port takes .*\n$/,
    },
  ];
  for (const { name, words, line } of wrong) {
    test(`${name}: one line, exit code 1`, async () => {
      const run = new Run(words);
      await run.ended(1);
      assert.match(run.err, line);
      assert.ok(!run.err.includes("    at "), run.err);
    });
  }

  test("a taken port: one line, exit code 1", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(PORT, "127.0.0.1", resolve));
    for (const words of [oneNode("--bind", "127.0.0.1"), ["local-cluster", "--port", `${PORT}`]]) {
      const run = new Run(words);
      await run.ended(1);
      assert.match(run.err, new RegExp(`^seshat: .*port 127.0.0.1:${PORT}: the port is taken.*\\n$`));
      assert.equal(run.err.includes("seshat local-cluster --port 7379"), words[0] === "local-cluster");
    }
    server.close();
  });
});

describe("one node", () => {
  test("serves, answers probes, and stops on SIGTERM with exit code 0", async () => {
    const run = new Run(oneNode());
    const redis = client(PORT);
    assert.equal(await redis.set("k", "v"), "OK");
    assert.equal(await redis.get("k"), "v");
    for (const kind of ["ping", "health"]) await new Run([kind, "--port", `${PORT}`]).ended(0);
    run.child.kill("SIGTERM");
    await run.ended(0);
    for (const line of run.out.trimEnd().split("\n")) assert.ok(typeof JSON.parse(line) === "object", line);
  });

  for (const [before, after, isTold] of [
    ["notice", "warning", false],
    ["warning", "verbose", true],
  ] as const) {
    test(`CONFIG SET loglevel ${after} counts from then on`, async () => {
      const run = new Run(oneNode("--loglevel", before));
      const redis = client(PORT);
      assert.equal(await redis.config("SET", "loglevel", after), "OK");
      assert.deepEqual(await redis.config("GET", "loglevel"), ["loglevel", after]);
      run.child.kill("SIGTERM");
      await run.ended(0);
      assert.equal(run.out.includes('"msg":"started"'), before === "notice");
      assert.equal(run.out.includes('"msg":"asked to stop"'), isTold);
    });
  }

  test("a second signal exits at once", async () => {
    const run = new Run(oneNode());
    await client(PORT).set("large", "v".repeat(16_000_000));
    // It does not take its reply, so the first signal has not done its work when the second comes.
    const socket = connect(PORT, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET large\r\nGET large\r\n");
    const redis = client(PORT);
    while (!/ omem=[1-9]/.test(String(await redis.client("LIST"))));
    run.child.kill("SIGSTOP");
    run.child.kill("SIGTERM");
    run.child.kill("SIGINT");
    run.child.kill("SIGCONT");
    await until("ended", () => run.exit !== undefined);
    assert.match(run.err, /second SIG(INT|TERM): exiting at once/);
    assert.equal(run.exit?.code, 1);
    socket.destroy();
  });

  test("CONFIG REWRITE replaces the file", async () => {
    const file = join(folder, "node.conf");
    writeFileSync(file, `# mine\nport ${PORT}\npeer-port ${PEER_PORT}\nmaxclients 100\n`);
    new Run([file]);
    const redis = client(PORT);
    assert.equal(await redis.config("SET", "maxclients", "200"), "OK");
    assert.equal(await redis.config("REWRITE"), "OK");
    const text = readFileSync(file, "utf8");
    assert.match(text, /^# mine$/m);
    assert.match(text, /^maxclients 200$/m);
  });

  test("maxclients is enforced and can be changed", async () => {
    new Run(oneNode("--maxclients", "1"));
    const first = client(PORT);
    await first.ping();
    const second = new Redis({
      port: PORT,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    second.on("error", () => {});
    connections.push(second);
    await assert.rejects(second.connect().then(() => second.ping()));
    await first.config("SET", "maxclients", "10");
    assert.equal(await client(PORT).ping(), "PONG");
  });
});

describe("local cluster", () => {
  test("starts three, survives one killed, stops all", async () => {
    const run = new Run(["local-cluster", "--port", `${PORT}`]);
    await until("serving", () => run.out.includes("Ctrl-C stops all three"));
    const [first, second] = [client(PORT), client(PORT + 1)];
    assert.equal(await first.set("greeting", "hello"), "OK");
    assert.equal(await second.get("greeting"), "hello");
    const pid = Number(/kill -9 (\d+)/.exec(run.out)?.[1]);
    process.kill(pid, "SIGKILL");
    await until("noticed", () => run.err.includes(`n1 on port ${PORT} ended (SIGKILL)`));
    await until("a hint", () => run.err.endsWith(".log\n"));
    const [, hint = ""] = /is started by\n {2}(.*)\n$/.exec(run.err) ?? [];
    assert.match(hint, new RegExp(`^\\S*node .*main\\.js --port ${PORT} `));
    // Between leaders: not executed or unknown, so asked again.
    await until("it is written", () => second.set("greeting", "again").catch(() => undefined));
    await until("it is read", async () => (await second.get("greeting").catch(() => "")) === "again");
    const restarted = spawn("sh", ["-c", `exec ${hint}`], { stdio: "ignore" });
    const back = client(PORT);
    await until("the member is back", async () => (await back.info("raft")).includes("raft_role:follower"));
    const [, folder = ""] = /Logs: (\S+)\n/.exec(run.out) ?? [];
    assert.ok(existsSync(folder));
    restarted.kill("SIGKILL");
    run.child.kill("SIGINT");
    await run.ended(0);
    assert.ok(!existsSync(folder), "the logs of a cluster that was stopped are removed");
    await assert.rejects(async () => {
      const gone = new Redis({ port: PORT + 1, lazyConnect: true, retryStrategy: () => null });
      gone.on("error", () => {});
      await gone.connect();
    });
  });

  test("nodes go when the one that started them is killed", async () => {
    const run = new Run(["local-cluster", "--port", `${PORT}`]);
    await until("serving", () => run.out.includes("Ctrl-C stops all three"));
    const pid = Number(/kill -9 (\d+)/.exec(run.out)?.[1]);
    run.child.kill("SIGKILL");
    const isThere = (): boolean => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    await until("its node is gone", () => !isThere());
  });
});
