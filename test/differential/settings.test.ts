// CONFIG SET of limits of encodings while there is data, on redis-server and on three nodes of ours: what becomes of values
// that are there, that grow, are copied, renamed, dumped and restored, command by command. Ours takes each CONFIG SET on
// another node than the commands. Also the words in which a CONFIG SET of several settings is refused.

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { type Client, hostsOf, started } from "../node/world.ts";
import { installedVersion, type RedisServer, startRedisServer } from "./redis-server.ts";

const version = installedVersion();
/** Redis 7.0 keeps sets of texts in hash tables only. */
const LIKE_7_0 = ["CONFIG", "SET", "set-max-listpack-entries", "0"];
/** A word of RESTORE: what the last DUMP answered. */
const DUMPED = "{dumped}";

const many = (count: number, word: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => word(i)).join(" ");

/** For each type: a limit, the command that makes a value at it, one that adds to it, and one that takes away. */
const LIMITS = [
  {
    name: "hash-max-listpack-entries",
    make: `HSET k ${many(6, (i) => `f${i} v`)}`,
    add: "HSET k new v",
    drop: "HDEL k f0 f1 f2",
  },
  {
    name: "hash-max-ziplist-value",
    make: `HSET k f ${"v".repeat(6)} g v`,
    add: "HSET k g w",
    drop: "HDEL k f",
  },
  {
    name: "set-max-intset-entries",
    make: `SADD k ${many(6, String)}`,
    add: "SADD k 99",
    drop: "SREM k 0 1 2",
  },
  {
    name: "zset-max-listpack-entries",
    make: `ZADD k ${many(6, (i) => `${i} m${i}`)}`,
    add: "ZADD k 9 new",
    drop: "ZREM k m0 m1 m2",
  },
  {
    name: "zset-max-ziplist-value",
    make: `ZADD k 1 ${"m".repeat(6)} 2 m`,
    add: "ZADD k 3 n",
    drop: "ZREM k m",
  },
  {
    name: "list-max-listpack-size",
    make: `RPUSH k ${many(6, String)}`,
    add: "RPUSH k new",
    drop: "LPOP k 3",
  },
] as const;

/** What is done to a value at a limit that was 6 and is now lower, or higher. */
function scriptOf({ name, make, add, drop }: (typeof LIMITS)[number], limit: number): string[] {
  return [
    "FLUSHALL",
    `CONFIG SET ${name} 6`,
    make,
    "OBJECT ENCODING k",
    "DUMP k",
    `CONFIG SET ${name} ${limit}`,
    `CONFIG GET ${name}`,
    "OBJECT ENCODING k",
    "COPY k copied",
    "OBJECT ENCODING copied",
    `RESTORE restored 0 ${DUMPED}`,
    "OBJECT ENCODING restored",
    "RENAME copied renamed",
    "OBJECT ENCODING renamed",
    drop,
    "OBJECT ENCODING k",
    add,
    "OBJECT ENCODING k",
    "COPY k copied",
    "OBJECT ENCODING copied",
    "DUMP k",
    `RESTORE restored 0 ${DUMPED} REPLACE`,
    "OBJECT ENCODING restored",
    "DEL k",
    make,
    "OBJECT ENCODING k",
    "SORT k BY nosort STORE sorted",
    "OBJECT ENCODING sorted",
  ].filter((command) => name.startsWith("list") || name.startsWith("set") || !command.includes("sort"));
}

const STREAMS = [
  "FLUSHALL",
  "CONFIG SET stream-node-max-entries 3",
  ...Array.from({ length: 7 }, (_, i) => `XADD s ${i + 1}-0 f v`),
  "XTRIM s MAXLEN ~ 5",
  "CONFIG SET stream-node-max-entries 2 stream-node-max-bytes 0",
  ...Array.from({ length: 5 }, (_, i) => `XADD s ${i + 10}-0 f v`),
  "XTRIM s MAXLEN ~ 5",
  "XLEN s",
  "CONFIG SET stream-node-max-entries 100 stream-node-max-bytes 40",
  ...Array.from({ length: 5 }, (_, i) => `XADD s ${i + 20}-0 f v`),
  "XADD s MAXLEN ~ 5 30-0 f v",
  "XLEN s",
  "CONFIG SET stream-node-max-bytes 4096",
];

const SKETCHES = [
  "FLUSHALL",
  `PFADD p ${many(100, String)}`,
  "STRLEN p",
  "CONFIG SET hll-sparse-max-bytes 10",
  "STRLEN p",
  "PFADD p 1 2 3",
  "STRLEN p",
  "PFADD p more",
  "STRLEN p",
  "PFADD q one two three four five six seven eight",
  "STRLEN q",
  "CONFIG SET hll-sparse-max-bytes 3000",
  "PFADD r one two three four five six seven eight",
  "STRLEN r",
  "PFMERGE r p",
  "STRLEN r",
];

const LENGTHS = [
  "FLUSHALL",
  "CONFIG SET proto-max-bulk-len 1mb",
  "SETRANGE k 1048575 x",
  "SETRANGE k 1048576 x",
  "APPEND k x",
  "SETBIT k 8388608 1",
  "SETBIT k 8388607 1",
  "STRLEN k",
  "CONFIG SET proto-max-bulk-len 512mb",
  "APPEND k x",
];

const REFUSALS = [
  "CONFIG SET maxmemory",
  "CONFIG SET maxmemory 1mb timeout",
  "CONFIG SET maxmemory nonsense timeout 1",
  "CONFIG SET timeout nonsense maxmemory 1mb",
  "CONFIG SET maxmemory 1mb maxmemory 2mb",
  "CONFIG SET maxmemory 1mb MAXMEMORY 2mb",
  "CONFIG SET maxmemory 1mb no-such-thing 1",
  "CONFIG SET no-such-thing 1 maxmemory nonsense",
  "CONFIG SET maxmemory 1mb databases 3",
  "CONFIG SET databases 3 no-such-thing 1",
  "CONFIG SET maxmemory-policy nonsense",
  "CONFIG SET maxmemory-samples 0",
  "CONFIG SET hash-max-ziplist-entries x",
  "CONFIG SET list-max-listpack-size -6",
  "CONFIG SET lfu-decay-time -1",
  "CONFIG SET maxmemory -1",
  "CONFIG SET maxmemory 1.5mb",
  "CONFIG SET HASH-MAX-LISTPACK-ENTRIES 7",
  "CONFIG GET hash-max-listpack-entries",
  "CONFIG GET hash-max-ziplist-entries",
  "CONFIG GET Hash-Max-*-Entries",
  "CONFIG GET maxmemory",
  "CONFIG GET timeout",
  "CONFIG GET maxmemory-policy timeout maxmemory",
  "CONFIG SET hash-max-ziplist-entries 5 hash-max-listpack-entries 6",
  "CONFIG GET hash-max-listpack-entries",
];

const TRANSACTION = [
  "FLUSHALL",
  "CONFIG SET hash-max-listpack-entries 512",
  "MULTI",
  "HSET h a 1 b 2",
  "CONFIG SET hash-max-listpack-entries 1",
  "OBJECT ENCODING h",
  "CONFIG SET maxmemory bla",
  "CONFIG GET hash-max-listpack-entries",
  "HSET h c 3",
  "OBJECT ENCODING h",
  "CONFIG SET hash-max-listpack-entries 512 maxmemory 0",
  "CONFIG GET hash-max-listpack-entries",
  "EXEC",
  "CONFIG GET hash-max-listpack-entries",
];

describe.skipIf(version === undefined)("beside redis-server (skipped where it is not installed)", () => {
  let theirs: RedisServer;
  const world = started(3);
  const clients: Client[] = [];
  const dumped: Buffer[] = [];

  beforeAll(async () => {
    theirs = await startRedisServer();
  });
  afterAll(async () => {
    await theirs?.stop();
  });

  function encoded(words: readonly string[], side: number): Buffer[] {
    return words.map((word) => (word === DUMPED ? dumped[side]! : Buffer.from(word, "latin1")));
  }

  function ask(client: Client, words: readonly string[]): string {
    client.sendRaw(encodeCommand(encoded(words, 0)));
    return client.reply();
  }

  async function compare(script: readonly string[], from: number): Promise<void> {
    let isInMulti = false;
    for (const [at, command] of script.entries()) {
      const words = command.split(" ");
      // Another node for each CONFIG; in a transaction it is that of the rest.
      const turn = words[0] === "CONFIG" && !isInMulti ? from + 1 + (at % 2) : from;
      const ours = ask(clients[turn % 3]!, words);
      const [reply] = await theirs.executor.run([encoded(words, 1)]);
      if (words[0] === "MULTI") isInMulti = true;
      if (words[0] === "EXEC") isInMulti = false;
      if (words[0] === "DUMP") {
        dumped[0] = payloadOf(Buffer.from(ours, "latin1"));
        dumped[1] = payloadOf(reply!);
      }
      const where = `${script.slice(0, at).join("; ")}\n> ${command}`;
      const comparable = comparableOf(words);
      assert.equal(comparable(ours), comparable(reply!.toString("latin1")), where);
    }
  }

  for (const limit of LIMITS)
    test(`${limit.name}, lowered and raised`, async () => {
      ready();
      for (const [i, value] of [5, 3, 1, 7].entries()) await compare(scriptOf(limit, value), i);
    });

  for (const [name, script] of Object.entries({ STREAMS, SKETCHES, LENGTHS, REFUSALS, TRANSACTION }))
    test(`${name.toLowerCase()}, with commands on each node`, async () => {
      ready();
      for (const from of [0, 1, 2]) await compare(script, from);
    });

  function ready(): void {
    if (clients.length > 0) return;
    clients.push(...hostsOf(world).map((host) => host.connect()));
    assert.equal(ask(clients[0]!, LIKE_7_0), "+OK\r\n");
  }
});

const payloadOf = (reply: Buffer): Buffer => reply.subarray(reply.indexOf("\r\n") + 2, reply.length - 2);

function comparableOf(words: readonly string[]): (reply: string) => string {
  const [name, verb, pattern] = words;
  // Compressed by programs of their own.
  if (name === "DUMP") return (reply) => reply.slice(0, 1);
  // Settings come in the order of each side's own table.
  if (verb === "GET" && (words.length > 3 || pattern?.includes("*") === true))
    return (reply) => reply.split("\r\n").sort().join();
  // To 7.0 every list is one.
  if (verb === "ENCODING") return (reply) => reply.replace("$9\r\nquicklist", "$8\r\nlistpack");
  return (reply) => reply;
}
