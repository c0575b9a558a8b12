// -OOM of a whole node and of redis-server: the same commands are refused once memory is used up, alone and inside MULTI, and
// the same settings of maxmemory and its kin are taken and refused.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { rows } from "../../src/command/lookup.ts";
import { type Client, World } from "../node/world.ts";
import type { Executor } from "./executor.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { TcpExecutor } from "./tcp-executor.ts";

const version = installedVersion();
const OOM = /^-(EXECABORT Transaction discarded because of: )?OOM /;
/** They end the connection or the server, write files, change what it is for, or have a meaning of their own inside MULTI. */
const NOT_SENT =
  /^(quit|reset|shutdown|save|bgsave|bgrewriteaof|monitor|[ps]?subscribe|[ps]?unsubscribe|multi|exec|discard|watch|unwatch|wait|debug.*|raft.*)$/;

type Send = (...words: string[]) => Promise<string>;

/** A node of ours that leads alone, and redis-server. Two connections each: what is compared, and an operator's. */
interface Side {
  readonly send: Send;
  readonly operator: Send;
}

async function withBoth(run: (sides: readonly Side[]) => Promise<void>): Promise<void> {
  const redis = await startRedisServer();
  const info = await overTcp(redis.executor)("INFO", "server");
  const second = await TcpExecutor.connect("127.0.0.1", Number(/tcp_port:(\d+)/.exec(info)![1]));
  const world = new World();
  world.start(1, {});
  world.until("a leader", () => world.leader() !== undefined);
  const node = world.leader()!;
  try {
    await run([
      { send: ofClient(node.connect()), operator: ofClient(node.connect()) },
      { send: overTcp(redis.executor), operator: overTcp(second) },
    ]);
  } finally {
    await second.close();
    await redis.stop();
  }
}

const overTcp =
  (executor: Executor): Send =>
  async (...words) =>
    (await executor.run([words.map((word) => Buffer.from(word))]))[0]!.toString("latin1");

const ofClient =
  (client: Client): Send =>
  async (...words) =>
    client.call(...words);

/** What both answer to the same commands, one text each. */
async function answers(sides: readonly Side[], commands: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const { send } of sides) {
    const replies: string[] = [];
    for (const command of commands) {
      const reply = await send(...command.split(" "));
      // Seconds by each side's own clock, which may go on in between.
      replies.push(/^OBJECT IDLETIME /.test(command) ? reply.replace(/^:\d+/, ":seconds") : reply);
    }
    all.push(replies.join(""));
  }
  return all;
}

/** Something is stored, and it is too much. */
async function useUp(sides: readonly Side[], policy: string): Promise<void> {
  for (const { operator } of sides) {
    assert.equal(await operator("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", policy), "+OK\r\n");
    assert.equal(await operator("SET", "kept", "x".repeat(1000)), "+OK\r\n");
    assert.equal(await operator("CONFIG", "SET", "maxmemory", "1"), "+OK\r\n");
  }
}

/** The commands that both know, each with as many arguments as it needs at least. */
async function shortest({ send }: Side): Promise<string[][]> {
  const commands: string[][] = [];
  for (const { name, arity, route } of rows) {
    if (NOT_SENT.test(name) || route === "container") continue;
    const words = name.split("|");
    while (words.length < Math.abs(arity)) words.push("k");
    if (!/^-ERR unknown (sub)?command/.test(await send(...words))) commands.push(words);
  }
  return commands;
}

describe.skipIf(version === undefined)("beside redis-server (skipped where it is not installed)", () => {
  for (const policy of ["noeviction", "volatile-lru", "volatile-ttl"]) {
    test(`${policy}: the same commands are refused, alone and when queued`, () =>
      withBoth(async (sides) => {
        const commands = await shortest(sides[1]!);
        let refused = 0;
        for (const words of commands) {
          await useUp(sides, policy);
          const [ours, theirs] = await Promise.all(sides.map(({ send }) => send(...words)));
          assert.equal(OOM.test(ours!), OOM.test(theirs!), `${words.join(" ")}: ${ours} and ${theirs}`);
          if (OOM.test(theirs!)) {
            assert.equal(ours, theirs);
            refused++;
          }
          await useUp(sides, policy);
          const queued = await Promise.all(
            sides.map(async ({ send }) => [await send("MULTI"), await send(...words), await send("EXEC")]),
          );
          assert.deepEqual(queued[0], queued[1], `${words.join(" ")} after MULTI`);
        }
        assert.ok(refused > 30 && refused < commands.length / 2, `${refused} of ${commands.length} refused`);
      }));
  }

  test("EXEC is refused for what it would run, and only then", () =>
    withBoth(async (sides) => {
      for (const [queued, isRefused] of [
        [["SET k v"], true],
        [["GET k", "DEL k"], false],
        [["GET k", "HSET h f v", "GET k"], true],
        [["PING"], false],
      ] as const) {
        const replies: string[] = [];
        for (const { send, operator } of sides) {
          await operator("CONFIG", "SET", "maxmemory", "0");
          await send("MULTI");
          for (const command of queued) assert.equal(await send(...command.split(" ")), "+QUEUED\r\n");
          await useUp([{ send, operator }], "noeviction");
          replies.push(await send("EXEC"));
        }
        assert.equal(replies[0], replies[1], queued.join(", "));
        assert.equal(OOM.test(replies[0]!), isRefused, replies[0]);
      }
    }));

  test("settings around maxmemory: taken, shown and refused alike", () =>
    withBoth(async (sides) => {
      for (const [name, ...values] of [
        ["maxmemory", "100", "1kb", "2GB", "-1", "x", "1.5mb", "0"],
        ["maxmemory-policy", "allkeys-lru", "volatile-lfu", "VOLATILE-TTL", "allkeys-ttl", "", "noeviction"],
        ["maxmemory-samples", "1", "64", "0", "-1", "x", "5"],
        ["lfu-log-factor", "0", "100", "-1", "x", "10"],
        ["lfu-decay-time", "0", "60", "-1", "x", "1"],
      ] as const) {
        for (const value of values) {
          const [ours, theirs] = await Promise.all(
            sides.map(({ send }) => send("CONFIG", "SET", name, value)),
          );
          assert.equal(ours, theirs, `${name} ${value}`);
          const shown = await answers(sides, [`CONFIG GET ${name}`]);
          assert.equal(shown[0], shown[1], `${name} ${value}`);
        }
      }
    }));

  test("OBJECT IDLETIME and FREQ answer under the policies that track them", () =>
    withBoth(async (sides) => {
      for (const policy of [
        "noeviction",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
      ]) {
        const [ours, theirs] = await answers(sides, [
          `CONFIG SET maxmemory-policy ${policy}`,
          "DEL k",
          "SET k v",
          "OBJECT IDLETIME k",
          "OBJECT FREQ k",
          "OBJECT FREQ none",
          "OBJECT IDLETIME none",
        ]);
        assert.equal(ours, theirs, policy);
      }
    }));
});
