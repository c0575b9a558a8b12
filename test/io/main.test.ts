// The program from outside: options, ports, signals, three nodes.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { startChild } from "../children.ts";
import { installed } from "../e2e/processes.ts";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { type BuiltProgram, buildProgram } from "./built-program.ts";

/** Three in a row, whose peer ports, 10,000 above, are this process's own: those below are nobody's. */
const [PEER_PORT = 0, , , NOBODY = 0, HTTP_PORT = 0] = await freePorts(5);
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

  /** @param before what a shell does before it becomes the program */
  constructor(words: readonly string[], environment: Readonly<Record<string, string>> = {}, before = "true") {
    const command = [process.execPath, program.main, ...words];
    this.child = startChild("sh", ["-c", `${before}; exec "$0" "$@"`, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
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
    {
      name: "an unknown option",
      words: ["--nonsense", "1"],
      line: /^seshat: --nonsense: there is no such setting.*\n$/,
    },
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

  test("SIGHUP opens the log file anew, and ends nothing", async () => {
    const log = join(folder, "rotated.log");
    const run = new Run(oneNode("--logfile", log));
    assert.equal(await client(PORT).ping(), "PONG");
    renameSync(log, `${log}.1`);
    run.child.kill("SIGHUP");
    const lines = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
    await until("opened anew", () => lines(log).includes("SIGHUP: the log file is opened anew"));
    assert.equal(await client(PORT).ping(), "PONG");
    run.child.kill("SIGTERM");
    await run.ended(0);
    assert.match(lines(log), /"stopped"/);
    assert.match(lines(`${log}.1`), /"started"/);
    assert.doesNotMatch(lines(`${log}.1`), /SIGHUP|"stopped"/);
  });

  test("CONFIG REWRITE replaces the file", async () => {
    const file = join(folder, "node.conf");
    writeFileSync(file, `# mine\nport ${PORT}\ntimeout 100\n`);
    // So few files that maxclients is lowered, which nobody asked for either.
    new Run([file], {}, "ulimit -n 300");
    const redis = client(PORT);
    assert.equal(await redis.config("SET", "timeout", "200"), "OK");
    assert.equal(await redis.config("REWRITE"), "OK");
    assert.equal(readFileSync(file, "utf8"), `# mine\nport ${PORT}\ntimeout 200\n`);
  });

  test("files are looked for where the node was started, those that an included file names too", async () => {
    const there = join(folder, "there");
    mkdirSync(there);
    writeFileSync(join(there, "node.conf"), `port ${PORT}\nbind 127.0.0.1\ninclude more.conf\n`);
    writeFileSync(join(folder, "more.conf"), "requirepass-file pass\n");
    writeFileSync(join(folder, "pass"), "from-the-folder\n");
    new Run([join("there", "node.conf")], {}, `cd '${folder}'`);
    const redis = new Redis({
      port: PORT,
      password: "from-the-folder",
      retryStrategy: () => 50,
      maxRetriesPerRequest: 50,
    });
    redis.on("error", () => {});
    connections.push(redis);
    assert.equal(await redis.ping(), "PONG");
    const elsewhere = new Run(["node.conf"], {}, `cd '${there}'`);
    await elsewhere.ended(1);
    const missing = join(realpathSync(there), "more.conf");
    assert.equal(
      elsewhere.err,
      `seshat: node.conf:3: include more.conf: cannot read ${missing}: there is no such file\n`,
    );
  });

  test("CONFIG REWRITE keeps the mode of the file, whatever the umask", async () => {
    const file = join(folder, "secret.conf");
    for (const mode of [0o600, 0o640]) {
      writeFileSync(file, `port ${PORT}\nrequirepass p\n`);
      chmodSync(file, mode);
      const run = new Run([file]);
      const redis = new Redis({
        port: PORT,
        password: "p",
        retryStrategy: () => 50,
        maxRetriesPerRequest: 50,
      });
      redis.on("error", () => {});
      connections.push(redis);
      assert.equal(await redis.config("REWRITE"), "OK");
      assert.equal(statSync(file).mode & 0o777, mode);
      run.child.kill("SIGTERM");
      await run.ended(0);
    }
  });

  test("ps shows no secret of the command line; probes find the password that the node has", async () => {
    const file = join(folder, "password");
    writeFileSync(file, "from-a-file\n");
    const conf = join(folder, "probed.conf");
    writeFileSync(conf, `port ${PORT}\nbind 127.0.0.1\nrequirepass-file ${file}\n`);
    const run = new Run([conf, "--cluster-secret", "not-to-be-seen-by-others"]);
    const redis = new Redis({
      port: PORT,
      password: "from-a-file",
      retryStrategy: () => 50,
      maxRetriesPerRequest: 50,
    });
    redis.on("error", () => {});
    connections.push(redis);
    assert.equal(await redis.ping(), "PONG");
    if (process.platform === "linux") {
      const shown = readFileSync(`/proc/${run.child.pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
      assert.equal(shown, `seshat 127.0.0.1:${PORT}`);
    }
    assert.deepEqual(await redis.config("GET", "requirepass"), ["requirepass", "from-a-file"]);
    await new Run(["health", "--config", conf]).ended(0);
    await new Run(["status", "--port", `${PORT}`, "--password-file", file]).ended(0);
    await new Run(["health", "--port", `${PORT}`], { SESHAT_REQUIREPASS_FILE: file }).ended(0);
    await new Run(["member", "list", "--port", `${PORT}`], { SESHAT_REQUIREPASS: "from-a-file" }).ended(0);
    const without = new Run(["health", "--port", `${PORT}`]);
    await without.ended(1);
    assert.match(
      without.err,
      /: this node has a password: give --password-file, REDISCLI_AUTH or --config\n$/,
    );
    const other = new Run(["status", "--port", `${PORT}`], { SESHAT_REQUIREPASS: "another" });
    await other.ended(1);
    assert.match(other.err, /: the password from SESHAT_REQUIREPASS is not the one of this node\n$/);
    run.child.kill("SIGTERM");
    await run.ended(0);
    assert.doesNotMatch(run.out + run.err, /from-a-file|not-to-be-seen/);
    assert.match(run.out, /cluster-secret was on the command line/);
  });

  test("members without a cluster-secret do not start with a password", async () => {
    const run = new Run(
      oneNode("--node-name", "n1", "--member", "n1", `127.0.0.1:${PEER_PORT}`, "--requirepass", "p"),
    );
    await run.ended(1);
    assert.match(
      run.err,
      /^seshat: --requirepass: requirepass needs a cluster-secret, .*SESHAT_CLUSTER_SECRET\n$/,
    );
  });

  test("maxclients is lowered to what the limit of open files leaves, also by CONFIG SET", async () => {
    const words = oneNode("--http-port", `${HTTP_PORT}`);
    const run = new Run(words, {}, "ulimit -n 300");
    const redis = client(PORT);
    assert.deepEqual(await redis.config("GET", "maxclients"), ["maxclients", "204"]);
    await until("said", () => run.out.includes("maxclients has been reduced from 10000 to 204"));
    await assert.rejects(
      redis.config("SET", "maxclients", "205"),
      /CONFIG SET failed .*'maxclients'.* The operating system is not able to handle .*, try with 204$/,
    );
    assert.equal(await redis.config("SET", "maxclients", "100"), "OK");
    const member = ["--node-name", "n1", "--member", "n1", `127.0.0.1:${PEER_PORT}`];
    const tooLow = new Run(oneNode(...member), {}, "ulimit -n 256");
    await tooLow.ended(1);
    assert.match(tooLow.err, /ulimit -n is too low for a node/);
  });

  test("the http port ends half requests and idle connections, has room for few, and takes no bodies", {
    timeout: 60_000,
  }, async () => {
    const httpPort = HTTP_PORT;
    new Run(oneNode("--http-port", `${httpPort}`));
    await client(PORT).ping();
    const open = (wire: string): { socket: Socket; text: () => string; isClosed: () => boolean } => {
      const socket = connect(httpPort, "127.0.0.1");
      let text = "";
      let isClosed = false;
      socket.on("error", () => {});
      socket.on("close", () => {
        isClosed = true;
      });
      socket.on("data", (chunk) => {
        text += String(chunk);
      });
      if (wire !== "") socket.write(wire);
      return { socket, text: () => text, isClosed: () => isClosed };
    };
    const body = open("GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\nabc");
    await until("refused", () => body.isClosed());
    assert.match(body.text(), /^HTTP\/1.1 413 /);
    const slow = Array.from({ length: 80 }, (_, i) => open(i % 2 === 0 ? "" : "GET /health HTT"));
    await until("no more than 64", () => slow.filter(({ isClosed }) => isClosed()).length >= 16);
    await until("all are ended", () => slow.every(({ isClosed }) => isClosed()));
    // Whoever had a place and was too slow is told so.
    const told = slow.filter(({ text }) => text().startsWith("HTTP/1.1 408 "));
    assert.ok(told.length > 0 && told.length <= 64, `${told.length} had a place`);
    assert.equal((await fetch(`http://127.0.0.1:${httpPort}/health`)).status, 200);
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
    const run = new Run(["local-cluster", "--port", `${PORT}`], { MALLOC_MMAP_THRESHOLD_: "1048576" });
    await until("serving", () => run.out.includes("Ctrl-C stops all three"));
    const [first, second] = [client(PORT), client(PORT + 1)];
    assert.equal(await first.set("greeting", "hello"), "OK");
    assert.equal(await second.get("greeting"), "hello");
    const pid = Number(/kill -9 (\d+)/.exec(run.out)?.[1]);
    process.kill(pid, "SIGKILL");
    await until("noticed", () => run.err.includes(`n1 on port ${PORT} ended (SIGKILL)`));
    await until("a hint", () => run.err.endsWith("/cluster-secret\n"));
    const [, hint = ""] = /is started by\n {2}(.*)\n$/.exec(run.err) ?? [];
    assert.match(hint, new RegExp(`^MALLOC_MMAP_THRESHOLD_=1048576 \\S*node .*main\\.js --port ${PORT} `));
    assert.doesNotMatch(run.out, /Other ports/, "whoever gave a port knows how");
    // Between leaders: not executed or unknown, so asked again.
    await until("it is written", () => second.set("greeting", "again").catch(() => undefined));
    await until("it is read", async () => (await second.get("greeting").catch(() => "")) === "again");
    const restarted = startChild("sh", ["-c", `exec env ${hint}`], { stdio: "ignore" });
    const back = client(PORT);
    await until("the member is back", async () => (await back.info("raft")).includes("raft_role:follower"));
    const [, folder = ""] = /Logs: (\S+)\n/.exec(run.out) ?? [];
    assert.ok(existsSync(folder));
    run.child.kill("SIGINT");
    await run.ended(0);
    assert.match(
      run.out,
      new RegExp(`\nStopped, except for what was started by hand: n1 on port ${PORT}\\. `),
    );
    assert.ok(existsSync(join(folder, "cluster-secret")), "a node that runs keeps its log and its secret");
    restarted.kill("SIGKILL");
    rmSync(folder, { recursive: true });
    await assert.rejects(async () => {
      const gone = new Redis({ port: PORT + 1, lazyConnect: true, retryStrategy: () => null });
      gone.on("error", () => {});
      await gone.connect();
    });
  });

  const password = "pass word $1";
  const passwordFile = (): string => {
    const path = join(folder, "local-password");
    writeFileSync(path, `${password}\n`, { mode: 0o600 });
    return path;
  };
  for (const [name, words, environment] of [
    ["a flag", () => ["--requirepass", password], () => ({})],
    ["a file", () => ["--requirepass-file", passwordFile()], () => ({})],
    ["the environment", () => [], () => ({ SESHAT_REQUIREPASS: password })],
    ["a file that the environment names", () => [], () => ({ SESHAT_REQUIREPASS_FILE: passwordFile() })],
  ] as const) {
    test.skipIf(!installed("redis-cli"))(
      `with a password from ${name} it serves, and what it says to type works (needs redis-cli)`,
      async () => {
        const run = new Run(["local-cluster", "--port", `${PORT}`, ...words()], environment());
        await until("serving", () => run.out.includes("Ctrl-C stops all three"));
        const hints = [...run.out.matchAll(/^ {2}(.*redis-cli .*)$/gm)].map(([, line = ""]) => line);
        const typed = hints.map((line) => execFileSync("sh", ["-c", line], { encoding: "utf8" }));
        assert.deepEqual(typed.slice(0, 2), ["OK\n", "hello\n"]);
        assert.match(typed[2]!, /raft_role:/);
        assert.ok(!run.out.includes(password));
        const [, folderOfLogs = ""] = /Logs: (\S+)\n/.exec(run.out) ?? [];
        run.child.kill("SIGHUP");
        await run.ended(0);
        assert.ok(!existsSync(folderOfLogs), "the logs of a cluster that was stopped are removed");
      },
    );
  }

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
