// What connection and server commands do to the session and the server around them. That their replies are
// Redis's is checked in local-oracle.test.ts.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { namesWithComplexity } from "../../src/command/command-complexity.ts";
import { wantsActiveExpire } from "../../src/command/debug.ts";
import { replyError } from "../../src/command/errors.ts";
import { type ParkedCommand, REDIS_VERSION } from "../../src/command/local-context.ts";
import { localError } from "../../src/command/local-errors.ts";
import { lookupName } from "../../src/command/lookup.ts";
import { Fake, type FakeClient, FakeServer, leaderView, WALL_MS } from "./local-fake.ts";

const OK = "+OK\r\n";
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe("connection", () => {
  test("PING of a subscriber has the shape of a message in RESP2 only", () => {
    const fake = new Fake();
    fake.client.kind = "pubsub";
    assert.equal(fake.run("ping"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert.equal(fake.run("ping x"), "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    fake.client.protocol = 3;
    assert.equal(fake.run("ping"), "+PONG\r\n");
  });
  test("SELECT changes the database, or nothing", () => {
    const fake = new Fake();
    fake.run("select 3");
    assert.equal(fake.client.database, 3);
    fake.run("select 16");
    assert.equal(fake.client.database, 3);
  });
  test("QUIT answers, then closes", () => {
    const fake = new Fake();
    assert.equal(fake.run("quit"), OK);
    assert.deepEqual(fake.client.events, ["close after reply"]);
  });
  test("RESET brings everything back but the library's name", () => {
    const fake = new Fake();
    fake.run("hello 3 setname me");
    for (const line of [
      "select 3",
      "client setinfo lib-name x",
      "client no-evict on",
      "client no-touch on",
    ]) {
      assert.equal(fake.run(line), OK);
    }
    fake.run("monitor");
    assert.equal(fake.run("reset"), "+RESET\r\n");
    const { client } = fake;
    assert.deepEqual(
      [
        client.name,
        client.libName,
        client.database,
        client.protocol,
        client.noEvict,
        client.noTouch,
        client.monitor,
      ],
      ["", "x", 0, 2, false, false, false],
    );
    assert.deepEqual(client.events, ["reset"]);
    assert.equal(fake.server.monitors.count, 0);
  });
});

describe("AUTH and HELLO with a password", () => {
  const locked = (): Fake => {
    const fake = new Fake();
    fake.server.password = Buffer.from("s3cret");
    fake.client.authenticated = false;
    return fake;
  };
  const noAuth = "-NOAUTH Authentication required.\r\n";
  const wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
  const cases = [
    { run: ["ping"], want: noAuth, open: false },
    { run: ["client id"], want: noAuth, open: false },
    { run: ["auth s3cret"], want: OK, open: true },
    { run: ["auth default s3cret"], want: OK, open: true },
    { run: ["auth S3cret"], want: wrong, open: false },
    { run: ["auth s3cre"], want: wrong, open: false },
    { run: ["auth s3crets"], want: wrong, open: false },
    { run: ["auth s3crets3cret"], want: wrong, open: false },
    { run: [["auth", ""]], want: wrong, open: false },
    { run: ["auth other s3cret"], want: wrong, open: false },
    { run: ["auth s3cret", "auth nonsense"], want: wrong, open: true },
    { run: ["auth s3cret", "ping"], want: "+PONG\r\n", open: true },
    { run: ["auth s3cret", "reset", "ping"], want: noAuth, open: false },
    { run: ["hello 3 auth default nonsense"], want: wrong, open: false },
    { run: ["hello 3 auth default s3cret", "ping"], want: "+PONG\r\n", open: true },
    { run: ["reset"], want: "+RESET\r\n", open: false },
    { run: ["quit"], want: OK, open: false },
  ];
  for (const { run, want, open } of cases) {
    test(run.join("; "), () => {
      const fake = locked();
      assert.equal(run.map((command) => fake.run(command)).at(-1), want);
      assert.equal(fake.client.authenticated, open);
    });
  }
  test("HELLO without AUTH is refused and changes nothing", () => {
    const fake = locked();
    assert.match(
      fake.run("hello 3 setname me"),
      /^-NOAUTH HELLO must be called with the client already authent/,
    );
    assert.deepEqual([fake.client.protocol, fake.client.name], [2, ""]);
  });
  test("HELLO's reply", () => {
    const fake = new Fake();
    assert.equal(
      fake.run("hello 3"),
      `%7\r\n${bulk("server")}${bulk("redis")}${bulk("version")}${bulk(REDIS_VERSION)}${bulk("proto")}:3\r\n` +
        `${bulk("id")}:1\r\n${bulk("mode")}${bulk("standalone")}${bulk("role")}${bulk("replica")}${bulk("modules")}*0\r\n`,
    );
    fake.server.view = leaderView;
    assert.match(fake.run("hello 2"), /^\*14\r\n.*\$6\r\nmaster\r\n/s);
    assert.equal(fake.client.protocol, 2);
  });
});

describe("CLIENT", () => {
  test("LIST and INFO have every field of 7.2", () => {
    const fake = new Fake();
    fake.run("hello 3 setname me");
    fake.run("client setinfo LIB-NAME redis-x");
    fake.run("client setinfo lib-ver 1.2");
    const line =
      "id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 fd=8 name=me age=5 idle=1 flags=N db=0 sub=0 psub=0 ssub=0 " +
      "multi=-1 qbuf=26 qbuf-free=0 argv-mem=10 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=2084 events=r " +
      "cmd=client|info user=default redir=-1 resp=3 lib-name=redis-x lib-ver=1.2\n";
    assert.equal(fake.run("client info"), `=${line.length + 4}\r\ntxt:${line}\r\n`);
    assert.ok(fake.run("client list").includes("cmd=client|list"));
  });
  test("flags", () => {
    const { client, ...fake } = new Fake();
    const flagsOf = (change: Partial<FakeClient>): string => {
      const other = new Fake(fake.server);
      Object.assign(other.client, change);
      return / flags=(\S+) /.exec(other.run("client info"))?.[1] ?? "";
    };
    assert.equal(client.kind, "normal");
    assert.equal(flagsOf({ inTransaction: true, watchDirty: true }), "xd");
    assert.equal(flagsOf({ monitor: true, kind: "pubsub", blocked: true, closing: true }), "OPbc");
    assert.equal(flagsOf({ noEvict: true, noTouch: true }), "eT");
  });
  test("LIST by type and by ids", () => {
    const first = new Fake();
    const second = new Fake(first.server);
    second.client.kind = "pubsub";
    const ids = (reply: string): string[] => [...reply.matchAll(/id=(\d+) /g)].map((match) => match[1] ?? "");
    assert.deepEqual(ids(first.run("client list")), ["1", "2"]);
    assert.deepEqual(ids(first.run("client list type NORMAL")), ["1"]);
    assert.deepEqual(ids(first.run("client list type pubsub")), ["2"]);
    assert.deepEqual(ids(first.run("client list id 2 9 1")), ["2", "1"]);
  });
  const killCases = [
    { run: "client kill 127.0.0.1:50002", want: OK, killed: [2] },
    { run: "client kill 127.0.0.1:50001", want: OK, killed: [1] },
    { run: "client kill addr 127.0.0.1:50001", want: ":0\r\n", killed: [] },
    { run: "client kill addr 127.0.0.1:50001 skipme no", want: ":1\r\n", killed: [1] },
    { run: "client kill id 3", want: ":1\r\n", killed: [3] },
    { run: "client kill type normal", want: ":1\r\n", killed: [2] },
    { run: "client kill type pubsub", want: ":1\r\n", killed: [3] },
    { run: "client kill type normal skipme no", want: ":2\r\n", killed: [1, 2] },
    { run: "client kill user default", want: ":2\r\n", killed: [2, 3] },
    { run: "client kill laddr 127.0.0.1:6379 type pubsub", want: ":1\r\n", killed: [3] },
    { run: "client kill id 2 type pubsub", want: ":0\r\n", killed: [] },
  ];
  for (const { run, want, killed } of killCases) {
    test(run, () => {
      const fakes = [new Fake()];
      const server = fakes[0]?.server ?? new FakeServer();
      fakes.push(new Fake(server), new Fake(server));
      if (fakes[2]) fakes[2].client.kind = "pubsub";
      assert.equal(fakes[0]?.run(run), want);
      assert.deepEqual(
        fakes.filter(({ client }) => client.closing).map(({ client }) => client.id),
        killed,
      );
      if (killed.includes(1)) assert.deepEqual(fakes[0]?.client.events, ["close after reply"]);
    });
  }
  test("SETINFO refuses what it does not know and what would break a line", () => {
    const fake = new Fake();
    assert.equal(fake.run("client setinfo foo x"), "-ERR Unrecognized option 'foo'\r\n");
    assert.equal(
      fake.run(["client", "setinfo", "lib-name", "a b"]),
      "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n",
    );
  });
  test("PAUSE and UNPAUSE", () => {
    const fake = new Fake();
    const { pause } = fake.server;
    fake.run("client pause 100 write");
    assert.equal(pause.untilMs, 1100);
    fake.server.monotonic = 1050;
    fake.run("client pause 10");
    assert.equal(pause.untilMs, 1100);
    fake.run("client unpause");
    assert.equal(pause.isActive(1050), false);
  });
  test("UNBLOCK asks only a blocked client", () => {
    const fake = new Fake();
    const other = new Fake(fake.server);
    assert.equal(fake.run("client unblock 2"), ":0\r\n");
    other.client.blocked = true;
    assert.equal(fake.run("client unblock 2 error"), ":1\r\n");
    assert.deepEqual(other.client.events, ["unblock true"]);
  });
});

describe("server", () => {
  test("TIME", () => {
    const seconds = String(Math.floor(WALL_MS / 1000));
    assert.equal(new Fake().run("time"), `*2\r\n${bulk(seconds)}${bulk("123456")}`);
  });
  test("INFO hands its sections on in lower case", () => {
    const fake = new Fake();
    assert.equal(fake.run("info"), bulk("sections: default"));
    assert.equal(fake.run("info Server RAFT"), bulk("sections: server raft"));
  });
  test("ROLE of a leader, a follower, and one without a leader", () => {
    const fake = new Fake();
    const host = bulk("10.0.0.1");
    assert.equal(fake.run("role"), `*5\r\n${bulk("slave")}${host}:6379\r\n${bulk("connected")}:99\r\n`);
    fake.server.view = { ...fake.server.view, role: "candidate", leader: undefined };
    assert.equal(fake.run("role"), `*5\r\n${bulk("slave")}${bulk("")}:0\r\n${bulk("connect")}:99\r\n`);
    fake.server.view = leaderView;
    const replica = (ip: string, index: string): string => `*3\r\n${bulk(ip)}${bulk("6379")}${bulk(index)}`;
    assert.equal(
      fake.run("role"),
      `*3\r\n${bulk("master")}:101\r\n*2\r\n${replica("10.0.0.2", "101")}${replica("10.0.0.3", "50")}`,
    );
  });
  test("WAIT parks until enough members hold the client's last write, or too late", () => {
    const fake = new Fake();
    fake.server.view = leaderView;
    fake.client.lastWriteIndex = 101;
    assert.equal(fake.run("wait 1 0"), ":1\r\n");
    assert.ok(!fake.client.parked);
    assert.equal(fake.run("wait 2 50"), "");
    const parked = parkedIn(fake);
    assert.equal(parked?.deadlineMs, 1050);
    assert.equal(parked?.ready(), false);
    fake.server.view = {
      ...leaderView,
      peers: leaderView.peers.map((peer) => ({ ...peer, matchIndex: 101 })),
    };
    assert.equal(parked?.ready(), true);
    fake.reply.position = 0;
    parked?.finish(fake.reply);
    assert.equal(fake.reply.buffer.toString("latin1", 0, fake.reply.position), ":2\r\n");
  });
  test("WAITAOF knows that there is no append-only file", () => {
    const fake = new Fake();
    assert.equal(fake.run("waitaof 0 0 0"), "*2\r\n:0\r\n:0\r\n");
    assert.equal(fake.run("waitaof 1 0 0"), `-${localError.noAppendOnlyFile}\r\n`);
    assert.equal(fake.run("waitaof 2 0 0"), `-${localError.numlocalOutOfRange}\r\n`);
    assert.equal(fake.run("waitaof x 0 0"), `-${replyError.notInteger}\r\n`);
    assert.equal(fake.run("waitaof 0 -1 0"), `-${replyError.notPositive}\r\n`);
    assert.equal(fake.run("waitaof 1 0 -1"), `-${localError.timeoutNegative}\r\n`);
    assert.equal(fake.run("waitaof 0 1 50"), "");
    const parked = parkedIn(fake);
    assert.equal(parked?.deadlineMs, 1050);
    assert.equal(parked?.ready(), false);
    fake.reply.position = 0;
    parked?.finish(fake.reply);
    assert.equal(fake.reply.buffer.toString("latin1", 0, fake.reply.position), "*2\r\n:0\r\n:0\r\n");
  });
  test("WAIT in a transaction does not wait", () => {
    const fake = new Fake();
    fake.server.view = leaderView;
    fake.client.inTransaction = true;
    fake.client.lastWriteIndex = 1000;
    assert.equal(fake.run("wait 2 0"), ":0\r\n");
    assert.equal(fake.client.parked, undefined);
  });
  test("SHUTDOWN passes its options on and does not answer", () => {
    const fake = new Fake();
    assert.equal(fake.run("shutdown nosave now force"), "");
    assert.deepEqual(fake.server.events, ['shutdown {"save":false,"now":true,"force":true}']);
  });
  test("SAVE, BGSAVE and BGREWRITEAOF say that there is no file", () => {
    for (const line of ["save", "bgsave", "bgrewriteaof"])
      assert.match(new Fake().run(line), /^-ERR Nothing is saved/);
  });
  test("MONITOR registers once", () => {
    const fake = new Fake();
    assert.equal(fake.run("monitor"), OK);
    assert.equal(fake.run("monitor"), "");
    assert.deepEqual([fake.client.monitor, fake.server.monitors.count], [true, 1]);
  });
  test("CONFIG RESETSTAT reaches the server", () => {
    const fake = new Fake();
    fake.run("config resetstat");
    assert.deepEqual(fake.server.events, ["reset statistics"]);
  });
});

describe("DEBUG", () => {
  const cases = [
    { run: "debug sleep 0.25", events: ["sleep 250"], want: OK },
    { run: "debug sleep -1", events: ["sleep 0"], want: OK },
    { run: "debug reload", events: ["reload"], want: OK },
    {
      run: "debug reload noflush",
      events: [],
      want: "-ERR Nothing is saved: this server keeps its data in the memory of its members and writes no files\r\n",
    },
    { run: "debug stringmatch-len a* abc", events: [], want: ":1\r\n" },
  ];
  for (const { run, events, want } of cases) {
    test(run, () => {
      const fake = new Fake();
      assert.equal(fake.run(run), want);
      assert.deepEqual(fake.server.events, events);
    });
  }
  test("SET-ACTIVE-EXPIRE", () => {
    const wants = (...words: string[]): boolean | undefined =>
      wantsActiveExpire(Args.of("debug", "set-active-expire", ...words));
    assert.deepEqual(
      [wants("0"), wants("1"), wants("x"), wants(), wants("1", "2")],
      [false, true, false, undefined, undefined],
    );
  });
  test("not allowed", () => {
    const fake = new Fake();
    fake.server.debug = false;
    for (const run of ["debug sleep 5", "debug reload", "debug help", "debug protocol string"]) {
      assert.match(fake.run(run), /^-ERR DEBUG command not allowed\./);
    }
    assert.deepEqual(fake.server.events, []);
  });
});

describe("introspection", () => {
  test("SLOWLOG GET", () => {
    const fake = new Fake();
    const { slowLog } = fake.server;
    fake.client.name = "me";
    slowLog.thresholdMicroseconds = 0;
    for (let i = 0; i < 12; i++)
      slowLog.consider(Args.of("get", `k${i}`), 100 + i, fake.client, 1_600_000_000 + i);
    assert.equal(fake.run("slowlog len"), ":12\r\n");
    assert.match(fake.run("slowlog get"), /^\*10\r\n/);
    assert.match(fake.run("slowlog get -1"), /^\*12\r\n/);
    assert.equal(
      fake.run("slowlog get 1"),
      `*1\r\n*6\r\n:11\r\n:1600000011\r\n:111\r\n*2\r\n${bulk("get")}${bulk("k11")}${bulk("127.0.0.1:50001")}${bulk("me")}`,
    );
    fake.run("slowlog reset");
    assert.equal(fake.run("slowlog get"), "*0\r\n");
  });
  test("LATENCY", () => {
    const fake = new Fake();
    const { latency } = fake.server;
    latency.thresholdMs = 10;
    latency.consider("command", 20, 1_700_000_000 - 5);
    latency.consider("command", 30, 1_700_000_000 - 2);
    assert.equal(fake.run("latency latest"), `*1\r\n*4\r\n${bulk("command")}:1699999998\r\n:30\r\n:30\r\n`);
    assert.equal(
      fake.run("latency history command"),
      "*2\r\n*2\r\n:1699999995\r\n:20\r\n*2\r\n:1699999998\r\n:30\r\n",
    );
    assert.match(
      fake.run("latency graph command"),
      /command - high 30 ms, low 20 ms \(all time high 30 ms\)/,
    );
    assert.match(
      fake.run("latency doctor"),
      /1\. command: 2 latency spikes \(average 25ms, mean deviation 5ms/,
    );
    assert.equal(fake.run("latency reset command other"), ":1\r\n");
    assert.equal(fake.run("latency latest"), "*0\r\n");
  });
  test("LATENCY HISTOGRAM of a container is that of its subcommands", () => {
    const fake = new Fake();
    const statistics = fake.server.commandStatistics;
    const id = fake.server.commands.findIndex(({ name }) => name === "client|list");
    statistics.record(id, 10);
    statistics.record(id, 100);
    const want = `*2\r\n${bulk("client|list")}*4\r\n${bulk("calls")}:2\r\n${bulk("histogram_usec")}*4\r\n:16\r\n:1\r\n:132\r\n:2\r\n`;
    assert.equal(fake.run("latency histogram CLIENT"), want);
    assert.equal(fake.run("latency histogram"), want);
  });
  test("MEMORY USAGE", () => {
    const fake = new Fake();
    assert.equal(fake.run("memory usage k"), "$-1\r\n");
    const key = Buffer.from("k");
    fake.data.keys.setString(key, 0, 1, Buffer.from("value"), 0, 5, false);
    assert.match(fake.run("memory usage k samples 0"), /^:\d+\r\n$/);
    assert.equal(fake.run("memory usage k samples -1"), "-ERR syntax error\r\n");
    assert.equal(fake.run("memory usage k samples x"), "-ERR value is not an integer or out of range\r\n");
    assert.equal(fake.run("memory usage k samples"), "-ERR syntax error\r\n");
  });
  test("MEMORY STATS and DOCTOR", () => {
    const fake = new Fake();
    assert.match(
      fake.run("memory stats"),
      /peak\.allocated\r\n:2000\r\n.*dataset\.percentage\r\n\$2\r\n80\r\n/s,
    );
    assert.match(fake.run("memory doctor"), /Too little data/);
    fake.server.figures = {
      ...fake.server.figures,
      logicalBytes: 1e8,
      logicalBytesMax: 3e8,
      maxmemoryBytes: 1e8,
    };
    assert.match(fake.run("memory doctor"), /In the past more memory.*maxmemory is nearly reached/s);
  });
  test("every HELP begins and ends as Redis's", () => {
    for (const row of new FakeServer().commands.filter(({ route }) => route === "container")) {
      if (row.name === "object") continue; // a data command, with tests of its own
      const reply = new Fake().run(`${row.name} help`);
      const head = `+${row.name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n`;
      assert.ok(reply.includes(head), row.name);
      assert.ok(reply.endsWith("+HELP\r\n+    Prints this help.\r\n"), row.name);
      const lines = reply.split("\r\n");
      assert.equal(lines[0], `*${lines.length - 2}`);
    }
  });
});

describe("a short command has no endless answer", () => {
  const many = (...head: string[]): string[] => [...head, ...Array.from({ length: 5000 }, () => "client")];
  for (const head of [
    ["command", "info"],
    ["command", "docs"],
    ["config", "get"],
    ["latency", "histogram"],
    ["latency", "reset"],
  ]) {
    test(head.join(" "), () =>
      assert.equal(new Fake().run(many(...head)), "-ERR too many names in one command\r\n"),
    );
  }
  test("names that repeat are answered once", () => {
    const fake = new Fake();
    assert.equal(fake.run("command docs get get"), fake.run("command docs get"));
    assert.equal(fake.run("client list id 1 1 1"), fake.run("client list id 1"));
  });
});

describe("COMMAND", () => {
  test("alone, INFO, COUNT and LIST agree", () => {
    const fake = new Fake();
    const count = fake.run("command count");
    assert.equal(fake.run("command").split("\r\n", 1)[0], `*${count.slice(1, -2)}`);
    assert.equal(fake.run("command"), fake.run("command info"));
    assert.ok(!fake.run("command list").includes("debug|"));
  });
  test("DOCS of everything is well formed in both protocols and has a summary each", () => {
    const fake = new Fake();
    const two = fake.run("command docs");
    for (const field of ["summary", "complexity"]) {
      assert.equal(two.split(`\r\n${field}\r\n`).length - 1, visibleCount(fake));
    }
    fake.client.protocol = 3;
    assert.match(fake.run("command docs get"), /^%1\r\n\$3\r\nget\r\n%\d\r\n\$7\r\nsummary\r\n/);
  });
  test("texts about complexity are about commands that there are, each in one text", () => {
    for (const name of namesWithComplexity) assert.notEqual(lookupName(name), undefined, name);
    assert.equal(new Set(namesWithComplexity).size, namesWithComplexity.length);
  });
  test("keys by keyword and by number", () => {
    const fake = new Fake();
    assert.equal(
      fake.run("command getkeys command getkeys get k"),
      "-ERR The command has no key arguments\r\n",
    );
    assert.equal(fake.run("command getkeys lcs a b len"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  });
});

/** A function, or the compiler remembers that it was undefined. */
const parkedIn = (fake: Fake): ParkedCommand | undefined => fake.client.parked;

const visibleCount = (fake: Fake): number => Number(/^\*(\d+)/.exec(fake.run("command list"))?.[1]);
