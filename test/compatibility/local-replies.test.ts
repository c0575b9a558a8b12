// What a node answers by itself, in RESP3, held to the published shapes (the differential test does it for commands that
// go to the data). Every such command that has a shape is here, or says why not.

import assert from "node:assert/strict";
import { beforeAll, describe, test } from "vitest";
import { rows } from "../../src/command/table.ts";
import { type Client, World } from "../node/world.ts";
import { areFactsThere, facts } from "./facts.ts";
import { ReplyCheck } from "./reply-check.ts";

/** One connection, in this order. */
const COMMANDS = [
  "SET k v",
  "MSET a 1 b 2 c 3",
  "ACL CAT",
  "ACL CAT string",
  "ACL HELP",
  "ACL USERS",
  "ACL WHOAMI",
  "CLIENT GETNAME",
  "CLIENT SETNAME me",
  "CLIENT GETNAME",
  "CLIENT GETREDIR",
  "CLIENT HELP",
  "CLIENT ID",
  "CLIENT INFO",
  "CLIENT KILL TYPE pubsub",
  "CLIENT LIST",
  "CLIENT NO-EVICT ON",
  "CLIENT NO-TOUCH OFF",
  "CLIENT PAUSE 0",
  "CLIENT REPLY ON",
  "CLIENT SETINFO LIB-NAME x",
  "CLIENT TRACKINGINFO",
  "CLIENT UNBLOCK 999",
  "CLIENT UNPAUSE",
  "COMMAND COUNT",
  "COMMAND DOCS",
  "COMMAND DOCS get",
  "COMMAND GETKEYS GET k",
  "COMMAND GETKEYSANDFLAGS GET k",
  "COMMAND HELP",
  "COMMAND INFO",
  "COMMAND INFO get nosuch",
  "COMMAND LIST",
  "CONFIG GET *",
  "CONFIG HELP",
  "CONFIG RESETSTAT",
  "CONFIG SET maxclients 100",
  "MULTI",
  "DISCARD",
  "ECHO x",
  "HELLO 3",
  "INFO everything",
  "LASTSAVE",
  "CONFIG SET latency-monitor-threshold 1",
  "DEBUG SLEEP 0.01",
  "LATENCY DOCTOR",
  "LATENCY GRAPH command",
  "LATENCY HELP",
  "LATENCY HISTOGRAM",
  "LATENCY HISTORY command",
  "LATENCY LATEST",
  "LATENCY RESET",
  "MEMORY DOCTOR",
  "MEMORY HELP",
  "MEMORY MALLOC-STATS",
  "MEMORY PURGE",
  "MEMORY STATS",
  "MODULE HELP",
  "MODULE LIST",
  "PING",
  "PING x",
  "PUBSUB CHANNELS",
  "PUBSUB HELP",
  "PUBSUB NUMPAT",
  "PUBSUB NUMSUB a b",
  "PUBSUB SHARDCHANNELS",
  "PUBSUB SHARDNUMSUB a b",
  "ROLE",
  "SELECT 1",
  "CONFIG SET slowlog-log-slower-than 0",
  "GET k",
  "SLOWLOG GET",
  "SLOWLOG HELP",
  "SLOWLOG LEN",
  "SLOWLOG RESET",
  "TIME",
  "WAIT 0 0",
  "WAITAOF 0 0 0",
  "CLUSTER HELP",
  "QUIT",
];

/** With `cluster-enabled yes`. */
const CLUSTER_COMMANDS = [
  "CLUSTER COUNTKEYSINSLOT 1",
  "CLUSTER GETKEYSINSLOT 1 10",
  "CLUSTER COUNT-FAILURE-REPORTS {self}",
  "CLUSTER INFO",
  "CLUSTER KEYSLOT k",
  "CLUSTER LINKS",
  "CLUSTER MYID",
  "CLUSTER MYSHARDID",
  "CLUSTER NODES",
  "CLUSTER REPLICAS {self}",
  "CLUSTER SLAVES {self}",
  "CLUSTER SHARDS",
  "CLUSTER SLOTS",
  "READONLY",
  "READWRITE",
  "ASKING",
];

const NOT_HERE: ReadonlyMap<RegExp, string> = new Map([
  [
    /^cluster\|(addslots|addslotsrange|bumpepoch|delslots|delslotsrange|failover|flushslots|forget|meet|replicate|reset|saveconfig|set-config-epoch|setslot)$/,
    "an error that names what to use instead",
  ],
  [/^(save|bgsave|bgrewriteaof)$/, "an error: there is no disk"],
  [/^(shutdown|reset)$/, "ends the connection, or its protocol"],
  [/^client\|caching$/, "an error while tracking is off"],
  [/^config\|rewrite$/, "an error without a file"],
]);

describe.skipIf(!areFactsThere)("replies of the node itself (skipped without ../shared/redis-facts)", () => {
  const check = new ReplyCheck();
  const failures: string[] = [];

  function ask(client: Client, command: string): string {
    const words = command.split(" ");
    const reply = client.call(...words);
    if (reply.startsWith("-")) failures.push(`${command}: ${reply}`);
    const problem = check.problem(
      words.map((word) => Buffer.from(word)),
      Buffer.from(reply, "latin1"),
    );
    if (problem !== undefined) failures.push(`${command}: ${problem}`);
    return reply;
  }

  function connected(flags: Readonly<Record<string, string>>): Client {
    const world = new World();
    world.start(1, flags);
    world.until("a leader", () => world.leader() !== undefined);
    return world.leader()!.connect();
  }

  beforeAll(() => {
    const client = connected({ "enable-debug-command": "yes" });
    client.call("HELLO", "3");
    for (const command of COMMANDS) ask(client, command);
    const inCluster = connected({ "cluster-enabled": "yes" });
    inCluster.call("HELLO", "3");
    const self = inCluster.call("CLUSTER", "MYID").split("\r\n")[1]!;
    for (const command of CLUSTER_COMMANDS) ask(inCluster, command.replace("{self}", self));
    const guarded = connected({ requirepass: "secret" });
    guarded.call("HELLO", "3", "AUTH", "default", "secret");
    ask(guarded, "AUTH secret");
  });

  test("have the published shapes", () => assert.deepEqual(failures, []));

  test("of every command that has one", () => {
    const missing = rows
      .filter((row) => row.route === "local" && facts.get(row.name)?.reply_schema !== undefined)
      .map((row) => row.name)
      .filter((name) => !check.checked.has(name))
      .filter((name) => ![...NOT_HERE.keys()].some((pattern) => pattern.test(name)));
    assert.deepEqual(missing, []);
  });
});
