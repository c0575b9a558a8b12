// The services behind SLOWLOG, LATENCY, MONITOR, CLIENT PAUSE and INFO: rows of events and what is kept of them.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Args } from "../../../src/base/args.ts";
import { logRows, lookupName, rowId, rows } from "../../../src/command/lookup.ts";
import type { CommandRow } from "../../../src/command/types.ts";
import { CommandTimer } from "../../../src/node/command-timer.ts";
import { ClientRegistry } from "../../../src/node/service/client-registry.ts";
import { CommandStatistics } from "../../../src/node/service/command-statistics.ts";
import { LatencyMonitor } from "../../../src/node/service/latency-monitor.ts";
import { Monitors, monitorLine, quote } from "../../../src/node/service/monitors.ts";
import { ClientPause } from "../../../src/node/service/pause.ts";
import { SlowLog } from "../../../src/node/service/slow-log.ts";
import { RateMeter, ServerStatistics } from "../../../src/node/service/statistics.ts";
import { FakeClient } from "../../command/local-fake.ts";

const noClock = {
  monotonicMs: () => 0,
  monotonicUs: () => 0,
  wallMs: () => 0,
  wallUs: () => 0,
  sleep: () => {},
};

function row(name: string): CommandRow {
  const found = lookupName(name);
  assert.ok(found, name);
  return found;
}

describe("slow log", () => {
  const client = { address: "10.0.0.9:1", name: "" };
  const kept = (...words: string[]): readonly string[] => {
    const log = new SlowLog();
    log.consider(Args.of(...words), 20_000, client, 1);
    return log.latest(1)[0]?.args ?? [];
  };
  const cases = [
    { name: "short", words: ["get", "k"], want: ["get", "k"] },
    {
      name: "a long argument",
      words: ["set", "k", "x".repeat(130)],
      want: ["set", "k", `${"x".repeat(128)}... (2 more bytes)`],
    },
    { name: "a password", words: ["AUTH", "secret"], want: ["AUTH", "(redacted)"] },
    { name: "user and password", words: ["auth", "u", "p"], want: ["auth", "(redacted)", "(redacted)"] },
    {
      name: "HELLO",
      words: ["hello", "3", "auth", "u", "p", "setname", "x"],
      want: ["hello", "3", "auth", "(redacted)", "(redacted)", "setname", "x"],
    },
    {
      name: "CONFIG SET",
      words: ["config", "set", "appendonly", "no", "requirepass", "p", "maxmemory", "0"],
      want: ["config", "set", "appendonly", "no", "requirepass", "(redacted)", "maxmemory", "0"],
    },
    {
      name: "a secret of ours",
      words: ["config", "set", "cluster-secret", "p"],
      want: ["config", "set", "cluster-secret", "(redacted)"],
    },
  ];
  for (const { name, words, want } of cases) test(name, () => assert.deepEqual(kept(...words), want));

  test("many arguments", () => {
    const args = kept("mget", ...Array.from({ length: 40 }, (_, i) => `k${i}`));
    assert.equal(args.length, 32);
    assert.equal(args[30], "k29");
    assert.equal(args[31], "... (10 more arguments)");
    assert.equal(kept("mget", ...Array.from({ length: 31 }, () => "k")).at(-1), "k");
  });
  test("threshold, length and ids", () => {
    const log = new SlowLog();
    log.entriesMax = 2;
    const args = Args.of("get", "k");
    for (const microseconds of [9_999, 10_000, 20_000, 30_000]) log.consider(args, microseconds, client, 5);
    assert.deepEqual(
      log.latest(10).map(({ id, microseconds }) => [id, microseconds]),
      [
        [2, 30_000],
        [1, 20_000],
      ],
    );
    log.reset();
    log.thresholdMicroseconds = -1;
    log.consider(args, 1e9, client, 5);
    assert.equal(log.length, 0);
    log.thresholdMicroseconds = 0;
    log.consider(args, 0, client, 5);
    assert.equal(log.latest(1)[0]?.id, 3);
    log.entriesMax = 0;
    log.trim();
    assert.equal(log.length, 0);
  });
  test("keeps copies: the bytes may be overwritten", () => {
    const log = new SlowLog();
    const args = Args.of("get", "key");
    log.consider(args, 1e6, client, 5);
    args.bytes.fill(0);
    assert.deepEqual(log.latest(1)[0]?.args, ["get", "key"]);
  });
});

describe("latency monitor", () => {
  test("off, below the threshold, one sample a second, 160 samples", () => {
    const monitor = new LatencyMonitor();
    monitor.consider("command", 1000, 1);
    assert.deepEqual(monitor.latest(), []);
    monitor.thresholdMs = 10;
    for (const [ms, seconds] of [
      [9, 1],
      [10, 1],
      [12.9, 2],
      [11, 2],
      [15, 2],
    ] as const) {
      monitor.consider("command", ms, seconds);
    }
    assert.deepEqual(monitor.history("command"), [
      { timeSeconds: 1, milliseconds: 10 },
      { timeSeconds: 2, milliseconds: 15 },
    ]);
    for (let i = 0; i < 200; i++) monitor.consider("command", 100 - i / 10, 10 + i);
    assert.equal(monitor.history("command").length, 160);
    assert.equal(monitor.latest()[0]?.maxMs, 100);
  });
  test("names in order; reset of some and of all", () => {
    const monitor = new LatencyMonitor();
    monitor.thresholdMs = 1;
    for (const name of ["fast-command", "command", "raft-commit"]) monitor.consider(name, 5, 1);
    assert.deepEqual(
      monitor.latest().map(({ name }) => name),
      ["command", "fast-command", "raft-commit"],
    );
    assert.match(monitor.doctor(2), /3\. raft-commit: 1 latency spikes.*short of CPU.*its network/s);
    assert.equal(monitor.reset(["command", "nosuch"]), 1);
    assert.equal(monitor.reset(undefined), 2);
  });
  // The same three samples gave redis-server 7.0.15 the same picture.
  test("graph", () => {
    const monitor = new LatencyMonitor();
    monitor.thresholdMs = 1;
    for (const [ms, seconds] of [
      [100, 8],
      [50, 9],
      [200, 10],
    ] as const)
      monitor.consider("command", ms, seconds);
    assert.equal(
      monitor.graph("command", 10),
      `command - high 200 ms, low 50 ms (all time high 200 ms)\n${"-".repeat(80)}\n  #\n  |\no |\n|_|\n   \n210\nsss\n`,
    );
  });
});

describe("monitor feed", () => {
  const quoted = [
    { name: "plain", text: "key", want: '"key"' },
    { name: "quote and backslash", text: 'a"b\\c', want: '"a\\"b\\\\c"' },
    { name: "line ends and tab", text: "\r\n\t", want: '"\\r\\n\\t"' },
    { name: "bell and backspace", text: "\u0007\b", want: '"\\a\\b"' },
    { name: "bytes", text: "\0\u001f\u007f\u00ff", want: '"\\x00\\x1f\\x7f\\xff"' },
    { name: "empty", text: "", want: '""' },
  ];
  for (const { name, text, want } of quoted) test(name, () => assert.equal(quote(text), want));

  test("the line", () => {
    const client = { address: "127.0.0.1:60866", database: 3 };
    assert.equal(
      monitorLine(client, Args.of("keys", "*"), 1_339_518_083_107_412),
      '+1339518083.107412 [3 127.0.0.1:60866] "keys" "*"\r\n',
    );
    assert.equal(
      monitorLine(client, Args.of("auth", "p"), 1_000_000_000_000_042),
      '+1000000000.000042 [3 127.0.0.1:60866] "auth" "(redacted)"\r\n',
    );
  });
  test("goes to all monitors, and to none after they left", () => {
    const monitors = new Monitors();
    const [a, b] = [new FakeClient(1), new FakeClient(2)];
    monitors.add(a);
    monitors.add(b);
    monitors.feed(a, Args.of("ping"), 1_000_000);
    assert.equal(a.pushed.length + b.pushed.length, 2);
    monitors.remove(a);
    assert.equal(monitors.active, true);
    monitors.remove(b);
    monitors.remove(b);
    assert.equal(monitors.active, false);
  });
  test("administration is not shown", () => {
    const monitors = new Monitors();
    assert.equal(monitors.shows(row("set")), true);
    assert.equal(monitors.shows(row("auth")), true);
    assert.equal(monitors.shows(row("config|set")), false);
  });
});

describe("pause", () => {
  test("what is held", () => {
    const pause = new ClientPause();
    const held = (name: string, transactionWrites = false): boolean =>
      pause.blocks(row(name), 50, transactionWrites);
    assert.equal(held("set"), false);
    pause.start("write", 100, 0);
    assert.deepEqual([held("set"), held("get"), held("ping"), held("flushall")], [true, false, false, true]);
    pause.start("all", 60, 50);
    assert.deepEqual([held("get"), held("ping"), held("client|unpause")], [true, true, true]);
    assert.equal(pause.untilMs, 100);
    assert.equal(pause.blocks(row("get"), 100), false);
    pause.start("write", 200, 150);
    assert.equal(pause.blocks(row("get"), 160), false);
    assert.equal(pause.blocks(row("set"), 160), true);
    pause.end();
    assert.equal(pause.blocks(row("set"), 160), false);
  });
});

describe("command statistics", () => {
  const get = rowId(row("get"));
  test("counts and times", () => {
    const statistics = new CommandStatistics(rows);
    for (let i = 0; i < 10; i++) statistics.count(get);
    statistics.record(get, 3);
    statistics.record(get, 5);
    statistics.countFailed(get);
    statistics.countRejected(rowId(row("set")));
    assert.deepEqual(statistics.figures(), [
      { name: "get", calls: 10, microseconds: 40, rejectedCalls: 0, failedCalls: 1, timed: true },
      { name: "set", calls: 0, microseconds: 0, rejectedCalls: 1, failedCalls: 0, timed: false },
    ]);
    assert.equal(statistics.callsTotal, 10);
    statistics.reset();
    assert.deepEqual(statistics.figures(), []);
    assert.equal(statistics.histogram("get"), undefined);
  });
  test("a sample stands for all calls, in the histogram too", () => {
    const statistics = new CommandStatistics(rows);
    for (let i = 0; i < 10; i++) statistics.count(get);
    for (const microseconds of [3, 3, 100]) statistics.record(get, microseconds);
    assert.deepEqual(statistics.histogram("get"), {
      calls: 10,
      buckets: [
        [4, 7],
        [132, 10],
      ],
    });
  });
  test("of fast commands one call in 32 is timed, from the first on; of others, and for a low threshold, all", () => {
    let nowUs = 1;
    const clock = { ...noClock, monotonicUs: () => nowUs++ };
    const timer = new CommandTimer(clock, { record: () => {}, countErrors: () => {}, notRun: () => {} });
    const timed = (name: string, calls: number): number =>
      Array.from({ length: calls }, () => timer.start(rowId(row(name)), undefined)).filter(
        (startUs) => startUs !== 0,
      ).length;
    assert.equal(timed("get", 1), 1);
    assert.equal(timed("get", 64), 2);
    assert.equal(timed("keys", 64), 64);
    timer.slowLogMicroseconds = 0;
    assert.equal(timed("get", 10), 10);
    timer.slowLogMicroseconds = 10_000;
    assert.equal(timed("get", 10), 0);
    timer.reset();
    assert.equal(timed("get", 10), 1);
  });
  // Bounds as redis-server 7.0.15 prints them.
  const bounds = [
    [0.5, 1],
    [1.5, 2],
    [3, 4],
    [10, 16],
    [17, 33],
    [50, 66],
    [100, 132],
    [500, 528],
    [10_100, 16_908],
    [70_000, 135_266],
    [300_000, 541_065],
    [1_200_000, 1_073_741],
    [1e9, 1_073_741],
  ] as const;
  for (const [microseconds, bound] of bounds) {
    test(`${microseconds} us is counted up to ${bound} us`, () => {
      const statistics = new CommandStatistics(rows);
      statistics.record(get, microseconds);
      assert.deepEqual(statistics.histogram("get"), { calls: 1, buckets: [[bound, 1]] });
    });
  }
  test("percentiles are at most an eighth too high", () => {
    const statistics = new CommandStatistics(rows);
    for (let i = 1; i <= 1000; i++) statistics.record(get, i);
    for (const [percent, exact] of [
      [50, 500],
      [99, 990],
      [99.9, 999],
    ] as const) {
      const found = statistics.percentile("get", percent) ?? 0;
      assert.ok(found >= exact && found <= exact * 1.13, `p${percent} is ${found}`);
    }
  });
  test("words of the log are timed and never shown", () => {
    const statistics = new CommandStatistics(rows);
    const word = logRows[0]!;
    const id = rows.indexOf(word);
    statistics.record(id, 5);
    statistics.countFailed(id);
    assert.equal(statistics.histogram(word.name), undefined);
    assert.deepEqual(statistics.figures(), []);
  });
  test("latency-tracking off", () => {
    const statistics = new CommandStatistics(rows);
    statistics.histogramsOn = false;
    statistics.record(get, 5);
    assert.equal(statistics.percentile("get", 50), undefined);
  });
});

describe("clients, counters, rates", () => {
  test("registry", () => {
    const registry = new ClientRegistry<FakeClient>();
    const clients = [3, 1, 2].map((id) => new FakeClient(id));
    for (const client of clients) registry.add(client);
    assert.deepEqual(
      registry.list().map(({ id }) => id),
      [1, 2, 3],
    );
    assert.equal(registry.byId(2)?.id, 2);
    assert.throws(() => registry.add(new FakeClient(2)), /client 2 registered twice/);
    for (const client of clients) registry.remove(client);
    assert.equal(registry.count, 0);
  });
  test("errors by code, bounded", () => {
    const { errors } = new ServerStatistics();
    for (const text of ["ERR a", "WRONGTYPE b", "ERR c", "NOCODE"]) errors.count(text);
    assert.deepEqual(errors.entries(), [
      ["ERR", 2],
      ["NOCODE", 1],
      ["WRONGTYPE", 1],
    ]);
    for (let i = 0; i < 1000; i++) errors.count(`CODE${i} x`);
    assert.equal(errors.entries().length, 128);
    assert.equal(errors.total, 1004);
  });
  test("rates", () => {
    const meter = new RateMeter();
    for (let i = 0; i <= 16; i++) meter.sample(100 * i, 50 * i);
    assert.equal(meter.perSecond, 500);
    meter.sample(1700, 0); // RESETSTAT
    assert.ok(meter.perSecond < 500);
  });
});
