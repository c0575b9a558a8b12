// Clients that leave channels: what was published, and counted for them, before comes before the reply. On the leader and on a
// follower, which applies what it is sent a moment after the publisher has the answer.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { type Client, followerOf, type Host, started, type World } from "./world.ts";

const OK = "+OK\r\n";
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** A message, or the answer to (un)subscribing. */
function told(protocol: string, ...parts: readonly (string | number)[]): string {
  const words = parts.map((part) => (typeof part === "number" ? `:${part}\r\n` : bulk(part)));
  return `${protocol === "3" ? ">" : "*"}${parts.length}\r\n${words.join("")}`;
}

interface Case {
  readonly what: string;
  readonly subscribe: string[];
  readonly publish: string[];
  readonly counted: string;
  readonly leave: string[][];
  readonly only?: "2" | "3";
  readonly message: (protocol: string) => string;
  readonly reply: (protocol: string) => string;
}

const CHANNEL = {
  subscribe: ["SUBSCRIBE", "d"],
  publish: ["PUBLISH", "d", "x"],
  counted: ":1\r\n",
  message: (protocol: string) => told(protocol, "message", "d", "x"),
};
const PATTERN = {
  ...CHANNEL,
  subscribe: ["PSUBSCRIBE", "d*"],
  message: (protocol: string) => told(protocol, "pmessage", "d*", "d", "x"),
};
const SHARD = {
  subscribe: ["SSUBSCRIBE", "d"],
  publish: ["SPUBLISH", "d", "x"],
  counted: ":1\r\n",
  message: (protocol: string) => told(protocol, "smessage", "d", "x"),
};
const EVENT = {
  subscribe: ["SUBSCRIBE", "__keyevent@0__:set"],
  publish: ["SET", "k", "v"],
  counted: OK,
  message: (protocol: string) => told(protocol, "message", "__keyevent@0__:set", "k"),
};
const left = (word: string, name: string) => (protocol: string) => told(protocol, word, name, 0);

const CASES: readonly Case[] = [
  { what: "UNSUBSCRIBE", ...CHANNEL, leave: [["UNSUBSCRIBE", "d"]], reply: left("unsubscribe", "d") },
  { what: "UNSUBSCRIBE, all", ...CHANNEL, leave: [["UNSUBSCRIBE"]], reply: left("unsubscribe", "d") },
  { what: "PUNSUBSCRIBE", ...PATTERN, leave: [["PUNSUBSCRIBE", "d*"]], reply: left("punsubscribe", "d*") },
  { what: "PUNSUBSCRIBE, all", ...PATTERN, leave: [["PUNSUBSCRIBE"]], reply: left("punsubscribe", "d*") },
  { what: "SUNSUBSCRIBE", ...SHARD, leave: [["SUNSUBSCRIBE", "d"]], reply: left("sunsubscribe", "d") },
  { what: "SUNSUBSCRIBE, all", ...SHARD, leave: [["SUNSUBSCRIBE"]], reply: left("sunsubscribe", "d") },
  { what: "RESET", ...CHANNEL, leave: [["RESET"]], reply: () => "+RESET\r\n" },
  { what: "QUIT", ...PATTERN, leave: [["QUIT"]], reply: () => OK },
  {
    what: "an event",
    ...EVENT,
    leave: [["UNSUBSCRIBE"]],
    reply: left("unsubscribe", "__keyevent@0__:set"),
  },
  {
    what: "MULTI with nothing else in it",
    ...CHANNEL,
    only: "3",
    leave: [["MULTI"], ["UNSUBSCRIBE", "d"], ["EXEC"]],
    reply: () => `${OK}+QUEUED\r\n*1\r\n${told("3", "unsubscribe", "d", 0)}`,
  },
  {
    what: "MULTI with a command of the leader before",
    ...CHANNEL,
    only: "3",
    leave: [["MULTI"], ["INCR", "n"], ["UNSUBSCRIBE"], ["EXEC"]],
    reply: () => `${OK}+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n${told("3", "unsubscribe", "d", 0)}`,
  },
];

const NODES = [
  ["the leader", (world: World): Host => world.leader()!],
  ["a follower", followerOf],
] as const;

for (const [where, hostOf] of NODES) {
  for (const protocol of ["2", "3"]) {
    for (const { what, subscribe, publish, counted, leave, only, message, reply } of CASES) {
      if (only !== undefined && only !== protocol) continue;
      test(`${what} on ${where}, RESP${protocol}`, () => {
        const world = started(3, { "notify-keyspace-events": "EA" });
        const subscriber = hostOf(world).connect();
        subscriber.call("HELLO", protocol);
        subscriber.call(...subscribe);
        for (let ticks = 0; ticks < 3; ticks++) world.step();
        const publisher = world.leader()!.connect();
        assert.equal(publisher.call(...publish), counted);
        for (const command of leave) subscriber.send(...command);
        for (let ticks = 0; ticks < 3; ticks++) world.step();
        const heard = subscriber.take();
        // In the middle of a transaction's replies, which is where a message may stand.
        assert.ok(heard.includes(message(protocol)), JSON.stringify(heard));
        assert.equal(heard.replace(message(protocol), ""), reply(protocol));
        if (leave.length === 1) assert.ok(heard.startsWith(message(protocol)), JSON.stringify(heard));
        if (counted !== OK) assert.equal(publisher.call(...publish), ":0\r\n", "it counts no more");
        assert.equal(subscriber.take(), "");
      });
    }
  }
}

test.each(NODES)(
  "what it publishes to itself comes before its own leaving, on %s, RESP3",
  (_where, hostOf) => {
    const world = started(3);
    const client = hostOf(world).connect();
    client.call("HELLO", "3");
    client.call("SUBSCRIBE", "d");
    for (let ticks = 0; ticks < 3; ticks++) world.step();
    client.sendRaw(Buffer.from("PUBLISH d x\r\nUNSUBSCRIBE d\r\nPING\r\n"));
    for (let ticks = 0; ticks < 5; ticks++) world.step();
    const [message, reply] = [told("3", "message", "d", "x"), told("3", "unsubscribe", "d", 0)];
    assert.equal(client.take(), `:1\r\n${message}${reply}+PONG\r\n`);
  },
);

test("nobody leads: leaving waits no longer than an election takes", () => {
  const world = started(3);
  const host = followerOf(world);
  const subscriber = host.connect();
  subscriber.call("SUBSCRIBE", "d");
  for (const name of [...world.hosts.keys()]) if (name !== host.name) world.kill(name);
  assert.equal(subscriber.call("UNSUBSCRIBE"), told("2", "unsubscribe", "d", 0));
  assert.equal(subscriber.call("PING"), "+PONG\r\n");
});

test("a client that is gone while it waits leaves nothing behind", () => {
  const world = started(3);
  const host = followerOf(world);
  const subscriber = host.connect();
  subscriber.call("SUBSCRIBE", "d");
  for (let ticks = 0; ticks < 3; ticks++) world.step();
  subscriber.send("UNSUBSCRIBE");
  subscriber.destroy();
  for (let ticks = 0; ticks < 3; ticks++) world.step();
  assert.equal(host.connect().call("PUBSUB", "NUMSUB", "d"), `*2\r\n${bulk("d")}:0\r\n`);
  const again = host.connect();
  assert.equal(again.call("SUBSCRIBE", "d"), told("2", "subscribe", "d", 1));
  for (let ticks = 0; ticks < 3; ticks++) world.step();
  assert.equal(world.leader()!.connect().call("PUBLISH", "d", "x"), ":1\r\n");
});

test.each([1, 2, 3, 4])(
  "whatever is under way: who is counted gets it, before the answer (seed %d)",
  (seed) => {
    const random = new Xoshiro(seed);
    const world = started(3);
    const subscriber = followerOf(world).connect();
    const publishers = [...world.hosts.values()].map((host) => host.connect());
    const counts: string[] = [];
    const delivered = new Set<string>();
    let isIn = false;
    let isAsked = false;
    let serial = 0;
    const order = new Map<Client, string[]>(publishers.map((it) => [it, []]));
    for (let round = 0; round < 3000; round++) {
      const isEnding = round >= 2900;
      if (!isAsked && !isEnding && random.below(4) === 0) {
        subscriber.send(isIn ? "UNSUBSCRIBE" : "SUBSCRIBE", "d");
        isAsked = true;
      }
      for (const publisher of publishers) {
        if (isEnding || random.below(4) > 0) continue;
        const name = `m${serial++}`;
        order.get(publisher)!.push(name);
        publisher.send("PUBLISH", "d", name);
      }
      if (random.below(8) === 0) world.step();
      else world.round();
      for (const [publisher, names] of order) {
        for (const reply of publisher
          .take()
          .split("\r\n")
          .filter((line) => line !== "")) {
          const name = names.shift()!;
          if (reply === ":1") counts.push(name);
          else assert.equal(reply, ":0");
        }
      }
      for (const reply of subscriber.take().split("*3\r\n").slice(1)) {
        const [, word, , , , text = ""] = reply.split("\r\n");
        if (word === "message") {
          assert.ok(isIn, `${text} came to nobody`);
          delivered.add(text);
        } else {
          isIn = word === "subscribe";
          isAsked = false;
        }
      }
    }
    expect(counts.length).toBeGreaterThan(200);
    expect(counts.filter((name) => !delivered.has(name))).toEqual([]);
  },
);
