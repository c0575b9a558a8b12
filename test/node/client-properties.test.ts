// What a client is must not depend on where it is connected: the same script on the leader and on a follower, whose commands
// run at the leader, and what a client sees after each (docs/adr/0026). Also when the leader changes in between.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

/** Of a text, what may differ from node to node and from run to run. */
const common = (text: string): string =>
  text.replaceAll(/127\.0\.0\.1:\d+/g, "address").replaceAll(/\bid=\d+/g, "id");

interface Script {
  readonly what: string;
  /** Other clients' commands have their number in front: { other: 1 } is a second one on the same node. */
  readonly commands: readonly (readonly string[])[];
  readonly look: (client: Client, world: World) => string;
  readonly expected: string | RegExp;
  readonly flags?: Readonly<Record<string, string>>;
}

const info = (section: string, field: string) => (client: Client) => {
  const text = client.call("INFO", section);
  return new RegExp(`^${field}:[^\r]*`, "m").exec(text)?.[0] ?? "nothing";
};
/** Without times. */
const statistics = (command: string) => (client: Client) =>
  info("commandstats", `cmdstat_${command}`)(client).replace(/usec=\d+,usec_per_call=[\d.]+,/, "");
const flagsOf = (client: Client): string => / flags=(\w+) /.exec(client.call("CLIENT", "INFO"))?.[1] ?? "";

const idle = (world: World): void => {
  for (let ticks = 0; ticks < 300; ticks++) world.step();
};

const SCRIPTS: readonly Script[] = [
  {
    what: "GET touches",
    commands: [["SET", "k", "v"], ["#idle"], ["GET", "k"]],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: ":0\r\n",
  },
  {
    what: "NO-TOUCH: GET does not touch",
    commands: [["SET", "k", "v"], ["CLIENT", "NO-TOUCH", "ON"], ["#idle"], ["GET", "k"]],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: /^:[23]\r\n$/,
  },
  {
    what: "NO-TOUCH: a GET behind a write, in its place in the log, does not touch either",
    commands: [["SET", "k", "v"], ["CLIENT", "NO-TOUCH", "ON"], ["#idle"], ["#pipe", "SET other x", "GET k"]],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: /^:[23]\r\n$/,
  },
  {
    what: "NO-TOUCH: GET in a transaction does not touch",
    commands: [
      ["SET", "k", "v"],
      ["CLIENT", "NO-TOUCH", "ON"],
      ["#idle"],
      ["MULTI"],
      ["SET", "other", "x"],
      ["GET", "k"],
      ["EXEC"],
    ],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: /^:[23]\r\n$/,
  },
  {
    what: "NO-TOUCH: TOUCH touches",
    commands: [["SET", "k", "v"], ["CLIENT", "NO-TOUCH", "ON"], ["#idle"], ["TOUCH", "k"]],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: ":0\r\n",
  },
  {
    what: "NO-TOUCH is over: GET touches again",
    commands: [
      ["SET", "k", "v"],
      ["CLIENT", "NO-TOUCH", "ON"],
      ["GET", "k"],
      ["#idle"],
      ["CLIENT", "NO-TOUCH", "OFF"],
      ["GET", "k"],
    ],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: ":0\r\n",
  },
  {
    what: "RESET ends NO-TOUCH",
    commands: [
      ["SET", "k", "v"],
      ["CLIENT", "NO-TOUCH", "ON"],
      ["GET", "k"],
      ["RESET"],
      ["#idle"],
      ["GET", "k"],
    ],
    look: (client) => client.call("OBJECT", "IDLETIME", "k"),
    expected: ":0\r\n",
  },
  {
    what: "the database",
    commands: [
      ["SELECT", "3"],
      ["SET", "k", "three"],
      ["SELECT", "0"],
      ["SET", "k", "none"],
      ["SELECT", "3"],
    ],
    look: (client) => client.call("GET", "k"),
    expected: "$5\r\nthree\r\n",
  },
  {
    what: "RESP3",
    commands: [
      ["HELLO", "3"],
      ["HSET", "h", "f", "v"],
    ],
    look: (client) => client.call("HGETALL", "h"),
    expected: "%1\r\n$1\r\nf\r\n$1\r\nv\r\n",
  },
  {
    what: "CLIENT REPLY OFF",
    commands: [
      ["CLIENT", "REPLY", "OFF"],
      ["SET", "k", "v"],
      ["GET", "k"],
    ],
    look: (client) => client.call("CLIENT", "REPLY", "ON"),
    expected: "+OK\r\n",
  },
  {
    what: "CLIENT REPLY SKIP",
    commands: [
      ["CLIENT", "REPLY", "SKIP"],
      ["SET", "k", "v"],
    ],
    look: (client) => client.call("GET", "k"),
    expected: "$1\r\nv\r\n",
  },
  {
    what: "the slow log has the client's address and name",
    flags: { "slowlog-log-slower-than": "0" },
    commands: [
      ["CLIENT", "SETNAME", "me"],
      ["SET", "k", "v"],
    ],
    look: (client) => client.call("SLOWLOG", "GET", "1").split("\r\n").slice(6, 99).join(" "),
    expected: "$3 SET $1 k $1 v $12 address $2 me ",
  },
  {
    what: "the slow log has WATCH as the client sent it",
    flags: { "slowlog-log-slower-than": "0" },
    commands: [["WATCH", "k", "l"]],
    look: (client) => client.call("SLOWLOG", "GET", "1").split("\r\n").slice(5, 12).join(" "),
    expected: "*3 $5 WATCH $1 k $1 l",
  },
  {
    what: "the slow log has what a transaction did",
    flags: { "slowlog-log-slower-than": "0" },
    commands: [["MULTI"], ["SELECT", "2"], ["LPUSH", "l", "v"], ["LRANGE", "l", "0", "-1"], ["EXEC"]],
    look: (client) =>
      client
        .call("SLOWLOG", "GET", "2")
        .split("\r\n")
        .filter((line) => /^[A-Z]+$/.test(line))
        .join(" "),
    expected: /LRANGE.*LPUSH|SELECT LRANGE/,
  },
  {
    what: "LATENCY HISTOGRAM",
    commands: [
      ["LPUSH", "l", "v"],
      ["LRANGE", "l", "0", "-1"],
      ["LRANGE", "l", "0", "-1"],
    ],
    look: (client) => client.call("LATENCY", "HISTOGRAM", "lrange").split("\r\n").slice(0, 7).join(" "),
    expected: "*2 $6 lrange *4 $5 calls :2",
  },
  {
    what: "calls",
    commands: [
      ["SET", "k", "v"],
      ["SET", "k", "v"],
      ["SET", "k", "v"],
    ],
    look: statistics("set"),
    expected: "cmdstat_set:calls=3,rejected_calls=0,failed_calls=0",
  },
  {
    what: "calls in a transaction",
    commands: [["MULTI"], ["SET", "k", "v"], ["INCR", "n"], ["EXEC"], ["INCR", "n"]],
    look: (client) => `${statistics("incr")(client)} ${statistics("exec")(client)}`,
    expected:
      "cmdstat_incr:calls=2,rejected_calls=0,failed_calls=0 cmdstat_exec:calls=1,rejected_calls=0,failed_calls=0",
  },
  {
    what: "failed calls: a read, a write and one behind it",
    commands: [
      ["SET", "k", "v"],
      ["LRANGE", "k", "0", "1"],
      ["INCR", "k"],
      ["#pipe", "INCR k", "LRANGE k 0 1"],
    ],
    look: (client) => `${statistics("incr")(client)} ${statistics("lrange")(client)}`,
    expected:
      "cmdstat_incr:calls=2,rejected_calls=0,failed_calls=2 cmdstat_lrange:calls=2,rejected_calls=0,failed_calls=2",
  },
  {
    what: "failed calls in a transaction",
    commands: [["SET", "k", "v"], ["MULTI"], ["INCR", "k"], ["SET", "k", "w"], ["INCR", "k"], ["EXEC"]],
    look: (client) => `${statistics("incr")(client)} ${info("errorstats", "errorstat_ERR")(client)}`,
    expected: "cmdstat_incr:calls=2,rejected_calls=0,failed_calls=2 errorstat_ERR:count=2",
  },
  {
    what: "errors by their code",
    commands: [
      ["SET", "k", "v"],
      ["LPUSH", "k", "v"],
      ["SADD", "k", "v"],
    ],
    look: (client) =>
      `${info("errorstats", "errorstat_WRONGTYPE")(client)} ${info("stats", "total_error_replies")(client)}`,
    expected: "errorstat_WRONGTYPE:count=2 total_error_replies:2",
  },
  {
    what: "rejected calls: -OOM",
    flags: { maxmemory: "3000" },
    commands: [
      ["SET", "k", "x".repeat(4000)],
      ["SET", "k", "v"],
      ["LPUSH", "l", "v"],
    ],
    look: (client) =>
      [statistics("set"), statistics("lpush"), info("errorstats", "errorstat_OOM")]
        .map((it) => it(client))
        .join(" "),
    expected:
      "cmdstat_set:calls=1,rejected_calls=1,failed_calls=0 cmdstat_lpush:calls=0,rejected_calls=1,failed_calls=0 errorstat_OOM:count=2",
  },
  {
    what: "MULTI",
    commands: [["MULTI"], ["SET", "k", "v"]],
    look: flagsOf,
    expected: "",
  },
  {
    what: "a watched key that has changed: the flag d",
    commands: [["SET", "k", "1"], ["WATCH", "k"], ["#other", "SET", "k", "2"], ["#settle"]],
    look: flagsOf,
    expected: "d",
  },
  {
    what: "the flag d at once, whoever has changed the key",
    commands: [
      ["SET", "k", "1"],
      ["WATCH", "k"],
      ["#leader", "SET", "k", "2"],
    ],
    look: flagsOf,
    expected: "d",
  },
  {
    what: "the flag d for others, at once",
    commands: [
      ["SET", "k", "1"],
      ["WATCH", "k"],
      ["#leader", "SET", "k", "2"],
    ],
    look: (client) => {
      const line = client.host.connect().call("CLIENT", "LIST", "ID", String(client.id));
      return / flags=(\w+) /.exec(line)?.[1] ?? "";
    },
    expected: "d",
  },
  {
    what: "and in MULTI, and the EXEC that fails for it",
    commands: [["SET", "k", "1"], ["WATCH", "k"], ["#other", "SET", "k", "2"], ["MULTI"], ["GET", "k"]],
    look: (client) => client.call("EXEC"),
    expected: "*-1\r\n",
  },
  {
    what: "waiting in WAIT: the flag b",
    commands: [["SET", "k", "v"], ["#send", "WAIT", "9", "0"], ["#settle"]],
    look: (client) => {
      const other = client.host.connect();
      const line = other.call("CLIENT", "LIST", "ID", String(client.id));
      return `${/ flags=(\w+) /.exec(line)?.[1]} ${info("clients", "blocked_clients")(other)}`;
    },
    expected: "b blocked_clients:1",
  },
  {
    what: "waiting in BLPOP: the flag b",
    commands: [["#send", "BLPOP", "none", "0"], ["#settle"]],
    look: (client) => {
      const other = client.host.connect();
      const line = other.call("CLIENT", "LIST", "ID", String(client.id));
      return `${/ flags=(\w+) /.exec(line)?.[1]} ${info("clients", "blocked_clients")(other)}`;
    },
    expected: "b blocked_clients:1",
  },
  {
    what: "a subscriber of RESP2 may not read",
    commands: [["SUBSCRIBE", "c"]],
    look: (client) => client.call("GET", "k"),
    expected: /^-ERR Can't execute 'get'/,
  },
  {
    what: "MONITOR shows where the client is",
    commands: [],
    look: (client, world) => {
      const monitors = hostsOf(world)
        .filter((host) => host === client.host || host === world.leader())
        .map((host) => host.connect());
      for (const monitor of monitors) monitor.call("MONITOR");
      client.call("SET", "k", "v");
      world.step();
      const shown = monitors.map((monitor) => monitor.take().includes(`[0 ${client.address}] "SET" "k" "v"`));
      return shown.every((it) => it) ? "all" : JSON.stringify(shown);
    },
    expected: "all",
  },
];

function play(world: World, client: Client, commands: Script["commands"]): void {
  for (const [word = "", ...rest] of commands) {
    if (word === "#idle") idle(world);
    else if (word === "#settle") for (let ticks = 0; ticks < 5; ticks++) world.step();
    else if (word === "#other") client.host.connect().call(...rest);
    else if (word === "#leader")
      world
        .leader()!
        .connect()
        .call(...rest);
    else if (word === "#send") client.send(...rest);
    else if (word === "#pipe") {
      client.sendRaw(Buffer.from(rest.map((line) => `${line}\r\n`).join("")));
      for (let ticks = 0; ticks < 5; ticks++) world.step();
      client.take();
    } else {
      client.send(word, ...rest);
      world.settle();
      for (let ticks = 0; ticks < 3; ticks++) world.step();
      client.take();
    }
  }
}

function matches(found: string, expected: string | RegExp, what: string): void {
  if (typeof expected === "string") assert.equal(found, expected, what);
  else assert.match(found, expected, what);
}

const PLACES = [
  ["the leader", (world: World): Host => world.leader()!],
  ["a follower", followerOf],
] as const;

for (const { what, commands, look, expected, flags } of SCRIPTS) {
  test(what, () => {
    const seen = PLACES.map(([where, hostOf]) => {
      const world = started(3, flags);
      const client = hostOf(world).connect();
      play(world, client, commands);
      const found = common(look(client, world));
      if (expected !== "") matches(found, expected, where);
      return found;
    });
    assert.equal(seen[0], seen[1], "the same wherever the client is");
  });
}

test("a new leader is told again: NO-TOUCH and the last write go on", () => {
  const world = started(3);
  const first = world.leader()!;
  const [host, next] = hostsOf(world).filter((it) => it !== first);
  assert.ok(host !== undefined && next !== undefined);
  const client = host.connect();
  play(world, client, [
    ["SET", "k", "v"],
    ["CLIENT", "NO-TOUCH", "ON"],
    ["GET", "k"],
  ]);
  const written = host.node.server.clients.byId(client.id)!.lastWriteIndex;
  assert.ok(written > 0, "the reply says where the write is");
  assert.equal(first.connect().call("RAFT.TRANSFER", next.name), "+OK\r\n");
  world.until("all know it", () =>
    hostsOf(world).every(({ node }) => node.replica.leader === next.identity.incarnation),
  );
  idle(world);
  client.call("GET", "k");
  assert.match(client.call("OBJECT", "IDLETIME", "k"), /^:[23]\r\n$/);
  assert.equal(client.call("WAIT", "0", "0"), ":2\r\n");
});

test("WAIT is for the client's last write, also when the leader learns of that from the client's node alone", () => {
  const world = started(3);
  const leader = world.leader()!;
  const [host, away] = hostsOf(world).filter((it) => it !== leader);
  assert.ok(host !== undefined && away !== undefined);
  for (const it of [leader, host]) world.cut.add(`${it.name}>${away.name}`).add(`${away.name}>${it.name}`);
  const client = host.connect();
  leader.connect().call("RPUSH", "l", "x");
  // It goes through the log as a try of its node's, not as a command of the client's session at the leader.
  assert.equal(client.call("BLPOP", "l", "0"), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
  assert.equal(client.call("WAIT", "2", "1"), ":1\r\n", "one of the two others does not have it");
});

test("commands of other nodes' clients are counted once, where the clients are", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  play(world, client, [["SET", "k", "v"], ["INCR", "k"], ["MULTI"], ["INCR", "n"], ["EXEC"]]);
  const leader = world.leader()!.connect();
  for (const command of ["set", "incr", "exec"]) assert.equal(statistics(command)(leader), "nothing");
  assert.equal(info("errorstats", "errorstat_ERR")(leader), "nothing");
});
