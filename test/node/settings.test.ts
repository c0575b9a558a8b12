// Settings of the cluster on simulated nodes (ADR 23): set on any node, in force on all at one place of the log, in the
// snapshot; a file loses against the log and its node says so; CONFIG SET as a whole or not at all, also in MULTI.

import assert from "node:assert/strict";
import { test } from "vitest";
import { CLUSTER_ROWS } from "../../src/config/cluster-values.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, hostsOf, started, World } from "./world.ts";

const NAMES = ["n1", "n2", "n3"];
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const pair = (name: string, value: string): string => `*2\r\n${bulk(name)}${bulk(value)}`;
const call = (client: Client, command: string): string => client.call(...command.split(" "));
const settle = (world: World, ticks = 30): void => {
  for (let i = 0; i < ticks; i++) world.step();
};
const inForce = (host: Host): string => host.node.replica.machine.sessions.settings.text.toString();
const overruled = (host: Host): unknown[] =>
  host.warnings
    .filter((fields) => "setting" in fields)
    .map(({ setting, file, cluster }) => [setting, file, cluster]);

test("CONFIG SET on any node is in force on all, and shown by all as soon as it is answered", () => {
  const three = started(3);
  const values: Readonly<Record<string, string>> = {
    maxmemory: "104857600",
    "proto-max-bulk-len": "1048576",
    "maxmemory-policy": "allkeys-lru",
    "notify-keyspace-events": "AKE",
    "replica-digests": "no",
  };
  let turn = 0;
  for (const { name, kind, default: value } of CLUSTER_ROWS) {
    const text = values[name] ?? String(Number(kind.format(value)) + 1048576);
    const setter = hostsOf(three)[turn++ % 3]!.connect();
    const getters = hostsOf(three).map((host) => host.connect());
    assert.equal(call(setter, `CONFIG SET ${name} ${text}`), "+OK\r\n", name);
    // Not a tick later, and without waiting for what is on its way to them.
    for (const getter of getters) assert.equal(call(getter, `CONFIG GET ${name}`), pair(name, text));
  }
  settle(three);
  assert.deepEqual(new Set(hostsOf(three).map(inForce)).size, 1);
  for (const { node } of hostsOf(three)) {
    assert.equal(node.settings.maxmemoryBytes, 104857600);
    assert.equal(node.replica.machine.store.thresholds.hashListpackEntriesMax, 512 + 1048576);
  }
});

test("CONFIG GET shows what was answered, even on a node that has not come so far in the log", () => {
  const three = started(3);
  const [late, other] = hostsOf(three).filter((host) => host !== three.leader());
  late!.node.replica.machine.sessions.settings.change = () => undefined;
  assert.equal(call(other!.connect(), "CONFIG SET maxmemory 5mb timeout 3"), "+OK\r\n");
  const client = late!.connect();
  assert.equal(call(client, "CONFIG GET maxmemory"), pair("maxmemory", "5242880"));
  assert.equal(call(client, "CONFIG GET timeout"), pair("timeout", "0"));
  call(client, "MULTI");
  call(client, "CONFIG GET MAXMEMORY");
  assert.equal(call(client, "EXEC"), `*1\r\n${pair("MAXMEMORY", "5242880")}`);
});

test("CONFIG SET maxmemory on a follower evicts, and refuses with noeviction", () => {
  const three = started(3);
  const client = followerOf(three).connect();
  for (let i = 0; i < 100; i++) call(client, `SET k${i} ${"x".repeat(1000)}`);
  assert.equal(call(client, "CONFIG SET maxmemory-policy allkeys-random maxmemory 20000"), "+OK\r\n");
  settle(three);
  for (const { node } of hostsOf(three)) assert.ok(node.replica.machine.store.logicalBytes <= 20000);
  assert.equal(call(client, "CONFIG SET maxmemory-policy noeviction maxmemory 1000"), "+OK\r\n");
  assert.match(call(client, "SET k v"), /^-OOM /);
});

test("a change is between the same two commands on every replica, and conversions agree", () => {
  const three = started(3);
  const [one, other] = hostsOf(three).map((host) => host.connect());
  const pipeline = (client: Client, ...commands: string[]): void =>
    client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));
  for (let i = 0; i < 20; i++) {
    pipeline(
      one!,
      `HSET h${i} a 1 b 2 c 3`,
      `CONFIG SET hash-max-listpack-entries ${i % 4}`,
      `HSET h${i} d 4`,
    );
    pipeline(other!, `HSET g${i} a 1 b 2 c 3`, `HSET g${i} d 4`);
    three.step();
  }
  settle(three);
  assert.deepEqual(new Set(hostsOf(three).map(({ node }) => node.replica.machine.store.digest())).size, 1);
  const encodings = hostsOf(three).map(({ node }) => {
    const keys = node.replica.machine.store.databases[0]!;
    const names = Array.from({ length: 20 }, (_, i) => [`h${i}`, `g${i}`]).flat();
    return names.map((name) => keys.encodingOf(keys.find(Buffer.from(name), 0, name.length))).join();
  });
  assert.equal(new Set(encodings).size, 1);
  assert.equal(new Set(encodings[0]!.split(",")).size, 2);
});

test("several parameters: all or none, of the node and of the cluster", () => {
  const three = started(3);
  const client = followerOf(three).connect();
  assert.equal(call(client, "CONFIG SET timeout 7 maxmemory 5mb"), "+OK\r\n");
  assert.equal(call(client, "CONFIG GET timeout"), pair("timeout", "7"));
  settle(three);
  assert.deepEqual(
    hostsOf(three)
      .map(({ node }) => node.settings.timeoutSeconds)
      .sort(),
    [0, 0, 7],
  );
  for (const wrong of [
    "maxmemory 6mb timeout x",
    "timeout 8 maxmemory x",
    "timeout 8 maxmemory 6mb nonsense 1",
  ]) {
    assert.match(call(client, `CONFIG SET ${wrong}`), /^-ERR /);
    assert.equal(call(client, "CONFIG GET timeout"), pair("timeout", "7"));
    assert.equal(call(client, "CONFIG GET maxmemory"), pair("maxmemory", "5242880"));
  }
});

test("in MULTI a change has its place, on leader and follower", () => {
  const three = started(3);
  for (const host of [three.leader()!, followerOf(three)]) {
    const client = host.connect();
    const key = `h-${host.name}`;
    call(client, "CONFIG SET hash-max-listpack-entries 512 timeout 0");
    call(client, "MULTI");
    for (const command of [
      `HSET ${key} a 1 b 2`,
      "CONFIG SET hash-max-listpack-entries 1 timeout 3",
      "CONFIG GET hash-max-listpack-entries",
      `OBJECT ENCODING ${key}`,
      "CONFIG SET maxmemory nonsense",
      `HSET ${key} c 3`,
      `OBJECT ENCODING ${key}`,
      "CONFIG SET hash-max-listpack-entries 5",
      "CONFIG GET hash-max-listpack-entries",
      "CONFIG GET timeout",
    ])
      assert.equal(call(client, command), "+QUEUED\r\n");
    assert.equal(
      call(client, "EXEC"),
      `*10\r\n:2\r\n+OK\r\n${pair("hash-max-listpack-entries", "1")}${bulk("listpack")}` +
        "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value\r\n" +
        `:1\r\n${bulk("hashtable")}+OK\r\n${pair("hash-max-listpack-entries", "5")}${pair("timeout", "3")}`,
    );
  }
});

test("a transaction that its watch ends sets nothing", () => {
  const three = started(3);
  const client = followerOf(three).connect();
  call(client, "WATCH k");
  call(three.leader()!.connect(), "SET k v");
  call(client, "MULTI");
  call(client, "CONFIG SET maxmemory 5mb timeout 9");
  assert.equal(call(client, "EXEC"), "*-1\r\n");
  assert.equal(call(client, "CONFIG GET maxmemory"), pair("maxmemory", "0"));
  assert.equal(call(client, "CONFIG GET timeout"), pair("timeout", "0"));
});

test("RESP3 gets a map, CLIENT REPLY SKIP gets nothing, and the commands behind it their own replies", () => {
  const three = started(3);
  for (const host of [three.leader()!, followerOf(three)]) {
    const client = host.connect();
    call(client, "HELLO 3");
    assert.equal(call(client, "CONFIG SET maxmemory 1mb"), "+OK\r\n");
    assert.equal(call(client, "CONFIG GET maxmemory"), `%1\r\n${bulk("maxmemory")}${bulk("1048576")}`);
    client.sendRaw(
      Buffer.concat(
        [
          "CLIENT REPLY SKIP",
          "CONFIG SET maxmemory 2mb",
          "ECHO a",
          "CLIENT REPLY SKIP",
          "CONFIG GET maxmemory",
          "ECHO b",
        ].map((command) => encodeCommand(command.split(" "))),
      ),
    );
    settle(three);
    assert.equal(client.take(), bulk("a") + bulk("b"));
    assert.equal(host.node.settings.maxmemoryBytes, 2 << 20);
  }
});

test("the founder's file is where it begins; other files lose, and their nodes say so", () => {
  const three = new World();
  three.startNode("n1", NAMES, { maxmemory: "1mb", "hash-max-listpack-entries": "7" });
  three.startNode("n2", NAMES, { maxmemory: "2mb", "zset-max-ziplist-entries": "128" });
  three.startNode("n3", NAMES, { "hash-max-listpack-entries": "7" });
  three.until("a leader", () => three.leader() !== undefined);
  settle(three);
  for (const { node } of hostsOf(three)) {
    assert.equal(node.settings.maxmemoryBytes, 1 << 20);
    assert.equal(node.settings.hashListpackEntriesMax, 7);
  }
  assert.deepEqual(hostsOf(three).map(overruled), [[], [["maxmemory", "2097152", "1048576"]], []]);
});

test("a node that is started again with another file gets what is in force with the state", () => {
  const three = started(3);
  const gone = followerOf(three);
  call(gone.connect(), "CONFIG SET maxmemory 3mb set-max-intset-entries 9");
  three.kill(gone.name);
  three.startNode(gone.name, NAMES, { maxmemory: "0", "set-max-intset-entries": "9", "lfu-log-factor": "3" });
  const back = three.host(gone.name);
  three.until("it has the state", () => back.node.readinessProblem === "");
  assert.equal(back.node.settings.maxmemoryBytes, 3 << 20);
  assert.equal(back.node.settings.lfuLogFactor, 10);
  assert.deepEqual(overruled(back), [
    ["maxmemory", "0", "3145728"],
    ["lfu-log-factor", "3", "10"],
  ]);
  // Said once: another state is no news about the file.
  call(back.connect(), "CONFIG SET maxmemory 4mb");
  assert.equal(call(back.connect(), "DEBUG RELOAD").startsWith("-ERR"), true);
  assert.equal(overruled(back).length, 2);
});

test("a value that is empty is shown in quotes in that warning", () => {
  const three = started(3);
  const gone = followerOf(three);
  three.kill(gone.name);
  three.startNode(gone.name, NAMES, { "notify-keyspace-events": "KEA" });
  const again = three.host(gone.name);
  three.until("it has the state again", () => again.node.readinessProblem === "");
  assert.match(
    String(again.warnings.find(({ setting }) => setting === "notify-keyspace-events")?.["text"]),
    /whose value "" is in force, and not AKE as/,
  );
});

test("a recovery keeps what was in force, and those who join get it", () => {
  const three = started(3);
  const survivor = followerOf(three);
  call(survivor.connect(), "CONFIG SET maxmemory 3mb");
  settle(three);
  for (const { name } of hostsOf(three)) if (name !== survivor.name) three.kill(name);
  three.until("it says so", () => survivor.node.cluster.problem !== undefined || survivor.node.isLeaderless);
  assert.match(call(survivor.connect(), "CONFIG SET maxmemory 9mb"), /^-CLUSTERDOWN /);
  assert.equal(call(survivor.connect(), "CONFIG GET maxmemory"), pair("maxmemory", "3145728"));
  assert.equal(call(survivor.connect(), "CONFIG SET timeout 4"), "+OK\r\n");
  assert.equal(call(survivor.connect(), "RAFT.RECOVER FORCE"), "+OK\r\n");
  three.until("it leads", () => three.leader() === survivor);
  const [name] = NAMES.filter((other) => other !== survivor.name);
  three.startNode(name!, NAMES, {});
  three.until("the other is back", () => three.host(name!).node.readinessProblem === "");
  for (const { node } of hostsOf(three)) assert.equal(node.settings.maxmemoryBytes, 3 << 20);
});

test("a change of the leader in between: answered once, and in force everywhere", () => {
  const three = started(3);
  const client = followerOf(three).connect();
  const leader = three.leader()!;
  client.send("CONFIG", "SET", "maxmemory", "7mb");
  three.kill(leader.name);
  const answer = client.reply();
  if (answer === "+OK\r\n") {
    settle(three, 100);
    for (const { node } of hostsOf(three)) assert.equal(node.settings.maxmemoryBytes, 7 << 20);
  } else {
    assert.match(answer, /^-UNCERTAIN /);
  }
});

test("a replica that misses a change is found and gets the state of the others", () => {
  const three = started(3);
  const odd = followerOf(three);
  const { settings } = odd.node.replica.machine.sessions;
  const { change } = settings;
  settings.change = () => undefined;
  assert.equal(call(three.leader()!.connect(), "CONFIG SET hash-max-listpack-entries 3"), "+OK\r\n");
  settings.change = change;
  three.until("it is repaired", () => odd.node.settings.hashListpackEntriesMax === 3);
});

test("proto-max-bulk-len holds for open connections, on every node, and for what commands make", () => {
  const three = started(3);
  const clients = hostsOf(three).map((host) => host.connect());
  assert.equal(call(clients[0]!, "CONFIG SET proto-max-bulk-len 1mb"), "+OK\r\n");
  settle(three);
  for (const [i, client] of clients.entries()) {
    assert.equal(
      call(client, `SETRANGE k${i} 1048576 x`),
      "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
    );
    client.sendRaw(Buffer.from(`*2\r\n$3\r\nGET\r\n$1048577\r\n`));
    assert.equal(client.reply(), "-ERR Protocol error: invalid bulk length\r\n");
  }
});

test("CONFIG REWRITE writes what is in force, wherever it was set", () => {
  const three = started(3, { maxmemory: "1mb", timeout: "3" });
  const [one, other] = hostsOf(three);
  assert.equal(
    call(one!.connect(), "CONFIG SET maxmemory 9mb zset-max-listpack-value 7 timeout 5"),
    "+OK\r\n",
  );
  settle(three);
  const text = other!.node.configuration.rewritten("# mine\nmaxmemory 1mb\n\ntimeout 3\n");
  assert.match(text, /^# mine\nmaxmemory 9437184\n\ntimeout 3\n/);
  assert.match(text, /\nzset-max-listpack-value 7\n/);
});

test("settings that no version knows, or that a peer made up, change nothing and end nobody", () => {
  const three = started(3);
  const leader = three.leader()!;
  const before = inForce(leader);
  const { settings } = leader.node.replica.machine.sessions;
  for (const [name, value] of [
    ["nonsense", "1"],
    ["maxmemory", "nonsense"],
    ["requirepass", "secret"],
    ["hash-max-ziplist-entries", "3"],
  ] as const)
    assert.equal(
      settings.change([
        ["maxmemory", "5"],
        [name, value],
      ]),
      name,
    );
  assert.equal(inForce(leader), before);
});
