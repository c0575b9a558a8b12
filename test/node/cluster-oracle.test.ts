// One node in cluster mode beside redis-server in cluster mode with all slots: the same bytes, but for ids and ports.
// Each line is one connection.

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { startRedisCluster } from "../resp/redis-cluster.ts";
import { isRedis70, type RedisServer } from "../resp/redis-server.ts";
import { World } from "./world.ts";

const sessions: readonly (readonly string[])[] = [
  ["cluster slots", "cluster shards", "cluster nodes", "cluster info", "cluster myid", "cluster links"],
  [
    "hello 3",
    "cluster slots",
    "cluster shards",
    "cluster nodes",
    "cluster info",
    "cluster myid",
    "cluster links",
  ],
  [
    "cluster keyslot foo",
    "cluster keyslot {a}b",
    "cluster keyslot",
    "cluster keyslot a b",
    "cluster",
    "cluster nope",
  ],
  [
    "cluster replicas x",
    "cluster slaves x",
    "cluster count-failure-reports x",
    "cluster replicas",
    "cluster slaves",
  ],
  [
    "cluster countkeysinslot x",
    "cluster countkeysinslot -1",
    "cluster countkeysinslot 16384",
    "cluster countkeysinslot 1",
  ],
  [
    "cluster getkeysinslot x 1",
    "cluster getkeysinslot 1 x",
    "cluster getkeysinslot 1 -1",
    "cluster getkeysinslot -1 1",
  ],
  [
    "cluster getkeysinslot 16384 1",
    "cluster getkeysinslot 1 1",
    "cluster getkeysinslot 1 0",
    "cluster getkeysinslot 1",
  ],
  [
    "set a 1",
    "set {a}b 2",
    "cluster countkeysinslot 15495",
    "cluster getkeysinslot 15495 1x",
    "cluster countkeysinslot 3300",
    "flushall",
  ],
  ["select 0", "select 1", "select 99", "select x", "select -1", "select 9999999999"],
  ["move a 1", "move a 0", "swapdb 0 1", "swapdb 0 0", "move a", "swapdb 0"],
  ["copy a b", "copy x{a} y{a} db 1", "copy x{a} y{a} db 0", "copy x{a} y{a}", "copy a b db 1"],
  [
    "mset a 1 b 2",
    "mset x{a} 1 y{a} 2",
    "mget x{a} y{a}",
    "mget a b",
    "del a b",
    "exists x{a} b",
    "flushall",
  ],
  [
    "sinterstore a b c",
    "sintercard 2 a b",
    "sintercard 1 a",
    "lmpop 2 a b left",
    "bitop and a b",
    "rename a b",
  ],
  [
    "geosearchstore a b frommember x byradius 1 m",
    "georadius a 0 0 1 m store b",
    "georadius a 0 0 1 m store {a}x",
  ],
  [
    "xread streams a b 0 0",
    "xread streams x{a} y{a} 0 0",
    "xgroup create a g 0",
    "xinfo stream a",
    "xadd a nomkstream * f v",
  ],
  [
    "blpop a b 0",

    "blmpop 0.01 2 a b left",
    "zunionstore a 1 b",
    "zunion 2 a b",
    "zmpop 1 a min",
  ],
  [
    "sort {a} by w_*",
    "sort {a} by nosort",
    "sort {a} get #",
    "sort_ro {a} get x*",
    "sort a store b",
    "sort a limit 0 1 store {a}b",
  ],
  ["multi", "set a 1", "set b 1", "exec", "exec", "get a"],
  ["multi", "mset a 1 b 2", "set a 1", "exec", "multi", "set a 1", "get {a}", "exec", "del a"],
  ["multi", "select 1", "select 0", "exec", "multi", "exec", "multi", "ping", "exec"],
  ["watch a", "watch a b", "multi", "get {a}", "exec", "unwatch"],
  ["readonly", "get a", "set a 1", "readwrite", "asking", "get a", "del a", "readonly x", "asking x"],
  [
    "ssubscribe a b",
    "ssubscribe x{a} y{a}",
    "sunsubscribe y{a}",
    "sunsubscribe x{a}",
    "spublish a 1",
    "publish a 1",
  ],
  ["hello 2", "pubsub shardchannels", "object encoding a", "debug object a"],
  ["info cluster", "config get cluster-enabled", "config set cluster-enabled no"],
  ["command getkeys mset a 1 b 2", "dbsize", "randomkey", "scan 0"],
];

/** Ids and ports are each server's own, and so are the ids of connections. */
const plain = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{40}/g, "<id>")
    // Only Redis leaves its own address open where nobody has told it.
    .replaceAll(/(127\.0\.0\.1)?:\d+@\d+/g, "<address>")
    .replaceAll(/\$\d+\r\n<id> <address>/g, "$N\r\n<id> <address>")
    .replaceAll(/txt:<id> <address>/g, "txt:<id> <address>")
    .replaceAll(/=\d+\r\ntxt:<id>/g, "=N\r\ntxt:<id>")
    .replaceAll(/\$(0\r\n|9\r\n127\.0\.0\.1)\r\n/g, "<host>")
    .replaceAll(/:\d+\r\n\$40/g, ":<port>\r\n$40")
    .replaceAll(/\$4\r\nport\r\n:\d+/g, "port")
    .replaceAll(/replication-offset\r\n:\d+/g, "offset")
    .replaceAll(/ myself,master - 0 0 \d+ /g, " myself,master - 0 0 E ")
    .replaceAll(/epoch:\d+/g, "epoch:E")
    .replaceAll(/\$2\r\nid\r\n:\d+/g, "id")
    .replaceAll(/version\r\n\$\d\r\n[\d.]+/g, "version");

describe.skipIf(!isRedis70)("beside redis-server (skipped where 7.0 is not installed)", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisCluster();
  });
  afterAll(async () => {
    await redis?.stop();
  });

  for (const lines of sessions) {
    test(lines.join(" | "), async () => {
      const world = new World();
      world.start(1, { "cluster-enabled": "yes" });
      world.until("a leader", () => world.leader() !== undefined);
      const bytes = Buffer.concat(lines.map((line) => encodeCommand(line.split(" "))));
      const client = world.leader()!.connect();
      client.sendRaw(bytes);
      let ours = "";
      for (let i = 0; i < 10; i++) {
        world.step();
        ours += client.take();
      }
      const theirs = (await redis.exchange(bytes)).toString("latin1");
      assert.deepEqual(plain(ours).split("\r\n"), plain(theirs).split("\r\n"));
    });
  }
});
