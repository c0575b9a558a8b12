// What INFO and SLOWLOG say of a cluster at work, on simulated ports: figures that only a whole node can have.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Client, followerOf, hostsOf, started } from "./world.ts";

function info(client: Client, section: string): Map<string, string> {
  const lines = client.call("INFO", section).split("\r\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

test("every node estimates the mean time to live", () => {
  const world = started(3);
  const client = world.leader()!.connect();
  assert.equal(client.call("SET", "for ever", "v"), "+OK\r\n");
  for (const [key, milliseconds] of [
    ["a", "60000"],
    ["b", "120000"],
  ] as const) {
    assert.equal(client.call("SET", key, "v", "PX", milliseconds), "+OK\r\n");
  }
  for (let i = 0; i < 1000; i++) world.step(); // ten seconds
  for (const host of hostsOf(world)) {
    const line = info(host.connect(), "keyspace").get("db0") ?? "";
    const [, ttlMs] = /^keys=3,expires=2,avg_ttl=(\d+)$/.exec(line) ?? [];
    assert.ok(Math.abs(Number(ttlMs) - 80_000) < 1000, `${host.name}: ${line}`);
  }
});

test("a leader and its followers say how long they have not heard of each other", () => {
  const world = started(3);
  const [leader, follower] = [world.leader()!, followerOf(world)];
  const master = info(leader.connect(), "replication");
  for (const name of ["slave0", "slave1"]) assert.match(master.get(name) ?? "", /,lag=0$/);
  assert.equal(info(follower.connect(), "replication").get("master_last_io_seconds_ago"), "0");
  for (const host of hostsOf(world)) {
    world.cut.add(`${follower.name}>${host.name}`);
    world.cut.add(`${host.name}>${follower.name}`);
  }
  for (let i = 0; i < 250; i++) world.step();
  const index = hostsOf(world)
    .filter((host) => host !== leader)
    .indexOf(follower);
  assert.match(info(leader.connect(), "replication").get(`slave${index}`) ?? "", /,lag=2$/);
});

test("commands of a transaction are timed, and fail, each for itself", () => {
  const world = started(1, { "slowlog-log-slower-than": "0" });
  const client = world.leader()!.connect();
  for (const command of ["SET k v", "MULTI", "LPUSH k x", "APPEND k w", "EXEC"])
    client.call(...command.split(" "));
  const statistics = info(client, "commandstats");
  const failed = (name: string): string | undefined =>
    /failed_calls=(\d+)/.exec(statistics.get(`cmdstat_${name}`) ?? "")?.[1];
  assert.deepEqual(["lpush", "append", "exec"].map(failed), ["1", "0", "0"]);
  const slow = client.call("SLOWLOG", "GET", "4");
  assert.ok(slow.indexOf("APPEND") < slow.indexOf("LPUSH") && slow.includes("LPUSH"), slow);
  assert.ok(!slow.includes("EXEC"), "EXEC has the flag skip_slowlog");
});

test("MEMORY STATS says what the table and the deadlines of each database take", () => {
  const world = started(1);
  const client = world.leader()!.connect();
  for (const command of ["HELLO 3", "SET k v", "SELECT 2", "SET k v EX 100", "SET l w"])
    client.call(...command.split(" "));
  const stats = client.call("MEMORY", "STATS");
  const database = (index: number): (number | undefined)[] => {
    const found = new RegExp(
      `db\\.${index}\r\n%2\r\n\\$23\r\noverhead\\.hashtable\\.main\r\n:(\\d+)\r\n\\$26\r\noverhead\\.hashtable\\.expires\r\n:(\\d+)`,
    ).exec(stats);
    return found === null ? [] : [Number(found[1]), Number(found[2])];
  };
  const [main = 0, expires] = database(0);
  assert.ok(main > 0, stats);
  assert.equal(expires, 0);
  assert.deepEqual(database(1), []);
  assert.deepEqual(database(2), [2 * main, 16]);
});

test("errors of commands that the node answers itself are counted", () => {
  const world = started(1, { requirepass: "secret" });
  const client = world.leader()!.connect();
  assert.match(client.call("AUTH", "wrong"), /^-WRONGPASS/);
  assert.equal(client.call("AUTH", "secret"), "+OK\r\n");
  assert.match(client.call("CLIENT", "KILL", "1.2.3.4:5"), /^-ERR No such client/);
  const found = info(client, "everything");
  assert.equal(found.get("errorstat_WRONGPASS"), "count=1");
  assert.equal(found.get("errorstat_ERR"), "count=1");
  assert.equal(found.get("total_error_replies"), "2");
  assert.equal(found.get("acl_access_denied_auth"), "1");
  assert.match(found.get("cmdstat_client|kill") ?? "", /failed_calls=1$/);
});

test("fields of INFO that follow what happens to keys", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  const field = (name: string): number => Number(info(client, "everything").get(name));
  /** The follower's own replica may be an entry behind the reply. */
  const comesTo = (name: string, wanted: number): void =>
    world.until(`${name} is ${wanted}`, () => field(name) === wanted);
  const members = Array.from({ length: 300 }, (_, i) => `member${i}`);
  assert.ok(field("used_memory") > 0);
  assert.equal(field("used_memory"), field("used_memory_startup"));
  comesTo("rdb_changes_since_last_save", 0);
  assert.equal(client.call("SADD", "s", ...members), ":300\r\n");
  assert.equal(client.call("SREM", "s", "nobody"), ":0\r\n");
  assert.equal(client.call("MSET", "a", "1", "b", "2"), "+OK\r\n");
  assert.equal(client.call("EXPIRE", "a", "100"), ":1\r\n");
  comesTo("rdb_changes_since_last_save", 4);
  comesTo("lazyfreed_objects", 0);
  assert.equal(client.call("UNLINK", "s", "nobody"), ":1\r\n");
  comesTo("lazyfreed_objects", 1);
  assert.equal(client.call("FLUSHALL", "ASYNC"), "+OK\r\n");
  comesTo("lazyfreed_objects", 3);
  comesTo("rdb_changes_since_last_save", 7);
  assert.equal(field("used_memory"), field("used_memory_startup"));
  assert.equal(client.call("CONFIG", "RESETSTAT"), "+OK\r\n");
  comesTo("lazyfreed_objects", 0);
});

test("keys that clients wait for are counted on the clients' own node", () => {
  const world = started(3);
  const follower = followerOf(world);
  const client = follower.connect();
  const counts = (asked: Client): (string | undefined)[] => {
    const found = info(asked, "clients");
    return ["total_blocking_keys", "total_blocking_keys_on_nokey"].map((name) => found.get(name));
  };
  assert.equal(client.call("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"), "+OK\r\n");
  const waiting = [follower.connect(), follower.connect(), follower.connect()];
  waiting[0]!.send("BLPOP", "k", "l", "0");
  waiting[1]!.send("BLPOP", "l", "l", "0");
  waiting[2]!.send("XREADGROUP", "GROUP", "g", "one", "BLOCK", "0", "STREAMS", "s", ">");
  world.until("all wait", () => counts(client)[0] === "3");
  assert.deepEqual(counts(client), ["3", "1"]);
  assert.deepEqual(counts(world.leader()!.connect()), ["0", "0"]);
  assert.equal(client.call("DEL", "s"), ":1\r\n");
  assert.match(waiting[2]!.reply(), /^-NOGROUP /);
  assert.deepEqual(counts(client), ["2", "0"]);
});

test("CLIENT LIST shows the last command, also one that was refused", () => {
  const world = started(1);
  const client = world.leader()!.connect();
  const other = world.leader()!.connect();
  client.call("SUBSCRIBE", "c");
  for (const [command, shown] of [
    ["GET", "get"],
    ["SET k v", "set"],
    ["CLIENT LIST", "client|list"],
    ["NOSUCH", "NULL"],
  ] as const) {
    client.call(...command.split(" "));
    assert.match(
      other.call("CLIENT", "LIST", "ID", String(client.id)),
      new RegExp(` cmd=${shown.replace("|", "\\|")} `),
    );
  }
});

test("CLIENT LIST shows what the running command, a queue and a wait take", () => {
  const world = started(3);
  const client = followerOf(world).connect();
  const field = (line: string, name: string): string => new RegExp(` ${name}=(\\S*)`).exec(line)![1]!;
  const own = client.call("CLIENT", "LIST");
  assert.deepEqual([field(own, "qbuf"), field(own, "argv-mem")], ["26", "10"]);
  client.sendRaw(Buffer.from("client info\r\nPING\r\n"));
  const inline = client.reply();
  assert.deepEqual([field(inline, "qbuf"), field(inline, "argv-mem")], ["32", "10"]);
  assert.match(client.call("NOSUCH"), /^-ERR unknown command/);
  const other = client.host.connect();
  const lineOf = (id: number): string => other.call("CLIENT", "LIST", "ID", String(id));
  assert.equal(field(lineOf(client.id), "cmd"), "NULL");
  client.call("MULTI");
  client.call("SET", "k", "v");
  assert.ok(Number(field(lineOf(client.id), "multi-mem")) > 0);
  client.call("DISCARD");
  assert.equal(field(lineOf(client.id), "multi-mem"), "0");
  client.send("BLPOP", "list", "0");
  world.settle();
  assert.equal(field(lineOf(client.id), "argv-mem"), "10");
});

/** Lets time pass until this has come, and nothing else. */
function received(client: Client, wanted: string): void {
  let got = "";
  client.host.world.until(wanted, () => {
    got += client.take();
    return got.length >= wanted.length;
  });
  assert.equal(got, wanted);
}

test("CLIENT PAUSE holds writes of its node's clients until it ends; reads, and other nodes, go on", () => {
  const world = started(3);
  const [pausing, other] = [followerOf(world), world.leader()!];
  const [client, writer, elsewhere] = [pausing.connect(), pausing.connect(), other.connect()];
  assert.equal(client.call("CLIENT", "PAUSE", "5000", "WRITE"), "+OK\r\n");
  writer.send("SET", "k", "v");
  writer.send("GET", "k");
  assert.equal(client.call("GET", "k"), "$-1\r\n");
  assert.equal(elsewhere.call("SET", "l", "w"), "+OK\r\n");
  for (let i = 0; i < 300; i++) world.step();
  assert.equal(writer.take(), "");
  assert.equal(client.call("CLIENT", "UNPAUSE"), "+OK\r\n");
  received(writer, "+OK\r\n$1\r\nv\r\n");
  assert.equal(client.call("CLIENT", "PAUSE", "1000"), "+OK\r\n");
  writer.send("PING");
  for (let i = 0; i < 90; i++) world.step();
  assert.equal(writer.take(), "");
  received(writer, "+PONG\r\n");
});

test("CLIENT REPLY: what is not wanted is done and not answered, wherever it runs", () => {
  for (const host of hostsOf(started(3))) {
    const client = host.connect();
    for (const command of ["CLIENT REPLY SKIP", "INCR n", "INCR n"]) client.send(...command.split(" "));
    assert.match(client.reply(), /^:[258]\r\n$/);
    for (const command of ["CLIENT REPLY OFF", "INCR n", "PING", "CLIENT REPLY ON"])
      client.send(...command.split(" "));
    assert.equal(client.reply(), "+OK\r\n");
  }
});
